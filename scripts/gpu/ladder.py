"""The paper's own size of experiments/hoffer2017/12-ladder-convnet, for a graphics card: ResNet44 on CIFAR-10, 100 epochs,
batches of 128 and 4,096, and the rungs between them.

    pip install torch numpy scipy
    python3 scripts/gpu/ladder.py --data data/cifar-10-batches-bin --out ladder
    python3 scripts/gpu/ladder.py --self-test

Writes OUT/epochs.csv (rung, seed, epoch, rate, train_loss, test_error), prints the table with paired differences, and goes on
where it was stopped. Pictures stay on the card; flips and crops are made there. Ghost batch normalisation is one call for all
groups. As in the paper (read in the authors' code): momentum 0.9, weight decay 1e-4, gradients' norm clipped at 5, rate 0.1
divided by ten at epochs 81 and 122, crops padded by four. Not as there: single precision may be TF32, and the shuffling is ours.
"""

import argparse
import contextlib
import csv
import io
import itertools
import math
import pathlib
import sys
import tempfile

import numpy as np
import torch
from scipy import stats
from torch import nn
from torch.nn import functional as F

RUNGS = ["small batch", "large batch", "+ rate", "+ ghost", "+ regime"]
# Percent right on the validation pictures, as we remember table 1; not read in any source.
RECALLED = dict(zip(RUNGS, [92.83, 86.10, 89.30, 90.50, 93.07]))
COLUMNS = ["rung", "seed", "epoch", "rate", "train_loss", "test_error"]


class GhostBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over groups of `ghost` samples; the running statistics take up one group after the other."""

    def __init__(self, channels, ghost):
        super().__init__(channels)
        self.ghost = ghost

    def forward(self, x):
        if not self.training or self.ghost is None or len(x) <= self.ghost:
            return super().forward(x)
        whole = len(x) // self.ghost * self.ghost
        parts = [self.groups(x[:whole])]
        if whole < len(x):
            parts.append(super().forward(x[whole:]))
        return torch.cat(parts)

    def groups(self, x):
        k, (_, c, h, w) = len(x) // self.ghost, x.shape
        # One channel for each group and channel: (samples of a group, groups × channels, height, width).
        by_group = x.view(k, self.ghost, c, h, w).transpose(0, 1).reshape(self.ghost, k * c, h, w)
        weight, bias = self.weight.repeat(k), self.bias.repeat(k)
        mean, var = torch.zeros_like(weight), torch.zeros_like(weight)
        out = F.batch_norm(by_group, mean, var, weight, bias, True, 1.0, self.eps)
        with torch.no_grad():
            keep = 1 - self.momentum
            taken = self.momentum * keep ** torch.arange(k - 1, -1, -1, device=x.device, dtype=mean.dtype)
            for running, new in [(self.running_mean, mean), (self.running_var, var)]:
                running.mul_(keep**k).add_(taken @ new.view(k, c))
        return out.view(self.ghost, k, c, h, w).transpose(0, 1).reshape(k * self.ghost, c, h, w)


class Block(nn.Module):
    def __init__(self, before, after, stride, ghost):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False), GhostBatchNorm(after, ghost), nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False), GhostBatchNorm(after, ghost),
        )
        self.shortcut = nn.Identity() if (before, stride) == (after, 1) else nn.Sequential(
            nn.Conv2d(before, after, 1, stride, bias=False), GhostBatchNorm(after, ghost)
        )

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet(depth, width, ghost):
    """He's residual network for CIFAR: 6n + 2 layers in three stages."""
    layers = [nn.Conv2d(3, width, 3, 1, 1, bias=False), GhostBatchNorm(width, ghost), nn.ReLU()]
    before = width
    for stage, block in itertools.product(range(3), range((depth - 2) // 6)):
        after = width << stage
        layers.append(Block(before, after, 2 if stage and not block else 1, ghost))
        before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


def pictures(folder, names, device):
    """CIFAR-10's binary files: pixels of unit deviation (n × 3 × 32 × 32) and labels."""
    rows = np.concatenate([np.fromfile(pathlib.Path(folder) / name, np.uint8).reshape(-1, 3073) for name in names])
    pixels = torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32)).to(device).float() / 255
    mean, deviation = torch.tensor([0.491, 0.482, 0.447]), torch.tensor([0.247, 0.243, 0.262])
    pixels = (pixels - mean.to(device)[:, None, None]) / deviation.to(device)[:, None, None]
    return pixels, torch.from_numpy(rows[:, 0].astype(np.int64)).to(device)


