/* dash_client.c - the overview of a client with what can be started, its authorization, its history. */
#include "dash_pages.h"

#include "db_dash.h"
#include "jspec.h"
#include "str.h"
#include "trigger.h"

/* ---- overview ---------------------------------------------------------------------------------------- */

/* What a person may start; those that this version does not know are left out. */
static const struct start {
    const char *what, *label, *help;
} STARTS[] = {
    { "products", "Read the feed now", "Reads the whole feed and sends what is new or changed." },
    { "prices", "Update prices", "Reads the prices and sends those that differ." },
    { "stock", "Update stock", "Reads the stock and sends what differs." },
    { "orders", "Fetch orders", "Asks TikTok for the recent orders." },
    { "images", "Fetch more pictures", "Looks in VTEX for further pictures." },
    { "brands", "Match brands", "Reads the brands of VTEX and matches them with TikTok's." },
    { "categories", "Refresh categories", "Reads TikTok's categories again." },
    { "reconcile", "Compare with TikTok",
      "Asks TikTok what it really holds and repairs what drifted." },
};

static void put_starts(struct dash *d)
{
    struct html *h = &d->h;

    if (!dash_may(d, sync_post))
        return;
    html_put(h, "<section class=\"card\"><h2>{Start}</h2>\n<ul class=\"starts\">\n");
    for (size_t i = 0; i < sizeof STARTS / sizeof STARTS[0]; i++) {
        const struct trigger *t = trigger_find(STARTS[i].what);

        if (t == NULL)
            continue;
        html_put(h, "<li>");
        dash_form(d, "inline", (const char *const[]){ "c", d->client_id, "iniciar", NULL });
        html_put(h,
                 "<input type=\"hidden\" name=\"what\" value=\"%s\"><button name=\"dry\" value=\"\""
                 ">%s</button>",
                 STARTS[i].what, html_say(h, STARTS[i].label));
        if (t->may_dry_run)
            html_put(h,
                     " <button class=\"plain\" name=\"dry\" value=\"1\">{only show what it would "
                     "do}</button>");
        html_put(h, "</form><small>%s</small></li>\n", html_say(h, STARTS[i].help));
    }
    html_put(h, "</ul></section>\n");
}

enum rc act_start(struct dash *d, struct err *e)
{
    char what[32], dry[4];
    json_auto_t *body = json_object();

    (void)session_field(d->req, "what", what, sizeof what);
    (void)session_field(d->req, "dry", dry, sizeof dry);
    return dash_call(d,
                     &(struct dash_call){ .handler = sync_post,
                                          .query = dry[0] == '1' ? "dry_run=true" : NULL,
                                          .body = body,
                                          .names = { "what" },
                                          .values = { what } },
                     NULL, e);
}

static int64_t most_orders(const json_t *days)
{
    int64_t most = 1;
    size_t i;
    json_t *day;

    json_array_foreach(days, i, day)
    {
        if (jspec_int(day, "orders", 0) > most)
            most = jspec_int(day, "orders", 0);
    }
    return most;
}

/* Two weeks as columns, the same numbers in a table beneath. */
static void put_days(struct dash *d, const json_t *days)
{
    struct html *h = &d->h;
    int64_t most = most_orders(days);
    size_t i;
    json_t *day;

    html_put(
        h, "<section class=\"card\"><h2>{Orders a day}</h2>\n<svg class=\"days\" viewBox=\"0 0 280 "
           "60\" aria-hidden=\"true\">\n");
    json_array_foreach(days, i, day)
    {
        int all = (int)(jspec_int(day, "orders", 0) * 56 / most);
        int bad = (int)(jspec_int(day, "failed", 0) * 56 / most);

        html_put(h, "<rect x=\"%d\" y=\"%d\" width=\"16\" height=\"%d\"/>", (int)i * 20 + 2,
                 58 - all, all + 1);
        if (bad > 0)
            html_put(h, "<rect class=\"bad\" x=\"%d\" y=\"%d\" width=\"16\" height=\"%d\"/>",
                     (int)i * 20 + 2, 58 - bad, bad + 1);
    }
    html_put(
        h, "</svg>\n<details><summary>{The numbers}</summary><table><thead><tr><th scope=\"col\">"
           "{Day}</th><th scope=\"col\" class=\"num\">{Orders}</th><th scope=\"col\" class=\"num\">"
           "{with a problem}</th></tr></thead><tbody>\n");
    json_array_foreach(days, i, day)
    {
        html_put(h, "<tr><th scope=\"row\">");
        html_day(h, dash_text(day, "day"));
        html_put(h, "</th><td class=\"num\">%lld</td><td class=\"num\">%lld</td></tr>\n",
                 (long long)jspec_int(day, "orders", 0), (long long)jspec_int(day, "failed", 0));
    }
    html_put(h, "</tbody></table></details></section>\n");
}

