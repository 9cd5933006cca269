def profile(ax, data, series=None, legend=None, labels={}, style="stems", shift=None, normalise=False):
    """Vectors against their index: a stem to the median and a dot a run, or the median in a band over the runs."""
    everything = list(each_series(data, "value", series, legend, labels))
    for i, (look, label, rows, _) in enumerate(everything):
        entries = []
        for _, run in rows.groupby("run", sort=False):
            vector = run.set_index("index")["value"].sort_index()
            length = len(vector)
            centre = {"fft": 0, "peak": vector.abs().idxmax() if length else 0}.get(shift, length // 2)
            vector = vector / vector.abs().max() if normalise else vector
            vector = vector.set_axis((vector.index - centre + length // 2) % length - (length // 2 if shift else 0))
            entries.append(vector)
        if not entries:
            continue
        entries = pd.concat(entries).groupby(level=0)
        median, colour = entries.median(), look["color"]
        if style == "stems":
            aside = 0.25 * (i - (len(everything) - 1) / 2)
            ax.vlines(median.index + aside, 0, median, color=colour, linewidth=0.9, alpha=0.8)
            for index, values in entries:
                ax.plot([index + aside] * len(values), values, look["marker"], color=colour, markersize=3.5)
            ax.plot([], [], look["marker"], color=colour, label=label)
        else:
            ax.fill_between(median.index, entries.min(), entries.max(), color=colour, alpha=0.18, linewidth=0)
            ax.plot(median.index, median, label=label, linewidth=1.4, markersize=4, markevery=0.2, **look)
