#!/usr/bin/env bash
# Put axe-core (MPL-2.0), which checks pages for accessibility in the browser tests, into the cache of this user.
set -euo pipefail
version=4.14.1
place="${XDG_CACHE_HOME:-$HOME/.cache}/axe-core"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent "axe-core@$version" >/dev/null
tar -xzf "axe-core-$version.tgz" package/axe.min.js package/LICENSE
mkdir -p "$place"
mv package/LICENSE package/axe.min.js "$place"
echo "$place/axe.min.js"
