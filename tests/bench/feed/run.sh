#!/bin/sh
# Feed reading and change detection side by side: the connector's reader, xmllint --sax, node saxes, in turn.
# run.sh [items] [rounds]; BUILD names the build folder, DATABASE_URL a PostgreSQL server where a database can be made
# (without it change detection is left out). Prints medians and ratios; exit 1 when a floor does not hold.
set -eu
cd "$(dirname "$0")"
items=${1:-200000} rounds=${2:-3}
root=$(cd ../../.. && pwd)
case ${BUILD:-build} in /*) build=$BUILD ;; *) build=$root/${BUILD:-build} ;; esac
library=${LIBRARY:-$build/libconnector.a}
work=$build/bench-feed
mkdir -p "$work"
cc=${CC:-gcc}
flags="-std=c17 -D_DEFAULT_SOURCE -O2 -Wall -Wextra -I$root/include"
packages="libmicrohttpd libcurl jansson libcrypto libxml-2.0 libpq zlib"
$cc $flags -o "$work/gen" gen.c
for program in read diff; do
    $cc $flags $(pkg-config --cflags $packages) -o "$work/$program" $program.c "$library" \
        $(pkg-config --libs $packages) -lxxhash -lpthread -lm
done
if [ ! -d "$work/node_modules/saxes" ]; then
    cp package.json "$work/"
    (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --silent)
fi
cp saxes.mjs "$work/"
for g in 0 1; do
    [ -s "$work/$items-$g.xml" ] || "$work/gen" "$items" $g >"$work/$items-$g.xml"
done
old=$work/$items-0.xml new=$work/$items-1.xml
: >"$work/results"
timed() { # NAME COMMAND: seconds of the wall clock for programs that print none
    from=$(date +%s.%N)
    shift_name=$1
    shift
    "$@" >/dev/null
    awk -v n="$shift_name" -v a="$from" -v b="$(date +%s.%N)" 'BEGIN { printf "%s %.3f 0\n", n, b - a }' >>"$work/results"
}
printed() { # NAME COMMAND: programs that print "SECONDS s ... rss MB MB"
    name=$1
    shift
    "$@" | awk -v n="$name" '{ print n, $1, $(NF - 1) }' >>"$work/results"
}
database=
if [ -n "${DATABASE_URL:-}" ]; then
    database=bench_feed_$$
    psql -q "$DATABASE_URL" -c "CREATE DATABASE $database" >/dev/null
    trap 'psql -q "$DATABASE_URL" -c "DROP DATABASE $database WITH (FORCE)" >/dev/null' EXIT
    bench_url=$(printf '%s' "$DATABASE_URL" | sed "s#\(://[^/]*/\)[^?]*#\1$database#")
    DATABASE_URL=$bench_url "$work/diff" prime "$old" >/dev/null
fi
round=0
while [ $round -lt "$rounds" ]; do
    timed xmllint xmllint --sax --noout "$new"
    printed connector "$work/read" "$new"
    printed saxes node "$work/saxes.mjs" "$new"
    if [ -n "$database" ]; then
        DATABASE_URL=$bench_url printed detect "$work/diff" detect "$new"
    fi
    round=$((round + 1))
done
size=$(wc -c <"$new")
sort -k1,1 -k2,2n "$work/results" | awk -v items="$items" -v size="$size" '
    { n[$1]++; s[$1, n[$1]] = $2; if ($3 > rss[$1]) rss[$1] = $3 }
    END {
        printf "feed of %d items, %.0f MB, 1 %% changed, medians\n%-22s %9s %9s %9s\n", items, size / 1e6, "", "seconds",
               "MB/s", "RSS MB"
        split("xmllint connector saxes detect", order, " ")
        title["xmllint"] = "xmllint --sax"; title["connector"] = "connector: read + hash"
        title["saxes"] = "node saxes + sha256"; title["detect"] = "connector: detect"
        for (i = 1; i <= 4; i++) {
            who = order[i]
            if (!n[who]) continue
            m[who] = s[who, int((n[who] + 1) / 2)]
            printf "%-22s %9.3f %9.1f %9s\n", title[who], m[who], size / m[who] / 1e6, rss[who] ? rss[who] : "-"
        }
        bad = 0
        r = m["xmllint"] / m["connector"]; bad += r < 0.7
        printf "read: %.2fx xmllint --sax (floor 0.7)\n", r
        r = m["saxes"] / m["connector"]; bad += r < 4
        printf "read: %.1fx node saxes (floor 4)\n", r
        if (n["detect"]) {
            r = m["detect"] / m["connector"]; bad += r > 2 || rss["detect"] > 64
            printf "change detection: %.2fx the parse alone (limit 2), RSS %.1f MB (limit 64)\n", r, rss["detect"]
        }
        exit bad > 0
    }'
