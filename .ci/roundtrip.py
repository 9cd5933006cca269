"""Compares bits; called by roundtrip.sh with the folder of the exported files."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

out = Path(sys.argv[1])


def misread(values, wanted):
    """How many doubles differ in their bits; a NaN is a NaN."""
    values, wanted = np.asarray(values, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    assert len(values) == len(wanted) > 0
    same = (values.view(np.uint64) == wanted.view(np.uint64)) | (np.isnan(values) & np.isnan(wanted))
    return int((~same).sum())


csv = f"{out}/doubles.csv"
bits = pd.read_csv(csv, dtype=str)["bits"]
wanted = np.array([int(b, 16) for b in bits], dtype=np.uint64).view(np.float64)
assert len(wanted) > 200_000 and np.isinf(wanted).any() and (np.abs(wanted) < 1e-308).any()
filled = lambda frame: frame["value"].fill_null(np.nan)
readers = {
    "pandas.read_csv": lambda: pd.read_csv(csv)["value"],
    "polars.read_csv": lambda: filled(pl.read_csv(csv)),
    "pandas.read_parquet": lambda: pd.read_parquet(f"{out}/doubles.parquet")["value"],
    "polars.read_parquet": lambda: filled(pl.read_parquet(f"{out}/doubles.parquet")),
}
for name, read in readers.items():
    wrong = misread(read(), wanted)
    print(f"{name}: {wrong} of {len(wanted)} doubles misread")
    assert wrong == 0

for experiment, curves in {"11-how-far": 20, "14-stationary-points": 50}.items():
    table = pd.read_csv(f"{out}/csv/gunasekar2018/{experiment}.csv", dtype={"run": str})
    parquet = pd.read_parquet(f"{out}/parquet/gunasekar2018/{experiment}.parquet")
    assert list(parquet) == list(table)
    for column in table.select_dtypes("number"):
        assert misread(parquet[column], table[column]) == 0, column
    folders = sorted(p for p in Path(f"{out}/tensorboard/gunasekar2018/{experiment}").iterdir())
    assert len(folders) == curves, len(folders)
    parameters = list(table)[1 : list(table).index("step")]
    names = table[parameters].astype(str).agg(lambda row: ",".join(f"{k}={v}" for k, v in row.items()), axis=1)
    compared = 0
    for folder in folders:
        run = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
        own = table[names == folder.name]
        assert len(own), folder.name
        for tag in run.Tags()["tensors"]:
            events, kept = run.Tensors(tag), own.dropna(subset=[tag])
            assert [e.step for e in events] == kept["step"].tolist(), (folder.name, tag)
            values = [tensor_util.make_ndarray(e.tensor_proto).item() for e in events]
            assert misread(values, kept[tag]) == 0, (folder.name, tag)
            compared += len(values)
    print(f"EventAccumulator: {experiment}, {len(folders)} runs, {compared} scalars as in the CSV")
    assert compared > 1000
