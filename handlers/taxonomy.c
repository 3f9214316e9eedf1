/* taxonomy.c - which TikTok category and attributes a merchant's category means. */
#include "taxonomy.h"

#include "db_rest.h"
#include "db_taxonomy.h"
#include "jspec.h"
#include "str.h"

#include <string.h>

#define LIMIT_ATTRIBUTES 200

static const struct jspec_field SPEC[] = {
    { .name = "source_category", .type = JSPEC_TEXT, .min = 1, .max = TAXONOMY_CATEGORY_CHARS },
    { .name = "tiktok_category_id", .type = JSPEC_TEXT, .required = true, .min = 1, .max = 40 },
    { .name = "attributes", .type = JSPEC_ANY },
    { 0 },
};
static const struct jspec_field VALUE_SPEC[] = {
    { .name = "value_id", .type = JSPEC_TEXT, .min = 1, .max = 40 },
    { .name = "value_name", .type = JSPEC_TEXT, .min = 1, .max = 2000 },
    { 0 },
};

/* ?format=csv, or an Accept header that names text/csv. */
static bool wants_csv(const struct http_req *req)
{
    const char *accept = http_header(req, "Accept");
    char format[8];

    if (http_query(req, "format", format, sizeof format))
        return str_eq(format, "csv");
    return accept != NULL && strstr(accept, "text/csv") != NULL;
}

enum rc taxonomy_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "format", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list list = { 0 };
    struct rest_page page;
    const char *client_id = NULL;
    enum rc rc;

    if (wants_csv(req))
        return taxonomy_export(app, req, reply, e);
    rc = rest_page_read(req, QUERY, &page, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "taxonomy_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_taxonomy(tx, client_id, page.cursor, page.limit, &list, e);
    return rc == RC_OK ? rest_page_reply(reply, req, list.items, list.next, e) : rc;
}

enum rc taxonomy_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "taxonomy_get", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_taxonomy_get(tx, client_id, http_param(req, "source_category"), &doc, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}

enum rc taxonomy_check_attributes(const json_t *attributes, struct err *e)
{
    const char *id;
    json_t *value;

    if (attributes == NULL)
        return RC_OK;
    if (!json_is_object(attributes))
        return err_field(e, "attributes", "must be an object");
    if (json_object_size(attributes) > LIMIT_ATTRIBUTES)
        return err_field(e, "attributes", "holds more than %d attributes", LIMIT_ATTRIBUTES);
    json_object_foreach((json_t *)(uintptr_t)attributes, id, value)
    {
        char field[96];

        str_copy_cut(field, sizeof field, id);
        if (!str_digits(id) || strlen(id) > 40)
            return err_field(e, "attributes", "\"%s\" is no attribute id", field);
        (void)str_fmt(field, sizeof field, "attributes.%s", id);
        if (!json_is_object(value) || json_object_size(value) == 0 ||
            jspec_check(value, VALUE_SPEC, NULL) != RC_OK)
            return err_field(e, field, "must hold value_id or value_name");
    }
    return RC_OK;
}

/* The category stands in the path or, when it has a slash, in the body. */
static enum rc read_category(const struct http_req *req, const json_t *body, const char **out,
                             struct err *e)
{
    const char *in_path = http_param(req, "source_category");
    const char *in_body = jspec_text(body, "source_category");

    if (in_path[0] == '\0' && in_body == NULL)
        return err_field(e, "source_category", "is required");
    if (in_path[0] != '\0' && in_body != NULL && !str_eq(in_path, in_body))
        return err_field(e, "source_category", "is not the one of the path");
    *out = in_path[0] != '\0' ? in_path : in_body;
    return RC_OK;
}

enum rc taxonomy_check_category(struct db_tx *tx, const char *client_id, const char *category_id,
                                struct err *e)
{
    struct category_node node = { 0 };
    enum rc rc = db_category_node(tx, client_id, NULL, category_id, &node, e);

    if (rc != RC_OK || !db_category_unusable(&node))
        return rc;
    if (!node.found)
        return err_field(e, "tiktok_category_id", "is no category of the shop");
    if (!node.leaf)
        return err_field(e, "tiktok_category_id",
                         "is \"%.200s\", which has categories below it: only a leaf takes products",
                         node.path);
    return err_field(e, "tiktok_category_id", "is \"%.200s\", where the shop may not list (%s)",
                     node.path, node.permissions);
}

enum rc taxonomy_put(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *body = NULL;
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    const char *category = NULL;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = http_body_json(req, false, &body, e);
    if (rc == RC_OK)
        rc = jspec_check(body, SPEC, e);
    if (rc == RC_OK)
        rc = read_category(req, body, &category, e);
    if (rc == RC_OK && !str_digits(jspec_text(body, "tiktok_category_id")))
        return err_field(e, "tiktok_category_id", "must be digits");
    if (rc == RC_OK)
        rc = taxonomy_check_attributes(jspec_get(body, "attributes"), e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "taxonomy_put", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = taxonomy_check_category(tx, client_id, jspec_text(body, "tiktok_category_id"), e);
    if (rc == RC_OK)
        rc = db_rest_taxonomy_put(tx, client_id, category, jspec_text(body, "tiktok_category_id"),
                                  jspec_get(body, "attributes"), req->principal, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "taxonomy_changed", NULL, e);
    if (rc == RC_OK)
        rc = db_rest_taxonomy_get(tx, client_id, category, &doc, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}
