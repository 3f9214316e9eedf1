/* taxonomy_csv.c - mappings as a table: out for a spreadsheet, and back in with an error per line. */
#include "taxonomy.h"

#include "csv.h"
#include "db_rest.h"
#include "db_taxonomy.h"
#include "jspec.h"
#include "str.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIMIT_IMPORT_ERRORS 1000
#define LIMIT_EXPORT_ROWS 100000

/* ---- out --------------------------------------------------------------------------------------- */

static const char *const COLUMNS[] = { "source_category", "tiktok_category_id", "attributes",
                                       "chosen_by", "tiktok_category_path" };
enum column { COL_SOURCE, COL_CATEGORY, COL_ATTRIBUTES, COL_CHOSEN, COL_PATH, COL_COUNT };

static enum rc put_row(struct buf *out, const json_t *doc, char separator, struct err *e)
{
    const json_t *attributes = json_object_get(doc, "attributes");
    char *text = json_object_size(attributes) > 0 ? json_dumps(attributes, JSON_COMPACT) : NULL;

    if (json_object_size(attributes) > 0 && text == NULL)
        return err_set(e, RC_BUG, "no memory for a mapping");
    for (int i = 0; i < COL_COUNT; i++) {
        const char *value = i == COL_ATTRIBUTES ? text : jspec_text(doc, COLUMNS[i]);

        if (i > 0)
            buf_char(out, separator);
        csv_put(out, value ? value : "", separator);
    }
    buf_str(out, "\r\n");
    free(text);
    return RC_OK;
}

enum rc taxonomy_export(struct app *app, struct http_req *req, struct http_reply *reply,
                        struct err *e)
{
    static const char *const QUERY[] = { "format", "separator", NULL };
    OWN_TX struct db_tx *tx = NULL;
    const char *client_id = NULL;
    char name[16] = "comma";
    char cursor[DB_REST_CURSOR_BYTES] = "";
    bool named = http_query(req, "separator", name, sizeof name);
    char separator = str_eq(name, "semicolon") ? ';' : ',';
    enum rc rc = http_query_check(req, QUERY, e);

    if (rc == RC_OK && named && separator == ',' && !str_eq(name, "comma"))
        return err_field(e, "separator", "must be comma or semicolon");
    if (rc == RC_OK)
        rc = rest_begin(app, req, "taxonomy_export", &client_id, &tx, e);
    buf_str(&reply->body, "\xEF\xBB\xBF");
    for (int i = 0; i < COL_COUNT; i++)
        buf_fmt(&reply->body, "%.*s%s", i > 0, &separator, COLUMNS[i]);
    buf_str(&reply->body, "\r\n");
    for (int n = 0; rc == RC_OK && n < LIMIT_EXPORT_ROWS; n += REST_PAGE_MAX) {
        OWN_LIST struct rest_list list = { 0 };

        rc = db_rest_taxonomy(tx, client_id, cursor, REST_PAGE_MAX, &list, e);
        for (size_t i = 0; rc == RC_OK && i < json_array_size(list.items); i++)
            rc = put_row(&reply->body, json_array_get(list.items, i), separator, e);
        (void)str_copy(cursor, sizeof cursor, list.next); /* as long as its source */
        if (cursor[0] == '\0')
            break;
    }
    if (rc == RC_OK)
        rc = buf_check(&reply->body, e);
    if (rc != RC_OK) {
        buf_clear(&reply->body);
        return rc;
    }
    reply->status = 200;
    reply->content_type = "text/csv; charset=utf-8";
    http_reply_header(reply, "Content-Disposition", "attachment; filename=\"taxonomy.csv\"");
    return RC_OK;
}

/* ---- in ---------------------------------------------------------------------------------------- */

struct import {
    struct db_tx *tx;
    const char *client_id;
    int at[COL_COUNT]; /* field of a column, -1 = not there */
    json_t *rows;      /* owned: [{"source", "category", "attributes"}] */
    json_t *seen;      /* owned: source category -> line */
    json_t *judged;    /* owned: TikTok category -> what is wrong with it, "" = nothing */
    json_t *errors;    /* owned */
    int64_t n_lines, n_wrong, n_skipped;
};

