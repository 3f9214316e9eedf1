/* csv.h - tables as text, RFC 4180: quotes, comma or semicolon, any line end, an optional UTF-8 mark. */
#ifndef CSV_H
#define CSV_H

#include "buf.h"

#define LIMIT_CSV_FIELDS 16

struct csv {
    const char *at, *end;
    char separator; /* of the first line: ';' when it has more of these than commas */
    int line;       /* of what is read next, from 1 */
};
/* The text is borrowed. */
void csv_init(struct csv *csv, const char *text, size_t len);

struct csv_row {
    int line; /* where it begins */
    int n;
    const char *fields[LIMIT_CSV_FIELDS]; /* in memory */
    const char *wrong;                    /* why the line cannot be read, static; NULL = it can */
    struct buf memory;
};
void csv_row_init(struct csv_row *row);
void csv_row_done(struct csv_row *row);
/* Reads the next row that is not blank; false at the end. A row that is wrong is passed over up to its line end.
 * RC-free: running out of memory shows as a wrong row. */
bool csv_next(struct csv *csv, struct csv_row *row);

/* Appends a field, quoted where needed. A text that a spreadsheet would take for a formula gets an apostrophe in
 * front; csv_plain takes it away again. */
void csv_put(struct buf *out, const char *text, char separator);
/* The text without the apostrophe that csv_put set. */
const char *csv_plain(const char *text);

#endif
