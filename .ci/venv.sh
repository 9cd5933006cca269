#!/usr/bin/env bash
# Makes target/venv-NAME hold what .ci/NAME-requirements.txt asks for, and prints the path: .ci/venv.sh NAME. Needs Python 3.11
# or later and its package index.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=target/venv-$1 wanted=.ci/$1-requirements.txt
if ! cmp -s "$wanted" "$venv/installed.txt"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$venv/installed.txt"
fi
echo "$venv"
