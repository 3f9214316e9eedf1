/* overview.c - what the simulator shows of itself: a page, counters, products, orders, the last requests. */
#include "state.h"

#include "str.h"

#include <stdio.h>

static json_t *by_status_new(const json_t *book)
{
    json_t *out = sbx_need(json_object());
    const char *id;
    json_t *one;

    json_object_foreach((json_t *)(uintptr_t)book, id, one)
    {
        const char *status = sbx_text(one, "status");

        sbx_set_int(out, status, sbx_int(out, status) + 1);
    }
    return out;
}

static json_t *shops_new(const struct sandbox *sb)
{
    json_t *list = sbx_need(json_array());

    for (int i = 0; i < sb->n_shops; i++) {
        const struct sbx_shop *s = &sb->shops[i];

        sbx_append(list, json_pack("{s:i,s:s,s:s,s:s,s:b,s:I,s:o,s:o}", "number", i + 1, "shop_id",
                                   s->id, "name", s->name, "warehouse_id", s->sales_warehouse,
                                   "authorized", s->authorized ? 1 : 0, "authorization_ends",
                                   (json_int_t)s->authorization_ends_s, "products",
                                   by_status_new(s->products), "orders", by_status_new(s->orders)));
    }
    return list;
}

static json_t *accounts_new(const struct sandbox *sb)
{
    json_t *list = sbx_need(json_array());

    for (int i = 0; i < sb->n_accounts; i++) {
        char key[160];

        (void)snprintf(key, sizeof key, "vtexappkey-%s-%s", sb->accounts[i].name,
                       sb->cfg.vtex_app_key);
        sbx_append(list, json_pack("{s:s,s:s,s:s,s:o}", "account", sb->accounts[i].name, "app_key",
                                   key, "app_token", sb->cfg.vtex_app_token, "orders",
                                   by_status_new(sb->accounts[i].orders)));
    }
    return list;
}

static json_t *faults_new(const struct sandbox *sb)
{
    json_t *list = sbx_need(json_array());

    for (int i = 0; i < sb->n_faults; i++)
        sbx_append(list,
                   json_pack("{s:s,s:s,s:s,s:I,s:I}", "where", sb->faults[i].where, "operation",
                             sb->faults[i].operation, "kind", sb->faults[i].kind, "left",
                             (json_int_t)sb->faults[i].left, "ms", (json_int_t)sb->faults[i].ms));
    return list;
}

static json_t *state_new(const struct sandbox *sb)
{
    json_t *out = sbx_need(json_object());

    sbx_set(out, "shops", shops_new(sb));
    sbx_set(out, "accounts", accounts_new(sb));
    sbx_set(
        out, "merchant",
        json_pack("{s:i,s:i}", "products", sb->merchant->n_products, "skus", sb->merchant->n_skus));
    sbx_set_int(out, "images", (int64_t)json_object_size(sb->images));
    sbx_set(out, "webhooks",
            json_pack("{s:I,s:I,s:I}", "delivered", (json_int_t)sb->webhooks_sent,
                      "failed_attempts", (json_int_t)sb->webhooks_failed, "lost",
                      (json_int_t)sb->webhooks_lost));
    sbx_set(out, "calls", json_deep_copy(sb->calls));
    sbx_set(out, "faults", faults_new(sb));
    sbx_set_int(out, "refused_total", sb->refused_total);
    sbx_set(out, "refused", json_deep_copy(sb->refused));
    return out;
}

SBX_HANDLER(sbx_state_get)
{
    struct sandbox *sb = user;

    (void)req;
    (void)pthread_mutex_lock(&sb->lock);
    json_auto_t *state = state_new(sb);
    (void)pthread_mutex_unlock(&sb->lock);
    return http_reply_json(reply, 200, state, e);
}

SBX_HANDLER(sbx_exchanges_get)
{
    struct sandbox *sb = user;

    (void)req;
    (void)pthread_mutex_lock(&sb->lock);
    json_auto_t *answer =
        sbx_need(json_pack("{s:o}", "items", sbx_need(json_deep_copy(sb->exchanges))));
    (void)pthread_mutex_unlock(&sb->lock);
    return http_reply_json(reply, 200, answer, e);
}

/* Everything of one kind that a shop or an account has; `which` by number, from the query, 1 by default. */
static enum rc book_get(struct sandbox *sb, const struct http_req *req, struct http_reply *reply,
                        int kind, struct err *e)
{
    char text[24] = "";
    int64_t number = 1;
    int n = kind == 2 ? sb->n_accounts : sb->n_shops;
    json_auto_t *list = sbx_need(json_array());
    const char *id;
    json_t *one;

    if (http_query(req, kind == 2 ? "account" : "shop", text, sizeof text) &&
        !str_to_i64(text, 1, n, &number))
        return err_field(e, kind == 2 ? "account" : "shop", "must be a number from 1 to %d", n);
    (void)pthread_mutex_lock(&sb->lock);
    json_t *book = kind == 2   ? sb->accounts[number - 1].orders
                   : kind == 1 ? sb->shops[number - 1].orders
                               : sb->shops[number - 1].products;
    json_object_foreach(book, id, one) sbx_append(list, json_deep_copy(one));
    (void)pthread_mutex_unlock(&sb->lock);
    json_auto_t *answer = sbx_need(json_pack("{s:O}", "items", list));
    return http_reply_json(reply, 200, answer, e);
}

