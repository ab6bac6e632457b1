#!/usr/bin/env bash
# The fast checks: format, vet, lint, architecture, unit tests without the databases that need a server or a long link.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOFLAGS=${GOFLAGS:--tags=sqlite_fts5}
[ -f ui/node_modules/.guanxi-lock ] || scripts/setup.sh run
mkdir -p .build
step() { printf '· %s\n' "$1"; }
step format
bad=$(gofmt -l cmd internal migrations locales objects ui/embed.go tools 2>/dev/null)
[ -z "$bad" ] || { echo "not formatted (make fmt):"; echo "$bad"; exit 1; }
step vet
go vet ./...
step staticcheck
(cd tools && go build -o ../.build/staticcheck honnef.co/go/tools/cmd/staticcheck)
.build/staticcheck -checks 'inherit,-ST1000' ./...
step 'unit tests'
go test -short -shuffle=on $(go list ./... | grep -vE '/internal/(store/duckdb|store/analytics|store/mirror|store/compile/oracle_test|app|bench)(/|$)')
step "generated files and their words" # make generate rewrites the files
go test -short -run '^(TestHelpIsGolden|TestOpenAPIIsCurrent|TestRoutesHaveWords)$' ./internal/app
step interface
(cd ui && npm run --silent check)
echo 'check passed'
