from matplotlib.colors import LogNorm, Normalize


def colours(values, norm=None, cmap=None):
    """Blue, white and red about zero where values are negative, else viridis from zero up."""
    if norm is None:
        low, high = min(0, np.nanmin(values)), np.nanmax(np.abs(values))
        cmap = cmap or ("RdBu_r" if low < 0 else "viridis")
        norm = Normalize(-high if cmap == "RdBu_r" else low, high)
    return {"norm": norm, "cmap": cmap}
