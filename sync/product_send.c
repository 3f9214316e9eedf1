/* product_send.c - sends prices and stock that differ from what TikTok acknowledged: stock first.
 *
 * Repeats: safe. What is about to be sent is written down before, so that after a lost answer or a killed process nobody
 * takes the value before it for the one that TikTok has. One SKU that TikTok refuses does not keep the others back. */
#include "product_send.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "db_shelf.h"
#include "fault.h"
#include "jspec.h"
#include "metrics.h"
#include "money.h"
#include "problem.h"
#include "str.h"

#define CODE_PRODUCT_STATUS 12052901
#define CODE_PRODUCT_STATUS_OLD 12019113

/* One SKU whose price or stock is to be told: of the feed, or one that left it (then stock 0). */
struct change {
    struct publish_sku *sku; /* NULL: it left the feed */
    const char *seller_sku;
    const char *tiktok_sku_id;
    int64_t before, after; /* minor units, or units; before -1 = not known */
    const json_t *inputs;
    json_t *inventory; /* owned: {"warehouse": quantity}; stock only */
};

struct sending {
    struct publish *p;
    bool price; /* else stock */
    struct change *list;
    int n;
    bool changed;
};

bool send_code_locked(int64_t code)
{
    return code == 12052038 || code == 12019045 || code == 12052393;
}

/* The SKU has other warehouses at TikTok than we thought. */
static bool code_warehouses(int64_t code)
{
    return code == 12019028 || code == 12052037 || code == 12052533 || code == 12052097 ||
           code == 12019022;
}

static bool code_zero(int64_t code)
{
    return code == 12052055 || code == 12019024;
}

static bool code_of_product(int64_t code)
{
    return code == CODE_PRODUCT_STATUS || code == CODE_PRODUCT_STATUS_OLD || code == 12052260 ||
           code == 12052032 || code == 12052048 || code == 12052700 || code == 12052308;
}

/* ---- what differs ------------------------------------------------------------------------------- */

static bool in_feed(const struct publish *p, const char *seller_sku)
{
    for (int i = 0; i < p->n_skus; i++)
        if (strcmp(p->skus[i].seller_sku, seller_sku) == 0)
            return true;
    return false;
}

static bool price_goes(const struct publish *p, const struct publish_sku *sku)
{
    return sku->tiktok_sku_id[0] != '\0' && sku->price_minor > 0 && publish_price_differs(sku) &&
           publish_sku_on(p, sku->seller_sku, PART_PRICE);
}

static bool stock_goes(const struct publish *p, const struct publish_sku *sku)
{
    return sku->tiktok_sku_id[0] != '\0' && publish_stock_differs(sku) &&
           publish_sku_on(p, sku->seller_sku, PART_STOCK);
}

static const struct sku *row_of(const struct publish *p, const char *seller_sku)
{
    for (int i = 0; i < p->product.n_skus; i++)
        if (strcmp(p->product.skus[i].seller_sku, seller_sku) == 0)
            return &p->product.skus[i];
    return NULL;
}

/* Every warehouse that TikTok has the SKU in gets its part, and no other one. Without knowing them: those of the rules.
 * New reference. */
static json_t *inventory_of(const struct publish *p, const struct change *c)
{
    const struct sku *row = row_of(p, c->seller_sku);
    const json_t *known = row != NULL ? row->warehouses : NULL;
    json_t *split = c->sku != NULL ? c->sku->by_warehouse : NULL;
    json_t *out = json_object();
    const char *id;
    json_t *value;
    bool met = false;

    json_object_foreach(split, id, value)
    {
        if (known == NULL || json_object_get(known, id) != NULL)
            met = json_object_set(out, id, value) == 0 || met;
    }
    if (split == NULL && (known == NULL || json_object_get(known, p->warehouse_id) != NULL))
        met = json_object_set_new(out, p->warehouse_id, json_integer(c->after)) == 0;
    json_object_foreach((json_t *)known, id, value)
    {
        if (json_object_get(out, id) != NULL)
            continue;
        (void)json_object_set_new(out, id, json_integer(met ? 0 : c->after));
        met = true;
    }
    return out;
}

