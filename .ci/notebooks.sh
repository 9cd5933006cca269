#!/usr/bin/env bash
# Runs every committed notebook, and shows that a wrong number is found. Needs Python 3.11 or later and its package index.
# With a folder as argument, the figures are put there, to be looked at.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$(.ci/venv.sh notebooks)
"$venv/bin/python" .ci/notebooks.py "$@"
