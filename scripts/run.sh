#!/bin/bash
# Runs the connector. Without TikTok settings: against the bundled sandbox, walking the main job on sample data.
# usage: run.sh [--once]     --once: end after the walk, exit 0 only if everything ended well
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/build/tiktok-shop-connector
once=no
[ "${1:-}" = --once ] && once=yes

# What the caller set counts more than .env; the demo touches a database only when it was named like this.
named_database=${DATABASE_URL:-}
named_database_file=${DATABASE_URL_FILE:-}
if [ -f .env ]; then
    set -a
    # shellcheck disable=SC1091 # the user's own file
    . ./.env
    set +a
fi
if [ -n "$named_database$named_database_file" ]; then
    export DATABASE_URL=$named_database DATABASE_URL_FILE=$named_database_file
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/tiktok-shop-connector.XXXXXX")
chmod 755 "$work"
pids=()
pg_dir=
begin=$(date +%s)

finish() {
    status=$?
    trap - EXIT INT TERM
    for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2> /dev/null || true; done
    [ -z "$pg_dir" ] || scripts/pg.sh stop "$pg_dir"
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 0' INT TERM

say() { printf '%4ds  %s\n' $(($(date +%s) - begin)) "$*"; }
# Progress: one line that changes on a terminal, a line for each change elsewhere.
told=
tell() {
    if [ -t 1 ]; then
        printf '\r%4ds  %s\033[K' $(($(date +%s) - begin)) "$*"
    elif [ "$told" != "$*" ]; then
        say "$*"
    fi
    told=$*
}
fail() {
    echo "FAILED: $*" >&2
    for log in "$work"/*.log; do
        [ -f "$log" ] && { echo "--- last lines of $(basename "$log")" >&2; tail -n 15 "$log" >&2; }
    done
    exit 1
}
secret() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }

start_postgresql() { # start_postgresql FOLDER
    pg_dir=$1
    local admin
    admin=$(scripts/pg.sh start "$pg_dir") || fail "the private PostgreSQL did not start"
    # The service's own role is no superuser, so that row-level security binds it.
    if [ "$(psql -qAtX "$admin" -c "SELECT count(*) FROM pg_roles WHERE rolname = 'tiktok_shop'")" = 0 ]; then
        psql -qX "$admin" -c 'CREATE ROLE tiktok_shop LOGIN' -c 'CREATE DATABASE tiktok_shop OWNER tiktok_shop'
    fi
    DATABASE_URL=$(sed 's#//connector@#//tiktok_shop@#; s#/postgres$#/tiktok_shop#' <<< "$admin")
    export DATABASE_URL
    say "PostgreSQL: private cluster in $pg_dir"
}

# ---- the real platforms ---------------------------------------------------------------------------
if [ -n "${TIKTOK_APP_KEY:-}${TIKTOK_APP_KEY_FILE:-}" ]; then
    if [ -z "${DATABASE_URL:-}${DATABASE_URL_FILE:-}" ]; then
        if [ "$(id -u)" -eq 0 ]; then home=/var/lib/tiktok-shop-connector; else home=${XDG_STATE_HOME:-$HOME/.local/state}/tiktok-shop-connector; fi
        mkdir -p "$home"
        start_postgresql "$home/pg"
    fi
    if [ -z "${ENCRYPTION_KEYS:-}" ] && [ -z "${ENCRYPTION_KEYS_FILE:-}" ]; then
        ENCRYPTION_KEYS="k1:$(secret 32)"
        export ENCRYPTION_KEYS
        printf '\nENCRYPTION_KEYS=%s\n' "$ENCRYPTION_KEYS" >> .env
        say "ENCRYPTION_KEYS was missing: a new key was made and kept in .env. Keep a copy: without it the stored tokens cannot be read."
    fi
    "$bin" serve &
    pids+=($!)
    wait "${pids[0]}"
    exit $?
fi

# ---- the sandbox ----------------------------------------------------------------------------------
free() { # free PREFERRED: that port, or the next one nobody listens on
    local port=$1
    while (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do port=$((port + 1)); done
    echo "$port"
}
public=$(free 8080)
ops=$(free 9090)
sandbox_port=$(free 9100)
base=http://127.0.0.1:$public
sandbox=http://127.0.0.1:$sandbox_port
token=$(secret 24 | tr '+/' '-_')
client=loja-exemplo

# No address, key or database of .env reaches the demo: sample data does not belong there.
if [ -n "${DATABASE_URL:-}${DATABASE_URL_FILE:-}" ] && [ -z "$named_database$named_database_file" ]; then
    say "DATABASE_URL of .env is left alone: without TIKTOK_APP_KEY this is the demo, on a database of its own"
fi
for name in DATABASE_URL TIKTOK_APP_KEY TIKTOK_APP_SECRET TIKTOK_SERVICE_ID TIKTOK_OAUTH_REDIRECT_URI TIKTOK_API_URL \
    TIKTOK_AUTH_URL TIKTOK_AUTHORIZE_URL VTEX_API_URL VTEX_PRICING_URL ENCRYPTION_KEYS API_TOKENS ADMIN_USERS PUBLIC_URL \
    LISTEN_ADDRESS OPS_ADDRESS ALLOW_PRIVATE_ADDRESSES; do
    unset "$name" "${name}_FILE"
done
if [ -n "$named_database_file" ]; then
    export DATABASE_URL_FILE=$named_database_file
elif [ -n "$named_database" ]; then
    export DATABASE_URL=$named_database
else
    start_postgresql "$work/pg"
fi
export LISTEN_ADDRESS=127.0.0.1:$public OPS_ADDRESS=127.0.0.1:$ops PUBLIC_URL=$base
export TIKTOK_APP_KEY=sandbox-app-key TIKTOK_SERVICE_ID=sandbox-service
TIKTOK_APP_SECRET=$(secret 24)
export TIKTOK_APP_SECRET
export TIKTOK_API_URL=$sandbox TIKTOK_AUTH_URL=$sandbox TIKTOK_AUTHORIZE_URL=$sandbox/open/authorize
export VTEX_API_URL="$sandbox/vtex/{account}" VTEX_PRICING_URL="$sandbox/vtexpricing/{account}"
ENCRYPTION_KEYS="k1:$(secret 32)"
# A password for this run only: shown once below, never written down.
password=$(secret 12 | tr '+/' '-_')
ADMIN_USERS="admin:admin:$(printf '%s' "$password" | "$bin" user hash-password)"
export ADMIN_USERS ENCRYPTION_KEYS API_TOKENS="demo:admin:$token" ALLOW_PRIVATE_ADDRESSES=true

SANDBOX_APP_KEY=$TIKTOK_APP_KEY SANDBOX_APP_SECRET=$TIKTOK_APP_SECRET SANDBOX_REDIRECT_URL=$base/tiktok/callback \
    SANDBOX_WEBHOOK_URL=$base "$bin" sandbox --address "127.0.0.1:$sandbox_port" > "$work/sandbox.log" 2>&1 &
pids+=($!)
"$bin" serve > "$work/connector.log" 2>&1 &
pids+=($!)
connector=$!

wait_for() { # wait_for URL WHAT
    for _ in $(seq 150); do
        curl -fsS -o /dev/null "$1" 2> /dev/null && return 0
        kill -0 "$connector" 2> /dev/null || fail "the connector stopped"
        sleep 0.1
    done
    fail "$2 does not answer"
}
wait_for "$sandbox/sandbox/state" "the sandbox"
say "sandbox: TikTok Shop and VTEX simulated at $sandbox/sandbox/"
wait_for "http://127.0.0.1:$ops/readyz" "the connector"
say "connector: ready at $base"

api() { # api METHOD PATH [BODY]: prints the answer; the token travels in a file, not in arguments
    local method=$1 path=$2
    shift 2
    printf 'header = "Authorization: Bearer %s"\n' "$token" |
        curl -sS -K - -X "$method" "$base$path" ${1:+-H 'Content-Type: application/json' --data "$1"}
}

say "1. a client: the sample merchant with its feed and VTEX account"
api PUT "/v1/clients/$client" '{
  "name": "Loja Exemplo", "tik_tok_shop_feed_link": "'"$sandbox"'/feeds/loja-exemplo.xml",
  "vtex": {"account": "lojaexemplo", "app_key": "vtexappkey-lojaexemplo-SANDBX", "app_token": "sandbox-app-token",
           "sales_channel": "3", "affiliate_id": "TTK", "warehouse_ids": ["1_1"]}}' > "$work/client.json"
jq -e .name "$work/client.json" > /dev/null || fail "the client was refused: $(cat "$work/client.json")"

say "2. the shop: authorize page, consent, callback"
jar=$work/cookies
location=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
    curl -sS -K - -c "$jar" -o /dev/null -w '%{redirect_url}' "$base/tiktok/authorize?client_hash=$client")
[ -n "$location" ] || fail "no redirect to the authorize page"
location=$(curl -sS -o /dev/null -w '%{redirect_url}' "$location&auto=accept")
location=$(curl -sS -b "$jar" -o /dev/null -w '%{redirect_url}' "$location")
[ -n "$location" ] || fail "the callback did not lead on"
for _ in $(seq 150); do
    shop=$(api GET "/v1/clients/$client/shops" | jq -r '.items[]? | select(.status == "connected") | .shop_id' | head -n 1)
    [ -n "$shop" ] && break
    sleep 0.1
done
[ -n "$shop" ] || fail "the shop did not get connected"
say "   connected: shop $shop"

say "3. the catalog: feed to products, with images, prices and stock"
run=$(api POST "/v1/clients/$client/sync/products" '{}' | jq -r .run_id)
[ "$run" != null ] || fail "the run was refused"
for _ in $(seq 1200); do
    state=$(api GET "/v1/runs/$run")
    status=$(jq -r .status <<< "$state")
    tell "   $(jq -r '"\(.progress.done) of \(.progress.total) products: \(.progress.created) sent, \(.progress.failed) refused"' <<< "$state")"
    case $status in succeeded | partial | failed | held | cancelled) break ;; esac
    sleep 0.5
done
[ ! -t 1 ] || echo
case $status in succeeded | partial) ;; *) fail "the run ended as $status: $(jq -c .problem <<< "$state")" ;; esac

all_products() {
    local path="/v1/clients/$client/products"
    while [ -n "$path" ] && [ "$path" != null ]; do
        api GET "$path" > "$work/page.json"
        jq -c '.items[]' "$work/page.json"
        path=$(jq -r '.next // empty' "$work/page.json")
        case $path in '' | /*) ;; http*) path=/${path#*://*/} ;; *) path="/v1/clients/$client/products?cursor=$path" ;; esac
    done
}
for _ in $(seq 240); do
    all_products > "$work/products.jsonl"
    waiting=$(jq -s '[.[] | select(.status == "in_review" or .status == "publishing")] | length' "$work/products.jsonl")
    tell "   TikTok reviews: $waiting still in review"
    [ "$waiting" -eq 0 ] && break
    sleep 0.5
