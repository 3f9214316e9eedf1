/* trigger.c - the table of what can be synchronised on request, and what each request may say. */
#include "trigger.h"

#include "clock.h"
#include "str.h"

#include <string.h>

#define LIMIT_ORDER_IDS 1000
#define LIMIT_SKU_CODES 1000
#define LIMIT_XML_BYTES (1 << 20)
#define LIMIT_URL_BYTES 2048

static const struct jspec_field PRODUCTS_SPEC[] = {
    { .name = "url", .type = JSPEC_TEXT, .min = 8, .max = 2048 },
    { .name = "warehouse_id", .type = JSPEC_TEXT, .min = 1, .max = 63 },
    { 0 },
};
static const struct jspec_field CHANGES_SPEC[] = {
    { .name = "old_xml", .type = JSPEC_TEXT, .min = 8, .max = LIMIT_XML_BYTES },
    { .name = "new_xml", .type = JSPEC_TEXT, .min = 8, .max = LIMIT_XML_BYTES },
    { 0 },
};
static const struct jspec_field ORDERS_SPEC[] = {
    { .name = "order_ids", .type = JSPEC_LIST_TEXT, .min = 1, .max = LIMIT_ORDER_IDS },
    { .name = "from", .type = JSPEC_TEXT, .min = 10, .max = 40 },
    { .name = "to", .type = JSPEC_TEXT, .min = 10, .max = 40 },
    { 0 },
};

/* For kinds that can be narrowed to some SKUs: seller SKU, feed id or VTEX id. */
static const struct jspec_field SKUS_SPEC[] = {
    { .name = "skus", .type = JSPEC_LIST_TEXT, .min = 1, .max = LIMIT_SKU_CODES },
    { 0 },
};

static enum rc check_products(const json_t *body, const struct client *c, struct err *e)
{
    const char *url = jspec_text(body, "url");
    const char *warehouse = jspec_text(body, "warehouse_id");

    if (url != NULL && !str_starts(url, "https://") && !str_starts(url, "http://"))
        return err_field(e, "url", "must be an http or https address");
    if (warehouse != NULL && !str_digits(warehouse))
        return err_field(e, "warehouse_id", "must be digits");
    if (url == NULL && c->feed_url == NULL)
        return err_http(e, 409, "no_feed",
                        "the client has no feed link and the request names none");
    return RC_OK;
}

/* An address or the XML itself. */
static enum rc check_given(const json_t *body, const char *member, struct err *e)
{
    const char *text = jspec_text(body, member);

    if (text == NULL)
        return RC_OK;
    if (str_starts(text, "https://") || str_starts(text, "http://"))
        return strlen(text) < LIMIT_URL_BYTES ? RC_OK : err_field(e, member, "is too long");
    if (text[strspn(text, "\xef\xbb\xbf \t\r\n")] == '<')
        return RC_OK;
    return err_field(e, member, "must be an http or https address, or XML");
}

static enum rc check_changes(const json_t *body, const struct client *c, struct err *e)
{
    enum rc rc = check_given(body, "new_xml", e);

    (void)c;
    if (rc == RC_OK && jspec_text(body, "new_xml") == NULL)
        return err_field(e, "new_xml", "is missing");
    return rc == RC_OK ? check_given(body, "old_xml", e) : rc;
}

static enum rc check_orders(const json_t *body, const struct client *c, struct err *e)
{
    const json_t *ids = jspec_get(body, "order_ids");
    const char *from = jspec_text(body, "from");
    const char *to = jspec_text(body, "to");
    int64_t us = 0;

    (void)c;
    if (ids != NULL && (from != NULL || to != NULL))
        return err_field(e, "order_ids", "cannot stand beside from and to");
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));

        if (!str_digits(id) || strlen(id) > 40)
            return err_field(e, "order_ids", "holds something that is no order id");
    }
    if (from != NULL && !clock_read(from, &us))
        return err_field(e, "from", "must be an RFC 3339 time");
    if (to != NULL && !clock_read(to, &us))
        return err_field(e, "to", "must be an RFC 3339 time");
    return RC_OK;
}

static const struct jspec_field NOTHING_SPEC[] = { { 0 } };
static enum rc check_images(const json_t *body, const struct client *c, struct err *e)
{
    (void)body;
    if (c->vtex_account[0] == '\0')
        return err_http(e, 409, "no_vtex", "the client has no VTEX account to read pictures from");
    return RC_OK;
}

static const struct trigger TRIGGERS[] = {
    { .kind = "products",
      .job_kind = "feed_read",
      .lane = LANE_CATALOG,
      .body = PRODUCTS_SPEC,
      .check = check_products,
      .may_dry_run = true,
      .may_target_sandbox = true },
    { .kind = "brands", .job_kind = "brands_sync", .lane = LANE_CATALOG, .body = NOTHING_SPEC },
    { .kind = "images",
      .job_kind = "image_read",
      .lane = LANE_CATALOG,
      .body = SKUS_SPEC,
      .check = check_images,
      .may_dry_run = true },
    { .kind = "prices",
      .job_kind = "prices_read",
      .lane = LANE_PRICE,
      .body = SKUS_SPEC,
      .may_dry_run = true,
      .may_target_sandbox = true,
      .entity = TRIGGER_EACH },
    { .kind = "stock",
      .job_kind = "stock_read",
      .lane = LANE_STOCK,
      .body = SKUS_SPEC,
      .may_dry_run = true,
      .may_target_sandbox = true,
      .entity = TRIGGER_EACH },
    { .kind = "categories",
      .job_kind = "category_refresh",
      .lane = LANE_CATALOG,
      .body = NOTHING_SPEC,
      .entity = TRIGGER_EACH },
    { .kind = "changes",
      .job_kind = "feed_read",
      .lane = LANE_CATALOG,
      .body = CHANGES_SPEC,
      .check = check_changes,
      .may_dry_run = true,
      .entity = TRIGGER_EACH },
    { .kind = "orders",
      .job_kind = "order_poll",
      .lane = LANE_ORDERS,
      .body = ORDERS_SPEC,
      .check = check_orders,
      .may_target_sandbox = true,
      .entity = TRIGGER_EACH },
    { .kind = "reconcile",
      .job_kind = "reconcile",
      .lane = LANE_CATALOG,
      .body = NOTHING_SPEC,
      .may_dry_run = true,
      .may_target_sandbox = true },
};

const struct trigger *trigger_find(const char *kind)
{
    for (size_t i = 0; i < sizeof TRIGGERS / sizeof TRIGGERS[0]; i++) {
        if (str_eq(kind, TRIGGERS[i].kind))
            return &TRIGGERS[i];
    }
    return NULL;
}
