#!/bin/sh
# Fails when a function is longer than 80 lines or a file longer than 600, when a .c does not begin with its comment,
# or when a file holds words that mark unfinished work or paths of one person's machine.
set -eu
cd "$(dirname "$0")/.."
bad=0
say() { # say TEXT LINES: complains unless there are no lines
    [ -n "$2" ] || return 0
    printf '%s\n%s\n' "$1" "$2"
    bad=1
}
files() { # files PATTERN...: what git tracks, as far as it is still there
    git ls-files -- "$@" | while read -r f; do [ ! -f "$f" ] || echo "$f"; done
}
c_files=$(files '*.c' '*.h')
code=$(files '*.c' '*.h' '*.sh' '*.mjs' '*.sql' '*.html' Makefile | grep -v '^scripts/check-size\.sh$')

# The opening brace of a function stands alone at the beginning of a line, so does the closing one.
# shellcheck disable=SC2086 # lists of words, here and below
say 'functions longer than 80 lines:' "$(awk 'FNR == 1 { from = 0 } /^\{/ { from = FNR }
    /^\}/ { if (from && FNR - from + 1 > 80) print FILENAME ":" from ": " FNR - from + 1; from = 0 }' $c_files)"
say 'files longer than 600 lines:' "$(wc -l $code | awk '$1 > 600 && $2 != "total" { print $2 ": " $1 }')"
say 'files that do not begin with a comment that says what they are for:' \
    "$(for f in $c_files; do head -c 2 "$f" | grep -q '^/\*' || echo "$f"; done)"
say 'unfinished work:' "$(grep -nwE 'TODO|FIXME|XXX|HACK|[Pp]laceholder|not implemented' $code | grep -v 'placeholder=\\"' || true)" # the attribute of HTML is none
say 'paths of a machine:' "$(grep -nE '/(work|home|root|Users)/[a-z]|"/tmp/' $code || true)"
exit $bad
