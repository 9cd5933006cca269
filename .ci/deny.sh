#!/usr/bin/env bash
# Licences, sources and known vulnerabilities of the dependencies, by cargo-deny where it is installed (`cargo install
# --locked cargo-deny`: some minutes). Licences and sources are held by tests/suite/security.rs as well.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cargo deny --version > /dev/null 2>&1; then
  echo "SKIPPED, advisories were not checked: cargo-deny is not installed"
elif ! cargo deny fetch db > /dev/null 2>&1; then
  echo "advisories were not checked: their database cannot be fetched"
  cargo deny --offline check licenses bans sources
else
  cargo deny check
fi
