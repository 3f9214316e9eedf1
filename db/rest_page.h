/* rest_page.h - runs a list query: columns doc (json) and cursor (text), the limit is its last argument. */
#ifndef REST_PAGE_H
#define REST_PAGE_H

#include "db_rest.h"

enum rc rest_page_run(struct db_tx *tx, const char *sql, struct db_args *args, int limit,
                      struct rest_list *out, struct err *e);
/* Cursor of lists that go down by a number; INT64_MAX for the first page. */
enum rc rest_cursor_id(const char *cursor, int64_t *id, struct err *e);

#endif
