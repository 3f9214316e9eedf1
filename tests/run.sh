#!/bin/bash
# Runs test programs against a private PostgreSQL, some at a time, and adds up their counts. What a program says is
# printed in one piece when it ends: its cases when all went well, its last lines when not.
# usage: run.sh PROGRAM...      environment: BIN, FAULT_BIN (the builds that scenarios start), TEST_JOBS (how many at a time)
set -u
cd "$(dirname "$0")/.."
work=$(mktemp -d "${TMPDIR:-/tmp}/connector-tests.XXXXXX")
chmod 755 "$work"
finish() {
    trap - EXIT
    # Only after an interruption is something still running: scenarios end what they started when they are told to.
    for pid in $(jobs -rp); do
        for child in $(ps -o pid= --ppid "$pid"); do kill "$child" 2> /dev/null; done
    done
    wait
    scripts/pg.sh stop "$work/pg"
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM
TEST_DATABASE_URL=$(PG_OPTIONS="-c max_connections=400" scripts/pg.sh start "$work/pg") || exit 1
export TEST_DATABASE_URL TEST_WORK="$work"

run_one() { # run_one NUMBER PROGRAM: leaves "passed failed" in NUMBER.count
    local number=$1 program=$2 out=$work/$1.out begin status count p f
    begin=$(date +%s)
    case $program in
    *.mjs) node "$program" > "$out" 2>&1 ;;
    *) "$program" > "$out" 2>&1 ;;
    esac
    status=$?
    count=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -n 1)
    p=$(echo "$count" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
    f=$(echo "$count" | sed -n 's/.*passed, \([0-9]*\) failed.*/\1/p')
    # A program that died, or that ran nothing, has failed once.
    local died=no
    if [ -z "$count" ] || { [ "$status" -ne 0 ] && [ "${f:-0}" -eq 0 ]; } || [ "$((${p:-0} + ${f:-0}))" -eq 0 ]; then
        f=$((${f:-0} + 1))
        died=yes
    fi
    {
        echo "== $program"
        if [ "$f" -gt 0 ]; then tail -n 120 "$out"; else grep -E '^ok ' "$out" | sed 's/^/  /'; fi
        [ $died = no ] || echo "  exit status $status"
        echo "  ${p:-0} passed, $f failed ($(($(date +%s) - begin)) s)"
    } > "$out.report"
    echo "${p:-0} $f" > "$work/$number.count"
    flock "$work/report.lock" cat "$out.report"
}

at_a_time=${TEST_JOBS:-$(nproc)}
[ "$at_a_time" -le 4 ] || at_a_time=4
number=0
for program in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "$at_a_time" ]; do wait -n; done
    number=$((number + 1))
    run_one "$number" "$program" &
done
wait

passed=0
failed=0
for i in $(seq "$number"); do
    read -r p f < "$work/$i.count" || { p=0 f=1; }
    passed=$((passed + p))
    failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
