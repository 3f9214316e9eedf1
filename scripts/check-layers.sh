#!/bin/sh
# Fails when a file includes what its layer must not know (docs/ARCHITECTURE.md, "Folders").
set -eu
bad=0

# forbid LAYER PATTERN WHY
forbid() {
    hits=$(grep -nE "^#include [<\"]($2)[>\"]" "$1"/*.c "$1"/*.h 2> /dev/null || true)
    if [ -n "$hits" ]; then
        echo "$1 must not include $3:"
        echo "$hits"
        bad=1
    fi
}
# only LIBRARY-PATTERN ALLOWED-FILES-PATTERN
only() {
    hits=$(grep -rnE "^#include [<\"]($1)" core db outbound sync handlers server sandbox --include=*.c --include=*.h |
        grep -vE "^($2):" || true)
    if [ -n "$hits" ]; then
        echo "only $2 may include $1:"
        echo "$hits"
        bad=1
    fi
}

up='sync|handlers|app|intake|sandbox'
forbid core "db[a-z_]*\.h|fetch\.h|platform\.h|http\.h|tiktok_[a-z]+\.h|vtex_[a-z]+\.h|($up)\.h" 'a layer above it'
forbid db "fetch\.h|platform\.h|tiktok_[a-z]+\.h|vtex_[a-z]+\.h|(sync|handlers|app|sandbox)\.h" 'outbound, sync, handlers or server'
forbid outbound "db[a-z_]*\.h|http\.h|($up)\.h" 'the database or the business'
forbid sync "handlers\.h|http\.h|intake\.h|sandbox\.h" 'the inbound side'
forbid handlers "sync\.h|fetch\.h|platform\.h|tiktok_[a-z]+\.h|vtex_[a-z]+\.h|sandbox\.h" 'jobs or platforms'
forbid sandbox "db[a-z_]*\.h|app\.h|sync\.h|handlers\.h|intake\.h|platform\.h" 'the connector'

only 'libpq-fe\.h|libpq/' 'db/[a-z_]+\.[ch]'
only 'curl/' 'outbound/fetch[a-z_]*\.[ch]'
only 'microhttpd\.h' 'server/http[a-z_]*\.[ch]'
only 'libxml/' 'core/xmldoc[a-z_]*\.[ch]'
only 'gd(_errors)?\.h|dlfcn\.h' 'core/image_child\.c'
only 'openssl/' 'core/(sign|seal|password)\.c'
exit $bad
