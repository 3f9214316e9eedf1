/* product_trace.c - which fields of a product were sent, by which rule, and what became of what runs listed. */
#include "product_job.h"

#include <string.h>

#include "db_run.h"
#include "jspec.h"
#include "str.h"

#define VALUE_BYTES ((size_t)1 << 18)

/* Field as people read it. */
static const char *field_of(const char *member)
{
    static const char *const NAMES[][2] = {
        { "main_images", "images" }, { "product_attributes", "attributes" },
        { "brand_id", "brand" },     { "category_id", "category" },
        { "skus", "variants" },
    };

    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(NAMES[i][0], member) == 0)
            return NAMES[i][1];
    return member;
}

static const char *rule_of(const struct publish *p, const char *field)
{
    const char *held = publish_override_rule(p, "", field);

    if (held != NULL)
        return held;
    return strcmp(field, "category") == 0 || strcmp(field, "attributes") == 0 ||
                   strcmp(field, "brand") == 0
               ? "mapping"
               : "feed";
}

enum rc publish_trace_fields(struct publish *p, const json_t *changed, struct err *e)
{
    json_auto_t *now = map_product_content(p->body);
    json_auto_t *list = json_array();
    const char *member;
    json_t *sent;

    json_object_foreach((json_t *)changed, member, sent)
    {
        const char *field = field_of(member);
        json_t *was = json_object_get(p->product.published, member);
        json_t *is = json_object_get(now, member);

        if (is == NULL || json_equal(was, is))
            continue;
        if (json_array_append_new(list, json_pack("{s:s, s:O?, s:O, s:s}", "field", field, "old",
                                                  was, "new", is, "rule", rule_of(p, field))) != 0)
            return err_set(e, RC_DOWN, "out of memory for the changes of a product");
    }
    json_decref(p->changes);
    p->changes = json_incref(list);
    return RC_OK;
}

void publish_trace_rules(const json_t *inputs, char *out, size_t cap)
{
    const json_t *rules = json_object_get(inputs, "rules");
    const char *source = jspec_text(json_array_get(json_object_get(inputs, "inputs"), 0), "source");
    size_t len;

    str_copy_cut(out, cap, source != NULL ? source : "");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const char *name = jspec_text(json_array_get(rules, i), "name");

        len = strlen(out);
        if (name != NULL)
            (void)str_fmt(out + len, cap - len, "%s%s", len > 0 ? " + " : "", name);
    }
}

enum rc publish_trace_value(struct publish *p, struct db_tx *tx, const char *seller_sku,
                            const char *field, const struct log_row *row, struct err *e)
{
    char rules[300];
    const struct run_change c = {
        .client_id = p->client.client_id,
        .run_id = p->ctx->job->run_id,
        .source_id = p->product.source_id,
        .seller_sku = seller_sku,
        .field = field,
        .old_value = row->old_value,
        .new_value = row->new_value,
        .action = "update",
        .outcome = row->outcome,
        .rule = rules,
        .request_id = row->request_id,
        .reason = row->message,
    };

    publish_trace_rules(row->inputs, rules, sizeof rules);
    return db_run_change_sent(tx, &c, e);
}

/* ---- the end of what was listed ----------------------------------------------------------------- */

struct ending {
    const char *word, *request_id, *reason;
};

static const struct publish_sku *sku_of(const struct publish *p, const char *seller_sku)
{
    for (int i = 0; seller_sku != NULL && i < p->n_skus; i++)
        if (strcmp(p->skus[i].seller_sku, seller_sku) == 0)
            return &p->skus[i];
    return NULL;
}

/* What became of one price or stock of a SKU. */
static const char *value_word(const struct publish *p, const struct publish_sku *sku, bool price,
                              const char *word)
{
    const char *sent = price ? sku->price_end : sku->stock_end;
    bool differs =
        price ? sku->price_minor > 0 && publish_price_differs(sku) : publish_stock_differs(sku);

    if (sent != NULL)
        return sent;
    if (price && str_eq(jspec_text(sku->problem, "code"), "price_held"))
        return "held";
    if (sku->tiktok_sku_id[0] == '\0')
        return word;
    if (differs) /* TikTok takes values of live products only */
        return strcmp(p->product.status, "live") == 0 ? word : "waiting";
    return "unchanged";
}

static bool is_value(const char *field, bool *price)
{
    *price = strcmp(field, "price") == 0 || strcmp(field, "sale_price") == 0;
    return *price || strcmp(field, "availability") == 0 || strcmp(field, "quantity") == 0 ||
           strcmp(field, "stock") == 0;
}

