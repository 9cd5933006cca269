def last(data, quantity=None, step=np.inf):
    """The rows of one quantity (or of each) at the last recorded step of each run, not after `step`."""
    data = data[(data["step"] <= step) & ((quantity is None) | (data["quantity"] == quantity))]
    return data[data["step"] == data.groupby(["run", "quantity"])["step"].transform("max")]
