/* dash_products.c - a client's listings with their problems grouped by cause, and one listing with its reasons. */
#include "dash_pages.h"

#include "db_dash.h"
#include "jspec.h"
#include "str.h"

#define LIMIT_REPUBLISH 500 /* products of one cause sent again by one click */

/* ---- causes ------------------------------------------------------------------------------------------ */

static void put_cause(struct dash *d, const json_t *cause, int64_t most)
{
    struct html *h = &d->h;
    const char *code = dash_text(cause, "code");
    int64_t n = jspec_int(cause, "products", 0);
    int width = most > 0 ? (int)(n * 100 / most) : 0;

    html_put(h, "<article class=\"card warn\">\n<h3>");
    html_count(h, n);
    html_put(h,
             " %s</h3>\n<svg class=\"bar\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" "
             "aria-hidden=\"true\"><rect width=\"%d\" height=\"4\"/></svg>\n",
             html_say(h, n == 1 ? "listing" : "listings"), width > 0 ? width : 1);
    dash_problem(d, cause);
    html_put(h, "<p>{For example} <a href=\"");
    dash_path(d, (const char *const[]){ "anuncios", dash_text(cause, "example"), NULL });
    html_put(h, "\">%s</a></p>\n", dash_text(cause, "example"));
    if (dash_may(d, product_publish_post)) {
        dash_form(d, "inline",
                  (const char *const[]){ "c", d->client_id, "anuncios-por-causa", NULL });
        html_put(h,
                 "<input type=\"hidden\" name=\"code\" value=\"%s\"><button class=\"main\">"
                 "{Cause mended: send them again}</button></form>\n",
                 code);
    }
    html_put(h, "</article>\n");
}

static enum rc put_causes(struct dash *d, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *causes = NULL;
    size_t i;
    json_t *cause;
    enum rc rc = db_tx_begin(d->app->web_db, "page_causes", d->client_id, &tx, e);

    if (rc == RC_OK)
        rc = db_dash_causes(tx, d->client_id, &causes, e);
    if (rc != RC_OK || json_array_size(causes) == 0)
        return rc;
    html_put(&d->h, "<section><h2>{What keeps listings back}</h2>\n<div class=\"cards\">\n");
    json_array_foreach(causes, i, cause)
    {
        put_cause(d, cause, jspec_int(json_array_get(causes, 0), "products", 1));
    }
    html_put(&d->h, "</div></section>\n");
    return RC_OK;
}

enum rc act_republish(struct dash *d, struct err *e)
{
    json_auto_t *ids = NULL;
    char code[80];
    size_t i;
    json_t *id;
    enum rc rc = RC_OK;

