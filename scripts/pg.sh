#!/bin/sh
# A private PostgreSQL: one cluster in a folder, on a free loopback port, run by an unprivileged user.
# usage: pg.sh start FOLDER   prints the DATABASE_URL
#        pg.sh stop FOLDER
set -eu
action=$1
dir=$2
bin=${PGBIN:-/usr/lib/postgresql/15/bin}

# PostgreSQL refuses to run as root: the user that Debian's package makes does it then.
as_pg() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

free_port() {
    port=$((20000 + ($$ + $(date +%s)) % 20000))
    while [ -n "$(grep -i ":$(printf '%04X' $port) " /proc/net/tcp /proc/net/tcp6 2> /dev/null || true)" ]; do
        port=$((port + 1))
    done
    echo $port
}

case $action in
start)
    mkdir -p "$dir"
    chmod 755 "$dir"
    [ "$(id -u)" -ne 0 ] || chown postgres "$dir"
    if [ ! -e "$dir/data/PG_VERSION" ]; then
        as_pg "$bin/initdb" -D "$dir/data" -U connector -A trust --no-locale -E UTF8 > "$dir/initdb.log" 2>&1 || {
            cat "$dir/initdb.log" >&2
            exit 1
        }
    fi
    as_pg "$bin/pg_ctl" -D "$dir/data" status > /dev/null 2>&1 && {
        cat "$dir/url"
        exit 0
    }
    port=$(free_port)
    as_pg "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 \
        -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c max_connections=120 ${PG_OPTIONS:-}" \
        start > /dev/null 2>&1 || {
        tail -n 20 "$dir/log" >&2
        exit 1
    }
    echo "postgresql://connector@127.0.0.1:$port/postgres" > "$dir/url"
    cat "$dir/url"
    ;;
stop)
    as_pg "$bin/pg_ctl" -D "$dir/data" -m fast -w stop > /dev/null 2>&1 || true
    ;;
*)
    echo "usage: pg.sh start|stop FOLDER" >&2
    exit 2
    ;;
esac
