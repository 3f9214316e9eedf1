/* dash_today.c - pages across clients: what needs doing, the clients with their lamps, authorizations, search. */
#include "dash_pages.h"

#include "db_dash.h"
#include "jspec.h"
#include "str.h"

/* Runs one query of db_dash.h for the clients that the user may see. */
typedef enum rc (*dash_query_fn)(struct db_tx *tx, const char *clients, json_t **out,
                                 struct err *e);

static enum rc ask(struct dash *d, const char *name, dash_query_fn query, json_t **out,
                   struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = db_tx_begin(d->app->web_db, name, DB_SYSTEM, &tx, e);

    return rc == RC_OK ? query(tx, dash_clients(d), out, e) : rc;
}

#define CLIENTS_SHOWN 20 /* of each kind of trouble: the page stays small with a hundred clients */

/* ---- today ----------------------------------------------------------------------------------------- */

/* Kinds of trouble, worst first: what it is, what to do, where. */
static const struct kind {
    const char *code, *look, *title, *advice;
    const char *where; /* page of the client; begins with "/" when it is one across clients */
} KINDS[] = {
    { "orders_late", "bad", "Orders to be shipped within 24 hours",
      "Ship them first: TikTok counts late ones against the shop.", "prazos" },
    { "reauthorize", "bad", "Shops whose authorization has ended",
      "Nothing is read or sent for them. Send the client the link to authorize again.",
      "autorizacao" },
    { "orders_failed", "bad", "Orders that did not get into VTEX",
      "Open the order: it says why and what to do.", "pedidos?state=failed" },
    { "orders_in_doubt", "bad", "Orders whose creation in VTEX is in doubt",
      "They are being looked up. If one stays here for an hour, look at it in VTEX.",
      "pedidos?state=in_doubt" },
    { "paused", "bad", "Shops whose work is paused",
      "A platform refused the credentials. Check them in the settings, then retry the jobs.",
      "configuracoes" },
    { "run_failed", "bad", "Feeds that could not be read",
      "The last good feed still counts. Open the run: it says why.", "execucoes" },
    { "orders_unlinked", "warn", "Orders that wait for a SKU link",
      "Link the SKU to VTEX: the orders go on by themselves.", "skus-sem-vinculo" },
    { "orders_stuck", "warn", "Orders that wait for data, stock or settings",
      "They are tried again by themselves; the order says what it waits for.",
      "pedidos?state=importing" },
    { "runs_held", "warn", "Runs that wait for an approval",
      "Look at what they would change, then approve or cancel.", "execucoes?status=held" },
    { "products_refused", "warn", "Listings refused or held",
      "Fix one cause for many products at once.", "anuncios" },
    { "jobs_parked", "warn", "Jobs that stopped", "Mend the cause, then retry them.",
      "/fila?state=parked&client_hash=" },
    { "authorization_ends", "warn", "Authorizations that end within 30 days",
      "Send the client the link to authorize again.", "autorizacao" },
    { "no_shop", "idle", "Clients without a connected shop",
      "Send the client the link to authorize.", "autorizacao" },
};

static void put_today_row(struct dash *d, const struct kind *kind, const json_t *row)
{
    struct html *h = &d->h;
    const char *hash = dash_text(row, "client_hash");

    html_put(h, "<li><a href=\"");
    if (kind->where[0] == '/')
        html_put(h, "%s%s", kind->where, hash);
    else
        html_put(h, "/c/%s/%s", hash, kind->where);
    html_put(h, "\"><b>%s</b> <span class=\"n\">", dash_text(row, "client"));
    html_count(h, jspec_int(row, "count", 0));
    html_put(h, "</span></a> ");
    if (jspec_text(row, "since") != NULL) {
        html_put(h, "<small>");
        html_distance(h, jspec_text(row, "since"));
        html_put(h, "</small>");
    }
    html_put(h, "</li>\n");
}

static bool put_kind(struct dash *d, const struct kind *kind, const json_t *rows)
{
    struct html *h = &d->h;
    int n = 0;
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
    {
        if (!str_eq(dash_text(row, "code"), kind->code))
            continue;
        if (n == 0)
            html_put(h,
                     "<section class=\"card %s\">\n<h2><span class=\"dot\" "
                     "aria-hidden=\"true\"></span>%s</h2>\n<p>%s</p>\n<ul class=\"rows\">\n",
                     kind->look, html_say(h, kind->title), html_say(h, kind->advice));
        if (n++ < CLIENTS_SHOWN)
            put_today_row(d, kind, row);
    }
    if (n > CLIENTS_SHOWN)
        html_put(h, "<li>{and more clients}: %d</li>\n", n - CLIENTS_SHOWN);
    if (n > 0)
        html_put(h, "</ul>\n</section>\n");
    return n > 0;
}

