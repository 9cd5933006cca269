def ticks(ax, data, x, column, label="", category=False):
    """The median of a column at each x, as short black bars."""
    places = {value: i for i, value in enumerate(values_of(data[x]))}
    median = data.groupby(data[x].map(places) if category else data[x])[column].median()
    ax.plot(median.index, median, "k_", markersize=20, markeredgewidth=1.2, label=label)
