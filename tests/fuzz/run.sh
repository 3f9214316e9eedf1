#!/bin/sh
# Fuzzes each target for a while with clang's fuzzer, address and undefined-behaviour sanitizers.
# run.sh [seconds per target] [target...]; BUILD names the build folder. New inputs stay in BUILD/fuzz/NAME, crashes in
# BUILD/fuzz/NAME-crash-*: a crash joins tests/fuzz/corpus/NAME once it is mended.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
build=${BUILD:-build}/fuzz
mkdir -p "$build"
all="feed money json webhook order csv nfe"
number=0
for name in $all; do
    case " ${*:-$all} " in
    *" $name "*)
        echo "== $name"
        clang -std=c17 -D_DEFAULT_SOURCE -g -O1 -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
            -fno-sanitize-recover=undefined -DTARGET=$number -Iinclude -include include/banned.h \
            $(pkg-config --cflags libxml-2.0 jansson) -o "$build/fuzz-$name" tests/fuzz/fuzz.c \
            $(ls core/*.c | grep -v core/assets.c) handlers/webhook_scan.c \
            sync/map_order.c sync/map_cart.c sync/map_place.c sync/map_address.c \
            $(pkg-config --libs libxml-2.0 jansson zlib libcrypto) -lxxhash -lm -lpthread
        mkdir -p "$build/$name"
        "$build/fuzz-$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=0 \
            -artifact_prefix="$build/$name-" -verbosity=0 "$build/$name" "tests/fuzz/corpus/$name"
        ;;
    esac
    number=$((number + 1))
done
