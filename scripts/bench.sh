#!/usr/bin/env bash
# Measures the built program and writes docs/benchmarks.md. SIZES="20000" makes a short run.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOFLAGS=${GOFLAGS:--tags=sqlite_fts5}
go run ./internal/bench -bin bin/guanxi -customers "${SIZES:-100000,1000000}" -out "${OUT:-docs/benchmarks.md}"
