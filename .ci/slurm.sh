#!/usr/bin/env bash
# A sweep through a real Slurm: a one-node cluster on loopback runs the scripts of `reproduce --emit-slurm`. One task is killed
# midway and requeued; what is collected must equal the run of a single process, byte for byte.
# Usage: .ci/slurm.sh [TIMES]. Needs root and apt, or an installed slurm-wlm and munge; says so and ends well without.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$PWD/target/release/implicit-bias
experiments=(gunasekar2018/07 gunasekar2018/08 gunasekar2018/11 gunasekar2018/14)
shards=4

skip() { echo "SKIPPED, the sweep through Slurm was not tested: $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "starting a cluster needs root"
if ! command -v slurmctld slurmd munged sbatch > /dev/null; then
  command -v apt-get > /dev/null || skip "slurm-wlm and munge are not installed, and there is no apt-get"
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends slurm-wlm munge; } > /dev/null 2>&1 ||
    skip "apt-get cannot install slurm-wlm and munge"
fi
getent hosts "$(hostname -s)" | grep -q '^127\.' || skip "this machine's name does not resolve to 127.0.0.1"

work=$(mktemp -d)
end() {
  .ci/slurm-local.sh down "$work/cluster" > /dev/null 2>&1 || true
  # The controller may be writing its last state.
  for _ in 1 2 3 4 5; do rm -rf "$work" 2> /dev/null && return; sleep 1; done
}
trap end EXIT
.ci/slurm-local.sh up "$work/cluster" > "$work/up.log" 2>&1 || { cat "$work/up.log"; skip "the cluster does not start"; }
export SLURM_CONF=$work/cluster/slurm.conf

fail() { echo "FAILED: $1"; cat log/* 2> /dev/null; squeue; tail -n 5 "$work"/cluster/log/*.log; exit 1; }
until_ends() { # seconds, job
  for _ in $(seq "$(($1 * 5))"); do [ -z "$(squeue -h -j "$2" 2> /dev/null)" ] && return; sleep 0.2; done
  fail "job $2 does not end"
}

"$program" reproduce "${experiments[@]}" --out "$work/alone" > /dev/null 2>&1
for round in $(seq "${1:-1}"); do
  rm -rf "$work/sweep"; mkdir "$work/sweep"
  (
    cd "$work/sweep"
    "$program" reproduce "${experiments[@]}" --out 'a folder' --emit-slurm $shards --scripts . > /dev/null
    array=$(sbatch --parsable array.sbatch)
    # Its first shard, killed when it has finished some runs and not all, goes back to the queue.
    for _ in $(seq 200); do ls 'a folder'/*/*.partial/*.run > /dev/null 2>&1 && break; sleep 0.05; done
    first=$(squeue -h -r -t running -o '%i' | head -1)
    [ -n "$first" ] || fail "no task of $array runs"
    kill -9 "$(pgrep -f -- "--shard ${first#*_}/$shards")"
    until_ends 60 "$first"
    killed=$(scontrol show job "$first" | grep -o 'JobState=[A-Z]*' | head -1)
    scontrol requeue "$first"
    scontrol update jobid="$first" StartTime=now # and not two minutes later
    collect=$(sbatch --parsable --dependency=afterany:"$array" collect.sbatch)
    until_ends 120 "$array"; until_ends 60 "$collect"
    restarts=$(scontrol show job "$first" | grep -o 'Restarts=[0-9]*' | head -1)
    [ "$restarts" = Restarts=1 ] || fail "task $first was not requeued: $killed, $restarts"
    grep -q 'experiments at quick size' "log/$collect-collect.log" || fail "nothing was collected"
    (cd "$work/alone" && find . -name '*.csv' -o -name '*.svg' -o -name '*.md') | sort > files
    [ "$(wc -l < files)" -ge 20 ] || fail "too few files"
    while read -r file; do cmp "$work/alone/$file" "a folder/$file" || fail "$file differs"; done < files
    echo "round $round: $(wc -l < files) files of $(ls log | wc -l) jobs equal those of one process; task $first, $killed, was requeued"
  )
done
