/* dash_stock.c - stock and price as they should be and as they are, and why a SKU has the ones it has. */
#include "dash_pages.h"

#include "db_dash.h"
#include "jspec.h"
#include "str.h"

#include <string.h>

/* ---- list -------------------------------------------------------------------------------------------- */

static bool differs(const json_t *row)
{
    return jspec_bool(row, "price_differs", false) || jspec_bool(row, "stock_differs", false);
}

static void put_sku_row(struct dash *d, const json_t *row)
{
    struct html *h = &d->h;
    const char *code = dash_text(row, "seller_sku");

    html_put(h, "<tr><th scope=\"row\"><a href=\"");
    dash_path(d, (const char *const[]){ "estoque-e-preco", code, NULL });
    html_put(h, "\">%s</a><small>%s</small></th><td class=\"num\" data-label=\"{Price wanted}\">",
             code, dash_text(row, "title"));
    html_money(h, jspec_text(row, "price_desired"));
    html_put(h, "</td><td class=\"num\" data-label=\"{Price live}\">");
    html_money(h, jspec_text(row, "price_published"));
    html_put(h,
             "</td><td class=\"num\" data-label=\"{Stock wanted}\">%s</td>"
             "<td class=\"num\" data-label=\"{Stock live}\">%s</td><td data-label=\"{State}\">",
             dash_text(row, "stock_desired"), dash_text(row, "stock_published"));
    if (differs(row))
        dash_pill(d, "warn", "differs");
    else
        dash_pill(d, "ok", "equal");
    html_put(h, " <a href=\"");
    dash_path(d, (const char *const[]){ "estoque-e-preco", code, NULL });
    html_put(h, "\">{Why?}</a></td></tr>\n");
}

static void put_stock_filter(struct dash *d, const char *q, bool all)
{
    html_put(
        &d->h,
        "<form class=\"filter\" method=\"get\"><label>SKU<input type=\"search\" name=\"q\" "
        "maxlength=\"100\" value=\"%s\"></label>\n<label class=\"check\"><input type=\"checkbox\" "
        "name=\"todos\" value=\"1\"",
        q);
    if (all)
        html_put(&d->h, " checked");
    html_put(&d->h, "> {equal ones, too}</label>\n<button>{Show}</button></form>\n");
}

enum rc page_stock(struct dash *d, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *page = NULL;
    char q[128], all[4], cursor[200];
    const json_t *items;
    size_t i;
    json_t *row;
    enum rc rc = db_tx_begin(d->app->web_db, "page_stock", d->client_id, &tx, e);

    dash_query(d, "q", q, sizeof q);
    dash_query(d, "todos", all, sizeof all);
    dash_query(d, "cursor", cursor, sizeof cursor);
    if (rc == RC_OK)
        rc = db_dash_skus(tx, d->client_id, q, all[0] != '1' && q[0] == '\0', cursor, DASH_ROWS,
                          &page, e);
    if (rc != RC_OK)
        return rc;
    put_stock_filter(d, q, all[0] == '1');
    items = jspec_get(page, "items");
    if (json_array_size(items) == 0) {
        dash_empty(d, q[0] != '\0' ? "No SKU is like this."
                                   : "Stock and price on TikTok are what they should be.");
        return RC_OK;
    }
    html_put(&d->h,
             "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">SKU</th>"
             "<th scope=\"col\" class=\"num\">{Price wanted}</th><th scope=\"col\" class=\"num\">"
             "{Price live}</th><th scope=\"col\" class=\"num\">{Stock wanted}</th>"
             "<th scope=\"col\" class=\"num\">{Stock live}</th><th scope=\"col\">{State}</th></tr>"
             "</thead><tbody>\n");
    json_array_foreach(items, i, row)
    {
        put_sku_row(d, row);
    }
    html_put(&d->h, "</tbody></table></div>\n");
    dash_next(d, page);
    return RC_OK;
}

/* ---- why ----------------------------------------------------------------------------------------------- */

