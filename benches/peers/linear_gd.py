"""PyTorch's side of the linear_gd benchmark: one gradient step of the depth-2 linear convolutional network.

    python linear_gd.py            serve: one request a line on stdin, one JSON line a request on stdout
    python linear_gd.py --once     a table of every size, thread count and variant, taking turns
    python linear_gd.py --check    five steps of every variant against plain NumPy in the signal domain

A request is `N D STEPS THREADS [VARIANT]`; the reply {"n":..,"d":..,"steps":..,"us_per_step":..,...}, or {"error":..}.
The first request of a size makes its data (not timed); the first of a size, thread count and variant also runs a few
steps to warm up (not timed). Every request restarts from the same weights, so that each one does the same work. The
process stays up so that the caller can take turns with it; an empty line or the end of input ends it.

What is timed: STEPS whole steps, wall clock, each of them
    beta = P(w), margins = (y X) beta, loss = log sum exp(-margins), its gradient in w by autograd, the update in place.
Not timed: making the data, folding y into X, and bringing w to the domain it is trained in, each done once a run.
The step is on the log of the exponential loss: gradient descent with step size STEP / loss, which cannot underflow.
All of it is float64 on the CPU; X is a dense N x D matrix, multiplied once forward and once backward.

The variants compute the same iterates, up to the unitary DFT of the weights, which commutes with the step:
    signal       trains w_1, w_2: beta = irfft(rfft(w_1) rfft(w_2)), three transforms forward and three backward
    spectral     trains their half spectra v_1, v_2: beta = irfft(v_1 v_2), one transform forward and one backward
    prepared     spectral, and the rows of X are transformed before the run too: no transform left in the step, but X
                 is no longer multiplied as given
    handwritten  spectral with the gradient written by hand into reused buffers: what PyTorch costs without its tape
`spectral` is the default: the fastest that uses autograd and multiplies X itself. `prepared` and `handwritten` are
there for a fair reading, not as what a researcher would write first.

Tried and left out, on two cores of an AMD EPYC with torch 2.15: torch.autograd.grad for .backward(), both layers in
one tensor, torch._foreach_add_, torch.mv for @ (equal within noise, or slower by up to an eighth on small sizes), and
torch.compile (nearly twice as slow: it generates no code for complex tensors).
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np
import torch

SIZES = [(8, 32), (32, 256), (512, 4096), (2000, 16384)]
DEFAULT = "spectral"
STEP = 1e-3
WARM_UP = 3


def data(n, d):
    """(-y X, w_0), seeded by the size. Standard normal, so that margins are of order sqrt(D)."""
    generator = torch.Generator().manual_seed(2018 + 1_000_003 * n + d)
    x = torch.randn(n, d, dtype=torch.float64, generator=generator)
    y = torch.where(torch.arange(n) % 2 == 0, 1.0, -1.0).to(torch.float64)
    w = torch.randn(2, d, dtype=torch.float64, generator=generator)
    return x.mul_(-y[:, None]), w


def multiplicity(d):
    """How often a bin of the half spectrum occurs in the whole one: inner bins twice, 0 and the Nyquist bin once."""
    count = torch.full((d // 2 + 1,), 2.0, dtype=torch.float64)
    count[0] = 1
    if d % 2 == 0:
        count[-1] = 1
    return count


class Signal:
    def __init__(self, minus_yx, w0):
        self.a, self.d = minus_yx, w0.shape[1]
        self.w = [w.clone().requires_grad_() for w in w0]

    def run(self, steps):
        a, d, (w1, w2) = self.a, self.d, self.w
        rfft, irfft = torch.fft.rfft, torch.fft.irfft
        for _ in range(steps):
            beta = irfft(rfft(w1, norm="ortho") * rfft(w2, norm="ortho"), n=d, norm="ortho")
            loss = torch.logsumexp(a @ beta, 0)
            loss.backward()
            with torch.no_grad():
                w1.sub_(w1.grad, alpha=STEP)
                w2.sub_(w2.grad, alpha=STEP)
            w1.grad = w2.grad = None
        return loss.item()

    def weights(self):
        return torch.stack([w.detach() for w in self.w])


class Spectral:
    """irfft counts an inner bin of the half spectrum twice, so its gradient is that of two bins of the whole one:
    dividing the step by the multiplicity makes this the same run as Signal."""

    def __init__(self, minus_yx, w0):
        self.a, self.d = minus_yx, w0.shape[1]
        self.v = [v.clone().requires_grad_() for v in torch.fft.rfft(w0, norm="ortho")]
        self.rate = -STEP / multiplicity(self.d)

    def margins(self, v1, v2):
        return self.a @ torch.fft.irfft(v1 * v2, n=self.d, norm="ortho")

    def run(self, steps):
        (v1, v2), rate = self.v, self.rate
        for _ in range(steps):
            loss = torch.logsumexp(self.margins(v1, v2), 0)
            loss.backward()
            with torch.no_grad():
                v1.addcmul_(v1.grad, rate)
                v2.addcmul_(v2.grad, rate)
            v1.grad = v2.grad = None
        return loss.item()

    def weights(self):
        return torch.fft.irfft(torch.stack([v.detach() for v in self.v]), n=self.d, norm="ortho")


class Prepared(Spectral):
    """<x, beta> = sum over the half spectrum of multiplicity * Re(conj(xhat) betahat): a real matrix of D + 2 columns."""

    transformed = {}  # by the id of -y X, which `SERVED` keeps alive

    def __init__(self, minus_yx, w0):
        super().__init__(minus_yx, w0)
        key = id(minus_yx)
        if key not in self.transformed:
            rows = torch.fft.rfft(minus_yx, norm="ortho").mul_(multiplicity(self.d))
            self.transformed[key] = torch.view_as_real(rows).flatten(1)
        self.a = self.transformed[key]

    def margins(self, v1, v2):
        return self.a @ torch.view_as_real(v1 * v2).flatten()


class Handwritten(Spectral):
    @torch.no_grad()
    def run(self, steps):
        a, d, (v1, v2) = self.a, self.d, self.v
        beta, product, slope, change = torch.empty(d, dtype=a.dtype), *(torch.empty_like(v1) for _ in range(3))
        margins, weights = (torch.empty(a.shape[0], dtype=a.dtype) for _ in range(2))
        for _ in range(steps):
            torch.mul(v1, v2, out=product)
            torch.fft.irfft(product, n=d, norm="ortho", out=beta)
            torch.mv(a, beta, out=margins)
            torch.softmax(margins, 0, out=weights)
            torch.mv(a.t(), weights, out=beta)
            torch.fft.rfft(beta, norm="ortho", out=slope)
            torch.mul(slope, v2.conj(), out=change)
            v2.addcmul_(slope, v1.conj(), value=-STEP)
            v1.sub_(change, alpha=STEP)
        return torch.logsumexp(margins, 0).item()


VARIANTS = {"signal": Signal, "spectral": Spectral, "prepared": Prepared, "handwritten": Handwritten}
SERVED = {}
WARM = set()


def measure(n, d, steps, threads, variant=DEFAULT):
    """(microseconds a step, log loss at the weights of the last step)."""
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    if (n, d) not in SERVED:
        SERVED[n, d] = data(n, d)
    make = VARIANTS[variant]
    if (n, d, threads, variant) not in WARM:
        make(*SERVED[n, d]).run(WARM_UP)
        WARM.add((n, d, threads, variant))
    net = make(*SERVED[n, d])
    start = time.perf_counter_ns()
    log_loss = net.run(steps)
    elapsed = time.perf_counter_ns() - start
    if not np.isfinite(log_loss):
        raise ValueError(f"log loss is {log_loss} after {steps} steps at {n} x {d}: lower STEP")
    return elapsed / 1000 / steps, log_loss


def serve():
    for line in iter(sys.stdin.readline, ""):
        words = line.split()
        if not words:
            return
        try:
            n, d, steps, threads = map(int, words[:4])
            if min(n, d, steps, threads) < 1:
                raise ValueError("N, D, STEPS and THREADS must be at least 1")
            variant = words[4] if len(words) > 4 else DEFAULT
            if variant not in VARIANTS:
                raise ValueError(f"variant must be one of {', '.join(VARIANTS)}")
            us, log_loss = measure(n, d, steps, threads, variant)
            reply = {"n": n, "d": d, "steps": steps, "us_per_step": us}
            reply |= {"threads": threads, "variant": variant, "log_loss": log_loss, "torch": torch.__version__}
        except (ValueError, RuntimeError, MemoryError) as error:
            reply = {"error": f"request {line.strip()!r}: {error}"}
        print(json.dumps(reply), flush=True)


def once(rounds=15):
    print(f"torch {torch.__version__}, float64, microseconds a step: least / median of {rounds} rounds taking turns")
    print(f"{'size':>12} {'threads':>7}" + "".join(f"{v:>18}" for v in VARIANTS))
    for n, d in SIZES:
        steps = max(3, min(300, 30_000_000 // (n * d * 4)))
        for threads in (1, 2):
            times = {v: [] for v in VARIANTS}
            for _ in range(rounds):
                for v in VARIANTS:
                    times[v].append(measure(n, d, steps, threads, v)[0])
            cells = "".join(f"{min(t):>9.0f} /{statistics.median(t):>7.0f}" for t in times.values())
            print(f"{f'{n} x {d}':>12} {threads:>7}{cells}", flush=True)


def check(n=8, d=32, steps=5, tolerance=1e-13):
    """beta[j] = D^(-1/2) sum_k w_1[k] w_2[(j - k) mod D], and its pullback, from index tables in NumPy."""
    a, w0 = data(n, d)
    a_np, w = a.numpy(), w0.numpy().copy()
    j, k = np.arange(d)[:, None], np.arange(d)[None, :]
    for _ in range(steps):
        margins = a_np @ (w[1][(j - k) % d] @ w[0]) / np.sqrt(d)
        weights = np.exp(margins - margins.max())
        slope = (a_np.T @ (weights / weights.sum()))[(j + k) % d] / np.sqrt(d)
        log_loss = np.log(np.exp(margins - margins.max()).sum()) + margins.max()
        w = w - STEP * np.stack([slope @ w[1], slope @ w[0]])
    moved = np.abs(w - w0.numpy()).max()
    assert moved > 1e-3, f"the steps are too small to check anything: {moved}"
    for name, make in VARIANTS.items():
        net = make(a, w0)
        got = net.run(steps)
        off = np.abs(net.weights().numpy() - w).max()
        assert off < tolerance and abs(got - log_loss) < tolerance * 10, f"{name}: weights off by {off}, loss {got}, {log_loss}"
        print(f"{name:12} weights moved {moved:.1e}, differ by {off:.1e}; log loss differs by {abs(got - log_loss):.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--once", action="store_true", help="print a table and leave")
    mode.add_argument("--check", action="store_true", help="compare five steps with NumPy and leave")
    args = parser.parse_args()
    once() if args.once else check() if args.check else serve()


if __name__ == "__main__":
    main()
