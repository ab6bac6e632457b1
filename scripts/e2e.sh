#!/usr/bin/env bash
# The browser tests: Playwright drives Chromium against the built program, in Chinese and English, desktop and phone. Two
# halves run beside each other, each with programs, data and a browser of its own.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p .build/results && rm -f .build/results/playwright-*
[ -x bin/guanxi ] || make --no-print-directory build
port=${GUANXI_E2E_PORT:-8311}
cd ui
half() {
  local out=../.build/results/playwright-$1
  : >"$out.json" # a half that ends without results fails
  GUANXI_E2E_PORT=$((port + 20 * ($1 - 1))) PLAYWRIGHT_JSON_OUTPUT_NAME=$out.json \
    npx playwright test --shard="$1/2" --reporter=json >/dev/null 2>"$out.err"
}
half 1 & first=$!
half 2 & second=$!
status=0
wait $first || status=1
wait $second || status=1
exit $status
