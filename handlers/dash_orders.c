/* dash_orders.c - a client's orders, one order with its life line, SKUs that nothing links to VTEX. */
#include "dash_pages.h"

#include "jspec.h"
#include "str.h"

/* ---- list ------------------------------------------------------------------------------------------ */

static void put_first_problem(struct dash *d, const json_t *order)
{
    const json_t *problem = json_array_get(jspec_get(order, "problems"), 0);
    const char *code = dash_text(problem, "code");
    struct dash_name known = dash_name(NAMES_PROBLEM, code);

    if (problem == NULL)
        return;
    html_put(&d->h, "<small class=\"why\">");
    html_sentence(&d->h,
                  html_sentence_known(dash_text(problem, "message")) || str_eq(known.english, code)
                      ? dash_text(problem, "message")
                      : known.english);
    html_put(&d->h, "</small>");
}

static void put_order_row(struct dash *d, const json_t *order)
{
    struct html *h = &d->h;
    const char *id = dash_text(order, "order_id");

    html_put(h, "<tr><th scope=\"row\"><a href=\"");
    dash_path(d, (const char *const[]){ "pedidos", id, NULL });
    html_put(h, "\">%s</a><small>%s</small></th><td data-label=\"{State}\">", id,
             dash_text(order, "vtex_order_id"));
    dash_name_pill(d, NAMES_ORDER, dash_text(order, "state"));
    put_first_problem(d, order);
    html_put(h, "</td><td data-label=\"{Total}\" class=\"num\">");
    html_money(h, jspec_text(order, "total.amount"));
    html_put(h, "</td><td data-label=\"{Ship by}\">");
    html_time(h, jspec_text(order, "ship_by"));
    html_put(h, "</td><td data-label=\"{Received}\">");
    html_time(h, jspec_text(order, "created_at"));
    html_put(h, "</td></tr>\n");
}

static void put_order_filter(struct dash *d, const char *state, const char *q)
{
    struct html *h = &d->h;

    html_put(h,
             "<form class=\"filter\" method=\"get\">\n<label>{Search}<input type=\"search\" "
             "name=\"q\" maxlength=\"100\" value=\"%s\" placeholder=\"{Order id, VTEX id, SKU}\">"
             "</label>\n",
             q);
    dash_select(d, "state", "State", NAMES_ORDER, state);
    html_put(h, "<button>{Show}</button>\n</form>\n");
}

enum rc page_orders(struct dash *d, struct err *e)
{
    OWN_BUF struct buf query;
    json_auto_t *page = NULL;
    const json_t *items;
    char state[32];
    char q[128];
    char cursor[200];
    size_t i;
    json_t *order;
    enum rc rc;

    buf_init(&query, 2000);
    dash_query(d, "state", state, sizeof state);
    dash_query(d, "q", q, sizeof q);
    dash_query(d, "cursor", cursor, sizeof cursor);
    dash_query_add(&query, "state", state);
    dash_query_add(&query, "q", q);
    dash_query_add(&query, "cursor", cursor);
    rc = dash_get(d, orders_list, buf_text(&query), &page, e);
    if (rc != RC_OK)
        return rc;
    d->live_s = 15;
    put_order_filter(d, state, q);
    items = jspec_get(page, "items");
    html_put(&d->h, "<div id=\"orders\" data-part>\n");
    if (json_array_size(items) == 0) {
        dash_empty(d, state[0] != '\0' || q[0] != '\0'
                          ? "No order is like this."
                          : "There is no order yet. New ones appear here within minutes.");
    } else {
        html_put(&d->h,
                 "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">{Order}"
                 "</th><th scope=\"col\">{State}</th><th scope=\"col\">{Total}</th>"
                 "<th scope=\"col\">{Ship by}</th><th scope=\"col\">{Received}</th></tr></thead>\n"
                 "<tbody>\n");
        json_array_foreach(items, i, order)
        {
            put_order_row(d, order);
        }
        html_put(&d->h, "</tbody></table></div>\n");
    }
    dash_next(d, page);
    html_put(&d->h, "</div>\n");
    return RC_OK;
}

/* ---- one order --------------------------------------------------------------------------------------- */

static void put_items(struct dash *d, const json_t *items)
{
    struct html *h = &d->h;
    size_t i;
    json_t *item;

    html_put(h, "<section class=\"card\"><h2>{Items}</h2><div class=\"table\"><table><thead><tr>"
                "<th scope=\"col\">SKU</th><th scope=\"col\" class=\"num\">{Quantity}</th>"
                "<th scope=\"col\" class=\"num\">{Price}</th></tr></thead><tbody>\n");
    json_array_foreach(items, i, item)
    {
        html_put(h, "<tr><td>%s</td><td class=\"num\">%lld</td><td class=\"num\">",
                 dash_text(item, "seller_sku"), (long long)jspec_int(item, "quantity", 0));
        html_money(h, jspec_text(item, "unit_price"));
        html_put(h, "</td></tr>\n");
    }
    html_put(h, "</tbody></table></div></section>\n");
}

