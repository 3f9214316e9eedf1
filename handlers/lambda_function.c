/* lambda_function.c - the table of the functions, their names in all spellings, and what their payloads mean. */
#include "lambda_function.h"

#include "handlers.h"
#include "jspec.h"
#include "str.h"
#include "trigger.h"

#include <string.h>

#define LATEST "$LATEST"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define NAME_CHARS LETTERS "0123456789-_"
#define PREFIX "integracao-tik-tok-"

static const char *const TAKE_PRODUCTS[] = { "url", "warehouse_id", NULL };
static const char *const TAKE_CHANGES[] = { "old_xml", "new_xml", NULL };
static const char *const TAKE_SKUS[] = { "skus", NULL };
static const char *const TAKE_ORDERS[] = { "order_ids", "from", "to", NULL };
static const char *const TAKE_SHIPPING[] = { "package_id", "handover_method", "pickup_slot",
                                             "self_shipment", NULL };
static const char *const TAKE_HOOK[] = { "action", "replace_foreign", NULL };
static const char *const TAKE_NOTHING[] = { NULL };

/* The order hook: one function of the old system, three operations of REST. */
static enum rc order_hook_manage(void *user, struct http_req *req, struct http_reply *reply,
                                 struct err *e)
{
    static const char *const ACTIONS[] = { "create", "get", "delete", NULL };
    static const struct jspec_field SPEC[] = {
        { .name = "action", .type = JSPEC_TEXT, .required = true, .words = ACTIONS },
        { .name = "replace_foreign", .type = JSPEC_BOOL },
        { 0 },
    };
    json_auto_t *body = NULL;
    const char *action;
    enum rc rc = http_body_json(req, false, &body, e);

    if (rc == RC_OK)
        rc = jspec_check(body, SPEC, e);
    if (rc != RC_OK)
        return rc;
    action = jspec_text(body, "action");
    req->body = jspec_bool(body, "replace_foreign", false) ? "{\"replace_foreign\":true}" : "{}";
    req->body_len = strlen(req->body);
    if (str_eq(action, "create"))
        return order_hook_put(user, req, reply, e);
    return str_eq(action, "get") ? order_hook_get(user, req, reply, e)
                                 : order_hook_delete(user, req, reply, e);
}

static const struct lambda_function FUNCTIONS[] = {
    { .name = PREFIX "PRODUTOS-lista-produtos", .what = "products", .take = TAKE_PRODUCTS },
    { .name = PREFIX "PRODUTOS-lista-produtos-SANDBOX",
      .what = "products",
      .take = TAKE_PRODUCTS,
      .sandbox = true },
    { .name = PREFIX "PRODUTOS-compara-xml", .what = "changes", .take = TAKE_CHANGES },
    { .name = PREFIX "VTEX-PRODUTO-ADDITIONAL-IMAGES-XML", .what = "images", .take = TAKE_SKUS },
    { .name = PREFIX "BRANDS-VTEX", .what = "brands", .take = TAKE_NOTHING },
    { .name = PREFIX "PRECO-VTEX-monta-lista-sku", .what = "prices", .take = TAKE_SKUS },
    { .name = PREFIX "ESTOQUE-VTEX-atualizacao-estoque", .what = "stock", .take = TAKE_SKUS },
    { .name = PREFIX "BUSCA-PEDIDOS-TESTE", .what = "orders", .take = TAKE_ORDERS },
    { .name = PREFIX "PEDIDOS-novo-pedido-TTK",
      .result = LAMBDA_ORDER,
      .take = TAKE_NOTHING,
      .handler = order_import_post,
      .action = "import",
      .job_kind = "order_import" },
    { .name = PREFIX "ORDERHOOK-MANAGEMENT",
      .result = LAMBDA_ANSWER,
      .take = TAKE_HOOK,
      .handler = order_hook_manage,
      .place = "order-hook" },
    { .name = PREFIX "SHIPPING-PACKAGE",
      .result = LAMBDA_ORDER,
      .take = TAKE_SHIPPING,
      .handler = order_packages_post,
      .action = "packages",
      .job_kind = "order_fulfil" },
};

