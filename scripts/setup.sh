#!/usr/bin/env bash
# Installs what `make run` (argument: run) or `make test` (argument: test) needs and is missing. Where it may not install
# a system package it says which one is missing and how to get it, and stops.
set -euo pipefail
cd "$(dirname "$0")/.."
want=${1:-run}

missing() { printf 'missing: %s\n  %s\n' "$1" "$2" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

packages=()
have cc || have gcc || packages+=(gcc libc6-dev)
if [ "$want" = test ]; then
  have chromium || packages+=(chromium)
  [ -n "${GUANXI_TEST_POSTGRES_URL:-}" ] || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || have initdb || packages+=(postgresql)
  fc-list 2>/dev/null | grep -qi 'cjk' || packages+=(fonts-noto-cjk)
fi
if [ "${#packages[@]}" -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && have apt-get; then
    echo "installing ${packages[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    # postgresql-common must not start a cluster of its own
    mkdir -p /etc/postgresql-common && [ -f /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  else
    missing "${packages[*]}" "install them with your package manager, e.g. sudo apt-get install ${packages[*]}"
  fi
fi
have go || missing go "Go 1.26 or newer from https://go.dev/dl/"
have node || missing node "Node.js 20 or newer from https://nodejs.org/"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || missing "node 20" "the interface is built with Node.js 20 or newer; found $(node --version)"

lock=ui/package-lock.json
stamp=ui/node_modules/.guanxi-lock
if ! cmp -s "$lock" "$stamp" 2>/dev/null; then
  (cd ui && npm ci --no-audit --no-fund --loglevel=error)
  cp "$lock" "$stamp"
fi
sdk=internal/edge/ingest/sdk # published SDKs that the tests drive
if [ "${1:-}" = test ] && ! cmp -s "$sdk/package-lock.json" "$sdk/node_modules/.guanxi-lock" 2>/dev/null; then
  (cd "$sdk" && npm ci --no-audit --no-fund --loglevel=error)
  cp "$sdk/package-lock.json" "$sdk/node_modules/.guanxi-lock"
fi
