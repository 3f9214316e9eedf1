/* dash_work.c - the queue across clients, and the notifications that TikTok sent. */
#include "dash_pages.h"

#include "db_dash.h"
#include "db_job.h"
#include "jspec.h"
#include "str.h"

/* ---- the queue --------------------------------------------------------------------------------------- */

static void put_lane_count(struct dash *d, const char *label, const json_t *lane,
                           const char *member)
{
    html_put(&d->h, "<td class=\"num\" data-label=\"%s\">", html_say(&d->h, label));
    html_count(&d->h, jspec_int(lane, member, 0));
    html_put(&d->h, "</td>");
}

static void put_lanes(struct dash *d, const json_t *lanes)
{
    struct html *h = &d->h;
    size_t i;
    json_t *lane;

    html_put(h, "<div class=\"table\"><table class=\"stack\"><caption>{Lanes, served in this order}"
                "</caption><thead><tr><th scope=\"col\">{Lane}</th><th scope=\"col\" class=\"num\">"
                "{Ready}</th><th scope=\"col\" class=\"num\">{Later}</th><th scope=\"col\" "
                "class=\"num\">{Running}</th><th scope=\"col\" class=\"num\">{Stopped}</th>"
                "<th scope=\"col\">{Oldest ready}</th></tr></thead><tbody>\n");
    json_array_foreach(lanes, i, lane)
    {
        char number[8];

        (void)str_fmt(number, sizeof number, "%d", (int)jspec_int(lane, "lane", 0));
        html_put(h, "<tr><th scope=\"row\">%s</th>",
                 html_say(h, dash_name(NAMES_LANE, number).english));
        put_lane_count(d, "Ready", lane, "ready");
        put_lane_count(d, "Later", lane, "waiting");
        put_lane_count(d, "Running", lane, "running");
        put_lane_count(d, "Stopped", lane, "parked");
        html_put(h, "<td data-label=\"{Oldest ready}\">");
        html_distance(h, jspec_text(lane, "oldest_at"));
        html_put(h, "</td></tr>\n");
    }
    html_put(h, "</tbody></table></div>\n");
}

static void put_job(struct dash *d, const json_t *job)
{
    struct html *h = &d->h;
    const char *hash = dash_text(job, "client_hash");
    const char *id = dash_text(job, "id");
    const json_t *problem = jspec_get(job, "problem");
    bool parked = str_eq(dash_text(job, "state"), "parked");

    html_put(
        h,
        "<tr><th scope=\"row\">%s<small>%s</small></th><td data-label=\"{Client}\"><a href=\"/c/%s\">%s</a></td>",
        html_say(h, dash_name(NAMES_KIND, dash_text(job, "kind")).english),
        dash_text(job, "entity"), hash, dash_text(job, "client"));
    html_put(h, "<td data-label=\"{State}\">");
    dash_name_pill(d, NAMES_JOB, dash_text(job, "state"));
    if (json_is_object(problem))
        dash_problem(d, problem);
    html_put(h,
             "</td><td data-label=\"{Attempts}\" class=\"num\">%lld</td><td data-label=\"{Next}\">",
             (long long)jspec_int(job, "attempts", 0));
    if (parked)
        html_put(h, "{when you retry it}");
    else
        html_distance(h, jspec_text(job, "due_at"));
    html_put(h, "</td><td>");
    if (!str_eq(dash_text(job, "state"), "running")) {
        dash_button(d, job_retry, "Retry now", "main", NULL,
                    (const char *const[]){ "c", hash, "fila", id, "retry", NULL });
        dash_button(d, job_cancel, "Give up", "",
                    "The work is dropped until something asks for it again. Go on?",
                    (const char *const[]){ "c", hash, "fila", id, "cancel", NULL });
    }
    html_put(h, "</td></tr>\n");
}

static void put_jobs(struct dash *d, const json_t *jobs)
{
    size_t i;
    json_t *job;

    if (json_array_size(jobs) == 0) {
        dash_empty(d, "No job is like this.");
        return;
    }
    html_put(&d->h,
             "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">{Job}</th>"
             "<th scope=\"col\">{Client}</th><th scope=\"col\">{State}</th>"
             "<th scope=\"col\">{Attempts}</th><th scope=\"col\">{Next}</th>"
             "<th scope=\"col\">{Do}</th></tr></thead><tbody>\n");
    json_array_foreach(jobs, i, job)
    {
        put_job(d, job);
    }
    html_put(&d->h, "</tbody></table></div>\n");
}

