#!/bin/bash
# Runs test programs one after another against a private PostgreSQL and adds up their counts.
# usage: run.sh PROGRAM...      environment: BIN (the fault-point build of the connector)
set -u
cd "$(dirname "$0")/.."
work=$(mktemp -d "${TMPDIR:-/tmp}/connector-tests.XXXXXX")
chmod 755 "$work"
trap 'scripts/pg.sh stop "$work/pg"; rm -rf "$work"' EXIT
TEST_DATABASE_URL=$(scripts/pg.sh start "$work/pg") || exit 1
export TEST_DATABASE_URL TEST_WORK="$work"

passed=0
failed=0
for program in "$@"; do
    begin=$(date +%s)
    echo "== $program"
    case $program in
    *.mjs) node "$program" > "$work/out" 2>&1 ;;
    *) "$program" > "$work/out" 2>&1 ;;
    esac
    status=$?
    count=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$work/out" | tail -n 1)
    p=$(echo "$count" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
    f=$(echo "$count" | sed -n 's/.*passed, \([0-9]*\) failed.*/\1/p')
    # A program that died, or that ran nothing, has failed once.
    if [ -z "$count" ] || { [ "$status" -ne 0 ] && [ "${f:-0}" -eq 0 ]; } || [ "$((${p:-0} + ${f:-0}))" -eq 0 ]; then
        f=$((${f:-0} + 1))
        echo "  exit status $status"
    fi
    passed=$((passed + ${p:-0}))
    failed=$((failed + f))
    if [ "$f" -gt 0 ]; then
        tail -n 120 "$work/out"
    else
        grep -E '^ok ' "$work/out" | sed 's/^/  /'
    fi
    echo "  ${p:-0} passed, $f failed ($(($(date +%s) - begin)) s)"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