static void import_done(struct import *im)
{
    json_decref(im->rows);
    json_decref(im->seen);
    json_decref(im->judged);
    json_decref(im->errors);
}
#define OWN_IMPORT __attribute__((cleanup(import_done)))

static void wrong(struct import *im, int line, const char *field, const char *message)
{
    im->n_wrong++;
    if (json_array_size(im->errors) < LIMIT_IMPORT_ERRORS)
        (void)json_array_append_new(im->errors, json_pack("{s:i, s:s?, s:s}", "line", line, "field",
                                                          field, "message", message));
}

static enum rc read_header(struct import *im, const struct csv_row *row, struct err *e)
{
    for (int i = 0; i < COL_COUNT; i++)
        im->at[i] = -1;
    for (int k = 0; k < row->n; k++) {
        char name[64];
        int column = COL_COUNT;

        str_copy_cut(name, sizeof name, row->fields[k]);
        for (int i = 0; i < COL_COUNT; i++)
            column = str_ieq(str_trim(name), COLUMNS[i]) ? i : column;
        if (column == COL_COUNT || im->at[column] >= 0)
            return err_field(e, "line 1", "has the column \"%s\" twice or one that is not known",
                             name);
        im->at[column] = k;
    }
    if (im->at[COL_SOURCE] < 0 || im->at[COL_CATEGORY] < 0)
        return err_field(e, "line 1",
                         "must name the columns source_category and tiktok_category_id");
    return RC_OK;
}

static const char *cell(const struct import *im, const struct csv_row *row, enum column column)
{
    int at = im->at[column];

    return at >= 0 && at < row->n ? csv_plain(row->fields[at]) : "";
}

/* What the category trees say, asked once for each category. */
static enum rc judge_category(struct import *im, const char *id, const char **message,
                              struct err *e)
{
    const char *known = json_string_value(json_object_get(im->judged, id));
    struct err why = { 0 };
    enum rc rc;

    if (known == NULL) {
        rc = taxonomy_check_category(im->tx, im->client_id, id, &why);
        if (rc != RC_OK && rc != RC_INVALID) {
            *e = why;
            return rc;
        }
        if (json_object_set_new(im->judged, id, json_string(rc == RC_OK ? "" : why.text)) != 0)
            return err_set(e, RC_BUG, "no memory for an import");
        known = json_string_value(json_object_get(im->judged, id));
    }
    *message = known[0] != '\0' ? known : NULL;
    return RC_OK;
}

static enum rc read_attributes(const char *text, json_t **out, struct err *why)
{
    json_auto_t *attributes =
        str_blank(text) ? json_object() : json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    if (attributes == NULL)
        return err_field(why, "attributes", "is not JSON");
    enum rc rc = taxonomy_check_attributes(attributes, why);

    if (rc == RC_OK)
        *out = json_incref(attributes);
    return rc;
}

static enum rc keep(struct import *im, int line, const char *source, const char *id,
                    json_t *attributes, struct err *e)
{
    if (json_object_set_new(im->seen, source, json_integer(line)) != 0 ||
        json_array_append_new(im->rows, json_pack("{s:s, s:s, s:O}", "source", source, "category",
                                                  id, "attributes", attributes)) != 0)
        return err_set(e, RC_BUG, "no memory for an import");
    return RC_OK;
}

static enum rc read_line(struct import *im, const struct csv_row *row, struct err *e)
{
    json_auto_t *attributes = NULL;
    struct err why = { 0 };
    char source[4 * TAXONOMY_CATEGORY_CHARS + 1];
    char id[64];
    const char *message = NULL;
    bool fits = str_copy(source, sizeof source, cell(im, row, COL_SOURCE)) &&
                str_copy(id, sizeof id, cell(im, row, COL_CATEGORY));
    enum rc rc = RC_OK;

