import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

# Only an empty field is missing; a run's name is no number.
READ = dict(keep_default_na=False, na_values=[""], dtype={"run": str}, low_memory=False)


def add_columns(table, other, on):
    """`table` with the columns of `other` that it lacks."""
    new = [column for column in other if column not in table]
    return table.merge(other[on + new], on=on, how="left")


def select(table, wanted):
    """The rows whose columns have the wanted value, or one of a list of values."""
    for column, value in wanted.items():
        table = table[table[column].isin(value if isinstance(value, list) else [value])]
    return table


runs = pd.read_csv(f"{RESULTS}/runs.csv", **READ)
