#!/usr/bin/env bash
# The browser tests: Playwright drives Chromium against the built program, in Chinese and English, desktop and phone.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p .build/results
[ -x bin/guanxi ] || make --no-print-directory build
cd ui
PLAYWRIGHT_JSON_OUTPUT_NAME=../.build/results/playwright.json npx playwright test --reporter=json >/dev/null 2>../.build/results/playwright.err