const struct lambda_function *lambda_function_find(const char *name)
{
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof FUNCTIONS[0]; i++) {
        const struct lambda_function *f = &FUNCTIONS[i];

        if (str_eq(name, f->name))
            return f->what == NULL || trigger_find(f->what) != NULL ? f : NULL;
    }
    return NULL;
}

/* ---- names ----------------------------------------------------------------------------------------- */

static enum rc bad_name(struct err *e)
{
    return err_http(e, 400, "InvalidParameterValueException",
                    "FunctionName must be a name, an ARN or the end of one.");
}

static bool is_qualifier(const char *text)
{
    return str_eq(text, LATEST) ||
           (text[0] != '\0' && strlen(text) < LAMBDA_VERSION_BYTES && str_only(text, NAME_CHARS));
}

/* "function:NAME[:Q]" or "ACCOUNT:function:NAME[:Q]" or the whole ARN: what follows "function:". */
static const char *after_function(const char *text, bool *fine)
{
    const char *at = str_starts(text, "function:") ? text : strstr(text, ":function:");

    *fine = true;
    if (at == NULL)
        return str_starts(text, "arn:") ? (*fine = false, text) : text;
    if (at != text) {
        size_t len = (size_t)(at - text);

        /* arn:aws:lambda:REGION:ACCOUNT, or ACCOUNT alone */
        if (str_starts(text, "arn:aws"))
            *fine = strstr(text, ":lambda:") != NULL && strstr(text, ":lambda:") < at;
        else
            *fine = len == 12 && strspn(text, "0123456789") == 12;
        at++;
    }
    return at + strlen("function:");
}

enum rc lambda_name_read(const char *text, const char *qualifier, char name[LAMBDA_NAME_BYTES],
                         char version[LAMBDA_VERSION_BYTES], struct err *e)
{
    bool fine = false;
    const char *rest = after_function(text, &fine);
    size_t len = strcspn(rest, ":");
    const char *own = rest[len] == ':' ? rest + len + 1 : NULL;

    if (!fine || len == 0 || len >= LAMBDA_NAME_BYTES || strspn(rest, NAME_CHARS) < len ||
        (own != NULL && !is_qualifier(own)))
        return bad_name(e);
    if (qualifier != NULL && !is_qualifier(qualifier))
        return err_http(e, 400, "InvalidParameterValueException",
                        "Qualifier must be a version, an alias or $LATEST.");
    if (own != NULL && qualifier != NULL && !str_eq(own, qualifier))
        return err_http(e, 400, "InvalidParameterValueException",
                        "The qualifier of FunctionName and Qualifier differ.");
    memcpy(name, rest, len);
    name[len] = '\0';
    if (own == NULL)
        own = qualifier != NULL ? qualifier : LATEST;
    /* An alias leads to the one version that there is. */
    (void)str_copy(version, LAMBDA_VERSION_BYTES, str_digits(own) ? own : LATEST);
    return RC_OK;
}

/* ---- payloads -------------------------------------------------------------------------------------- */

void lambda_request_done(struct lambda_request *r)
{
    json_decref(r->body);
    r->body = NULL;
}

static bool absent(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

/* Ids came as numbers now and then. */
static json_t *value_new(const json_t *value)
{
    char text[32];

    if (!json_is_integer(value))
        return json_incref((json_t *)(uintptr_t)value);
    (void)str_fmt(text, sizeof text, "%lld", (long long)json_integer_value(value));
    return json_string(text);
}

static bool is_taken(const struct lambda_function *f, const char *name)
{
    static const char *const ALL[] = { "client_hash", "type", "dry_run", "target", "order_id" };

    for (int i = 0; f->take[i] != NULL; i++) {
        if (str_eq(f->take[i], name))
            return true;
    }
    for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++) {
        if (str_eq(ALL[i], name))
            return true;
    }
    return false;
}

