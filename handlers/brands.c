/* brands.c - the merchant's brands and the TikTok brands they stand for. */
#include "rest.h"

#include "db_brand.h"
#include "jspec.h"
#include "str.h"

static const struct jspec_field SPEC[] = {
    { .name = "tiktok_brand_id",
      .type = JSPEC_TEXT,
      .required = true,
      .nullable = true,
      .min = 1,
      .max = 40 },
    { 0 },
};
static const char *const CHOSEN[] = { "match", "created", "operator", "none", NULL };

enum rc brands_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "chosen_by", "q", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list list = { 0 };
    struct brand_filter filter = { 0 };
    struct rest_page page;
    const char *client_id = NULL;
    char chosen[16];
    char q[200];
    bool known = false;
    enum rc rc = rest_page_read(req, QUERY, &page, e);

    if (rc == RC_OK)
        rc = rest_query(req, "chosen_by", chosen, sizeof chosen, &filter.chosen_by, e);
    if (rc == RC_OK)
        rc = rest_query(req, "q", q, sizeof q, &filter.q, e);
    for (int i = 0; CHOSEN[i] != NULL; i++)
        known = known || str_eq(filter.chosen_by, CHOSEN[i]);
    if (rc == RC_OK && filter.chosen_by != NULL && !known)
        return err_field(e, "chosen_by", "must be match, created, operator or none");
    if (rc == RC_OK)
        rc = rest_begin(app, req, "brands_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_brand_list(tx, client_id, &filter, page.cursor, page.limit, &list, e);
    return rc == RC_OK ? rest_page_reply(reply, req, list.items, list.next, e) : rc;
}

enum rc brand_put(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *body = NULL;
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    const char *id = NULL;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = http_body_json(req, false, &body, e);
    if (rc == RC_OK)
        rc = jspec_check(body, SPEC, e);
    if (rc != RC_OK)
        return rc;
    id = jspec_text(body, "tiktok_brand_id");
    if (id != NULL && !str_digits(id))
        return err_field(e, "tiktok_brand_id", "must be digits, or null to leave the brand out");
    rc = rest_begin(app, req, "brand_put", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_brand_link(tx, client_id, http_param(req, "name"), id, &doc, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "brand_linked", doc, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}