static enum rc add(struct sending *s, struct publish_sku *sku, const struct sku *gone,
                   struct err *e)
{
    struct change *c = &s->list[s->n];

    *c = (struct change){ .sku = sku };
    if (sku != NULL) {
        c->seller_sku = sku->seller_sku;
        c->tiktok_sku_id = sku->tiktok_sku_id;
        c->before = s->price ? sku->price_published_minor : sku->stock_published;
        c->after = s->price ? sku->price_minor : sku->stock;
        c->inputs = s->price ? sku->price_inputs : sku->stock_inputs;
    } else {
        c->seller_sku = gone->seller_sku;
        c->tiktok_sku_id = gone->tiktok_sku_id;
        c->before = gone->stock_published;
    }
    s->n++;
    if (!s->price)
        c->inventory = inventory_of(s->p, c);
    return !s->price && c->inventory == NULL ? err_set(e, RC_DOWN, "out of memory") : RC_OK;
}

static enum rc collect(struct sending *s, struct err *e)
{
    struct publish *p = s->p;
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < p->n_skus; i++)
        if (s->price ? price_goes(p, &p->skus[i]) : stock_goes(p, &p->skus[i]))
            rc = add(s, &p->skus[i], NULL, e);
    for (int i = 0;
         rc == RC_OK && !s->price && !p->values_only && !p->too_many && i < p->product.n_skus;
         i++) {
        const struct sku *row = &p->product.skus[i];

        if (row->tiktok_sku_id[0] != '\0' && (row->stock_published != 0 || row->stock_doubt) &&
            publish_sku_on(p, row->seller_sku, PART_STOCK) && !in_feed(p, row->seller_sku))
            rc = add(s, NULL, row, e);
    }
    return rc;
}

/* ---- what TikTok said --------------------------------------------------------------------------- */

static const struct tiktok_issue *issue_of(const struct tiktok_issues *issues, const char *sku_id)
{
    for (int i = 0; i < issues->n; i++)
        if (issues->list[i].field[0] == '\0' || strcmp(issues->list[i].field, sku_id) == 0)
            return &issues->list[i];
    return NULL;
}

static void value_text(const struct sending *s, int64_t value, char out[MONEY_TEXT_BYTES])
{
    if (s->price)
        money_write(value, out);
    else
        (void)str_fmt(out, MONEY_TEXT_BYTES, "%" PRId64, value);
}

/* Price, stock and their explanation of one SKU, beside what TikTok said about them. */
static enum rc store_desired(const struct publish *p, struct db_tx *tx,
                             const struct publish_sku *sku, struct err *e)
{
    const struct sku_values values = {
        .seller_sku = sku->seller_sku,
        .price_minor = sku->price_minor,
        .price_inputs = sku->price_inputs,
        .stock = sku->stock_inputs != NULL ? sku->stock : -1,
        .stock_inputs = sku->stock_inputs,
        .problem = sku->problem,
    };

    return db_sku_desired(tx, p->shop.shop_id, &values, e);
}

static void note_refusal(struct publish_sku *sku, const struct tiktok_issue *issue)
{
    bool locked = send_code_locked(issue->code);

    if (sku->problem != NULL)
        return;
    if (locked)
        sku->problem = problem_new("promotion_lock", sku->seller_sku,
                                   "Wait for the end of the promotion; it is sent again then.",
                                   "A promotion on TikTok keeps the value as it is.");
    else
        sku->problem = problem_new(
            "value_refused", sku->seller_sku, "Correct what TikTok names; it is sent again then.",
            issue->message[0] ? issue->message : "TikTok refused the value without a reason.");
    if (sku->problem != NULL)
        (void)json_object_set_new(sku->problem, "platform_code", json_integer(issue->code));
}

/* From the notice of the change; 0 = nobody told us, so it has no age. */
static int64_t age_ms(const struct change *c, bool ok)
{
    int64_t since = c->sku != NULL ? c->sku->changed_us : 0;
    int64_t age = (clock_now_us() - since) / 1000;

    return !ok || since == 0 ? 0 : age < 1 ? 1 : age;
}

static void observe(const struct sending *s, int64_t ms)
{
    if (ms > 0)
        metrics_observe_us("connector_value_age_seconds",
                           s->price ? "value=\"price\"" : "value=\"stock\"", ms * 1000);
}