static enum rc take_members(const struct lambda_function *f, const json_t *payload,
                            struct lambda_request *r, struct err *e)
{
    const char *name;
    json_t *value;

    for (int i = 0; f->take[i] != NULL; i++) {
        value = json_object_get(payload, f->take[i]);
        if (!absent(value) && json_object_set_new(r->body, f->take[i], value_new(value)) != 0)
            return err_set(e, RC_BUG, "no memory for a request");
    }
    json_object_foreach((json_t *)(uintptr_t)payload, name, value)
    {
        size_t len = strlen(r->ignored);

        if (is_taken(f, name))
            continue;
        r->has_ignored = true;
        (void)str_fmt(r->ignored + len, sizeof r->ignored - len, "%s%s", len > 0 ? ", " : "", name);
    }
    return RC_OK;
}

static enum rc take_order(const struct lambda_function *f, const json_t *payload,
                          struct lambda_request *r, struct err *e)
{
    jspec_id(payload, "order_id", r->order_id);
    if (!absent(json_object_get(payload, "order_id")) && !str_digits(r->order_id))
        return err_field(e, "order_id", "must be digits");
    if (f->result == LAMBDA_ORDER && r->order_id[0] == '\0')
        return err_field(e, "order_id", "is missing");
    if (f->take == TAKE_ORDERS && r->order_id[0] != '\0' &&
        json_object_set_new(r->body, "order_ids", json_pack("[s]", r->order_id)) != 0)
        return err_set(e, RC_BUG, "no memory for a request");
    return RC_OK;
}

/* dry_run and target go into the query. */
static enum rc take_query(const struct lambda_function *f, const json_t *payload,
                          struct lambda_request *r, struct err *e)
{
    const json_t *dry = json_object_get(payload, "dry_run");
    const char *target = jspec_text(payload, "target");

    if (!absent(dry) && !json_is_boolean(dry))
        return err_field(e, "dry_run", "must be true or false");
    if (!absent(json_object_get(payload, "target")) && !str_eq(target, "live") &&
        !str_eq(target, "sandbox"))
        return err_field(e, "target", "must be live or sandbox");
    if (f->what == NULL)
        return RC_OK;
    (void)str_fmt(r->query, sizeof r->query, "%s%s",
                  f->sandbox || str_eq(target, "sandbox") ? "target=sandbox" : "target=live",
                  json_is_true(dry) ? "&dry_run=true" : "");
    return RC_OK;
}

enum rc lambda_request_read(const struct lambda_function *f, const json_t *payload,
                            struct lambda_request *out, struct err *e)
{
    OWN_LAMBDA_REQUEST struct lambda_request r = { .body = json_object() };
    const char *client = jspec_text(payload, "client_hash");
    enum rc rc;

    if (r.body == NULL)
        return err_set(e, RC_BUG, "no memory for a request");
    if (str_blank(client))
        return err_field(e, "client_hash", "is missing");
    if (strlen(client) < 8 || !str_copy(r.client_id, sizeof r.client_id, client) ||
        !str_only(client, NAME_CHARS))
        return err_field(e, "client_hash", "cannot be that of a client");
    rc = take_members(f, payload, &r, e);
    if (rc == RC_OK)
        rc = take_order(f, payload, &r, e);
    if (rc == RC_OK)
        rc = take_query(f, payload, &r, e);
    if (rc != RC_OK)
        return rc;
    if (f->what != NULL)
        (void)str_fmt(r.path, sizeof r.path, "/v1/clients/%s/sync/%s", r.client_id, f->what);
    else if (f->place != NULL)
        (void)str_fmt(r.path, sizeof r.path, "/v1/clients/%s/%s", r.client_id, f->place);
    else
        (void)str_fmt(r.path, sizeof r.path, "/v1/clients/%s/orders/%s/%s", r.client_id, r.order_id,
                      f->action);
    *out = r;
    r.body = NULL;
    return RC_OK;
}
