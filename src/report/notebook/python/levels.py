def levels(ax, data, column, series=None, label=""):
    """The median of a column in each series, as dashed lines over the whole width; one line if all agree."""
    medians = data.groupby(series)[column].median() if series else pd.Series([data[column].median()])
    agree = np.allclose(medians, medians.iloc[0], rtol=1e-9)
    for i, level in enumerate(medians[:1] if agree else medians):
        how = dict(linestyle="--", linewidth=0.9, label=label if i == 0 else None)
        ax.axhline(level, color="black" if agree else COLOURS[i % len(COLOURS)], **how)
