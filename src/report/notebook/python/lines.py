def over_runs(curves):
    """Median, least and greatest of curves: at the x they share, else interpolated where all runs are."""
    longest, at = max(map(len, curves)), pd.concat(curves, axis=1).sort_index()
    at = at[at.count(axis=1) >= len(curves) / 2]
    if not longest / 2 <= len(at) <= 1.25 * longest + 1:
        x = np.linspace(max(c.index[0] for c in curves), min(c.index[-1] for c in curves), 1001)
        at = pd.DataFrame({i: np.interp(x, c.index, c) for i, c in enumerate(curves)}, index=x)
    return pd.DataFrame({"median": at.median(axis=1), "least": at.min(axis=1), "greatest": at.max(axis=1)})


def lines(ax, data, x, y, series=None, legend=None, labels={}, spread="runs"):
    """Every run as a thin line with their median, or the median in a band over the runs; the end of the first series."""
    across, up, end = ax.get_xscale(), ax.get_yscale(), None
    for style, label, rows, column in each_series(data, y, series, legend, labels):
        placed = pd.DataFrame({"run": rows["run"], "x": on_axis(rows[x], across), "y": on_axis(rows[column], up)})
        by_run = placed.dropna().drop_duplicates(["run", "x"]).groupby("run", sort=False)
        curves = [curve.set_index("x")["y"].sort_index() for _, curve in by_run]
        if not curves:
            continue
        middle = over_runs(curves)
        at = off_axis(middle.index, across)
        if len(curves) > 1 and spread == "band":
            low, high = off_axis(middle["least"], up), off_axis(middle["greatest"], up)
            ax.fill_between(at, low, high, color=style["color"], alpha=0.18, linewidth=0)
        elif len(curves) > 1:
            for curve in curves:
                thin = dict(color=style["color"], linewidth=0.6, alpha=0.4)
                ax.plot(off_axis(curve.index, across), off_axis(curve, up), **thin)
        median = off_axis(middle["median"], up)
        ax.plot(at, median, label=label, linewidth=1.6, markersize=4, markevery=0.2, **style)
        end = end or (at[-1], median.iloc[-1])
    return end
