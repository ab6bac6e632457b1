#!/usr/bin/env bash
# Rewrites what is generated from the program: the page of settings, the OpenAPI document and the help of the commands. The
# same tests without -update fail when one of them is stale; make check and make test run them.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOFLAGS=${GOFLAGS:--tags=sqlite_fts5}
go test ./internal/base/config -run '^TestDocsAreCurrent$' -count=1 -update
go test ./internal/app -run '^(TestHelpIsGolden|TestOpenAPIIsCurrent)$' -count=1 -update
git --no-pager diff --stat -- docs/configuration.md docs/openapi.json internal/app/testdata
