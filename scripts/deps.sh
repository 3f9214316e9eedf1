#!/bin/sh
# Installs what a fresh Debian 12 lacks, and says what. usage: deps.sh run|test|dev
set -eu
level=${1:-run}

# package:probe - the package is missing when the probe (a file, or a command with a leading @) is.
run="gcc:@gcc libc6-dev:/usr/include/stdio.h pkg-config:@pkg-config libmicrohttpd-dev:/usr/include/microhttpd.h libcurl4-openssl-dev:@curl-config
libjansson-dev:/usr/include/jansson.h libssl-dev:/usr/include/openssl/evp.h libxml2-dev:@xml2-config
libpq-dev:@pg_config libxxhash-dev:/usr/include/xxhash.h zlib1g-dev:/usr/include/zlib.h libgd-dev:/usr/include/gd.h
postgresql-15:/usr/lib/postgresql/15/bin/postgres curl:@curl jq:@jq ca-certificates:/etc/ssl/certs/ca-certificates.crt
tzdata:/usr/share/zoneinfo/America/Sao_Paulo"
tests="nodejs:@node npm:@npm chromium:@chromium libxml2-utils:@xmllint procps:@ps"
dev="clang:@clang clang-format:@clang-format libclang-rt-14-dev:/usr/lib/llvm-14/lib/clang"

list=$run
[ "$level" = run ] || list="$list $tests"
[ "$level" = dev ] && list="$list $dev"

missing=
for item in $list; do
    probe=${item#*:}
    case $probe in
    @*) command -v "${probe#@}" > /dev/null 2>&1 || missing="$missing ${item%%:*}" ;;
    *) [ -e "$probe" ] || [ -e "$(echo "$probe" | sed "s#/usr/include/#/usr/include/$(uname -m)-linux-gnu/#")" ] ||
        missing="$missing ${item%%:*}" ;;
    esac
done
if [ -z "$missing" ]; then
    exit 0
fi

echo "Installing Debian packages:$missing"
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null 2>&1 || {
        echo "Cannot install them: run as root, or install sudo." >&2
        exit 1
    }
    as_root=sudo
fi
# A cluster that the package would start by itself is not ours: none is made.
if [ ! -d /etc/postgresql-common ]; then
    $as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | $as_root tee /etc/postgresql-common/createcluster.conf > /dev/null
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Options::=--force-confold $missing > /dev/null
echo "Installed."
