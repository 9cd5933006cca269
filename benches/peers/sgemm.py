"""NumPy's side of the xnor benchmark: a product of f32 matrices by the OpenBLAS that its wheel brings.

    python sgemm.py          serve: one request a line on stdin, one JSON line a request on stdout

A request is `M N K THREADS`: C = A B^T with A M x K and B N x K of +-1, into memory that is there. The reply is
{"seconds": .., "blas": ..}, or {"error": ..}. OpenBLAS takes its number of threads from the first request.
"""

import json
import os
import sys
import time

MATRICES = {}


def measure(m, n, k, threads):
    if "numpy" not in sys.modules:
        os.environ["OPENBLAS_NUM_THREADS"] = str(threads)
    import numpy as np

    if os.environ["OPENBLAS_NUM_THREADS"] != str(threads):
        raise ValueError("the number of threads was fixed by the first request: start another process")
    if (m, n, k) not in MATRICES:
        random = np.random.default_rng(0)
        sign = lambda rows: random.choice(np.array([-1, 1], np.float32), (rows, k))
        MATRICES[m, n, k] = sign(m), sign(n), np.empty((m, n), np.float32)
    a, b, c = MATRICES[m, n, k]
    start = time.perf_counter()
    np.matmul(a, b.T, out=c)
    seconds = time.perf_counter() - start
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {"seconds": seconds, "blas": f"{blas['name']} {blas['version']}"}


for line in iter(sys.stdin.readline, ""):
    try:
        reply = measure(*map(int, line.split()))
    except (TypeError, ValueError, MemoryError) as error:
        reply = {"error": f"request {line.strip()!r}: {error}"}
    print(json.dumps(reply), flush=True)