    if (!session_field(d->req, "code", code, sizeof code))
        return err_field(e, "code", "is missing");
    {
        OWN_TX struct db_tx *tx = NULL;

        rc = db_tx_begin(d->app->web_db, "cause_products", d->client_id, &tx, e);
        if (rc == RC_OK)
            rc = db_dash_cause_products(tx, d->client_id, code, "", LIMIT_REPUBLISH, &ids, e);
    }
    if (rc != RC_OK)
        return rc;
    json_array_foreach(ids, i, id)
    {
        const struct dash_call call = { .handler = product_publish_post,
                                        .names = { "source_id" },
                                        .values = { json_string_value(id) } };

        rc = dash_call(d, &call, NULL, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* ---- list -------------------------------------------------------------------------------------------- */

static void put_product_row(struct dash *d, const json_t *p)
{
    struct html *h = &d->h;
    const char *id = dash_text(p, "source_id");
    const json_t *first = json_array_get(jspec_get(p, "problems"), 0);
    const char *message = jspec_text(first, d->h.english ? "message" : "message_pt");

    html_put(h, "<tr><th scope=\"row\"><a href=\"");
    dash_path(d, (const char *const[]){ "anuncios", id, NULL });
    html_put(h, "\">%s</a><small>%s</small></th><td data-label=\"{State}\">",
             dash_text(p, "title")[0] != '\0' ? dash_text(p, "title") : id, id);
    dash_name_pill(d, NAMES_PRODUCT, dash_text(p, "status"));
    if (message != NULL)
        html_put(h, "<small class=\"why\">%s</small>", message);
    html_put(h, "</td><td data-label=\"SKUs\" class=\"num\">%d</td><td data-label=\"{Changed}\">",
             (int)json_array_size(jspec_get(p, "skus")));
    html_time(h, jspec_text(p, "updated_at"));
    html_put(h, "</td></tr>\n");
}

static void put_product_filter(struct dash *d, const char *status, const char *q)
{
    html_put(
        &d->h,
        "<form class=\"filter\" method=\"get\">\n<label>{Search}<input type=\"search\" name=\"q\""
        " maxlength=\"100\" value=\"%s\" placeholder=\"{Part of the title, id, SKU}\"></label>\n",
        q);
    dash_select(d, "status", "State", NAMES_PRODUCT, status);
    html_put(&d->h, "<button>{Show}</button>\n</form>\n");
}

static void put_product_table(struct dash *d, const json_t *items)
{
    size_t i;
    json_t *p;

    html_put(&d->h,
             "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">{Listing}"
             "</th><th scope=\"col\">{State}</th><th scope=\"col\" class=\"num\">SKUs</th>"
             "<th scope=\"col\">{Changed}</th></tr></thead>\n<tbody>\n");
    json_array_foreach(items, i, p)
    {
        put_product_row(d, p);
    }
    html_put(&d->h, "</tbody></table></div>\n");
}

enum rc page_products(struct dash *d, struct err *e)
{
    OWN_BUF struct buf query;
    json_auto_t *page = NULL;
    char status[32], q[128], cursor[300];
    bool plain;
    enum rc rc = RC_OK;

    buf_init(&query, 3000);
    dash_query(d, "status", status, sizeof status);
    dash_query(d, "q", q, sizeof q);
    dash_query(d, "cursor", cursor, sizeof cursor);
    dash_query_add(&query, "status", status);
    dash_query_add(&query, "q", q);
    dash_query_add(&query, "cursor", cursor);
    plain = query.len == 0;
    rc = dash_get(d, products_list, buf_text(&query), &page, e);
    if (rc == RC_OK && plain)
        rc = put_causes(d, e);
    if (rc != RC_OK)
        return rc;
    html_put(&d->h, "<h2>{All listings}</h2>\n");
    put_product_filter(d, status, q);
    if (json_array_size(jspec_get(page, "items")) > 0)
        put_product_table(d, jspec_get(page, "items"));
    else
        dash_empty(d, plain ? "There is no listing yet: read the feed under Runs."
                            : "No listing is like this.");
    dash_next(d, page);
    return RC_OK;
}

/* ---- one listing ---------------------------------------------------------------------------------------- */

static void put_skus(struct dash *d, const json_t *skus)
{
    struct html *h = &d->h;
    size_t i;
    json_t *sku;

    html_put(
        h,
        "<section class=\"card\"><h2>SKUs</h2><div class=\"table\"><table class=\"stack\"><thead>"
        "<tr><th scope=\"col\">SKU</th><th scope=\"col\" class=\"num\">{Price wanted}</th>"
        "<th scope=\"col\" class=\"num\">{Price live}</th><th scope=\"col\" class=\"num\">{Stock "
        "wanted}</th><th scope=\"col\" class=\"num\">{Stock live}</th></tr></thead><tbody>\n");
    json_array_foreach(skus, i, sku)
    {
        const char *code = dash_text(sku, "seller_sku");

        html_put(h, "<tr><th scope=\"row\"><a href=\"");
        dash_path(d, (const char *const[]){ "estoque-e-preco", code, NULL });
        html_put(
            h,
            "\">%s</a><small>VTEX %s · TikTok %s</small></th><td class=\"num\" data-label=\"{Price wanted}\">",
            code, dash_text(sku, "vtex_sku_id"), dash_text(sku, "tiktok_sku_id"));
        html_money(h, jspec_text(sku, "price.desired"));
        html_put(h, "</td><td class=\"num\" data-label=\"{Price live}\">");
        html_money(h, jspec_text(sku, "price.published"));
        html_put(h,
                 "</td><td class=\"num\" data-label=\"{Stock wanted}\">%lld</td>"
                 "<td class=\"num\" data-label=\"{Stock live}\">%lld</td></tr>\n",
                 (long long)jspec_int(sku, "stock.desired", 0),
                 (long long)jspec_int(sku, "stock.published", 0));
    }
    html_put(h, "</tbody></table></div></section>\n");
}

static void put_log(struct dash *d, const json_t *items)
{
    struct html *h = &d->h;
    size_t i;
    json_t *row;

    if (json_array_size(items) == 0)
        return;
    html_put(h, "<section class=\"card\"><h2>{What happened}</h2><ol class=\"timeline\">\n");
    json_array_foreach(items, i, row)
    {
        html_put(h, "<li>");
        html_time(h, jspec_text(row, "at"));
        html_put(h, " <b>%s</b><p>",
                 html_say(h, dash_name(NAMES_TIMELINE, dash_text(row, "outcome")).english));
        html_sentence(h, dash_text(row, "message"));
        html_put(h, "</p></li>\n");
    }
    html_put(h, "</ol></section>\n");
}

static void put_product_actions(struct dash *d, const char *id, const char *status)
{
    html_put(&d->h, "<div class=\"actions\">\n");
    dash_button(d, product_publish_post, "Send again", "main", NULL,
                (const char *const[]){ "c", d->client_id, "anuncios", id, "publish", NULL });
    if (str_eq(status, "deactivated"))
        dash_button(d, product_activate_post, "Put on sale", "", NULL,
                    (const char *const[]){ "c", d->client_id, "anuncios", id, "activate", NULL });
    else
        dash_button(d, product_deactivate_post, "Take off sale", "",
                    "Nobody can buy it until it is put on sale again. Go on?",
                    (const char *const[]){ "c", d->client_id, "anuncios", id, "deactivate", NULL });
    dash_button(d, product_delete_post, "Delete on TikTok", "danger",
                "The listing is deleted on TikTok, with its reviews. Go on?",
                (const char *const[]){ "c", d->client_id, "anuncios", id, "delete", NULL });
    html_put(&d->h, "</div>\n");
}

enum rc page_product(struct dash *d, struct err *e)
{
    const char *id = http_param(d->req, "source_id");
    struct html *h = &d->h;
    OWN_BUF struct buf query;
    json_auto_t *p = NULL;
    json_auto_t *log = NULL;
    size_t i;
    json_t *problem;
    enum rc rc = dash_get(d, product_get, NULL, &p, e);

    buf_init(&query, 2000);
    dash_query_add(&query, "entity", id);
    dash_query_add(&query, "limit", "20");
    if (rc == RC_OK)
        rc = dash_call(d,
                       &(struct dash_call){ .handler = logs_list,
                                            .query = buf_text(&query),
                                            .names = { "log" },
                                            .values = { "product" } },
                       &log, e);
    if (rc != RC_OK)
        return rc;
    d->live_s = 10;
    html_put(
        h,
        "<div id=\"product\" data-part><h2>%s</h2>\n<dl class=\"facts\"><div><dt>{State}</dt><dd>",
        dash_text(p, "title"));
    dash_name_pill(d, NAMES_PRODUCT, dash_text(p, "status"));
    html_put(
        h,
        "</dd></div><div><dt>{Id in the feed}</dt><dd>%s</dd></div><div><dt>TikTok</dt><dd>%s</dd>"
        "</div><div><dt>{Category}</dt><dd>%s<small>%s</small></dd></div><div><dt>{Brand}</dt>"
        "<dd>%s</dd></div></dl>\n",
        id, dash_text(p, "tiktok_product_id"), dash_text(p, "category.source"),
        dash_text(p, "category.tiktok_category_id"), dash_text(p, "brand.source"));
    json_array_foreach(jspec_get(p, "problems"), i, problem)
    {
        dash_problem(d, problem);
    }
    html_put(h, "</div>\n");
    put_product_actions(d, id, dash_text(p, "status"));
    put_skus(d, jspec_get(p, "skus"));
    put_log(d, jspec_get(log, "items"));
    return RC_OK;
}
