/* shelf_sql.h - which products may be put on sale or taken off it: what the switches for activation say. */
#ifndef SHELF_SQL_H
#define SHELF_SQL_H

/* Of a row of products with the alias p; what a person asked for is done in any case. */
#define SHELF_MAY_SQL                                                                                           \
    "(p.shelf_by IS DISTINCT FROM 'feed' OR COALESCE((SELECT w.activation FROM sync_switches w"                 \
    " WHERE w.client_id = p.client_id AND w.activation IS NOT NULL AND ((w.scope = 'product'"                   \
    "  AND w.key = p.source_id) OR (w.scope = 'category' AND (p.source_category = w.key"                        \
    "   OR starts_with(p.source_category, w.key || ' > '))))"                                                   \
    " ORDER BY w.scope DESC, length(w.key) DESC LIMIT 1), (SELECT (c.policies->'sync'->>'activation')::boolean" \
    " FROM clients c WHERE c.client_id = p.client_id), true))"

#endif
