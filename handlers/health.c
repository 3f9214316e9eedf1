/* health.c - answers of the operations port: is the process alive, may it get traffic. */
#include "app.h"
#include "handlers.h"

static enum rc livez_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    (void)user;
    (void)req;
    buf_str(&reply->body, "{\"status\":\"alive\"}");
    reply->content_type = "application/json";
    return buf_check(&reply->body, e);
}

static enum rc database_answers(struct app *app, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct db_args none = { 0 };
    enum rc rc = db_tx_begin(app->web_db, "readyz", DB_SYSTEM, &tx, e);

    return rc == RC_OK ? db_exec(tx, "SELECT 1", &none, NULL, e) : rc;
}

static enum rc readyz_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    const char *state = "ready";

    (void)req;
    if (atomic_load(&app->stopping))
        state = "stopping";
    else if (!atomic_load(&app->ready))
        state = "starting";
    else if (database_answers(app, e) != RC_OK)
        state = "database_away";
    buf_fmt(&reply->body, "{\"status\":\"%s\"}", state);
    reply->content_type = "application/json";
    reply->status = state[0] == 'r' ? 200 : 503;
    return buf_check(&reply->body, e);
}

const struct http_route OPS_ROUTES[] = {
    { HTTP_GET, "/livez", HTTP_OPEN, 0, livez_get, "livez", false },
    { HTTP_GET, "/readyz", HTTP_OPEN, 0, readyz_get, "readyz", false },
    { HTTP_GET, "/metrics", HTTP_OPEN, 0, metrics_get, "metrics", false },
};
const int OPS_ROUTES_COUNT = (int)(sizeof OPS_ROUTES / sizeof OPS_ROUTES[0]);