    im->n_lines++;
    if (row->wrong != NULL)
        wrong(im, row->line, NULL, row->wrong);
    else if (row->n > LIMIT_CSV_FIELDS || !fits ||
             str_utf8_count(str_trim(source)) > TAXONOMY_CATEGORY_CHARS)
        wrong(im, row->line, "source_category", "is too long, or tiktok_category_id is");
    else if (str_blank(source))
        wrong(im, row->line, "source_category", "is required");
    else if (str_eq(cell(im, row, COL_CHOSEN), "recommendation"))
        im->n_skipped++; /* a proposal that nobody confirmed stays one */
    else if (!str_digits(str_trim(id)) || strlen(id) > 40)
        wrong(im, row->line, "tiktok_category_id", "must be digits");
    else if (json_object_get(im->seen, source) != NULL)
        wrong(im, row->line, "source_category", "stands in an earlier line too");
    else if (read_attributes(cell(im, row, COL_ATTRIBUTES), &attributes, &why) != RC_OK)
        wrong(im, row->line, why.field, why.text);
    else {
        rc = judge_category(im, id, &message, e);
        if (rc == RC_OK && message != NULL)
            wrong(im, row->line, "tiktok_category_id", message);
        else if (rc == RC_OK)
            rc = keep(im, row->line, source, id, attributes, e);
    }
    return rc;
}

static enum rc read_all(struct import *im, const struct http_req *req, struct err *e)
{
    struct csv csv;
    struct csv_row row;
    enum rc rc = RC_OK;

    csv_row_init(&row);
    csv_init(&csv, req->body, req->body_len);
    if (!csv_next(&csv, &row) || row.wrong != NULL)
        rc = err_field(e, "line 1", "must name the columns");
    else
        rc = read_header(im, &row, e);
    while (rc == RC_OK && csv_next(&csv, &row))
        rc = read_line(im, &row, e);
    csv_row_done(&row);
    return rc;
}

static enum rc check_request(const struct http_req *req, bool *dry_run, struct err *e)
{
    static const char *const QUERY[] = { "dry_run", NULL };
    const char *type = http_header(req, "Content-Type");
    enum rc rc = http_query_check(req, QUERY, e);

    if (rc == RC_OK)
        rc = rest_query_bool(req, "dry_run", dry_run, e);
    if (rc == RC_OK && (type == NULL || strncasecmp(type, "text/csv", 8) != 0 ||
                        (type[8] != '\0' && type[8] != ';' && type[8] != ' ')))
        return err_http(e, 415, "unsupported_media_type", "the body must be text/csv");
    return rc;
}

enum rc taxonomy_import(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_IMPORT struct import im = {
        .rows = json_array(), .seen = json_object(), .judged = json_object(), .errors = json_array()
    };
    json_auto_t *answer = NULL;
    int64_t changed = 0;
    bool dry_run = false;
    enum rc rc = check_request(req, &dry_run, e);

    if (im.rows == NULL || im.seen == NULL || im.judged == NULL || im.errors == NULL)
        return err_set(e, RC_BUG, "no memory for an import");
    if (rc == RC_OK)
        rc = rest_begin(app, req, "taxonomy_import", &im.client_id, &tx, e);
    im.tx = tx;
    if (rc == RC_OK)
        rc = read_all(&im, req, e);
    if (rc == RC_OK)
        rc = db_taxonomy_import(tx, im.client_id, im.rows, req->principal, &changed, e);
    if (rc == RC_OK && !dry_run)
        rc = rest_audit(tx, req, im.client_id, "taxonomy_imported", NULL, e);
    if (rc == RC_OK && !dry_run)
        rc = db_tx_commit(tx, e); /* a dry run leaves it to be rolled back */
    if (rc != RC_OK)
        return rc;
    answer =
        json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:O}", "dry_run", dry_run, "lines",
                  (json_int_t)im.n_lines, "applied", (json_int_t)changed, "unchanged",
                  (json_int_t)json_array_size(im.rows) - (json_int_t)changed, "skipped",
                  (json_int_t)im.n_skipped, "wrong", (json_int_t)im.n_wrong, "errors", im.errors);
    return answer != NULL ? http_reply_json(reply, 200, answer, e)
                          : err_set(e, RC_BUG, "no memory for an answer");
}
