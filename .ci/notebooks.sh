#!/usr/bin/env bash
# Runs every committed notebook, and shows that a wrong number is found. Needs Python 3.11 or later and its package index.
# With a folder as argument, the figures are put there, to be looked at.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=target/venv-notebooks
if ! cmp -s .ci/notebooks-requirements.txt "$venv/installed.txt"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r .ci/notebooks-requirements.txt
    cp .ci/notebooks-requirements.txt "$venv/installed.txt"
fi
"$venv/bin/python" .ci/notebooks.py "$@"