SBX_HANDLER(sbx_products_get)
{
    return book_get(user, req, reply, 0, e);
}

SBX_HANDLER(sbx_orders_get)
{
    return book_get(user, req, reply, 1, e);
}

SBX_HANDLER(sbx_vtex_orders_get)
{
    return book_get(user, req, reply, 2, e);
}

static void counts(struct buf *page, const json_t *by_status)
{
    const char *status;
    json_t *n;

    if (json_object_size(by_status) == 0)
        buf_str(page, "none");
    json_object_foreach((json_t *)(uintptr_t)by_status, status, n)
    {
        str_html(page, status);
        buf_fmt(page, " %lld ", (long long)json_integer_value(n));
    }
}

static void shop_rows(struct buf *page, const json_t *state)
{
    size_t i;
    json_t *one;

    buf_str(
        page,
        "<h2>TikTok shops</h2><table><tr><th>Shop</th><th>Id</th><th>Authorized</th><th>Products</th>"
        "<th>Orders</th></tr>");
    json_array_foreach(json_object_get(state, "shops"), i, one)
    {
        buf_str(page, "<tr><td>");
        str_html(page, sbx_text(one, "name"));
        buf_fmt(page, "</td><td>%s</td><td>%s</td><td>", sbx_text(one, "shop_id"),
                json_is_true(json_object_get(one, "authorized")) ? "yes" : "no");
        counts(page, json_object_get(one, "products"));
        buf_str(page, "</td><td>");
        counts(page, json_object_get(one, "orders"));
        buf_str(page, "</td></tr>");
    }
    buf_str(
        page,
        "</table><h2>VTEX accounts</h2><table><tr><th>Account</th><th>App key</th><th>App token</th>"
        "<th>Orders</th></tr>");
    json_array_foreach(json_object_get(state, "accounts"), i, one)
    {
        buf_str(page, "<tr><td>");
        str_html(page, sbx_text(one, "account"));
        buf_str(page, "</td><td>");
        str_html(page, sbx_text(one, "app_key"));
        buf_str(page, "</td><td>");
        str_html(page, sbx_text(one, "app_token"));
        buf_str(page, "</td><td>");
        counts(page, json_object_get(one, "orders"));
        buf_str(page, "</td></tr>");
    }
    buf_str(page, "</table>");
}

static void refused_rows(struct buf *page, const json_t *state)
{
    const json_t *list = json_object_get(state, "refused");

    buf_fmt(
        page,
        "<h2>Requests that broke a contract: %lld</h2><table><tr><th>At</th><th>Operation</th><th>Code</th>"
        "<th>What</th></tr>",
        (long long)sbx_int(state, "refused_total"));
    for (size_t i = json_array_size(list); i > 0 && i + 20 > json_array_size(list); i--) {
        static const char *const members[] = { "at", "operation", "code", "text" };
        const json_t *one = json_array_get(list, i - 1);

        buf_str(page, "<tr>");
        for (size_t k = 0; k < 4; k++) {
            buf_str(page, "<td>");
            str_html(page, sbx_text(one, members[k]));
            buf_str(page, "</td>");
        }
        buf_str(page, "</tr>");
    }
    buf_str(page, "</table>");
}

SBX_HANDLER(sbx_page_get)
{
    struct sandbox *sb = user;
    OWN_BUF struct buf page;

    (void)req;
    buf_init(&page, 1 << 20);
    (void)pthread_mutex_lock(&sb->lock);
    json_auto_t *state = state_new(sb);
    (void)pthread_mutex_unlock(&sb->lock);
    buf_str(
        &page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sandbox</title><style>"
        "body{font:15px system-ui;margin:2rem auto;max-width:64rem;padding:0 1rem}table{border-collapse:"
        "collapse;width:100%}th,td{border:1px solid #ccc;padding:.3rem .5rem;text-align:left}</style></head>"
        "<body><h1>Sandbox</h1><p>Plays TikTok Shop and VTEX. Nothing here leaves this machine.</p>"
        "<p><a href=\"/feeds/loja-exemplo.xml\">Feed of the example merchant</a> · "
        "<a href=\"/sandbox/state\">state</a> · <a href=\"/sandbox/exchanges\">last requests</a> · "
        "<a href=\"/sandbox/products\">products</a> · <a href=\"/sandbox/orders\">orders</a> · "
        "<a href=\"/sandbox/vtex/orders\">VTEX orders</a></p>");
    shop_rows(&page, state);
    refused_rows(&page, state);
    buf_str(&page, "</body></html>");
    return sbx_html(reply, 200, buf_text(&page), e);
}
