#!/usr/bin/env bash
# Rewrites the golden files; read the diff before committing it.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOFLAGS=${GOFLAGS:--tags=sqlite_fts5}
for p in $(grep -rlE 'flag\.Bool\("update"' --include='*_test.go' internal | xargs -n1 dirname | sort -u); do go test "./$p" -update; done
git --no-pager diff --stat
