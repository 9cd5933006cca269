#!/usr/bin/env bash
# Kills a quick run with SIGKILL at N random moments (default 100), lets it go on each time, and compares every byte with an
# uninterrupted run: .ci/kill9.sh [N] [SEED]. Needs ./target/release/implicit-bias.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-100} seed=${2:-0}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A copy, which a build meanwhile does not replace.
cp target/release/implicit-bias "$work/program"
run() { exec "$work/program" reproduce 'gunasekar2018/0[1356]' --jobs 2 --out "$work/$1" "${@:2}"; }
# record.toml, the page that shows it, and the cache hold times; all else is compared, leftovers included.
same() { diff -rq --exclude=record.toml --exclude=report.html --exclude=.cache "$work/whole" "$work/out"; }
now() { date +%s%N; }

begin=$(now)
(run whole > /dev/null 2>&1)
length=$((($(now) - begin) / 1000000))
echo "uninterrupted: $length ms"
good=0 early=0
for moment in $(awk -v n="$count" -v s="$seed" -v t="$length" 'BEGIN { srand(s); while (n--) printf "%.3f\n", rand() * t / 1000 }'); do
    while true; do
        rm -rf "$work/out"
        (run out > /dev/null 2>&1) & process=$!
        sleep "$moment"
        kill -9 "$process" 2> /dev/null && break
        # It had ended already: earlier.
        moment=$(awk -v m="$moment" 'BEGIN { printf "%.3f", 0.7 * m }')
    done
    wait "$process" 2> /dev/null || true
    # What a plan finds is finished must be taken over, all of it.
    plan=$(run out --dry-run | tail -1)
    todo=${plan%% of *} all=${plan#* of } all=${all%% runs*}
    [ "$todo" != "$all" ] || early=$((early + 1))
    told=$(run out 2> /dev/null | grep " runs computed, ")
    case "$told" in
        *" $todo runs computed, $((all - todo)) cached"*) ;;
        *) echo "killed at $moment s: planned $todo of $all runs, but: $told"; continue ;;
    esac
    if same && [ -z "$(find "$work/out" -name '*.lock' -o -name '*.tmp' -o -name '*.partial')" ]; then
        good=$((good + 1))
    else
        echo "killed at $moment s: other bytes, or something is left"
    fi
done
echo "$good of $count the same bytes ($early times killed before the first run was finished), $SECONDS s"
[ "$good" = "$count" ]
