def pairs(data):
    """Vectors side by side: a row for each run and index, a column for each quantity, and the run's own columns."""
    wide = data.pivot_table(index=["run", "index"], columns="quantity", values="value", sort=False)
    return add_columns(wide.reset_index(), runs, ["run"])
