#!/usr/bin/env bash
# Opens the pages of a results folder in a real Chromium: see page.py. Installs what is missing (root, Debian).
#     .ci/page.sh [RESULTS [SCREENSHOTS]]
set -euo pipefail
cd "$(dirname "$0")/.."
results=${1:-results}

missing=()
for program in chromium chromedriver:chromium-driver python3 npm; do
    command -v "${program%:*}" >/dev/null || missing+=("${program#*:}")
done
if ((${#missing[@]})); then
    if ((EUID)) || ! command -v apt-get >/dev/null; then
        echo "page.sh needs ${missing[*]}: install them, or run as root on Debian" >&2
        exit 1
    fi
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(cd "$scratch" && npm pack --silent axe-core@4.14.1 >/dev/null && tar xzf axe-core-*.tgz package/axe.min.js)
check() { python3 -B .ci/page.py "$@" --axe "$scratch/package/axe.min.js"; }

check "$results" ${2:+"$2"}

# The check can fail: each of these defects, planted in a copy, must be found.
plant() {
    rm -rf "$scratch/copy" && mkdir "$scratch/copy"
    for page in index.html summary.csv gunasekar2018/report.html; do
        mkdir -p "$(dirname "$scratch/copy/$page")" && cp "$results/$page" "$scratch/copy/$page"
    done
    sed -i "0,\|$2|s||$3|" "$scratch/copy/$1"
    if cmp -s "$results/$1" "$scratch/copy/$1"; then echo "page.sh: nothing to plant in $1" >&2; exit 1; fi
    if check "$scratch/copy" --once >"$scratch/said" 2>&1; then echo "page.sh: '$3' was not found" >&2; exit 1; fi
    grep -q "$4" "$scratch/said" || { cat "$scratch/said" >&2; exit 1; }
}
plant gunasekar2018/report.html '<main>' '<main><script>1</script>' 'console: .*Content Security Policy'
plant gunasekar2018/report.html '<main>' '<main><img alt="" src="https://example.org/1.png">' 'console: '
plant gunasekar2018/report.html '</span>holds' '</span>fails' 'they differ'
plant index.html '<main>' "<main><table><tr><td>$(printf 'x%.0s' {1..200})</table>" 'scrolls sideways'
plant index.html ' lang="en"' '' 'axe: html-has-lang'
echo "five planted defects were found"