done
[ ! -t 1 ] || echo

say "4. an order: bought on TikTok, webhook, VTEX"
order=$(curl -fsS -X POST -H 'Content-Type: application/json' --data '{}' "$sandbox/sandbox/orders" | jq -r .order_id)
for _ in $(seq 300); do
    order_state=$(api GET "/v1/clients/$client/orders/$order" | jq -r '.state // empty')
    tell "   order $order: ${order_state:-not here yet}"
    case $order_state in authorized | invoiced | shipped | failed | cancelled) break ;; esac
    sleep 0.1
done
[ ! -t 1 ] || echo
api GET "/v1/clients/$client/orders/$order" > "$work/order.json"

live=$(jq -s '[.[] | select(.status == "live")] | length' "$work/products.jsonl")
refused=$(jq -s '[.[] | select(.status == "rejected" or .status == "waiting" or .status == "held")] | length' "$work/products.jsonl")
cat <<T

  products live        $live
  products refused     $refused
T
jq -r 'select(.status == "rejected" or .status == "waiting" or .status == "held")
       | "    \(.source_id)  \(.title[0:40]): \([.problems[].message] | join("; "))"' "$work/products.jsonl"
cat <<T
  orders in VTEX       $([ "$order_state" = authorized ] && echo 1 || echo 0)   ($order -> $(jq -r '.vtex_order_id // "-"' "$work/order.json"), $order_state)
  seconds              $(($(date +%s) - begin))
T
[ "$order_state" = authorized ] && [ "$live" -ge 50 ] || fail "the walk did not end well"

if [ "$once" = no ]; then
    cat <<T

  dashboard            $base/   (user admin, password $password)
  connector            $base
  metrics              http://127.0.0.1:$ops/metrics
  sandbox overview     $sandbox/sandbox/
  products as JSON     curl -H "Authorization: Bearer $token" $base/v1/clients/$client/products
  logs                 $work/connector.log and $work/sandbox.log

It stays up until Ctrl-C.
T
    wait "$connector"
fi
