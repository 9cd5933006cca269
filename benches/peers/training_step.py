"""PyTorch's side of the training_step benchmark: one step of training in eager mode on the CPU, f32.

    python training_step.py          serve: one request a line on stdin, one JSON line a request on stdout
    python training_step.py --once   a table of networks, variants and thread counts, taking turns

A request is `NET BATCH STEPS THREADS [VARIANT]`, NET `mlp` (784-1024-1024-1024-10, batch norm) or `resnet8` (3x32x32),
both of tests/fixtures/torch_networks.py, whose ten first steps this crate's are tested against. The reply is
{"cpu_ms_per_step": .., "ms_per_step": .., "loss": ..} and the request's words and PyTorch's version, or {"error": ..}.
An empty line or the end of input ends the process.

What is timed: STEPS whole steps on one batch of normal inputs and random labels: forward in training mode, mean
cross-entropy, zero_grad, backward, SGD with learning rate 0.05 and momentum 0.9. CPU time is that of the whole process,
all threads; with two threads it holds the time they wait for one another, actively. Not timed: weights and data, made
anew and alike for each request, and the first WARM_UP steps of each request.

Variants: `plain` is what a researcher writes first. `tuned` has convolutions in channels-last memory format and the
fused optimizer. foreach=True is left out: it makes no difference here.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests/fixtures"))
from torch_networks import Mlp, ResNet8  # noqa: E402

NETWORKS = {"mlp": (lambda: Mlp(784, 1024, 1024, 1024, 10), (784,)), "resnet8": (ResNet8, (3, 32, 32))}
VARIANTS = ["plain", "tuned"]
WARM_UP = 3


def measure(name, batch, steps, threads, variant):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    make, shape = NETWORKS[name]
    net, inputs, labels = make(), torch.randn(batch, *shape), torch.randint(10, (batch,))
    tuned = variant == "tuned"
    if tuned and inputs.dim() == 4:
        net, inputs = (t.to(memory_format=torch.channels_last) for t in (net, inputs))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, fused=tuned)

    def run(steps):
        for _ in range(steps):
            loss = F.cross_entropy(net(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    run(WARM_UP)
    cpu, wall = time.process_time(), time.perf_counter()
    loss = run(steps)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_ms_per_step": 1e3 * cpu / steps, "ms_per_step": 1e3 * wall / steps, "loss": loss}


def serve():
    for line in iter(sys.stdin.readline, ""):
        words = line.split()
        if not words:
            return
        try:
            name, batch, steps, threads, variant = (words + VARIANTS[:1])[:5]
            batch, steps, threads = int(batch), int(steps), int(threads)
            if name not in NETWORKS or variant not in VARIANTS or min(batch, steps, threads) < 1:
                raise ValueError(f"NET is of {list(NETWORKS)}, VARIANT of {VARIANTS}, the numbers are at least 1")
            reply = {"net": name, "batch": batch, "steps": steps, "threads": threads, "variant": variant}
            reply |= measure(name, batch, steps, threads, variant) | {"torch": torch.__version__}
        except (ValueError, RuntimeError, MemoryError) as error:
            reply = {"error": f"request {line.strip()!r}: {error}"}
        print(json.dumps(reply), flush=True)


def once(rounds=7, steps=10):
    print(f"torch {torch.__version__}, f32, CPU ms a step: least / median of {rounds} rounds taking turns")
    cases = [(n, b, t, v) for n, b in (("mlp", 256), ("resnet8", 64)) for t in (1, 2) for v in VARIANTS]
    times = {case: [] for case in cases}
    for _ in range(rounds):
        for name, batch, threads, variant in cases:
            reply = measure(name, batch, steps, threads, variant)
            times[name, batch, threads, variant].append(reply["cpu_ms_per_step"])
    for (name, batch, threads, variant), t in times.items():
        print(f"{name:>8}, batch {batch:3}, threads {threads}, {variant}: {min(t):6.1f} / {statistics.median(t):6.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--once", action="store_true", help="print a table and leave")
    once() if parser.parse_args().once else serve()
