#!/usr/bin/env bash
# Reads back, with the libraries that people use, what this crate writes: CSV (pandas, polars), Parquet (pandas, polars) and
# TensorBoard's event files (tensorboard), bit for bit. Needs Rust, Python 3.11 or later and its package index.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$(.ci/venv.sh roundtrip)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cargo run --quiet --features parquet --example hostile_doubles "$out"
for form in csv parquet tensorboard; do
    cargo run --quiet --features parquet -- export "$form" 11-how-far 14-stationary-points --out "$out/$form"
done
"$venv/bin/python" .ci/roundtrip.py "$out"
