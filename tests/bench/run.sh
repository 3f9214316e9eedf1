#!/bin/bash
# All measurements in one run on one private, durable PostgreSQL, then one table of ratios (medians of
# those of neighbouring runs) and floors.
# usage: run.sh [PART...]   parts: intake feed outbound jobs publish idle (without: all). Exit 1 when a floor does not hold.
# environment: BUILD, BIN, LIBRARY; BENCH_ROUNDS (5), BENCH_SECONDS (4), BENCH_ITEMS (200000), BENCH_PRODUCTS (2000)
set -eu
cd "$(dirname "$0")/../.."
parts=${*:-intake feed outbound jobs publish idle}
build=$(readlink -f "${BUILD:-build}")
BENCH_WORK=$build/bench
BIN=$(readlink -f "${BIN:-$build/tiktok-shop-connector}")
LIBRARY=$(readlink -f "${LIBRARY:-$build/libconnector.a}")
BENCH_RESULTS=$BENCH_WORK/results
export BENCH_WORK BENCH_RESULTS BIN LIBRARY
packages="libmicrohttpd libcurl jansson libcrypto libxml-2.0 libpq zlib"

compile() { # compile PROGRAM SOURCE: against the connector's library
    # shellcheck disable=SC2046 # lists of words
    ${CC:-gcc} -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -Iinclude $(pkg-config --cflags $packages) \
        -o "$BENCH_WORK/$1" "tests/bench/$2" "$LIBRARY" $(pkg-config --libs $packages) -lxxhash -lpthread -lm
}

mkdir -p "$BENCH_WORK"
for folder in intake feed outbound jobs publish idle; do
    mkdir -p "$BENCH_WORK/$folder"
    cp tests/bench/$folder/*.mjs "$BENCH_WORK/$folder/" 2> /dev/null || true
done
cp tests/bench/bench.mjs "$BENCH_WORK/"
if ! cmp -s tests/bench/package-lock.json "$BENCH_WORK/package-lock.json"; then
    echo "Fetching the peers from npm."
    cp tests/bench/package.json tests/bench/package-lock.json "$BENCH_WORK/"
    npm ci --prefix "$BENCH_WORK" --ignore-scripts --no-audit --no-fund --loglevel=error || {
        rm -f "$BENCH_WORK/package-lock.json"
        exit 1
    }
fi
# The peers run on the Node that npm brings, so that the ratios do not depend on the distribution's.
NODE=$(ls "$BENCH_WORK"/node_modules/node-linux-*/bin/node 2> /dev/null | head -n 1)
NODE=${NODE:-$(command -v node)}
export NODE

compile load intake/load.c
compile gen feed/gen.c
compile read feed/read.c
compile diff feed/diff.c
compile responder outbound/responder.c
compile calls outbound/connector.c
compile jobs_connector jobs/connector.c

cluster=$(mktemp -d "${TMPDIR:-/tmp}/connector-bench.XXXXXX")
chmod 755 "$cluster"
trap 'scripts/pg.sh stop "$cluster/pg"; rm -rf "$cluster"' EXIT
trap 'exit 1' INT TERM
PG_OPTIONS="-c shared_buffers=1GB -c max_wal_size=4GB"
export PG_OPTIONS
BENCH_DATABASE_URL=$(scripts/pg.sh start "$cluster/pg")
export BENCH_DATABASE_URL

: > "$BENCH_RESULTS"
begin=$(date +%s)
status=0
for part in $parts; do
    echo
    "$NODE" "$BENCH_WORK/$part/run.mjs" || { echo "$part did not end well" >&2; status=1; }
    psql -qX "$BENCH_DATABASE_URL" -c CHECKPOINT
done

echo
awk -F'|' '
    BEGIN { printf "%-64s %14s %12s\n", "measured", "ratio", "floor" }
    { printf "%-64s %14s %12s %s\n", $1, $2, $3, $4 == "-" ? "" : $4; missed += $4 == "MISSED" }
    END { printf missed ? "%d floors missed" : "all floors hold", missed; exit missed > 0 }' "$BENCH_RESULTS" || status=1
echo ", $(($(date +%s) - begin)) s, $(nproc) cores, $(uname -m), PostgreSQL $(psql -qAtX "$BENCH_DATABASE_URL" -c 'SHOW server_version'), Node $("$NODE" --version)"
exit $status
