/* proposals.c - what TikTok proposes for products: asked for, shown beside today's values, approved or dismissed. */
#include "once.h"
#include "rest.h"

#include "db_account.h"
#include "db_job.h"
#include "db_override.h"
#include "db_proposal.h"
#include "db_run.h"
#include "jspec.h"
#include "str.h"

#define LIMIT_PRODUCTS 200
#define LIMIT_KINDS 4
#define LIMIT_TITLE_CHARS 300
#define LIMIT_DESCRIPTION_CHARS 10000

static const struct jspec_field KINDS_SPEC[] = {
    { .name = "kinds", .type = JSPEC_LIST_TEXT, .min = 1, .max = LIMIT_KINDS },
    { 0 },
};
static const struct jspec_field PRODUCTS_SPEC[] = {
    { .name = "source_ids",
      .type = JSPEC_LIST_TEXT,
      .required = true,
      .min = 1,
      .max = LIMIT_PRODUCTS },
    { .name = "kinds", .type = JSPEC_LIST_TEXT, .min = 1, .max = LIMIT_KINDS },
    { 0 },
};
static const struct jspec_field APPROVE_SPEC[] = {
    { .name = "value", .type = JSPEC_TEXT, .min = 1, .max = LIMIT_DESCRIPTION_CHARS },
    { 0 },
};

/* ---- asking ------------------------------------------------------------------------------------- */

static enum rc check_kinds(const json_t *body, struct err *e)
{
    static const char *const KINDS[] = { "diagnosis", "seo_words", "recommendation",
                                         "white_background" };
    const json_t *list = json_object_get(body, "kinds");

    for (size_t i = 0; i < json_array_size(list); i++) {
        bool known = false;

        for (size_t k = 0; k < sizeof KINDS / sizeof KINDS[0]; k++)
            known = known || str_eq(json_string_value(json_array_get(list, i)), KINDS[k]);
        if (!known)
            return err_field(e, "kinds",
                             "are diagnosis, seo_words, recommendation and"
                             " white_background");
    }
    return RC_OK;
}

static enum rc check_products(struct db_tx *tx, const char *shop_id, const json_t *ids,
                              const char *field, struct err *e)
{
    const char *list[LIMIT_PRODUCTS];
    char unknown[256];
    size_t n = json_array_size(ids);
    enum rc rc;

    for (size_t i = 0; i < n && i < LIMIT_PRODUCTS; i++)
        list[i] = json_string_value(json_array_get(ids, i));
    rc = db_products_unknown(tx, shop_id, list, n, unknown, e);
    if (rc != RC_OK || unknown[0] == '\0')
        return rc;
    return field == NULL ? err_code(e, RC_NOT_FOUND, "not_found", "there is no such product")
                         : err_field(e, field, "names no product of the shop: %s", unknown);
}

static enum rc connected_shop(struct db_tx *tx, const char *client_id, struct shop *shop,
                              struct err *e)
{
    OWN_CLIENT struct client client = { 0 };
    enum rc rc = db_client_get(tx, client_id, &client, e);

    if (rc == RC_OK && !client.active)
        return err_http(e, 409, "client_inactive", "the client is deactivated");
    if (rc == RC_OK)
        rc = db_shop_primary(tx, client_id, shop, e);
    return rc == RC_NOT_FOUND
               ? err_http(e, 409, "no_connected_shop", "the client has no connected TikTok shop")
               : rc;
}

static enum rc open_run(struct db_tx *tx, const struct http_req *req, const char *client_id,
                        const char *shop_id, const json_t *params, char id[40], struct err *e)
{
    const struct run_delta all = { .total = (int64_t)json_array_size(
                                       json_object_get(params, "source_ids")) };
    struct db_job_key key = {
        .client_id = client_id, .shop_id = shop_id, .kind = "product_propose", .lane = LANE_CATALOG
    };
    enum rc rc = db_run_new(tx, client_id, shop_id, "proposals", false, "live", params,
                            req->principal, id, e);

    key.entity = id;
    key.run_id = id;
    if (rc == RC_OK)
        rc = db_run_progress(tx, client_id, id, &all, e);
    if (rc == RC_OK)
        rc = db_job_put(tx, &key, e);
    return rc == RC_OK ? rest_audit(tx, req, client_id, "proposals_asked", params, e) : rc;
}

