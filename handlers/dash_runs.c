/* dash_runs.c - a client's runs, one run with its progress, and what it changed or would change. */
#include "dash_pages.h"

#include "jspec.h"
#include "str.h"

static void put_progress(struct dash *d, const json_t *run)
{
    struct html *h = &d->h;
    int64_t total = jspec_int(run, "progress.total", 0);
    int64_t done = jspec_int(run, "progress.done", 0);

    html_put(h,
             "<progress max=\"%lld\" value=\"%lld\" aria-label=\"{Progress}\"></progress><small>",
             (long long)(total > 0 ? total : 1), (long long)(total > 0 ? done : 0));
    html_count(h, done);
    html_put(h, " {of} ");
    html_count(h, total);
    html_put(h, "</small>");
}

static void put_run_row(struct dash *d, const json_t *run)
{
    struct html *h = &d->h;

    html_put(h, "<tr><th scope=\"row\"><a href=\"");
    dash_path(d, (const char *const[]){ "execucoes", dash_text(run, "id"), NULL });
    html_put(h, "\">%s</a><small>%s</small></th><td data-label=\"{State}\">",
             html_say(h, dash_name(NAMES_ACTION, dash_text(run, "kind")).english),
             jspec_bool(run, "dry_run", false) ? html_say(h, "only shows what it would do") : "");
    dash_name_pill(d, NAMES_RUN, dash_text(run, "status"));
    html_put(h, "</td><td data-label=\"{Progress}\">");
    put_progress(d, run);
    html_put(
        h,
        "</td><td data-label=\"{Failed}\" class=\"num\">%lld</td><td data-label=\"{Asked by}\">%s</td>"
        "<td data-label=\"{When}\">",
        (long long)jspec_int(run, "progress.failed", 0), dash_text(run, "requested_by"));
    html_time(h, jspec_text(run, "created_at"));
    html_put(h, "</td></tr>\n");
}

enum rc page_runs(struct dash *d, struct err *e)
{
    OWN_BUF struct buf query;
    json_auto_t *page = NULL;
    char status[32], cursor[80];
    size_t i;
    json_t *run;
    enum rc rc;

    buf_init(&query, 500);
    dash_query(d, "status", status, sizeof status);
    dash_query(d, "cursor", cursor, sizeof cursor);
    dash_query_add(&query, "status", status);
    dash_query_add(&query, "cursor", cursor);
    rc = dash_get(d, runs_list, buf_text(&query), &page, e);
    if (rc != RC_OK)
        return rc;
    d->live_s = 5;
    html_put(&d->h, "<form class=\"filter\" method=\"get\">\n");
    dash_select(d, "status", "State", NAMES_RUN, status);
    html_put(&d->h, "<button>{Show}</button></form>\n<div id=\"runs\" data-part>\n");
    if (json_array_size(jspec_get(page, "items")) == 0) {
        dash_empty(d, "No run is like this.");
    } else {
        html_put(
            &d->h,
            "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">{Run}</th>"
            "<th scope=\"col\">{State}</th><th scope=\"col\">{Progress}</th>"
            "<th scope=\"col\" class=\"num\">{Failed}</th><th scope=\"col\">{Asked by}</th>"
            "<th scope=\"col\">{When}</th></tr></thead><tbody>\n");
        json_array_foreach(jspec_get(page, "items"), i, run)
        {
            put_run_row(d, run);
        }
        html_put(&d->h, "</tbody></table></div>\n");
    }
    dash_next(d, page);
    html_put(&d->h, "</div>\n");
    return RC_OK;
}

/* ---- one run ------------------------------------------------------------------------------------------- */

/* A run of the client in the path: what a user may touch was checked by that. */
static enum rc own_run(struct dash *d, json_t **run, struct err *e)
{
    json_auto_t *found = NULL;
    enum rc rc = dash_get(d, run_get, NULL, &found, e);

    if (rc == RC_OK && !str_eq(dash_text(found, "client_hash"), d->client_id))
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such run");
    if (rc == RC_OK)
        *run = json_incref(found);
    return rc;
}

static enum rc act_on_run(struct dash *d, http_handler handler, struct err *e)
{
    json_auto_t *run = NULL;
    enum rc rc = own_run(d, &run, e);

    return rc == RC_OK ? dash_call(d, &(struct dash_call){ .handler = handler }, NULL, e) : rc;
}

enum rc act_run_approve(struct dash *d, struct err *e)
{
    return act_on_run(d, run_approve, e);
}

enum rc act_run_cancel(struct dash *d, struct err *e)
{
    return act_on_run(d, run_cancel, e);
}

enum rc act_run_revert(struct dash *d, struct err *e)
{
    return act_on_run(d, run_revert_post, e);
}

