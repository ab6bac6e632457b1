#!/usr/bin/env bash
# Every test: Go with SQLite, DuckDB and PostgreSQL, the interface's units, the browser. Ends with "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."
export GOFLAGS=${GOFLAGS:--tags=sqlite_fts5}
mkdir -p .build/results && rm -f .build/results/*
status=0
# check NAME CMD...: a step that is not a test runner; what it prints is kept and shown with the count where it fails.
check() {
  local name=$1 log
  log=.build/results/check-$(echo "$name" | tr ' ' '-')
  shift
  if "$@" >"$log.log" 2>&1; then echo "$name" >"$log.passed"; else echo "$name" >"$log.failed"; status=1; fi
}
GUANXI_TEST_POSTGRES_URL=$(scripts/pg.sh start) || exit 1
export GUANXI_TEST_POSTGRES_URL
trap 'scripts/pg.sh stop' EXIT

scripts/ui.sh || { echo 'the interface does not build'; status=1; }
mkdir -p bin
go build -o bin/guanxi ./cmd/guanxi || { echo 'the program does not build'; echo '0 passed, 1 failed'; exit 1; }

echo '== Go'
check 'go vet' go vet ./...
# The whole programs run after the rest: they time out where many other tests keep the processors busy.
go test -json -vet=off -shuffle=on -timeout 20m $(go list ./... | grep -v /internal/app/apptest) >.build/results/go.json 2>.build/results/go.err || status=1
go test -json -vet=off -shuffle=on -timeout 20m ./internal/app/apptest >>.build/results/go.json 2>>.build/results/go.err || status=1
echo '== interface'
(cd ui && npx vitest run --reporter=json --outputFile=../.build/results/vitest.json >/dev/null 2>../.build/results/vitest.err) || status=1
for step in typecheck lint check:source i18n budget; do check "ui $step" npm --prefix ui run --silent "$step"; done
echo '== browser'
scripts/e2e.sh || status=1

(cd tools && go run ./tally ../.build/results) || status=1
exit $status