def flip_and_crop(x, random):
    """Each picture mirrored or not, and shifted by up to four pixels each way, with zeros from outside."""
    n, _, h, w = x.shape
    flipped = torch.rand(n, generator=random) < 0.5
    up, left = (torch.randint(0, 9, (n, 1), generator=random) for _ in range(2))
    columns = torch.where(flipped[:, None], torch.arange(w - 1, -1, -1), torch.arange(w)) + left - 4
    rows = torch.arange(h) + up - 4
    inside = ((0 <= rows) & (rows < h))[:, :, None] & ((0 <= columns) & (columns < w))[:, None, :]
    index = rows.clamp(0, h - 1)[:, :, None] * w + columns.clamp(0, w - 1)[:, None, :]
    index, inside = index.view(n, 1, -1).to(x.device), inside.view(n, 1, -1).to(x.device)
    return (x.flatten(2).gather(2, index.expand(-1, x.shape[1], -1)) * inside).view_as(x)


def plan(rung, o):
    """Batch, rate, ghost size and the factor on all numbers of epochs, of one rung."""
    place = RUNGS.index(rung)
    batch = o.large if place else o.small
    rate = o.rate * (math.sqrt(o.large / o.small) if place >= 2 else 1)
    return batch, rate, (o.small if place >= 3 else None), (math.ceil(o.large / o.small) if place == 4 else 1)


def rate_at(epoch, rate, drops, factor):
    return rate * 0.1 ** sum(epoch >= drop * factor for drop in drops)


@torch.no_grad()
def test_error(network, x, y):
    network.eval()
    wrong = sum((network(a).argmax(1) != b).sum() for a, b in zip(x.split(1000), y.split(1000)))
    return wrong.item() / len(y)


def train(rung, seed, train_set, test_set, o, stop_after=None):
    """One run; its rows of epochs.csv. Its state is kept after every epoch."""
    batch, rate, ghost, factor = plan(rung, o)
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    network = resnet(o.depth, o.width, ghost).to(o.device)
    optimizer = torch.optim.SGD(network.parameters(), rate, 0.9, weight_decay=1e-4)
    kept, rows = o.out / f"{RUNGS.index(rung)}-{seed}.pt", []
    if kept.exists():
        state = torch.load(kept, map_location=o.device, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        random.set_state(state["random"].cpu())
        rows = state["rows"]
    x, y = train_set
    for epoch in range(len(rows), o.epochs * factor):
        if epoch == stop_after:
            return rows
        now = optimizer.param_groups[0]["lr"] = rate_at(epoch, rate, o.drops, factor)
        network.train()
        total = 0.0
        for chosen in torch.randperm(len(y), generator=random).split(batch):
            optimizer.zero_grad()
            here = chosen.to(x.device)
            loss = F.cross_entropy(network(flip_and_crop(x[here], random)), y[here])
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            total += loss.detach() * len(chosen)
        rows.append([rung, seed, epoch + 1, now, total.item() / len(y), test_error(network, *test_set)])
        state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "random": random.get_state(), "rows": rows}
        torch.save(state, kept.with_suffix(".tmp"))
        kept.with_suffix(".tmp").replace(kept)
        if epoch % 10 == 9 or epoch + 1 == o.epochs * factor:
            print(f"{rung}, seed {seed}, epoch {epoch + 1} of {o.epochs * factor}: test error {rows[-1][-1]:.4f}", file=sys.stderr)
    return rows


def difference(a, b):
    """Mean of paired differences and the half width of its interval of 95 %, in points; no number for one seed."""
    d = 100 * (np.array(a) - np.array(b))
    if len(d) < 2:
        return d.mean(), math.nan
    return d.mean(), stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))


def table(last, o):
    """Percent right and paired differences, beside the paper's."""
    print(f"| ResNet{o.depth} | % right | against the rung before, points of error | paper (recalled) |\n| --- | --- | --- | --- |")
    for before, rung in zip([None, *RUNGS], RUNGS):
        step = "" if before is None else "{:+.2f} ± {:.2f}".format(*difference(last[rung], last[before]))
        print(f"| {rung} | {100 - 100 * np.mean(last[rung]):.2f} | {step} | {RECALLED[rung]} |")
    print("whole ladder against the small batch: {:+.2f} ± {:.2f} points".format(*difference(last["+ regime"], last["small batch"])))


