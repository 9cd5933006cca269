import textwrap

from matplotlib.ticker import FixedLocator, NullLocator

plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left"})
plt.rcParams.update({"legend.frameon": False, "font.size": 9, "axes.titlesize": "medium", "mathtext.default": "regular"})
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5A5A5F"]  # Okabe and Ito 2008
DASHES = ["-", (0, (6, 2.5)), (0, (3.2, 2)), "-."]
MARKERS = ["o", "s", "^", "D", "v", "p"]
plt.rcParams["axes.prop_cycle"] = plt.cycler(color=COLOURS)


def name(value, labels={}):
    """A raw value in words."""
    return labels.get(str(value), f"{value:g}" if isinstance(value, float) else str(value).replace("_", " "))


def values_of(column):
    """Numbers in order, words as they first appear."""
    values = column.dropna().unique()
    return np.sort(values) if pd.api.types.is_numeric_dtype(column) else values


def each_series(data, y, series=None, legend=None, labels={}):
    """Colour, line and marker, label, rows and y column of every series; several y are the series themselves."""
    columns = [y] if isinstance(y, str) else y
    values = [None] if series is None else values_of(data[series])
    everything = [(column, value) for column in columns for value in values]
    for i, (column, value) in enumerate(everything):
        rows = data if series is None else data[data[series] == value]
        label = legend or "" if len(columns) == 1 else name(column, labels)
        if series is not None and len(rows):
            words = {key: name(entry, labels) for key, entry in rows.iloc[0].items()}
            label = (legend or f"{{{series}}}").format(**words)
        many = len(everything) > len(COLOURS)
        colour = plt.cm.viridis(0.9 * i / (len(everything) - 1)) if many else COLOURS[i]
        yield {"color": colour, "linestyle": DASHES[i % 4], "marker": MARKERS[i % 6]}, label, rows, column


def on_axis(values, scale):
    """Where values stand along an axis: their logarithm on a logarithmic one."""
    values = values.astype(float).replace([np.inf, -np.inf], np.nan)
    return np.log10(values.where(values > 0)) if scale == "log" else values


def off_axis(positions, scale):
    """The values at these positions."""
    return 10.0**positions if scale == "log" else positions


def show(fig):
    """One legend below the figure, each label once; ticks that stay below the largest double."""
    entries = {}
    for ax in fig.axes:
        for handle, label in zip(*ax.get_legend_handles_labels()):
            entries.setdefault(label, handle)
        for axis in (ax.xaxis, ax.yaxis):
            low, high = map(float, axis.get_view_interval())
            if axis.get_scale() == "log" and np.log10(high) - np.log10(low) > 100:
                axis.set_major_locator(FixedLocator(10.0 ** np.arange(-300, 301, 50)))
                axis.set_minor_locator(NullLocator())
    if entries:
        fig.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=int(fig.get_figwidth() / 1.7))
    fig.canvas.draw()  # an error here stops the notebook; one in plt.show() does not
    plt.show()