/* The body with the products in it. source_id NULL: it names them itself. */
static enum rc ask_read(const struct http_req *req, const char *source_id, json_t **body,
                        struct err *e)
{
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = http_body_json(req, true, body, e);
    if (rc == RC_OK)
        rc = jspec_check(*body, source_id != NULL ? KINDS_SPEC : PRODUCTS_SPEC, e);
    if (rc == RC_OK)
        rc = check_kinds(*body, e);
    if (rc == RC_OK && source_id != NULL &&
        json_object_set_new(*body, "source_ids", json_pack("[s]", source_id)) != 0)
        rc = err_set(e, RC_BUG, "no memory for a run");
    return rc;
}

static enum rc ask(struct app *app, struct http_req *req, const char *source_id,
                   struct http_reply *reply, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *body = NULL;
    struct once once = { 0 };
    struct shop shop = { 0 };
    const char *client_id = NULL;
    char id[40];
    enum rc rc = ask_read(req, source_id, &body, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "proposals_ask", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, client_id, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = connected_shop(tx, client_id, &shop, e);
    if (rc == RC_OK)
        rc = check_products(tx, shop.shop_id, json_object_get(body, "source_ids"),
                            source_id != NULL ? NULL : "source_ids", e);
    if (rc == RC_OK)
        rc = open_run(tx, req, client_id, shop.shop_id, body, id, e);
    if (rc == RC_OK)
        rc = rest_run_accepted(app, reply, id, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}

enum rc product_proposals_post(void *user, struct http_req *req, struct http_reply *reply,
                               struct err *e)
{
    return ask(user, req, http_param(req, "source_id"), reply, e);
}

enum rc proposals_post(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    return ask(user, req, NULL, reply, e);
}

/* ---- showing ------------------------------------------------------------------------------------ */

enum rc proposals_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "source_id", "state", "field", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list list = { 0 };
    struct rest_page page;
    struct proposals_filter filter = { 0 };
    const char *client_id = NULL;
    char source[256], state[32], field[32];
    enum rc rc = rest_page_read(req, QUERY, &page, e);

    if (rc == RC_OK)
        rc = rest_query(req, "source_id", source, sizeof source, &filter.source_id, e);
    if (rc == RC_OK)
        rc = rest_query(req, "state", state, sizeof state, &filter.state, e);
    if (rc == RC_OK)
        rc = rest_query(req, "field", field, sizeof field, &filter.field, e);
    if (rc == RC_OK && !str_blank(http_param(req, "source_id")))
        filter.source_id = http_param(req, "source_id");
    if (rc == RC_OK)
        rc = rest_begin(app, req, "proposals_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_proposals(tx, client_id, &filter, page.cursor, page.limit, &list, e);
    return rc == RC_OK ? rest_page_reply(reply, req, list.items, list.next, e) : rc;
}

static enum rc read_id(const struct http_req *req, int64_t *id, struct err *e)
{
    if (!str_to_i64(http_param(req, "proposal_id"), 1, INT64_MAX, id))
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such proposal");
    return rest_no_query(req, e);
}

enum rc proposal_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    int64_t id = 0;
    enum rc rc = read_id(req, &id, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "proposal_get", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_proposal(tx, client_id, id, &doc, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}

/* ---- deciding ----------------------------------------------------------------------------------- */

static enum rc check_open(const struct proposal *p, struct err *e)
{
    if (!str_eq(p->state, "proposed"))
        return err_http(e, 409, "proposal_decided", "the proposal is %s already", p->state);
    return RC_OK;
}

/* What is published for the proposal's field; NULL = nothing. Borrowed. */
static const json_t *published_of(const struct proposal *p)
{
    const char *member = db_override_member(p->field);

    return member != NULL ? json_object_get(p->published, member) : NULL;
}

static bool is_outdated(const struct proposal *p)
{
    const json_t *now = published_of(p);

    if (now == NULL)
        return false; /* not published yet: the publisher compares */
    if (str_eq(p->field, "images"))
        return !str_eq(jspec_text(json_array_get(now, 0), "uri"), jspec_text(p->current, "uri"));
    return !json_equal(now, p->current);
}

/* Today's pictures with the proposed one in front. */
static json_t *pictures_with(const json_t *now, const char *uri)
{
    json_t *list = json_array();

    (void)json_array_append_new(list, json_pack("{s:s}", "uri", uri));
    for (size_t i = 1; i < json_array_size(now); i++)
        (void)json_array_append(list, json_array_get(now, i));
    return list;
}

/* What to send: the person's own words, or what was proposed. New reference. */
static enum rc value_of(const struct proposal *p, const json_t *body, json_t **out, struct err *e)
{
    const char *own = jspec_text(body, "value");
    bool text = str_eq(p->field, "title") || str_eq(p->field, "description");
    json_t *value = NULL;

    if (own != NULL && !text)
        return err_field(e, "value", "can be given for a title or a description only");
    if (own != NULL && str_eq(p->field, "title") && str_utf8_count(own) > LIMIT_TITLE_CHARS)
        return err_field(e, "value", "is longer than the %d characters of a title",
                         LIMIT_TITLE_CHARS);
    if (own != NULL)
        value = json_string(own);
    else if (text && json_is_string(p->proposed))
        value = json_incref(p->proposed);
    else if (str_eq(p->field, "images") && jspec_text(p->proposed, "uri") != NULL &&
             published_of(p) != NULL)
        value = pictures_with(published_of(p), jspec_text(p->proposed, "uri"));
    else
        return err_http(e, 409, "nothing_to_send",
                        "the proposal is advice only: give the text to send as value");
    if (value == NULL)
        return err_set(e, RC_BUG, "no memory for a proposal");
    if (json_equal(value, published_of(p))) {
        json_decref(value);
        return err_http(e, 409, "nothing_to_send", "that is what is published already");
    }
    *out = value;
    return RC_OK;
}

/* What the source gives for the field: what a hold that stands knows of it, else what is published. */
static enum rc hold(struct db_tx *tx, const struct http_req *req, const char *client_id,
                    const struct proposal *p, json_t *value, const char *run_id, struct err *e)
{
    struct product_override o = { .reason = "proposal", .proposal_id = p->id, .value = value };
    struct product_override *list = NULL;
    int n = 0;
    enum rc rc = db_overrides_get(tx, p->shop_id, p->source_id, &list, &n, e);

    if (rc != RC_OK)
        return rc;
    o.source_value = (json_t *)published_of(p); /* only read */
    if (o.source_value == NULL)
        o.source_value = p->current;
    for (int i = 0; i < n; i++)
        if (list[i].seller_sku[0] == '\0' && str_eq(list[i].field, p->field))
            o.source_value = list[i].source_value;
    (void)str_copy(o.field, sizeof o.field, p->field);
    (void)str_copy(o.run_id, sizeof o.run_id, run_id);
    str_copy_cut(o.set_by, sizeof o.set_by, req->principal);
    rc = o.source_value == NULL
             ? err_http(e, 409, "nothing_to_send", "the product has no value to replace")
             : db_override_put(tx, client_id, p->shop_id, p->source_id, &o, e);
    db_overrides_free(list, n);
    return rc;
}

/* The run that sends it: one product. */
static enum rc send_run(struct db_tx *tx, const struct http_req *req, const char *client_id,
                        const struct proposal *p, char id[40], struct err *e)
{
    json_auto_t *params =
        json_pack("{s:I, s:s}", "proposal_id", (json_int_t)p->id, "source_id", p->source_id);
    const struct run_delta one = { .total = 1 };
    const struct db_job_key key = { .client_id = client_id,
                                    .shop_id = p->shop_id,
                                    .kind = "product_publish",
                                    .entity = p->source_id,
                                    .lane = LANE_CATALOG,
                                    .run_id = id };
    enum rc rc = params == NULL ? err_set(e, RC_BUG, "no memory for a run")
                                : db_run_new(tx, client_id, p->shop_id, "proposal", false, "live",
                                             params, req->principal, id, e);

    if (rc == RC_OK)
        rc = db_run_progress(tx, client_id, id, &one, e);
    if (rc == RC_OK)
        rc = db_run_read_done(tx, client_id, id, e);
    return rc == RC_OK ? db_job_put(tx, &key, e) : rc;
}

static enum rc check_shop(struct db_tx *tx, const char *shop_id, struct err *e)
{
    struct shop shop = { 0 };
    enum rc rc = db_shop_get(tx, shop_id, &shop, e);

    if (rc == RC_NOT_FOUND || (rc == RC_OK && !str_eq(shop.status, "connected")))
        return err_http(e, 409, "no_connected_shop", "the product's TikTok shop is not connected");
    return rc;
}

/* Stores that the proposal is too old, and says so. */
static enum rc outdate(struct db_tx *tx, const struct http_req *req, const char *client_id,
                       int64_t id, struct err *e)
{
    enum rc rc = db_proposal_decide(tx, client_id, id, "outdated", NULL, NULL, req->principal, e);

    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? err_http(e, 409, "proposal_outdated",
                                  "what is published changed since the proposal was made")
                       : rc;
}

static enum rc approve(struct db_tx *tx, const struct http_req *req, const char *client_id,
                       const struct proposal *p, const json_t *body, char run_id[40], json_t **doc,
                       struct err *e)
{
    json_auto_t *value = NULL;
    enum rc rc = value_of(p, body, &value, e);

    if (rc == RC_OK)
        rc = check_shop(tx, p->shop_id, e);
    if (rc == RC_OK)
        rc = send_run(tx, req, client_id, p, run_id, e);
    if (rc == RC_OK)
        rc = hold(tx, req, client_id, p, value, run_id, e);
    if (rc == RC_OK)
        rc = db_proposal_decide(tx, client_id, p->id, "approved", value, run_id, req->principal, e);
    if (rc == RC_OK)
        rc = db_rest_proposal(tx, client_id, p->id, doc, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "proposal_approved", *doc, e);
    return rc;
}

enum rc proposal_approve(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_PROPOSAL struct proposal p = { 0 };
    json_auto_t *body = NULL;
    json_auto_t *doc = NULL;
    struct once once = { 0 };
    const char *client_id = NULL;
    char run_id[40] = "";
    int64_t id = 0;
    enum rc rc = read_id(req, &id, e);

    if (rc == RC_OK)
        rc = http_body_json(req, true, &body, e);
    if (rc == RC_OK)
        rc = jspec_check(body, APPROVE_SPEC, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "proposal_approve", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, client_id, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = db_proposal_lock(tx, client_id, id, &p, e);
    if (rc == RC_OK)
        rc = check_open(&p, e);
    if (rc == RC_OK && is_outdated(&p))
        return outdate(tx, req, client_id, id, e);
    if (rc == RC_OK)
        rc = approve(tx, req, client_id, &p, body, run_id, &doc, e);
    if (rc != RC_OK)
        return rc;
    http_reply_header(reply, "Location", "/v1/runs/%s", run_id);
    rc = http_reply_json(reply, 202, doc, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}

enum rc proposal_dismiss(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_PROPOSAL struct proposal p = { 0 };
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    int64_t id = 0;
    enum rc rc = read_id(req, &id, e);

    if (rc == RC_OK)
        rc = rest_no_body(req, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "proposal_dismiss", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_proposal_lock(tx, client_id, id, &p, e);
    if (rc == RC_OK)
        rc = check_open(&p, e);
    if (rc == RC_OK)
        rc = db_proposal_decide(tx, client_id, id, "dismissed", NULL, NULL, req->principal, e);
    if (rc == RC_OK)
        rc = db_rest_proposal(tx, client_id, id, &doc, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "proposal_dismissed", doc, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}
