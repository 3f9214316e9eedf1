/* dash.h - what the pages of the dashboard share. A page asks the handlers of the REST interface for its data and hands
 * its actions to them, so that rules, checks and the audit log are the same; only what looks across clients has queries
 * of its own (db_dash.h). */
#ifndef DASH_H
#define DASH_H

#include "app.h"
#include "handlers.h"
#include "html.h"

#include <jansson.h>

#define DASH_CSRF_BYTES 48
#define DASH_ROWS 50 /* of a list on a page */

/* One page or action under way. */
struct dash {
    struct app *app;
    struct http_req *req;
    struct html h;         /* writes the page's own part */
    struct buf body;       /* what h writes to */
    const char *client_id; /* of the path; "" on pages across clients */
    char client_name[128];
    char csrf[DASH_CSRF_BYTES];
    int live_s; /* the page looks for news this often; 0 = it does not */
};

/* ---- the table of pages and actions (dash_routes.c) ------------------------------------------------ */

enum dash_nav { NAV_TODAY, NAV_CLIENTS, NAV_DEADLINES, NAV_QUEUE, NAV_ACCESS, NAV_CLIENT };

struct dash_page {
    const char *operation; /* as in DASH_ROUTES */
    const char *title;     /* English, said in the page's language */
    enum dash_nav nav;
    const char *tab; /* of a client: last part of its address; NULL elsewhere */
    enum rc (*render)(struct dash *d, struct err *e);
};
struct dash_action {
    const char *operation;
    http_handler rest; /* handler of the REST interface that does it */
    /* Does it instead, with what the form says; NULL: rest alone, without a body. */
    enum rc (*act)(struct dash *d, struct err *e);
    const char *done; /* English, what is said afterwards */
};
const struct dash_page *dash_page_find(const char *operation);
const struct dash_action *dash_action_find(const char *operation);

/* ---- the session (session.c) ------------------------------------------------------------------------ */

/* Secret of the forms of this session; "" without one. */
void session_csrf(const struct app *app, const struct http_req *req, char out[DASH_CSRF_BYTES]);
/* A field of a form (application/x-www-form-urlencoded); false when absent, too long or not UTF-8. */
bool session_field(const struct http_req *req, const char *name, char *dst, size_t cap);
/* Whether it is a path of ours that a browser may be sent to. */
bool session_path_ok(const char *path);

/* ---- for pages (dash.c) ----------------------------------------------------------------------------- */

#define DASH_PARAMS_MAX 3
struct dash_call {
    http_handler handler; /* of the REST interface */
    const char *query;    /* NULL = none */
    const json_t *body;   /* NULL = none */
    /* Path parameters that the page's own path does not have. */
    const char *names[DASH_PARAMS_MAX];
    const char *values[DASH_PARAMS_MAX];
};
/* Calls a handler of the REST interface as the signed-in user; the route's rule is checked. *out: new reference, NULL
 * when it answered nothing. */
enum rc dash_call(struct dash *d, const struct dash_call *call, json_t **out, struct err *e);
/* The same for a GET; query may be NULL. */
enum rc dash_get(struct dash *d, http_handler handler, const char *query, json_t **out,
                 struct err *e);
/* Whether the user may do what this handler does. */
bool dash_may(const struct dash *d, http_handler handler);
/* The clients that the user is bound to, "a+b"; NULL = all. */
const char *dash_clients(const struct dash *d);
/* Query parameter, "" when absent. */
void dash_query(const struct dash *d, const char *name, char *dst, size_t cap);
/* Adds "name=value&" to a query, encoded, when there is a value. */
void dash_query_add(struct buf *out, const char *name, const char *value);

/* Opens a form of an action: address parts are joined with "/" and encoded, ended by NULL. The page is where the
 * browser comes back to. */
void dash_form(struct dash *d, const char *css, const char *const *parts);
/* "/c/<client>" and what follows, encoded, ended by NULL. */
void dash_path(struct dash *d, const char *const *parts);
/* A form that is only a button; nothing when the user may not. confirm: question before it is sent; NULL = none. */
void dash_button(struct dash *d, http_handler rest, const char *label, const char *css,
                 const char *confirm, const char *const *parts);
/* Link to the next page of a list with the filters of this one; nothing when there is none. */
void dash_next(struct dash *d, const json_t *page);
/* A coloured word with a sign of its own: look is ok, warn, bad or idle. */
void dash_pill(struct dash *d, const char *look, const char *english);
/* "Nothing here" with its reason. */
void dash_empty(struct dash *d, const char *english);
/* A problem of REST: message, what to do, code in small. */
void dash_problem(struct dash *d, const json_t *problem);
/* Borrowed text of a member by dotted path; "" when absent. */
const char *dash_text(const json_t *doc, const char *path);

/* Words for a value of ours: state of an order, status of a product, kind of a job, ... (dash_names.c) */
struct dash_name {
    const char *value;
    const char *english; /* said in the page's language */
    const char *look;    /* for dash_pill */
};
extern const struct dash_name NAMES_ORDER[], NAMES_PRODUCT[], NAMES_RUN[], NAMES_JOB[],
    NAMES_KIND[], NAMES_LANE[], NAMES_SHOP[], NAMES_EVENT[], NAMES_ACTION[], NAMES_TIMELINE[],
    NAMES_INVOICE[], NAMES_PROBLEM[], NAMES_TOPIC[], NAMES_TIKTOK[];
/* The row of a value; one without a row shows the value itself. */
struct dash_name dash_name(const struct dash_name *names, const char *value);
void dash_name_pill(struct dash *d, const struct dash_name *names, const char *value);
/* A filter: <select> with all values of a table and the chosen one. */
void dash_select(struct dash *d, const char *name, const char *label, const struct dash_name *names,
                 const char *chosen);

#endif