static void put_queue_filter(struct dash *d, const char *client, const char *state,
                             const char *kind)
{
    html_put(&d->h, "<form class=\"filter\" method=\"get\">\n");
    dash_select(d, "state", "State", NAMES_JOB, state);
    dash_select(d, "kind", "Kind", NAMES_KIND, kind);
    html_put(&d->h,
             "<label>{Client}<input name=\"client_hash\" maxlength=\"64\" value=\"%s\"></label>\n"
             "<button>{Show}</button></form>\n",
             client);
    if (!dash_may(d, jobs_retry_all))
        return;
    dash_form(d, "inline", (const char *const[]){ "fila", "retry", NULL });
    html_put(&d->h,
             "<input type=\"hidden\" name=\"client_hash\" value=\"%s\">"
             "<input type=\"hidden\" name=\"kind\" value=\"%s\"><button "
             "data-confirm=\"{All stopped jobs of this filter are tried again. Go on?}\">"
             "{Retry all stopped jobs of this filter}</button></form>\n",
             client, kind);
}

/* "Older" with the id of the last row. */
static enum rc put_older(struct dash *d, const json_t *jobs, struct err *e)
{
    json_auto_t *page = NULL;
    size_t n = json_array_size(jobs);

    if (n < DASH_ROWS)
        return RC_OK;
    page = json_pack("{s:s}", "next", dash_text(json_array_get(jobs, n - 1), "id"));
    if (page == NULL)
        return err_set(e, RC_BUG, "no memory for a link");
    dash_next(d, page);
    return RC_OK;
}

enum rc page_queue(struct dash *d, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *lanes = NULL;
    json_auto_t *jobs = NULL;
    char client[80], state[16], kind[64], cursor[24];
    struct dash_jobs_filter filter = { .limit = DASH_ROWS };
    enum rc rc = db_tx_begin(d->app->web_db, "page_queue", DB_SYSTEM, &tx, e);

    dash_query(d, "client_hash", client, sizeof client);
    dash_query(d, "state", state, sizeof state);
    dash_query(d, "kind", kind, sizeof kind);
    dash_query(d, "cursor", cursor, sizeof cursor);
    (void)str_to_i64(cursor, 1, INT64_MAX, &filter.before_id);
    filter.client_id = client[0] != '\0' ? client : NULL;
    filter.state = state[0] != '\0' ? state : NULL;
    filter.kind = kind[0] != '\0' ? kind : NULL;
    if (rc == RC_OK)
        rc = db_dash_lanes(tx, dash_clients(d), &lanes, e);
    if (rc == RC_OK)
        rc = db_dash_jobs(tx, dash_clients(d), &filter, &jobs, e);
    if (rc != RC_OK)
        return rc;
    d->live_s = 5;
    html_put(&d->h, "<div id=\"lanes\" data-part>\n");
    put_lanes(d, lanes);
    html_put(&d->h, "</div>\n");
    put_queue_filter(d, client, state, kind);
    html_put(&d->h, "<div id=\"jobs\" data-part>\n");
    put_jobs(d, jobs);
    rc = put_older(d, jobs, e);
    html_put(&d->h, "</div>\n");
    return rc;
}

/* ---- what is done about jobs ---------------------------------------------------------------------------- */

/* The job must be one of the client in the path: what a user may touch was checked by that. */
static enum rc own_job(struct dash *d, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct job_info info = { 0 };
    int64_t id = 0;
    bool own = false;
    enum rc rc;

    if (!str_to_i64(http_param(d->req, "job_id"), 1, INT64_MAX, &id))
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such job");
    rc = db_tx_begin(d->app->web_db, "own_job", DB_SYSTEM, &tx, e);
    if (rc == RC_OK)
        rc = db_job_get(tx, id, &info, e);
    if (rc != RC_OK)
        return rc;
    own = str_eq(info.client_id, d->client_id);
    json_decref(info.problem);
    return own ? RC_OK : err_code(e, RC_NOT_FOUND, "not_found", "there is no such job");
}

