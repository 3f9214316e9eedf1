#!/bin/sh
# Signed calls side by side: the connector's engine and undici against one local responder, in turn.
# run.sh [rounds] [seconds] [in flight]; BUILD names the build folder. Prints medians and the ratio; exit 1 below the floor.
set -eu
cd "$(dirname "$0")"
rounds=${1:-3} seconds=${2:-3} in_flight=${3:-64} floor=2.0
root=$(cd ../../.. && pwd)
case ${BUILD:-build} in /*) build=$BUILD ;; *) build=$root/${BUILD:-build} ;; esac
work=$build/bench-outbound
mkdir -p "$work"
cc=${CC:-gcc}
$cc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$work/responder" responder.c
$cc -std=c17 -D_DEFAULT_SOURCE -O2 -Wall -Wextra -I"$root/include" -o "$work/connector" connector.c \
    "${LIBRARY:-$build/libconnector.a}" \
    $(pkg-config --libs libmicrohttpd libcurl jansson libcrypto libxml-2.0 libpq zlib) -lxxhash -lpthread -lm
if [ ! -d "$work/node_modules/undici" ]; then
    cp package.json "$work/"
    (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --silent)
fi
cp undici.mjs "$work/"
rm -f "$work/port"
"$work/responder" >"$work/port" &
responder=$!
trap 'kill $responder' EXIT
while ! [ -s "$work/port" ]; do sleep 0.05; done
port=$(cat "$work/port")
: >"$work/results"
round=0
while [ $round -lt "$rounds" ]; do
    "$work/connector" "$port" "$in_flight" "$seconds" >>"$work/results"
    node "$work/undici.mjs" "$port" "$in_flight" "$seconds" >>"$work/results"
    round=$((round + 1))
done
sort -k1,1 -k2,2n "$work/results" | awk -v in_flight="$in_flight" -v floor=$floor '
    { n[$1]++; rate[$1, n[$1]] = $2; p50[$1, n[$1]] = $3; p99[$1, n[$1]] = $4; cpu[$1, n[$1]] = $5; bad[$1] += $6 }
    END {
        printf "outbound signed calls, %d in flight, medians\n%-10s %10s %10s %10s %12s %6s\n", in_flight,
               "", "calls/s", "p50 us", "p99 us", "cpu us/call", "bad"
        for (who in n) {
            m = int((n[who] + 1) / 2)
            r[who] = rate[who, m]
            printf "%-10s %10.0f %10.0f %10.0f %12.1f %6d\n", who, r[who], p50[who, m], p99[who, m], cpu[who, m], bad[who]
        }
        ratio = r["connector"] / r["undici"]
        printf "ratio %.2f (floor %.1f)\n", ratio, floor
        exit !(ratio >= floor)
    }'