def run(o, train_set, test_set):
    o.out.mkdir(parents=True, exist_ok=True)
    results = {(rung, seed): train(rung, seed, train_set, test_set, o) for seed in o.seeds for rung in RUNGS}
    with open(o.out / "epochs.csv", "w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *itertools.chain.from_iterable(results.values())])
    table({rung: [results[rung, seed][-1][-1] for seed in o.seeds] for rung in RUNGS}, o)
    return results


def self_test(o):
    """Ghost batches against a loop of plain layers; crops against slices; an interrupted run against a whole one."""
    torch.manual_seed(0)
    fast, slow = GhostBatchNorm(5, 4).double(), nn.BatchNorm2d(5).double()
    for samples in [3, 4, 8, 15]:
        x = torch.randn(samples, 5, 3, 3, dtype=torch.double, requires_grad=True)
        x2 = x.detach().clone().requires_grad_()
        a, b = fast(x), torch.cat([slow(part) for part in x2.split(4)])
        weights = torch.randn_like(a)
        (a * weights).sum().backward()
        (b * weights).sum().backward()
        pairs = [(a, b), (x.grad, x2.grad), (fast.weight.grad, slow.weight.grad), (fast.bias.grad, slow.bias.grad)]
        for u, v in [*pairs, (fast.running_mean, slow.running_mean), (fast.running_var, slow.running_var)]:
            torch.testing.assert_close(u, v, rtol=0, atol=1e-12)
    x = torch.randn(50, 3, 32, 32)
    moved = flip_and_crop(x, torch.Generator().manual_seed(1))
    padded = F.pad(torch.stack([x, x.flip(3)]), (4, 4, 4, 4))
    shifts = [padded[f, :, :, i : i + 32, j : j + 32] for f, i, j in itertools.product(range(2), range(9), range(9))]
    found = torch.stack([(moved == s).flatten(1).all(1) for s in shifts])
    assert (found.sum(0) == 1).all() and len(set(found.int().argmax(0).tolist())) > 25
    assert plan("+ regime", o) == (o.large, o.rate * math.sqrt(o.large / o.small), o.small, o.large // o.small)
    assert [round(rate_at(e, 1.0, [2, 3], 2), 9) for e in range(7)] == [1, 1, 1, 1, 0.1, 0.1, 0.01]
    assert abs(difference([0.1, 0.2, 0.4], [0.0, 0.2, 0.2])[1] - 24.841) < 1e-3  # t(0.975, 2) = 4.30265, deviation 10
    o.device, o.depth, o.width, o.epochs, o.small, o.large, o.seeds, o.drops = "cpu", 8, 4, 2, 8, 20, [0], [1]
    sets = [(torch.randn(n, 3, 32, 32), torch.randint(0, 10, (n,))) for n in (50, 20)]
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        o.out = pathlib.Path(folder) / "stopped"
        o.out.mkdir()
        train("+ ghost", 0, *sets, o, stop_after=1)
        resumed = train("+ ghost", 0, *sets, o)
        o.out = pathlib.Path(folder) / "whole"
        whole = run(o, *sets)
        assert resumed == whole["+ ghost", 0], (resumed, whole["+ ghost", 0])
        assert [len(whole[rung, 0]) for rung in RUNGS] == [2, 2, 2, 2, 6]
        assert run(o, *sets) == whole and (o.out / "epochs.csv").read_text().count("\n") == 15
    print("self-test passed")


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", default="data/cifar-10-batches-bin")
    p.add_argument("--out", type=pathlib.Path, default="ladder")
    p.add_argument("--depth", type=int, default=44)
    p.add_argument("--width", type=int, default=16)
    p.add_argument("--epochs", type=int, default=100)
    p.add_argument("--drops", type=int, nargs="*", default=[81, 122], help="epochs after which the rate is divided by ten")
    p.add_argument("--small", type=int, default=128)
    p.add_argument("--large", type=int, default=4096)
    p.add_argument("--rate", type=float, default=0.1)
    p.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    p.add_argument("--device", default="cuda")
    p.add_argument("--self-test", action="store_true")
    o = p.parse_args()
    if (o.depth - 2) % 6 or o.depth < 8:
        p.error(f"--depth {o.depth}: a depth of 6n + 2, at least 8, is allowed; the paper has 44")
    if o.large < o.small:
        p.error(f"--large {o.large}: at least --small, {o.small}, is allowed")
    return o


if __name__ == "__main__":
    o = options()
    if o.self_test:
        self_test(o)
    else:
        batches = [f"data_batch_{i}.bin" for i in range(1, 6)]
        run(o, pictures(o.data, batches, o.device), pictures(o.data, ["test_batch.bin"], o.device))