static void put_recent_runs(struct dash *d, const json_t *runs)
{
    struct html *h = &d->h;
    size_t i;
    json_t *run;

    html_put(
        h,
        "<section class=\"card\" id=\"runs\" data-part><h2>{Last runs}</h2><ul class=\"rows\">\n");
    json_array_foreach(runs, i, run)
    {
        html_put(h, "<li><a href=\"");
        dash_path(d, (const char *const[]){ "execucoes", dash_text(run, "id"), NULL });
        html_put(h, "\">%s</a> ",
                 html_say(h, dash_name(NAMES_ACTION, dash_text(run, "kind")).english));
        dash_name_pill(d, NAMES_RUN, dash_text(run, "status"));
        html_put(h, " <small>");
        html_distance(h, jspec_text(run, "created_at"));
        html_put(h, "</small></li>\n");
    }
    html_put(h, "</ul>\n");
    if (json_array_size(runs) == 0)
        dash_empty(d, "Nothing ran yet.");
    html_put(h, "</section>\n");
}

enum rc page_client(struct dash *d, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *runs = NULL;
    json_auto_t *days = NULL;
    enum rc rc = dash_get(d, runs_list, "limit=8", &runs, e);

    if (rc == RC_OK)
        rc = db_tx_begin(d->app->web_db, "page_client", d->client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_dash_orders_by_day(tx, d->client_id, d->app->cfg.timezone, &days, e);
    if (rc != RC_OK)
        return rc;
    d->live_s = 10;
    html_put(&d->h, "<div class=\"cards\">\n");
    put_days(d, days);
    put_recent_runs(d, jspec_get(runs, "items"));
    put_starts(d);
    html_put(&d->h, "</div>\n");
    return RC_OK;
}

/* ---- authorization ------------------------------------------------------------------------------------- */

static void put_shop(struct dash *d, const json_t *shop)
{
    struct html *h = &d->h;
    const char *id = dash_text(shop, "shop_id");
    size_t i;
    json_t *scope;

    html_put(h, "<section class=\"card\"><h2>%s ", dash_text(shop, "name"));
    dash_name_pill(d, NAMES_SHOP, dash_text(shop, "status"));
    html_put(
        h,
        "</h2>\n<dl class=\"facts\"><div><dt>{Shop}</dt><dd>%s<small>%s</small></dd></div><div>"
        "<dt>{Authorization ends}</dt><dd>",
        id, dash_text(shop, "region"));
    html_time(h, jspec_text(shop, "authorization_ends_at"));
    html_put(h, " <small>");
    html_distance(h, jspec_text(shop, "authorization_ends_at"));
    html_put(h, "</small></dd></div><div><dt>{Access renews itself before}</dt><dd>");
    html_time(h, jspec_text(shop, "access_token_expires_at"));
    html_put(h, "</dd></div><div><dt>{Orders read}</dt><dd>");
    html_distance(h, jspec_text(shop, "orders_polled_at"));
    html_put(h, "</dd></div></dl>\n");
    if (jspec_text(shop, "paused") != NULL)
        html_put(h, "<p class=\"note bad\">{The work of this shop is paused}: %s</p>\n",
                 dash_text(shop, "paused"));
    html_put(h, "<details><summary>{Permissions granted}</summary><ul>\n");
    json_array_foreach(jspec_get(shop, "granted_scopes"), i, scope)
    {
        html_put(h, "<li>%s</li>\n", json_string_value(scope));
    }
    html_put(h, "</ul></details>\n");
    if (!str_eq(dash_text(shop, "status"), "disconnected"))
        dash_button(d, shop_delete, "Disconnect the shop", "danger",
                    "Its tokens are wiped and all its work stops. Go on?",
                    (const char *const[]){ "c", d->client_id, "lojas", id, "desconectar", NULL });
    html_put(h, "</section>\n");
}

static enum rc put_link(struct dash *d, struct err *e)
{
    json_auto_t *link = NULL;
    enum rc rc = dash_get(d, authorization_link_post, NULL, &link, e);

    if (rc != RC_OK)
        return rc;
    html_put(&d->h,
             "<section class=\"card ok\"><h2>{Send this link to the seller}</h2><p><label>{Link}"
             "<input class=\"wide\" readonly value=\"%s\"></label></p><p><a class=\"button\" "
             "href=\"%s\">{Open it here}</a></p><p class=\"hint\">{Valid until} ",
             dash_text(link, "url"), dash_text(link, "url"));
    html_time(&d->h, jspec_text(link, "expires_at"));
    html_put(&d->h, "</p></section>\n");
    return RC_OK;
}

enum rc page_authorization(struct dash *d, struct err *e)
{
    json_auto_t *shops = NULL;
    size_t i;
    json_t *shop;
    enum rc rc = RC_OK;

    if (d->req->method == HTTP_POST)
        rc = put_link(d, e);
    if (rc == RC_OK)
        rc = dash_get(d, shops_list, NULL, &shops, e);
    if (rc != RC_OK)
        return rc;
    json_array_foreach(jspec_get(shops, "items"), i, shop)
    {
        put_shop(d, shop);
    }
    if (json_array_size(jspec_get(shops, "items")) == 0)
        dash_empty(d, "No TikTok shop is connected yet.");
    dash_button(d, authorization_link_post, "Make a link for the seller", "main", NULL,
                (const char *const[]){ "c", d->client_id, "autorizacao", NULL });
    return RC_OK;
}

/* ---- history ------------------------------------------------------------------------------------------- */

static void put_audit(struct dash *d, const json_t *row)
{
    struct html *h = &d->h;
    const json_t *detail = jspec_get(row, "detail");
    OWN_BUF struct buf text;

    buf_init(&text, 4000);
    if (json_object_size(detail) > 0)
        (void)jspec_dump(detail, &text, NULL); /* too long: it is left out */
    html_put(h, "<tr><td data-label=\"{When}\">");
    html_time(h, jspec_text(row, "at"));
    html_put(
        h,
        "</td><td data-label=\"{Who}\">%s</td><th scope=\"row\">%s</th><td data-label=\"{Detail}\">"
        "<small>%s</small></td></tr>\n",
        dash_text(row, "who"),
        html_say(h, dash_name(NAMES_ACTION, dash_text(row, "action")).english),
        text.failed ? "" : buf_text(&text));
}

enum rc page_history(struct dash *d, struct err *e)
{
    OWN_BUF struct buf query;
    json_auto_t *page = NULL;
    char cursor[64];
    size_t i;
    json_t *row;
    enum rc rc;

    buf_init(&query, 300);
    dash_query(d, "cursor", cursor, sizeof cursor);
    dash_query_add(&query, "cursor", cursor);
    rc = dash_get(d, audit_list, buf_text(&query), &page, e);
    if (rc != RC_OK)
        return rc;
    if (json_array_size(jspec_get(page, "items")) == 0) {
        dash_empty(d, "Nobody changed anything yet.");
        return RC_OK;
    }
    html_put(&d->h,
             "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">{When}</th>"
             "<th scope=\"col\">{Who}</th><th scope=\"col\">{What}</th><th scope=\"col\">{Detail}"
             "</th></tr></thead><tbody>\n");
    json_array_foreach(jspec_get(page, "items"), i, row)
    {
        put_audit(d, row);
    }
    html_put(&d->h, "</tbody></table></div>\n");
    dash_next(d, page);
    return RC_OK;
}
