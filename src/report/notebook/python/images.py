def images(data, shape, label, series=None, legend=None, labels={}, norm=None, cmap=None, shift=None, normalise=False):
    """Vectors as images, the first run of every series, on a figure of their own."""
    if data.empty:
        fig = plt.figure(figsize=(4, 1))
        fig.text(0.5, 0.4, "no data", ha="center")
        return fig
    tiles = {}
    for _, title, rows, _ in each_series(data, "value", series, legend, labels):
        first = rows[rows["run"] == rows["run"].iloc[0]].sort_values("index")
        image = first["value"].to_numpy().reshape(shape)
        image = image / np.abs(image).max() if normalise else image
        tiles[title] = np.fft.fftshift(image) if shift == "fft" else image
    how = colours(np.array(list(tiles.values())), norm, cmap)
    fig, axes = plt.subplots(1, len(tiles), figsize=(2.6 * len(tiles) + 0.8, 2.9), layout="constrained", squeeze=False)
    for ax, (title, image) in zip(axes.flat, tiles.items()):
        drawn = ax.imshow(image, **how)
        ax.set_title(title, loc="center")
        ax.axis("off")
    plt.colorbar(drawn, ax=axes, label=label)
    return fig
