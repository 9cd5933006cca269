"""Peers of the log_time_flow benchmark: the same limit by other means, on the same data.

    python fourier_l1.py     serve: one request a line on stdin, one JSON line a request on stdout

Data come from a file of little-endian float64: N x D rows z = y x as packed spectra (REAL self-conjugate bins, then
sqrt(2) Re, then sqrt(2) Im of one bin of each of the (D - REAL)/2 pairs), then the two layers at the start, packed.

    socp FILE N D REAL       the predicted problem alone, min sum |beta^| s.t. <z, beta> >= 1, by CVXPY with Clarabel:
                             {"total": .., "solver": .., "value": ..}: seconds with and without CVXPY's own work
    flow FILE N D REAL H LOG10_Q KAPPA
                             the same flow in NumPy (explicit Gram matrix, the same implicit step in the weights):
                             {"seconds": .., "steps": .., "gap": ..}, the certified gap at q = 10^LOG10_Q
"""

import json
import sys
import time

import cvxpy as cp
import numpy as np


def load(path, n, d, real):
    """Rows and layers as half spectra, with how often each bin counts."""
    flat = np.fromfile(path, "<f8").reshape(n + 2, d)
    pairs = (d - real) // 2
    paired = (flat[:, real : real + pairs] + 1j * flat[:, real + pairs :]) / np.sqrt(2)
    spectra = np.concatenate([flat[:, :real] + 0j, paired], 1)
    return flat[:n], spectra[:n], spectra[n:], np.repeat([1.0, 2.0], [real, pairs])


def socp(path, n, d, real):
    z, _, _, _ = load(path, n, d, real)
    started = time.perf_counter()
    pairs = (d - real) // 2
    beta = cp.Variable(d)
    moduli = cp.norm(cp.vstack([beta[real : real + pairs], beta[real + pairs :]]), 2, axis=0)
    problem = cp.Problem(cp.Minimize(cp.norm1(beta[:real]) + np.sqrt(2) * cp.sum(moduli)), [z @ beta >= 1])
    problem.solve(solver=cp.CLARABEL)
    total = time.perf_counter() - started
    return {"total": total, "solver": problem.solver_stats.solve_time, "value": problem.value}


def weights(m, gram, delta, kappa, log_p):
    """softmax of the margins at the end of a linearised step, by Newton in log p."""
    n, wake = len(m), np.log(1e-3 / len(m))
    m = m - m.min()
    for _ in range(200):
        p = np.exp(log_p)
        f = log_p / kappa + m + delta * (gram @ p)
        scale = delta * np.abs(gram @ p).max() + 1e-300
        off = f - p @ f / p.sum()
        if np.abs(np.where(p > 1e-9, off, 0)).max() < 1e-8 * scale and abs(p.sum() - 1) < 1e-12:
            break
        system = np.zeros((n + 1, n + 1))
        system[:n, :n] = np.eye(n) / kappa + delta * gram * p
        system[:n, n], system[n, :n] = -1, p
        change = np.linalg.solve(system, np.append(-f, 1 - p.sum()))[:n]
        change = np.minimum(change, np.maximum(wake - log_p, 1))
        log_p = np.maximum(log_p + np.where(p > 1e-6, np.maximum(change, -2), change), -700)
    p = np.exp(log_p)
    return np.log(np.maximum(p / p.sum(), 1e-300))


def flow(path, n, d, real, h, log10_q, cap):
    _, z, (u, v), count = load(path, n, d, real)
    started = time.perf_counter()
    stacked = np.concatenate([z.real * count, z.imag * count], 1)

    def margins(beta):
        return stacked @ np.concatenate([beta.real, beta.imag])

    size = np.sqrt((count * (abs(u) ** 2 + abs(v) ** 2)).sum())
    u, v, sigma = u / size, v / size, np.log(size)
    exponent, log_p, steps = np.zeros(z.shape[1]), np.full(n, -np.log(n)), 0
    while 2 * sigma / np.log(10) < log10_q:
        steps += 1
        square = np.exp(2 * exponent)
        gram = ((z * ((abs(u) ** 2 + abs(v) ** 2) * square * count)) @ z.conj().T).real
        delta = h / np.abs(np.exp(log_p) @ z).max()
        log_p = weights(margins(u * v * square), gram, delta, min(np.exp(min(2 * sigma, 700)), cap), log_p)
        dual = np.exp(log_p) @ z
        a = np.abs(dual)
        cosh, sinh = np.cosh(a * delta), np.sinh(a * delta) * np.where(a > 0, dual / np.where(a > 0, a, 1), 1)
        u, v = cosh * u + sinh * v.conj(), cosh * v + sinh * u.conj()
        largest = np.sqrt(abs(u) ** 2 + abs(v) ** 2)
        u, v, exponent = u / largest, v / largest, exponent + np.log(largest)
        top = exponent.max()
        shift = 0.5 * np.log((count * np.exp(2 * (exponent - top))).sum()) + top
        exponent, sigma = exponent - shift, sigma + shift
    beta = u * v * np.exp(2 * exponent)
    gap = (count * abs(beta)).sum() / margins(beta).min() * np.abs(dual).max() - 1
    return {"seconds": time.perf_counter() - started, "steps": steps, "gap": gap}


def main():
    for line in iter(sys.stdin.readline, ""):
        task, path, *numbers = line.split()
        whole, rest = map(int, numbers[:3]), map(float, numbers[3:])
        reply = {"socp": socp, "flow": flow}[task](path, *whole, *rest)
        print(json.dumps({k: float(x) for k, x in reply.items()}), flush=True)


if __name__ == "__main__":
    main()
