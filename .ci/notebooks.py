"""Executes the notebooks two at a time; called by notebooks.sh."""

import base64
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from subprocess import DEVNULL

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def execute(path, pictures=None):
    """Runs one notebook where it stands; every figure must come out as a picture."""
    started, text = time.time(), path.read_text()
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    with tempfile.NamedTemporaryFile("r+", suffix=".ipynb") as copy:
        nbformat.write(notebook, copy.name)
        assert Path(copy.name).read_text() == text, f"{path}: Jupyter would write other bytes"
    assert not any(cell.get("outputs") for cell in notebook.cells), f"{path}: outputs are committed"
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}})
    client.execute(stderr=DEVNULL)  # the kernel's own notices
    count = 0
    for output in (o for cell in notebook.cells for o in cell.get("outputs", [])):
        data = output.get("data", {})
        assert "<Figure" not in data.get("text/plain", "") or "image/png" in data, f"{path}: a figure was not drawn"
        assert output.get("name") != "stderr", f"{path}: {output['text']}"
        if "image/png" in data:
            count += 1
            if pictures:
                (pictures / f"{path.stem}-{count}.png").write_bytes(base64.b64decode(data["image/png"]))
    assert count, f"{path}: no figure"
    return f"{path.stem}: {count} figures, {time.time() - started:.0f} s"


def wrong_number_is_found():
    """A copy of a record with one number changed: its notebook must fail, and say which number."""
    with tempfile.TemporaryDirectory() as root:
        for part in ["results/gunasekar2018/01-fully-connected", "notebooks-export/gunasekar2018"]:
            shutil.copytree(part, f"{root}/{part}")
        shutil.copy("results/summary.csv", f"{root}/results/summary.csv")
        runs = Path(root, "results/gunasekar2018/01-fully-connected/runs.csv")
        header, first, *rest = runs.read_text().splitlines()
        fields = first.split(",")
        fields[header.split(",").index("excess")] = "0.125"
        runs.write_text("\n".join([header, ",".join(fields), *rest]) + "\n")
        try:
            execute(Path(root, "notebooks-export/gunasekar2018/01-fully-connected.ipynb"))
        except CellExecutionError as error:
            assert error.ename == "AssertionError" and error.evalue.startswith("max excess is 0.125"), error
            return "a changed number: found"
        raise AssertionError("a changed number was not found")


if __name__ == "__main__":
    pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    notebooks = sorted(Path("notebooks-export").rglob("*.ipynb"))
    assert notebooks, "there are no notebooks. Write them with `implicit-bias export notebook`."
    with ProcessPoolExecutor(2) as pool:
        control = pool.submit(wrong_number_is_found)
        for done in [pool.submit(execute, path.absolute(), pictures) for path in notebooks] + [control]:
            print(done.result(), flush=True)