static void put_timeline(struct dash *d, const json_t *timeline)
{
    static const struct dash_name BY[] = { { "webhook", "by TikTok's notification", "" },
                                           { "poll", "by the regular look", "" },
                                           { "operator", "by a person", "" },
                                           { "job", "by the connector", "" },
                                           { NULL, NULL, NULL } };
    struct html *h = &d->h;
    size_t i;
    json_t *step;

    html_put(h, "<section class=\"card\" id=\"timeline\" data-part><h2>{Life line}</h2>\n"
                "<ol class=\"timeline\">\n");
    json_array_foreach(timeline, i, step)
    {
        struct dash_name event = dash_name(NAMES_TIMELINE, dash_text(step, "event"));
        const char *detail = dash_text(step, "detail");

        if (str_eq(event.english, dash_text(step, "event")))
            event = dash_name(NAMES_PROBLEM, event.value);

        html_put(h, "<li class=\"%s\">", event.look);
        html_time(h, jspec_text(step, "at"));
        html_put(h, " <b>%s</b> <small>%s</small>", html_say(h, event.english),
                 html_say(h, dash_name(BY, dash_text(step, "by")).english));
        if (detail[0] != '\0') {
            html_put(h, "<p>");
            html_sentence(h, dash_name(NAMES_TIKTOK, detail).english);
            html_put(h, "</p>");
        }
        html_put(h, "</li>\n");
    }
    html_put(h, "</ol></section>\n");
}

static void put_order_facts(struct dash *d, const json_t *order)
{
    struct html *h = &d->h;

    html_put(h, "<dl class=\"facts\"><div><dt>{State}</dt><dd>");
    dash_name_pill(d, NAMES_ORDER, dash_text(order, "state"));
    html_put(h, "</dd></div><div><dt>TikTok</dt><dd>%s<small>%s</small></dd></div>",
             dash_text(order, "order_id"),
             html_say(h, dash_name(NAMES_TIKTOK, dash_text(order, "tiktok_status")).english));
    html_put(h, "<div><dt>VTEX</dt><dd>%s<small>%s</small></dd></div><div><dt>{Total}</dt><dd>",
             dash_text(order, "vtex_order_id")[0] != '\0' ? dash_text(order, "vtex_order_id") : "—",
             dash_text(order, "vtex_status"));
    html_money(h, jspec_text(order, "total.amount"));
    html_put(h, "</dd></div><div><dt>NF-e</dt><dd>");
    dash_name_pill(d, NAMES_INVOICE, dash_text(order, "invoice.state"));
    html_put(h, "</dd></div><div><dt>{Paid}</dt><dd>");
    html_time(h, jspec_text(order, "paid_at"));
    html_put(h, "</dd></div><div><dt>{Ship by}</dt><dd>");
    html_time(h, jspec_text(order, "ship_by"));
    if (jspec_text(order, "ship_by") != NULL) {
        html_put(h, " <small>");
        html_distance(h, jspec_text(order, "ship_by"));
        html_put(h, "</small>");
    }
    html_put(h, "</dd></div></dl>\n");
}

static void put_packages(struct dash *d, const json_t *packages)
{
    struct html *h = &d->h;
    size_t i;
    json_t *package;

    if (json_array_size(packages) == 0)
        return;
    html_put(h, "<section class=\"card\"><h2>{Packages}</h2><ul>\n");
    json_array_foreach(packages, i, package)
    {
        html_put(h, "<li>%s · %s", dash_text(package, "package_id"), dash_text(package, "state"));
        if (dash_text(package, "tracking_number")[0] != '\0')
            html_put(h, " · %s %s", dash_text(package, "carrier"),
                     dash_text(package, "tracking_number"));
        html_put(h, "</li>\n");
    }
    html_put(h, "</ul></section>\n");
}

enum rc page_order(struct dash *d, struct err *e)
{
    const char *id = http_param(d->req, "order_id");
    json_auto_t *order = NULL;
    size_t i;
    json_t *problem;
    enum rc rc = dash_get(d, order_get, NULL, &order, e);

