#!/usr/bin/env bash
# Install the peers that are measured against into benchmarks/.peers, a virtual environment of their own.
# flair is needed; SpanMarker and GLiNER are optional: where one does not install, its row says so.
set -euo pipefail
cd "$(dirname "$0")"

python="${PYTHON:-../.venv/bin/python}"
[ -x .peers/bin/python ] || "$python" -m venv .peers

# The same torch as ours: the ratios then speak of the code around it. flair sets the version of transformers.
pins="$(mktemp)"
trap 'rm -f "$pins"' EXIT
grep -E '^torch==' ../constraints.txt >"$pins"
printf '%s\n' 'flair==0.15.1' 'transformers==4.57.6' >>"$pins"

pip() { .peers/bin/python -m pip install --quiet --disable-pip-version-check -c "$pins" "$@"; }
pip flair
for optional in span-marker gliner; do
    pip "$optional" || echo "$optional could not be installed beside flair; its row will say so" >&2
done