enum rc act_job_retry(struct dash *d, struct err *e)
{
    enum rc rc = own_job(d, e);

    return rc == RC_OK ? dash_call(d, &(struct dash_call){ .handler = job_retry }, NULL, e) : rc;
}

enum rc act_job_cancel(struct dash *d, struct err *e)
{
    enum rc rc = own_job(d, e);

    return rc == RC_OK ? dash_call(d, &(struct dash_call){ .handler = job_cancel }, NULL, e) : rc;
}

enum rc act_jobs_retry(struct dash *d, struct err *e)
{
    char client[80], kind[64];
    json_auto_t *body = NULL;

    (void)session_field(d->req, "client_hash", client, sizeof client);
    (void)session_field(d->req, "kind", kind, sizeof kind);
    if (dash_clients(d) != NULL && !cfg_user_may(d->req->user, client))
        return err_code(e, RC_NOT_FOUND, "not_found", "choose one of your clients in the filter");
    body = json_pack("{s:s*, s:s*}", "client_hash", client[0] != '\0' ? client : NULL, "kind",
                     kind[0] != '\0' ? kind : NULL);
    if (body == NULL)
        return err_set(e, RC_BUG, "no memory for a filter");
    return dash_call(d, &(struct dash_call){ .handler = jobs_retry_all, .body = body }, NULL, e);
}

/* ---- notifications ---------------------------------------------------------------------------------------- */

static void put_event(struct dash *d, const json_t *event)
{
    struct html *h = &d->h;
    char topic[16];

    (void)str_fmt(topic, sizeof topic, "%d", (int)jspec_int(event, "topic", 0));
    html_put(h, "<tr><th scope=\"row\">%s<small>%s</small></th><td data-label=\"{About}\">%s</td>",
             html_say(h, dash_name(NAMES_TOPIC, topic).english), topic, dash_text(event, "entity"));
    html_put(h, "<td data-label=\"{State}\">");
    dash_name_pill(d, NAMES_EVENT, dash_text(event, "state"));
    html_put(h, "<small class=\"why\">%s</small></td><td data-label=\"{Received}\">",
             dash_text(event, "reason"));
    html_time(h, jspec_text(event, "received_at"));
    html_put(h, "</td><td>");
    if (str_eq(dash_text(event, "state"), "stored"))
        dash_button(d, event_replay, "Replay", "", NULL,
                    (const char *const[]){ "c", d->client_id, "eventos", dash_text(event, "id"),
                                           "replay", NULL });
    html_put(h, "</td></tr>\n");
}

enum rc page_events(struct dash *d, struct err *e)
{
    OWN_BUF struct buf query;
    json_auto_t *page = NULL;
    const json_t *items;
    char state[16], topic[8], cursor[64];
    size_t i;
    json_t *event;
    enum rc rc;

    buf_init(&query, 1000);
    dash_query(d, "state", state, sizeof state);
    dash_query(d, "topic", topic, sizeof topic);
    dash_query(d, "cursor", cursor, sizeof cursor);
    dash_query_add(&query, "state", state);
    dash_query_add(&query, "topic", topic);
    dash_query_add(&query, "cursor", cursor);
    rc = dash_get(d, events_list, buf_text(&query), &page, e);
    if (rc != RC_OK)
        return rc;
    html_put(&d->h, "<p>{What TikTok told us. A replay asks for the same work again; it never does "
                    "anything twice.}</p>\n<form class=\"filter\" method=\"get\">\n");
    dash_select(d, "state", "State", NAMES_EVENT, state);
    dash_select(d, "topic", "Subject", NAMES_TOPIC, topic);
    html_put(&d->h, "<button>{Show}</button></form>\n");
    items = jspec_get(page, "items");
    if (json_array_size(items) == 0) {
        dash_empty(d, "There is no notification yet.");
        return RC_OK;
    }
    html_put(&d->h,
             "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">{Subject}"
             "</th><th scope=\"col\">{About}</th><th scope=\"col\">{State}</th>"
             "<th scope=\"col\">{Received}</th><th scope=\"col\">{Do}</th></tr></thead><tbody>\n");
    json_array_foreach(items, i, event)
    {
        put_event(d, event);
    }
    html_put(&d->h, "</tbody></table></div>\n");
    dash_next(d, page);
    return RC_OK;
}