    if (rc != RC_OK)
        return rc;
    d->live_s = 5;
    html_put(&d->h, "<div id=\"order\" data-part>\n");
    put_order_facts(d, order);
    json_array_foreach(jspec_get(order, "problems"), i, problem)
    {
        dash_problem(d, problem);
    }
    html_put(&d->h, "</div>\n<div class=\"actions\">\n");
    dash_button(d, order_resync_post, "Read again from TikTok", "main", NULL,
                (const char *const[]){ "c", d->client_id, "pedidos", id, "resync", NULL });
    dash_button(d, order_import_post, "Import into VTEX again", "", NULL,
                (const char *const[]){ "c", d->client_id, "pedidos", id, "import", NULL });
    html_put(&d->h, "</div>\n");
    put_items(d, jspec_get(order, "items"));
    put_packages(d, jspec_get(order, "packages"));
    put_timeline(d, jspec_get(order, "timeline"));
    return RC_OK;
}

/* ---- SKUs without a link ------------------------------------------------------------------------------ */

static void put_unlinked(struct dash *d, const json_t *sku)
{
    struct html *h = &d->h;
    const char *id = dash_text(sku, "tiktok_sku_id");
    int64_t waiting = jspec_int(sku, "waiting_orders", 0);

    html_put(h, "<tr><th scope=\"row\">%s<small>%s · %s</small></th>",
             dash_text(sku, "product_name")[0] != '\0' ? dash_text(sku, "product_name") : id,
             dash_text(sku, "seller_sku"), id);
    html_put(h, "<td data-label=\"{Orders waiting}\">");
    if (waiting > 0)
        html_put(h, "<span class=\"pill warn\">%lld</span>", (long long)waiting);
    else
        html_put(h, "0");
    html_put(h, "</td><td data-label=\"{Seen}\">");
    html_time(h, jspec_text(sku, "first_seen_at"));
    html_put(h, "</td><td>");
    if (dash_may(d, unlinked_sku_put)) {
        dash_form(d, "inline",
                  (const char *const[]){ "c", d->client_id, "skus-sem-vinculo", "vincular", NULL });
        html_put(h,
                 "<input type=\"hidden\" name=\"tiktok_sku_id\" value=\"%s\">"
                 "<label>{VTEX SKU id}<input name=\"vtex_sku_id\" inputmode=\"numeric\" "
                 "pattern=\"[0-9]+\" maxlength=\"40\" required></label><button "
                 "class=\"main\">{Link}</button></form>",
                 id);
    }
    html_put(h, "</td></tr>\n");
}

enum rc page_unlinked(struct dash *d, struct err *e)
{
    OWN_BUF struct buf query;
    json_auto_t *page = NULL;
    const json_t *items;
    char cursor[200];
    size_t i;
    json_t *sku;
    enum rc rc;

    buf_init(&query, 1000);
    dash_query(d, "cursor", cursor, sizeof cursor);
    dash_query_add(&query, "cursor", cursor);
    rc = dash_get(d, unlinked_skus_list, buf_text(&query), &page, e);
    if (rc != RC_OK)
        return rc;
    html_put(&d->h, "<p>{TikTok sells these SKUs, but nothing tells which VTEX SKU they are. Once "
                    "linked, the orders that wait for one go on by themselves.}</p>\n");
    items = jspec_get(page, "items");
    if (json_array_size(items) == 0) {
        dash_empty(d, "All SKUs are linked.");
        return RC_OK;
    }
    html_put(&d->h,
             "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">SKU</th>"
             "<th scope=\"col\">{Orders waiting}</th><th scope=\"col\">{Seen}</th>"
             "<th scope=\"col\">{Link}</th></tr></thead>\n<tbody>\n");
    json_array_foreach(items, i, sku)
    {
        put_unlinked(d, sku);
    }
    html_put(&d->h, "</tbody></table></div>\n");
    dash_next(d, page);
    return RC_OK;
}

enum rc act_link_sku(struct dash *d, struct err *e)
{
    char tiktok_sku_id[64];
    char vtex_sku_id[64];
    json_auto_t *body = NULL;
    struct dash_call call = { .handler = unlinked_sku_put,
                              .names = { "tiktok_sku_id" },
                              .values = { tiktok_sku_id } };

    (void)session_field(d->req, "tiktok_sku_id", tiktok_sku_id, sizeof tiktok_sku_id);
    (void)session_field(d->req, "vtex_sku_id", vtex_sku_id, sizeof vtex_sku_id);
    body = json_pack("{s:s}", "vtex_sku_id", str_trim(vtex_sku_id));
    if (body == NULL)
        return err_set(e, RC_BUG, "no memory for a link");
    call.body = body;
    return dash_call(d, &call, NULL, e);
}
