#!/usr/bin/env bash
# pg.sh start prints the URL of a throw-away PostgreSQL in .build/pg (made when absent); pg.sh stop ends it.
# A server of yours is used instead when GUANXI_TEST_POSTGRES_URL is set.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -n "${GUANXI_TEST_POSTGRES_URL:-}" ]; then [ "$1" = start ] && echo "$GUANXI_TEST_POSTGRES_URL"; exit 0; fi
bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -1 || command -v initdb)")
port=${GUANXI_TEST_POSTGRES_PORT:-54419}
base=${TMPDIR:-/tmp}/guanxi-test-pg-$port
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
case "$1" in
start)
  if ! "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; then
    rm -rf "$base"; mkdir -p "$base"
    [ "$(id -u)" = 0 ] && chown postgres "$base"
    (cd "$base"
    as "$bin/initdb" -D "$base/data" -A trust -U guanxi --no-locale -E UTF8 >/dev/null
    as "$bin/pg_ctl" -D "$base/data" -w -l "$base/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$base -c max_connections=200 -c shared_buffers=256MB -c work_mem=64MB -c fsync=off -c full_page_writes=off -c max_wal_size=4GB -c checkpoint_timeout=30min -c autovacuum=on" start >/dev/null)
    "$bin/createdb" -h 127.0.0.1 -p "$port" -U guanxi guanxi
  fi
  echo "postgres://guanxi@127.0.0.1:$port/guanxi?sslmode=disable" ;;
stop)
  [ -d "$base/data" ] && (cd "$base" && as "$bin/pg_ctl" -D "$base/data" -m immediate stop >/dev/null 2>&1) || true
  rm -rf "$base" ;;
esac