enum rc page_today(struct dash *d, struct err *e)
{
    json_auto_t *rows = NULL;
    bool any = false;
    enum rc rc = ask(d, "page_today", db_dash_today, &rows, e);

    if (rc != RC_OK)
        return rc;
    d->live_s = 15;
    html_put(&d->h, "<div id=\"today\" data-part>\n");
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        any = put_kind(d, &KINDS[i], rows) || any;
    if (!any)
        html_put(&d->h,
                 "<div class=\"card ok\"><h2><span class=\"dot\" aria-hidden=\"true\"></span>"
                 "{Nothing needs doing now.}</h2>"
                 "<p>{All clients are in order. This page looks for news by itself.}</p></div>\n");
    html_put(&d->h, "</div>\n");
    return RC_OK;
}

/* ---- clients --------------------------------------------------------------------------------------- */

/* A lamp: colour, sign and words; never colour alone. */
static void put_lamp(struct dash *d, const char *label, const char *look, const char *words,
                     int64_t n)
{
    struct html *h = &d->h;

    html_put(h, "<td data-label=\"%s\"><span class=\"lamp %s\">%s", html_say(h, label), look,
             html_say(h, words));
    if (n > 0) {
        html_put(h, " ");
        html_count(h, n);
    }
    html_put(h, "</span></td>\n");
}

static void put_count_lamp(struct dash *d, const char *label, bool works, int64_t bad)
{
    if (!works)
        put_lamp(d, label, "idle", "off", 0);
    else
        put_lamp(d, label, bad > 0 ? "warn" : "ok", bad > 0 ? "look at" : "ok", bad);
}

static void put_access_lamp(struct dash *d, const json_t *c)
{
    static const char LABEL[] = "Authorization";

    if (jspec_int(c, "reauthorize", 0) > 0)
        put_lamp(d, LABEL, "bad", "ended", 0);
    else if (jspec_int(c, "connected", 0) == 0)
        put_lamp(d, LABEL, "idle", "no shop", 0);
    else if (jspec_text(c, "paused") != NULL)
        put_lamp(d, LABEL, "bad", "paused", 0);
    else
        put_lamp(d, LABEL, "ok", "ok", 0);
}

static void put_client(struct dash *d, const json_t *c)
{
    struct html *h = &d->h;
    bool works = jspec_int(c, "connected", 0) > 0;
    int64_t late = jspec_int(c, "orders_late", 0);
    int64_t bad = jspec_int(c, "orders_bad", 0) + jspec_int(c, "parked_orders", 0);

    html_put(h, "<tr><th scope=\"row\"><a href=\"/c/%s\">%s</a><small>%s</small></th>\n",
             dash_text(c, "client_hash"), dash_text(c, "client"), dash_text(c, "shop_name"));
    put_access_lamp(d, c);
    if (late > 0)
        put_lamp(d, "Orders", "bad", "late", late);
    else
        put_count_lamp(d, "Orders", works, bad);
    put_count_lamp(d, "Stock", works, jspec_int(c, "parked_stock", 0));
    put_count_lamp(d, "Price", works, jspec_int(c, "parked_price", 0));
    put_count_lamp(d, "Listings", works,
                   jspec_int(c, "products_bad", 0) + jspec_int(c, "runs_held", 0) +
                       jspec_int(c, "parked_catalog", 0));
    html_put(h, "<td data-label=\"{Orders read}\">");
    html_distance(h, jspec_text(c, "orders_polled_at"));
    html_put(h, "</td>\n<td data-label=\"{Feed accepted}\">");
    html_distance(h, jspec_text(c, "feed_at"));
    html_put(h, "</td></tr>\n");
}

enum rc page_clients(struct dash *d, struct err *e)
{
    json_auto_t *rows = NULL;
    size_t i;
    json_t *c;
    enum rc rc = ask(d, "page_clients", db_dash_clients, &rows, e);

    if (rc != RC_OK)
        return rc;
    d->live_s = 30;
    if (json_array_size(rows) == 0) {
        dash_empty(d, "There is no client yet. One is made with PUT /v1/clients/….");
        return RC_OK;
    }
    html_put(&d->h,
             "<div class=\"table\" id=\"clients\" data-part><table class=\"stack\">\n"
             "<thead><tr><th scope=\"col\">{Client}</th><th scope=\"col\">{Authorization}</th>"
             "<th scope=\"col\">{Orders}</th><th scope=\"col\">{Stock}</th>"
             "<th scope=\"col\">{Price}</th><th scope=\"col\">{Listings}</th>"
             "<th scope=\"col\">{Orders read}</th><th scope=\"col\">{Feed accepted}</th></tr>"
             "</thead>\n<tbody>\n");
    json_array_foreach(rows, i, c)
    {
        put_client(d, c);
    }
    html_put(&d->h, "</tbody></table></div>\n");
    return RC_OK;
}