static void put_run_facts(struct dash *d, const json_t *run)
{
    static const struct {
        const char *member, *label;
    } COUNTS[] = { { "progress.created", "Created" },     { "progress.updated", "Updated" },
                   { "progress.unchanged", "Unchanged" }, { "progress.removed", "Removed" },
                   { "progress.held", "Held" },           { "progress.failed", "Failed" } };
    struct html *h = &d->h;

    html_put(h, "<dl class=\"facts\"><div><dt>{State}</dt><dd>");
    dash_name_pill(d, NAMES_RUN, dash_text(run, "status"));
    html_put(h, "</dd></div><div><dt>{Progress}</dt><dd>");
    put_progress(d, run);
    html_put(h, "</dd></div>\n");
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++)
        html_put(h, "<div><dt>%s</dt><dd>%lld</dd></div>\n", html_say(h, COUNTS[i].label),
                 (long long)jspec_int(run, COUNTS[i].member, 0));
    html_put(h, "<div><dt>{Asked by}</dt><dd>%s</dd></div><div><dt>{Began}</dt><dd>",
             dash_text(run, "requested_by"));
    html_time(h, jspec_text(run, "started_at"));
    html_put(h, "</dd></div><div><dt>{Ended}</dt><dd>");
    html_time(h, jspec_text(run, "finished_at"));
    html_put(h, "</dd></div></dl>\n");
    if (json_is_object(jspec_get(run, "problem")))
        dash_problem(d, jspec_get(run, "problem"));
}

static void put_run_actions(struct dash *d, const json_t *run)
{
    const char *id = dash_text(run, "id");
    const char *status = dash_text(run, "status");
    bool open = str_eq(status, "queued") || str_eq(status, "running");
    bool held = str_eq(status, "held");
    bool dry = jspec_bool(run, "dry_run", false);

    html_put(&d->h, "<div class=\"actions\">\n");
    if (held)
        dash_button(d, run_approve, "Approve", "main",
                    "What the run held is done now. Did you look at the changes below?",
                    (const char *const[]){ "c", d->client_id, "execucoes", id, "approve", NULL });
    if (open || held)
        dash_button(d, run_cancel, "Cancel the run", "",
                    "What it has not done yet stays undone. Go on?",
                    (const char *const[]){ "c", d->client_id, "execucoes", id, "cancel", NULL });
    if (!open && !held && !dry)
        dash_button(d, run_revert_post, "Undo what it changed", "",
                    "Texts and prices are put back as they were before. Go on?",
                    (const char *const[]){ "c", d->client_id, "execucoes", id, "revert", NULL });
    html_put(&d->h, "</div>\n");
}

static void put_changes(struct dash *d, const json_t *changes)
{
    struct html *h = &d->h;
    size_t i;
    json_t *c;

    if (json_array_size(changes) == 0) {
        dash_empty(d, "It changed nothing.");
        return;
    }
    html_put(
        h,
        "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">{Listing}</th>"
        "<th scope=\"col\">{Field}</th><th scope=\"col\">{Before}</th><th scope=\"col\">{After}</th>"
        "<th scope=\"col\">{Outcome}</th></tr></thead><tbody>\n");
    json_array_foreach(changes, i, c)
    {
        html_put(h, "<tr><th scope=\"row\"><a href=\"");
        dash_path(d, (const char *const[]){ "anuncios", dash_text(c, "source_id"), NULL });
        html_put(
            h,
            "\">%s</a><small>%s</small></th><td data-label=\"{Field}\">%s</td><td data-label=\"{Before}\">"
            "<span class=\"value\">%s</span></td><td data-label=\"{After}\"><span class=\"value\">%s</span>"
            "</td><td data-label=\"{Outcome}\">%s<small class=\"why\">%s</small></td></tr>\n",
            dash_text(c, "source_id"), dash_text(c, "seller_sku"),
            html_say(h, dash_text(c, "field")), dash_text(c, "old"), dash_text(c, "new"),
            html_say(h, dash_name(NAMES_TIMELINE, dash_text(c, "outcome")).english),
            dash_text(c, "reason"));
    }
    html_put(h, "</tbody></table></div>\n");
}

enum rc page_run(struct dash *d, struct err *e)
{
    OWN_BUF struct buf query;
    json_auto_t *run = NULL;
    json_auto_t *changes = NULL;
    char cursor[80];
    const char *status;
    enum rc rc = own_run(d, &run, e);

    buf_init(&query, 300);
    dash_query(d, "cursor", cursor, sizeof cursor);
    dash_query_add(&query, "cursor", cursor);
    if (rc == RC_OK)
        rc = dash_get(d, run_changes, buf_text(&query), &changes, e);
    if (rc != RC_OK)
        return rc;
    status = dash_text(run, "status");
    d->live_s = str_eq(status, "queued") || str_eq(status, "running") ? 2 : 0;
    html_put(&d->h, "<div id=\"run\" data-part><h2>%s</h2>\n",
             html_say(&d->h, dash_name(NAMES_ACTION, dash_text(run, "kind")).english));
    if (jspec_bool(run, "dry_run", false))
        html_put(&d->h, "<p class=\"note warn\">{This run only showed what it would do.}</p>\n");
    put_run_facts(d, run);
    put_run_actions(d, run);
    html_put(&d->h, "<h2>{Changes}</h2>\n");
    put_changes(d, jspec_get(changes, "items"));
    dash_next(d, changes);
    html_put(&d->h, "</div>\n");
    return RC_OK;
}
