def edges(centres):
    """Cell edges half-way between centres."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    between = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - between[0]], between, [2 * centres[-1] - between[-1]]])


def heatmap(ax, data, x, label, norm=None, cmap=None, shift=None):
    """A vector over time, the median over runs."""
    data = data.assign(place=on_axis(data.groupby("step")[x].transform("median"), ax.get_xscale()))
    table = data.pivot_table(index="index", columns="place", values="value", aggfunc="median")
    if table.empty:
        return
    if shift == "fft":
        half = len(table) // 2
        table = table.set_axis((table.index + half) % len(table) - half).sort_index()
    across = off_axis(edges(table.columns.to_numpy()), ax.get_xscale())
    mesh = ax.pcolormesh(across, edges(table.index.to_numpy()), table, **colours(table, norm, cmap))
    ax.set_facecolor(mesh.cmap(0.0))  # what a logarithmic scale cannot place is below everything
    plt.colorbar(mesh, ax=ax, label=label)
