#!/usr/bin/env bash
# How much two processes with a shard each are faster than one process with all runs, taking turns. The processes have one
# thread each. usage: benches/shards.sh [ROUNDS, default 5] [EXPERIMENT] [SIZE: --full]
set -euo pipefail
cd "$(dirname "$0")/.."
experiment=${2:-gunasekar2018/15-phase-diagram}
program=$PWD/target/release/implicit-bias
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
reproduce() { "$program" reproduce "$experiment" ${size:-} --jobs 1 --out "$out/$1" "${@:2}" > "$out/log" 2>&1 || true; }
now() { date +%s.%N; }
size=${3:-}
for round in $(seq "${1:-5}"); do
  rm -rf "$out"/one "$out"/two
  t0=$(now); reproduce one --shard 1/1
  t1=$(now); reproduce two --shard 1/2 & reproduce two --shard 2/2; wait
  t2=$(now); "$program" collect "$experiment" ${size:-} --out "$out/two" > "$out/log" 2>&1 || true
  t3=$(now)
  echo "$t0 $t1 $t2 $t3" | awk '{ printf "one %.2f s, two %.2f s: %.2f times; collecting takes %.2f s\n", $2-$1, $3-$2, ($2-$1)/($3-$2), $4-$3 }'
done
