#!/usr/bin/env bash
# Builds the interface into ui/dist unless nothing in ui/ has changed since the last build.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d ui/node_modules ] || scripts/setup.sh run
mkdir -p .build
sum=$(find ui -path ui/node_modules -prune -o -path ui/dist -prune -o -path ui/e2e -prune -o -path ui/test-results -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum | cut -d' ' -f1)
if [ -f ui/dist/index.html ] && [ "$(cat .build/ui.sum 2>/dev/null)" = "$sum" ]; then exit 0; fi
(cd ui && npm run --silent build)
echo "$sum" >.build/ui.sum