static const char *word_of(const struct publish *p, const char *field, const char *action,
                           const struct publish_sku *sku, const char *word)
{
    bool price = false;

    if (sku != NULL && is_value(field, &price))
        return value_word(p, sku, price, word);
    if (sku != NULL && strcmp(action, "create") == 0 && p->n_listed > 0 && !sku->listed)
        return "refused"; /* the others of the product are listed, this one is not */
    return word;
}

/* A line of another run ends with this one's; it was overtaken when this run lists the same field. */
static bool overtaken(const struct db_rows *rows, int i, const char *run_id)
{
    if (run_id[0] == '\0' || strcmp(db_text(rows, i, "run_id"), run_id) >= 0)
        return false;
    for (int k = 0; k < db_rows_count(rows); k++)
        if (str_eq(db_text(rows, k, "run_id"), run_id) &&
            str_eq(db_text(rows, k, "seller_sku"), db_text(rows, i, "seller_sku")) &&
            str_eq(db_text(rows, k, "field"), db_text(rows, i, "field")))
            return true;
    return false;
}

static enum rc settle_open(struct publish *p, struct db_tx *tx, const struct ending *end,
                           struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    const char *client_id = p->client.client_id;
    enum rc rc = db_run_changes_open(tx, client_id, p->product.source_id, &rows, e);

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        const struct publish_sku *sku = sku_of(p, db_text(rows, i, "seller_sku"));

        if (str_eq(db_text(rows, i, "field"), "status"))
            continue; /* whoever takes it off sale or puts it back ends that line */

        const char *word =
            overtaken(rows, i, p->ctx->job->run_id)
                ? "superseded"
                : word_of(p, db_text(rows, i, "field"), db_text(rows, i, "action"), sku, end->word);
        bool good = strcmp(word, "published") == 0;
        const char *why = sku != NULL ? jspec_text(sku->problem, "message") : NULL;

        rc = db_run_change_settle(tx, client_id, db_text(rows, i, "run_id"), db_i64(rows, i, "id"),
                                  word,
                                  good || strcmp(word, "refused") == 0 ? end->request_id : NULL,
                                  good          ? NULL
                                  : why != NULL ? why
                                                : end->reason,
                                  e);
    }
    return rc;
}

/* Lines of prices and stock that wait, of the SKUs that the job worked out. */
enum rc publish_trace_values(struct publish *p, struct db_tx *tx, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    const char *client_id = p->client.client_id;
    enum rc rc = db_run_changes_open(tx, client_id, p->product.source_id, &rows, e);

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        const struct publish_sku *sku = sku_of(p, db_text(rows, i, "seller_sku"));
        bool price = false;

        if (sku == NULL || !is_value(db_text(rows, i, "field"), &price) ||
            (price ? sku->price_minor == 0 : sku->stock_inputs == NULL))
            continue;
        rc = db_run_change_settle(tx, client_id, db_text(rows, i, "run_id"), db_i64(rows, i, "id"),
                                  value_word(p, sku, price, "unchanged"), NULL,
                                  jspec_text(sku->problem, "message"), e);
    }
    return rc;
}

static const char *text_of(const json_t *value, struct buf *out)
{
    buf_clear(out);
    if (value == NULL || json_is_null(value))
        return NULL;
    if (json_is_string(value))
        return json_string_value(value);
    return jspec_dump(value, out, NULL) == RC_OK ? buf_text(out) : NULL;
}

static enum rc sent_fields(struct publish *p, struct db_tx *tx, const struct ending *end,
                           struct err *e)
{
    OWN_BUF struct buf was, is;
    const json_t *one;
    size_t i;
    enum rc rc = RC_OK;

    buf_init(&was, VALUE_BYTES);
    buf_init(&is, VALUE_BYTES);
    json_array_foreach(p->changes, i, one)
    {
        const struct run_change c = {
            .client_id = p->client.client_id,
            .run_id = p->ctx->job->run_id,
            .source_id = p->product.source_id,
            .field = jspec_text(one, "field"),
            .old_value = text_of(json_object_get(one, "old"), &was),
            .new_value = text_of(json_object_get(one, "new"), &is),
            .action = "update",
            .outcome = end->word,
            .rule = jspec_text(one, "rule"),
            .request_id = end->request_id,
            .reason = end->reason,
        };

        rc = db_run_change_sent(tx, &c, e);
        if (rc != RC_OK)
            return rc;
    }
    return rc;
}

enum rc publish_trace_end(struct publish *p, struct db_tx *tx, const char *word,
                          const char *request_id, const char *reason, struct err *e)
{
    const struct ending end = { word, request_id, reason };
    enum rc rc = sent_fields(p, tx, &end, e);

    if (rc == RC_OK)
        rc = settle_open(p, tx, &end, e);
    return rc == RC_OK ? publish_overrides_end(p, tx, word, request_id, e) : rc;
}
