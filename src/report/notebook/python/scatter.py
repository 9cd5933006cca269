def scatter(ax, data, x, y, series=None, legend=None, labels={}):
    """Column against column, with the identity."""
    for style, label, rows, column in each_series(data, y, series, legend, labels):
        ax.plot(rows[x], rows[column], label=label, markersize=5, alpha=0.65, **style | {"linestyle": "none"})
    ends = [min(ax.get_xlim()[0], ax.get_ylim()[0]), max(ax.get_xlim()[1], ax.get_ylim()[1])]
    ax.plot(ends, ends, "k--", linewidth=0.9, label="identity", zorder=0)
    ax.set(xlim=ends, ylim=ends)
