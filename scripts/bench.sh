#!/usr/bin/env bash
# Measures the built program and writes docs/benchmarks.md. QUICK=1 makes a short run at 20,000 customers, SIZES="100000" chooses others,
# ORDERS another mean of orders a customer (10), PARTS="requests,analytics" some of what is measured, OUT another page; with GUANXI_TEST_POSTGRES_URL the smallest size is measured on PostgreSQL too. Further arguments go to the command.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOFLAGS=${GOFLAGS:--tags=sqlite_fts5}
args=(-bin bin/guanxi -out "${OUT:-docs/benchmarks.md}" -customers "${SIZES:-100000,1000000}")
[ -z "${ORDERS:-}" ] || args+=(-orders "$ORDERS")
[ -z "${PARTS:-}" ] || args+=(-parts "$PARTS")
[ -z "${QUICK:-}" ] || args+=(-quick)
[ -z "${GUANXI_TEST_POSTGRES_URL:-}" ] || args+=(-postgres)
# Planted duplicates: how many of each kind are found, what else is, and in what time.
[ -n "${PARTS:-}" ] || GUANXI_DUPLICATE_CUSTOMERS=$([ -n "${QUICK:-}" ] && echo 100000 || echo 1000000) go test ./internal/record/dedupe -run TestPlantedDuplicates -v -count=1 -timeout 60m
exec go run ./internal/bench "${args[@]}" "$@"
