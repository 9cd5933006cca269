def phases(ax, data, x, y, quantity, label, norm=None, cmap=None):
    """A final metric for every pair of values of two parameters, the median over runs."""
    table = data.pivot_table(index=y, columns=x, values=quantity, aggfunc="median")
    scales = [(table.columns, ax.get_xscale()), (table.index, ax.get_yscale())]
    across, up = [off_axis(edges(on_axis(values.to_series(), scale).to_numpy()), scale) for values, scale in scales]
    mesh = ax.pcolormesh(across, up, table, **colours(table, norm, cmap))
    plt.colorbar(mesh, ax=ax, label=label)
