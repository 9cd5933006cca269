def bars(ax, data, x, y, series=None, legend=None, labels={}):
    """Bars at the median of the runs of a series in each category, whiskers from the least to the greatest."""
    places, everything = list(values_of(data[x])), list(each_series(data, y, series, legend, labels))
    width = 0.8 / len(everything)
    for i, (style, label, rows, column) in enumerate(everything):
        at = np.arange(len(places)) + width * (i - (len(everything) - 1) / 2)
        placed = on_axis(rows[column], ax.get_yscale()).groupby(rows[x])
        middle = off_axis(placed.median().reindex(places), ax.get_yscale())
        least, greatest = (off_axis(ends.reindex(places), ax.get_yscale()) for ends in (placed.min(), placed.max()))
        how = dict(color=style["color"], ecolor=plt.rcParams["text.color"], capsize=2)
        ax.bar(at, middle, 0.92 * width, yerr=[middle - least, greatest - middle], label=label, **how)
    words = [textwrap.fill(name(value, labels), 12, break_long_words=False) for value in places]
    ax.set_xticks(range(len(places)), words)
