def law(ax, through, slope=None, label="", decades=""):
    """y ∝ x^slope (without a slope: y ∝ 1/ln x) through a point, dashed; `decades` names axes that hold log10."""
    x = off_axis(np.linspace(*on_axis(pd.Series(ax.get_xlim()), ax.get_xscale()), 121), ax.get_xscale())
    log_x, log_x0 = (v if "x" in decades else np.log10(v) for v in (x, through[0]))
    factor = slope * (log_x - log_x0) if slope is not None else -np.log10(log_x / log_x0)
    y = through[1] + factor if "y" in decades else through[1] * 10.0**factor
    ax.plot(x, y, "k--", linewidth=0.9, label=label, scalex=False, scaley=False)
