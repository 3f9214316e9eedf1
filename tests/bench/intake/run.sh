#!/bin/sh
# Intake beside Fastify + pg and pgbench: builds the load generator, fetches the peer, runs the rounds.
# usage: run.sh BINARY [WORK-FOLDER]
set -eu
cd "$(dirname "$0")/../../.."
BIN=$(readlink -f "${1:-build/tiktok-shop-connector}")
work=${2:-build/bench/intake}
mkdir -p "$work"
cc -O2 -D_GNU_SOURCE -Wall -Wextra -Werror -o "$work/load" tests/bench/intake/load.c -lcrypto
cp tests/bench/intake/package.json tests/bench/intake/*.mjs "$work/"
[ -d "$work/node_modules" ] || npm install --prefix "$work" --ignore-scripts --no-audit --no-fund --silent
BIN=$BIN LOAD=$work/load node "$work/run.mjs"