/* ---- authorizations -------------------------------------------------------------------------------- */

static const char *days_look(const json_t *row)
{
    int64_t days = jspec_int(row, "days_left", -1);

    if (!str_eq(dash_text(row, "status"), "connected"))
        return "bad";
    return days < 7 ? "bad" : days < 30 ? "warn" : "ok";
}

static void put_access(struct dash *d, const json_t *row)
{
    struct html *h = &d->h;
    const char *hash = dash_text(row, "client_hash");

    html_put(h, "<tr><th scope=\"row\"><a href=\"/c/%s/autorizacao\">%s</a><small>%s</small></th>",
             hash, dash_text(row, "client"), dash_text(row, "name"));
    html_put(h, "<td data-label=\"{State}\">");
    dash_name_pill(d, NAMES_SHOP, jspec_text(row, "status") ? dash_text(row, "status") : "none");
    html_put(h, "</td><td data-label=\"{Days left}\">");
    if (json_is_integer(json_object_get(row, "days_left")))
        html_put(h, "<span class=\"pill %s\">%lld</span>", days_look(row),
                 (long long)jspec_int(row, "days_left", 0));
    else
        html_put(h, "—");
    html_put(h, "</td><td data-label=\"{Ends}\">");
    html_time(h, jspec_text(row, "authorization_ends_at"));
    html_put(h, "</td></tr>\n");
}

enum rc page_access(struct dash *d, struct err *e)
{
    json_auto_t *rows = NULL;
    size_t i;
    json_t *row;
    enum rc rc = ask(d, "page_access", db_dash_access, &rows, e);

    if (rc != RC_OK)
        return rc;
    html_put(&d->h, "<p>{A seller authorizes this service for a year at most. Open the client to "
                    "make the link that the seller needs.}</p>\n");
    if (json_array_size(rows) == 0) {
        dash_empty(d, "There is no client yet.");
        return RC_OK;
    }
    html_put(&d->h, "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">"
                    "{Client}</th><th scope=\"col\">{State}</th><th scope=\"col\">{Days left}</th>"
                    "<th scope=\"col\">{Ends}</th></tr></thead>\n<tbody>\n");
    json_array_foreach(rows, i, row)
    {
        put_access(d, row);
    }
    html_put(&d->h, "</tbody></table></div>\n");
    return RC_OK;
}

/* ---- search ---------------------------------------------------------------------------------------- */

static void put_hit(struct dash *d, const json_t *hit)
{
    struct html *h = &d->h;
    const char *what = dash_text(hit, "what");
    bool order = str_eq(what, "order");
    bool sku = str_eq(what, "sku");

    html_put(h, "<tr><td data-label=\"{What}\">%s</td><th scope=\"row\"><a href=\"/c/%s/%s/",
             html_say(h, order ? "Order"
                         : sku ? "SKU"
                               : "Listing"),
             dash_text(hit, "client_hash"),
             order ? "pedidos"
             : sku ? "estoque-e-preco"
                   : "anuncios");
    html_url(h, dash_text(hit, "id"));
    html_put(
        h,
        "\">%s</a><small>%s</small></th><td data-label=\"{Client}\">%s</td><td data-label=\"{State}\">",
        dash_text(hit, "id"), dash_text(hit, "text"), dash_text(hit, "client"));
    if (!sku)
        dash_name_pill(d, order ? NAMES_ORDER : NAMES_PRODUCT, dash_text(hit, "state"));
    html_put(h, "</td></tr>\n");
}

enum rc page_search(struct dash *d, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *rows = NULL;
    char q[128];
    size_t i;
    json_t *hit;
    enum rc rc = RC_OK;

    dash_query(d, "q", q, sizeof q);
    html_put(&d->h, "<p>{Whole ids are looked for: of an order on TikTok or in VTEX, of a product, "
                    "of a SKU.}</p>\n");
    if (q[0] == '\0')
        return RC_OK;
    rc = db_tx_begin(d->app->web_db, "page_search", DB_SYSTEM, &tx, e);
    if (rc == RC_OK)
        rc = db_dash_search(tx, dash_clients(d), q, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (json_array_size(rows) == 0) {
        html_put(&d->h, "<p class=\"empty\">{Nothing was found for} “%s”.</p>\n", q);
        return RC_OK;
    }
    html_put(&d->h, "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">"
                    "{What}</th><th scope=\"col\">{Id}</th><th scope=\"col\">{Client}</th>"
                    "<th scope=\"col\">{State}</th></tr></thead>\n<tbody>\n");
    json_array_foreach(rows, i, hit)
    {
        put_hit(d, hit);
    }
    html_put(&d->h, "</tbody></table></div>\n");
    return RC_OK;
}
