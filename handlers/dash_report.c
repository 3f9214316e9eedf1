/* dash_report.c - what must be shipped when, across clients or of one, and a client's week on a page to print. */
#include "dash_pages.h"

#include "clock.h"
#include "db_dash.h"
#include "jspec.h"
#include "str.h"

#include <string.h>
#include <time.h>

#define DEADLINES_MAX 120
#define DAY_BYTES 11
#define DAY_S 86400

/* ---- deadlines ----------------------------------------------------------------------------------------- */

static void put_deadline(struct dash *d, const json_t *row)
{
    struct html *h = &d->h;
    bool late = jspec_bool(row, "late", false);
    bool soon = jspec_bool(row, "soon", false);

    html_put(h, "<tr><th scope=\"row\"><a href=\"/c/%s/pedidos/", dash_text(row, "client_hash"));
    html_url(h, dash_text(row, "order_id"));
    html_put(
        h,
        "\">%s</a><small>%s</small></th><td data-label=\"{Client}\">%s</td><td data-label=\"{Ship by}\">",
        dash_text(row, "order_id"), dash_text(row, "vtex_order_id"), dash_text(row, "client"));
    html_time(h, jspec_text(row, "ship_by"));
    html_put(h, "</td><td data-label=\"{Time left}\"><span class=\"pill %s\">",
             late   ? "bad"
             : soon ? "warn"
                    : "ok");
    html_distance(h, jspec_text(row, "ship_by"));
    html_put(h, "</span></td><td data-label=\"{State}\">");
    dash_name_pill(d, NAMES_ORDER, dash_text(row, "state"));
    html_put(h, "<small class=\"why\">%s</small></td></tr>\n",
             html_say(h, dash_name(NAMES_TIKTOK, dash_text(row, "tiktok_status")).english));
}

enum rc page_deadlines(struct dash *d, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *rows = NULL;
    const char *clients = d->client_id[0] != '\0' ? d->client_id : dash_clients(d);
    size_t i;
    json_t *row;
    enum rc rc = db_tx_begin(d->app->web_db, "page_deadlines", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_dash_deadlines(tx, clients, DEADLINES_MAX, &rows, e);
    if (rc != RC_OK)
        return rc;
    d->live_s = 30;
    html_put(&d->h, "<p>{TikTok counts an order as late when it is not shipped by this time. The "
                    "nearest come first.}</p>\n<div id=\"deadlines\" data-part>\n");
    if (json_array_size(rows) == 0) {
        dash_empty(d, "No order waits to be shipped.");
    } else {
        html_put(&d->h,
                 "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">{Order}"
                 "</th><th scope=\"col\">{Client}</th><th scope=\"col\">{Ship by}</th>"
                 "<th scope=\"col\">{Time left}</th><th scope=\"col\">{State}</th></tr></thead>"
                 "<tbody>\n");
        json_array_foreach(rows, i, row)
        {
            put_deadline(d, row);
        }
        html_put(&d->h, "</tbody></table></div>\n");
    }
    html_put(&d->h, "</div>\n");
    return RC_OK;
}

/* ---- the week ------------------------------------------------------------------------------------------ */

/* The day asked for, or six days before today in the zone of the service, so that today is the last one. */
static void first_day(const struct dash *d, char out[DAY_BYTES])
{
    time_t then = (time_t)(clock_now_us() / US_PER_S) - 6 * DAY_S;
    int64_t us = 0;
    struct tm t;

    dash_query(d, "de", out, DAY_BYTES);
    if (strlen(out) == DAY_BYTES - 1 && clock_read(out, &us))
        return;
    (void)localtime_r(&then, &t);
    (void)strftime(out, DAY_BYTES, "%Y-%m-%d", &t);
}

static void put_fact(struct dash *d, const char *label, const json_t *week, const char *member)
{
    html_put(&d->h, "<div><dt>%s</dt><dd>", html_say(&d->h, label));
    html_count(&d->h, jspec_int(week, member, 0));
    html_put(&d->h, "</dd></div>\n");
}

static void put_week_facts(struct dash *d, const json_t *week)
{
    struct html *h = &d->h;

    html_put(h, "<dl class=\"facts\">\n");
    put_fact(d, "Orders", week, "orders");
    html_put(h, "<div><dt>{Value of the orders}</dt><dd>");
    html_money(h, jspec_text(week, "value"));
    html_put(
        h,
        "</dd></div><div><dt>{Minutes until authorized in VTEX, on average}</dt><dd>%s</dd></div>\n",
        jspec_text(week, "minutes") != NULL ? dash_text(week, "minutes") : "—");
    put_fact(d, "Cancelled", week, "cancelled");
    put_fact(d, "With a problem now", week, "stuck");
    put_fact(d, "Listings on sale now", week, "live");
    put_fact(d, "Listings refused or held now", week, "refused");
    put_fact(d, "Changes of listings", week, "sent");
    put_fact(d, "Changes of prices", week, "prices");
    put_fact(d, "Changes of stock", week, "stocks");
    html_put(h, "</dl>\n");
}

static void put_week_days(struct dash *d, const json_t *days)
{
    struct html *h = &d->h;
    size_t i;
    json_t *day;

    html_put(h,
             "<div class=\"table\"><table><thead><tr><th scope=\"col\">{Day}</th><th scope=\"col\" "
             "class=\"num\">{Orders}</th><th scope=\"col\" class=\"num\">{with a problem}</th>"
             "<th scope=\"col\" class=\"num\">{Value}</th></tr></thead><tbody>\n");
    json_array_foreach(days, i, day)
    {
        html_put(h, "<tr><th scope=\"row\">");
        html_day(h, dash_text(day, "day"));
        html_put(h, "</th><td class=\"num\">%lld</td><td class=\"num\">%lld</td><td class=\"num\">",
                 (long long)jspec_int(day, "orders", 0), (long long)jspec_int(day, "failed", 0));
        html_money(h, jspec_text(day, "value"));
        html_put(h, "</td></tr>\n");
    }
    html_put(h, "</tbody></table></div>\n");
}

enum rc page_report(struct dash *d, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *week = NULL;
    char from[DAY_BYTES];
    enum rc rc = db_tx_begin(d->app->web_db, "page_report", d->client_id, &tx, e);

    first_day(d, from);
    if (rc == RC_OK)
        rc = db_dash_week(tx, d->client_id, from, d->app->cfg.timezone, &week, e);
    if (rc != RC_OK)
        return rc;
    html_put(&d->h, "<h2>%s: ", d->client_name);
    html_day(&d->h, dash_text(week, "from"));
    html_put(&d->h, " – ");
    html_day(&d->h, dash_text(week, "to"));
    html_put(&d->h, "</h2>\n");
    put_week_facts(d, week);
    put_week_days(d, jspec_get(week, "days"));
    html_put(&d->h,
             "<p class=\"next\"><a class=\"button\" href=\"?de=%s\">{Week before}</a> "
             "<a class=\"button\" href=\"?de=%s\">{Week after}</a></p>\n",
             dash_text(week, "before"), dash_text(week, "after"));
    return RC_OK;
}
