def points(ax, data, x, y, series=None, legend=None, labels={}, category=False):
    """A point a run, and a bar at the median of the runs of a series at one x."""
    places = {value: i for i, value in enumerate(values_of(data[x]))}
    everything = list(each_series(data, y, series, legend, labels))
    for i, (style, label, rows, column) in enumerate(everything):
        aside = 0.15 * (i - (len(everything) - 1) / 2)
        at = rows[x].map(places) + aside if category else rows[x]
        how = dict(color=style["color"], linestyle="none")
        ax.plot(at, rows[column], marker=style["marker"], markersize=5, alpha=0.6, label=label, **how)
        placed = on_axis(rows[column], ax.get_yscale()).groupby(at)
        median = off_axis(placed.median()[placed.count() > 1], ax.get_yscale())
        ax.plot(median.index, median, marker="_", markersize=13, markeredgewidth=2, **how)
    if category:
        words = [textwrap.fill(name(value, labels), 12, break_long_words=False) for value in places]
        ax.set_xticks(range(len(places)), words)
        ax.set_xlim(-0.5, len(places) - 0.5)