static enum rc store_one(struct sending *s, struct db_tx *tx, struct change *c, bool taken,
                         const struct tiktok_issues *issues, struct err *e)
{
    struct publish *p = s->p;
    const struct tiktok_issue *issue = issue_of(issues, c->tiktok_sku_id);
    bool ok = taken && issue == NULL;
    char before[MONEY_TEXT_BYTES];
    char after[MONEY_TEXT_BYTES];
    const struct value_end end = { .seller_sku = c->seller_sku,
                                   .price = s->price,
                                   .stock = !s->price,
                                   .taken = ok,
                                   .warehouses = ok ? c->inventory : NULL,
                                   .lock_code = issue != NULL && send_code_locked(issue->code)
                                                    ? issue->code
                                                    : 0 };
    struct log_row row = { .client_id = p->client.client_id,
                           .shop_id = p->shop.shop_id,
                           .entity = c->seller_sku,
                           .old_value = c->before >= (s->price ? 1 : 0) ? before : NULL,
                           .new_value = after,
                           .outcome = ok ? "published" : "refused",
                           .platform_code = issue ? issue->code : 0,
                           .request_id = issues->request_id,
                           .run_id = p->ctx->job->run_id,
                           .message = issue ? issue->message : NULL,
                           .inputs = c->inputs,
                           .age_ms = age_ms(c, ok) };
    enum rc rc;

    value_text(s, c->before, before);
    value_text(s, c->after, after);
    observe(s, row.age_ms);
    rc = db_log(tx, s->price ? LOG_TABLE_PRICE_PRODUCT : LOG_TABLE_STOCK, &row, e);
    if (rc == RC_OK)
        rc = publish_trace_value(p, tx, c->seller_sku, s->price ? "price" : "stock", &row, e);
    if (rc == RC_OK)
        rc = db_value_answered(tx, p->shop.shop_id, &end, e);
    if (c->sku == NULL || rc != RC_OK)
        return rc;
    if (s->price) {
        c->sku->price_end = row.outcome;
        c->sku->price_code = row.platform_code;
    } else {
        c->sku->stock_end = row.outcome;
        c->sku->stock_code = row.platform_code;
    }
    if (issue != NULL)
        note_refusal(c->sku, issue);
    return store_desired(p, tx, c->sku, e); /* who asks meanwhile sees what it was to become */
}

/* A line for the product beside those of its SKUs. */
static enum rc log_prices(struct sending *s, struct db_tx *tx, int n, bool taken,
                          const struct tiktok_issues *issues, struct err *e)
{
    char count[40];
    const struct log_row row = { .client_id = s->p->client.client_id,
                                 .shop_id = s->p->shop.shop_id,
                                 .entity = s->p->product.source_id,
                                 .new_value = count,
                                 .outcome = taken ? "published" : "refused",
                                 .platform_code = issues->n > 0 ? issues->list[0].code : 0,
                                 .request_id = issues->request_id,
                                 .run_id = s->p->ctx->job->run_id };

    (void)str_fmt(count, sizeof(count), "%d SKUs", n);
    return db_log(tx, LOG_TABLE_PRICE, &row, e);
}

/* TikTok takes no 0: the whole product goes off sale until there is stock again. */
static enum rc take_off_sale(struct publish *p, struct db_tx *tx, struct err *e)
{
    const struct db_job_key key = { .client_id = p->client.client_id,
                                    .shop_id = p->shop.shop_id,
                                    .kind = "product_shelf",
                                    .entity = "",
                                    .lane = LANE_CATALOG };
    struct shelf_state now = { 0 };
    bool due = false;
    enum rc rc = db_shelf_get(tx, p->shop.shop_id, p->product.source_id, &now, e);

    if (rc != RC_OK || !str_eq(now.shelf, SHELF_ON))
        return rc;
    rc = db_shelf_set(tx, p->client.client_id, p->shop.shop_id, p->product.source_id, SHELF_OFF,
                      "stock", &due, e);
    return rc == RC_OK && due ? db_job_put(tx, &key, e) : rc;
}