/* A JSON scalar as text. */
static void put_value(struct html *h, const json_t *value)
{
    if (json_is_string(value) && strchr(json_string_value(value), '.') != NULL)
        html_money(h, json_string_value(value)); /* amounts are decimal texts, units are not */
    else if (json_is_string(value))
        html_put(h, "%s", json_string_value(value));
    else if (json_is_integer(value))
        html_put(h, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        html_put(h, "%s", html_say(h, json_is_true(value) ? "yes" : "no"));
    else
        html_put(h, "—");
}

static void put_inputs(struct dash *d, const json_t *inputs)
{
    struct html *h = &d->h;
    size_t i;
    json_t *input;

    html_put(h,
             "<h3>{What was read}</h3><div class=\"table\"><table class=\"stack\"><thead><tr>"
             "<th scope=\"col\">{What}</th><th scope=\"col\">{Value}</th><th scope=\"col\">{Source}"
             "</th><th scope=\"col\">{When}</th></tr></thead><tbody>\n");
    json_array_foreach(inputs, i, input)
    {
        html_put(h, "<tr><th scope=\"row\">");
        html_sentence(h, dash_text(input, "name"));
        html_put(h, "</th><td data-label=\"{Value}\">");
        put_value(h, json_object_get(input, "value"));
        html_put(h, "</td><td data-label=\"{Source}\">%s</td><td data-label=\"{When}\">",
                 html_say(h, dash_text(input, "source")));
        html_time(h, jspec_text(input, "at"));
        html_put(h, "</td></tr>\n");
    }
    html_put(h, "</tbody></table></div>\n");
}

static void put_rules(struct dash *d, const json_t *rules)
{
    struct html *h = &d->h;
    size_t i;
    json_t *rule;

    html_put(h, "<h3>{Rules, one after the other}</h3>\n");
    if (json_array_size(rules) == 0) {
        html_put(h, "<p>{No rule changed the value.}</p>\n");
        return;
    }
    html_put(h, "<ol class=\"rules\">\n");
    json_array_foreach(rules, i, rule)
    {
        html_put(h, "<li><b>%s</b> ", html_say(h, dash_text(rule, "name")));
        put_value(h, json_object_get(rule, "before"));
        html_put(h, " → ");
        put_value(h, json_object_get(rule, "after"));
        html_put(h, "</li>\n");
    }
    html_put(h, "</ol>\n");
}

static void put_explained(struct dash *d, const char *title, const json_t *one)
{
    static const struct dash_name WAITING[] = {
        { "switch", "A switch keeps it back.", "warn" },
        { "review", "TikTok reviews the listing.", "warn" },
        { "held", "The listing is held.", "warn" },
        { "correction", "The listing must be corrected first.", "bad" },
        { "publication", "It is about to be sent.", "warn" },
        { NULL, NULL, NULL },
    };
    struct html *h = &d->h;
    const char *waiting = jspec_text(one, "waiting_for");

    html_put(h, "<section class=\"card\"><h2>%s</h2><dl class=\"facts\"><div><dt>{Wanted}</dt><dd>",
             html_say(h, title));
    put_value(h, json_object_get(one, "result"));
    html_put(h, "</dd></div><div><dt>{Live on TikTok}</dt><dd>");
    put_value(h, json_object_get(one, "published"));
    html_put(h, "</dd></div><div><dt>{Sent}</dt><dd>");
    html_time(h, jspec_text(one, "published_at"));
    html_put(h, "</dd></div><div><dt>{TikTok's request id}</dt><dd>%s</dd></div></dl>\n",
             dash_text(one, "request_id")[0] != '\0' ? dash_text(one, "request_id") : "—");
    if (waiting != NULL)
        html_put(h, "<p class=\"note warn\">%s</p>\n",
                 html_say(h, dash_name(WAITING, waiting).english));
    put_inputs(d, jspec_get(one, "inputs"));
    put_rules(d, jspec_get(one, "rules"));
    html_put(h, "</section>\n");
}

enum rc page_sku(struct dash *d, struct err *e)
{
    json_auto_t *doc = NULL;
    enum rc rc = dash_get(d, sku_explain_get, NULL, &doc, e);

    if (rc != RC_OK)
        return rc;
    html_put(&d->h, "<p class=\"hint\">SKU %s</p>\n", dash_text(doc, "seller_sku"));
    put_explained(d, "Price", jspec_get(doc, "price"));
    put_explained(d, "Stock", jspec_get(doc, "stock"));
    return RC_OK;
}