static bool zero_refused(const struct change *c, const struct tiktok_issues *issues)
{
    const struct tiktok_issue *issue = issue_of(issues, c->tiktok_sku_id);

    return c->after == 0 && issue != NULL && code_zero(issue->code);
}

static enum rc store(struct sending *s, struct change *list, int n, bool taken,
                     const struct tiktok_issues *issues, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    bool off = false;
    enum rc rc = job_tx_begin(s->p->ctx, s->price ? "price_published" : "stock_published", &tx, e);

    for (int i = 0; rc == RC_OK && i < n; i++) {
        rc = store_one(s, tx, &list[i], taken, issues, e);
        off = off || (!s->price && zero_refused(&list[i], issues));
    }
    if (rc == RC_OK && s->price)
        rc = log_prices(s, tx, n, taken, issues, e);
    if (rc == RC_OK && off)
        rc = take_off_sale(s->p, tx, e);
    s->changed = s->changed || taken;
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* ---- the call ----------------------------------------------------------------------------------- */

static json_t *price_new(const struct publish *p, const struct change *c)
{
    const struct sku *row = row_of(p, c->seller_sku);
    char amount[MONEY_TEXT_BYTES];

    money_write(c->after, amount);
    return json_pack("{s:s, s:{s:s, s:s}}", "id", c->tiktok_sku_id, "price", "amount", amount,
                     "currency", row != NULL && row->currency[0] ? row->currency : "BRL");
}

static json_t *stock_new(const struct change *c)
{
    json_t *list = json_array();
    const char *id;
    json_t *value;

    json_object_foreach(c->inventory, id, value)
    {
        if (json_array_append_new(
                list, json_pack("{s:s, s:O}", "warehouse_id", id, "quantity", value)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return json_pack("{s:s, s:o}", "id", c->tiktok_sku_id, "inventory", list);
}

static enum rc mark_sent(struct sending *s, const struct change *list, int n, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct value_sent *sent = calloc((size_t)n, sizeof *sent);
    enum rc rc;

    if (sent == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    for (int i = 0; i < n; i++)
        sent[i] = (struct value_sent){ .seller_sku = list[i].seller_sku,
                                       .price_minor = s->price ? list[i].after : 0,
                                       .stock = s->price ? -1 : list[i].after };
    rc = job_tx_begin(s->p->ctx, "values_sent", &tx, e);
    if (rc == RC_OK)
        rc = db_value_sent(tx, s->p->shop.shop_id, sent, (size_t)n, e);
    free(sent);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc call(struct sending *s, const struct change *list, int n,
                    struct tiktok_issues *issues, struct err *e)
{
    json_auto_t *body = json_pack("{s:[]}", "skus");
    json_t *skus = json_object_get(body, "skus");
    const char *id = s->p->product.tiktok_product_id;
    enum rc rc = mark_sent(s, list, n, e);

    for (int i = 0; rc == RC_OK && i < n; i++)
        if (json_array_append_new(skus,
                                  s->price ? price_new(s->p, &list[i]) : stock_new(&list[i])) != 0)
            rc = err_set(e, RC_BUG, "out of memory");
    if (rc != RC_OK)
        return rc;
    rc = s->price ? tiktok_update_price(&s->p->tiktok, id, body, issues, e)
                  : tiktok_update_inventory(&s->p->tiktok, id, body, issues, e);
    if (rc == RC_OK)
        fault_point("values_sent");
    return rc;
}

/* Which warehouses TikTok has the SKUs in: read once when it refused ours. *any: something else than we thought. */
static enum rc learn_warehouses(struct sending *s, bool *any, struct err *e)
{
    json_auto_t *product = NULL;
    const json_t *skus;
    enum rc rc = tiktok_get_product(&s->p->tiktok, s->p->product.tiktok_product_id, false, &product,
                                    NULL, e);

    skus = rc == RC_OK ? json_object_get(product, "skus") : NULL;
    for (int i = 0; rc == RC_OK && i < s->n; i++) {
        json_auto_t *found = send_warehouses_of(skus, s->list[i].tiktok_sku_id);
        struct sku *row = (struct sku *)row_of(s->p, s->list[i].seller_sku);

        if (row == NULL || json_object_size(found) == 0)
            continue;
        json_decref(row->warehouses);
        row->warehouses = json_incref(found);
        json_decref(s->list[i].inventory);
        s->list[i].inventory = inventory_of(s->p, &s->list[i]);
        if (s->list[i].inventory == NULL)
            rc = err_set(e, RC_DOWN, "out of memory");
        *any = true;
    }
    return rc;
}

json_t *send_warehouses_of(const json_t *skus, const char *tiktok_sku_id)
{
    json_t *out = json_object();

    for (size_t i = 0; i < json_array_size(skus); i++) {
        const json_t *one = json_array_get(skus, i);
        const json_t *rows = json_object_get(one, "inventory");
        char id[JSPEC_ID_BYTES];

        jspec_id(one, "id", id);
        for (size_t k = 0; str_eq(id, tiktok_sku_id) && k < json_array_size(rows); k++) {
            char warehouse[JSPEC_ID_BYTES];

            jspec_id(json_array_get(rows, k), "warehouse_id", warehouse);
            if (warehouse[0] != '\0')
                (void)json_object_set_new(
                    out, warehouse,
                    json_integer(jspec_int(json_array_get(rows, k), "quantity", 0)));
        }
    }
    return out;
}

static bool any_code(const struct tiktok_issues *issues, bool (*match)(int64_t code))
{
    for (int i = 0; i < issues->n; i++)
        if (match(issues->list[i].code))
            return true;
    return false;
}

/* TikTok refused the call and names no SKU, or names more than we read: each is told alone, so that only the bad ones
 * are kept back. */
static bool worth_splitting(const struct tiktok_issues *issues, enum rc rc, int n)
{
    if (n == 1 || any_code(issues, code_of_product))
        return false;
    return issues->more || (rc == RC_INVALID && issues->n > 0 && issues->list[0].field[0] == '\0');
}

static enum rc send_alone(struct sending *s, struct change *list, int n, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < n; i++) {
        struct tiktok_issues issues = { 0 };
        enum rc said = call(s, &list[i], 1, &issues, e);

        if (said != RC_OK && said != RC_INVALID)
            return said;
        if (!s->p->values_only)
            problem_add_issues(s->p->notes, &issues);
        rc = store(s, &list[i], 1, said == RC_OK, &issues, e);
    }
    return rc;
}

static enum rc send(struct sending *s, struct change *list, int n, bool learn, struct err *e)
{
    struct tiktok_issues issues = { 0 };
    bool learned = false;
    enum rc rc = call(s, list, n, &issues, e);

    if (rc != RC_OK && rc != RC_INVALID)
        return rc;
    if (!s->price && learn && any_code(&issues, code_warehouses)) {
        enum rc read = learn_warehouses(s, &learned, e);

        if (read != RC_OK && read != RC_NOT_FOUND && read != RC_INVALID)
            return read;
        if (learned)
            return send(s, list, n, false, e);
    }
    if (worth_splitting(&issues, rc, n))
        return send_alone(s, list, n, e);
    if (!s->p->values_only)
        problem_add_issues(s->p->notes, &issues);
    return store(s, list, n, rc == RC_OK, &issues, e);
}

static enum rc send_all(struct publish *p, bool price, bool *changed, struct err *e)
{
    struct sending s = { .p = p, .price = price };
    enum rc rc;

    s.list = calloc((size_t)(p->n_skus + p->product.n_skus) + 1, sizeof(*s.list));
    if (s.list == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    rc = collect(&s, e);
    if (rc == RC_OK && s.n > 0)
        rc = send(&s, s.list, s.n, true, e);
    for (int i = 0; i < s.n; i++)
        json_decref(s.list[i].inventory);
    free(s.list);
    *changed = *changed || s.changed;
    return rc;
}

/* Prices and stock of a live product; the audit asks again for one that is not. */
enum rc publish_update_values(struct publish *p, bool *changed, struct err *e)
{
    enum rc rc = RC_OK;

    if (!str_eq(p->product.status, "live"))
        return RC_OK;
    rc = send_all(p, false, changed, e);
    return rc == RC_OK ? send_all(p, true, changed, e) : rc;
}
