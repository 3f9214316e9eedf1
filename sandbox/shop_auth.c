/* shop_auth.c - the authorize page, the token endpoint and the list of authorized shops. */
#include "state.h"

#include "clock.h"
#include "sign.h"
#include "str.h"

#include <stdlib.h>
#include <string.h>

#define CODE_LIFE_S (30 * 60)

static const char *const SCOPES[] = {
    "seller.authorization.info", "seller.shop.info",
    "seller.product.basic",      "seller.product.write",
    "seller.product.delete",     "seller.order.info",
    "seller.fulfillment.basic",  "seller.fulfillment.package.write",
    "seller.logistics",          "seller.return_refund.basic",
    "serller.product.optimize",
};

/* A secret text with a prefix, noted in `book` for the shop. */
static void mint(json_t *book, const char *prefix, const struct sbx_shop *shop, int64_t ends_s,
                 struct buf *out)
{
    json_t *entry = sbx_need(json_object());

    buf_str(out, prefix);
    sign_token(out, 36);
    sbx_set_text(entry, "shop", shop->id);
    sbx_set_int(entry, "ends_s", ends_s);
    sbx_set(book, buf_text(out), entry);
}

/* Forgets every credential of the shop in one book. */
static void forget(json_t *book, const char *shop_id)
{
    const char *key;
    json_t *entry;
    void *next;

    json_object_foreach_safe(book, next, key, entry)
    {
        if (str_eq(sbx_text(entry, "shop"), shop_id))
            (void)json_object_del(book, key);
    }
}

static struct sbx_shop *shop_wanted(struct sandbox *sb, const struct http_req *req)
{
    char wanted[40] = "";
    int64_t number = 0;

    if (!http_query(req, "shop", wanted, sizeof wanted)) {
        for (int i = 0; i < sb->n_shops;
             i++) { /* the first that is free, so that two links give two shops */
            if (!sb->shops[i].authorized)
                return &sb->shops[i];
        }
        return &sb->shops[0];
    }
    if (str_to_i64(wanted, 1, sb->n_shops, &number))
        return &sb->shops[number - 1];
    return sbx_shop_find(sb, wanted);
}

static enum rc decided(struct sandbox *sb, const struct http_req *req, struct http_reply *reply,
                       bool accept, const char *state)
{
    OWN_BUF struct buf url;

    buf_init(&url, 8192);
    buf_str(&url, sb->cfg.redirect_url);
    buf_str(&url, strchr(sb->cfg.redirect_url, '?') == NULL ? "?" : "&");
    if (accept) {
        OWN_BUF struct buf code;

        buf_init(&code, 256);
        (void)pthread_mutex_lock(&sb->lock);
        struct sbx_shop *shop = shop_wanted(sb, req);
        if (shop != NULL)
            mint(sb->codes, "ROW_", shop, sbx_now_s() + CODE_LIFE_S, &code);
        (void)pthread_mutex_unlock(&sb->lock);
        if (shop == NULL)
            return http_reply_html(
                reply, 404, "<!doctype html><title>Sandbox</title><p>No such shop.</p>", NULL);
        buf_str(&url, "code=");
        str_url_encode(&url, buf_text(&code));
    } else {
        buf_str(&url, "code=null&error=auth_denied");
    }
    if (state[0] != '\0') {
        buf_str(&url, "&state=");
        str_url_encode(&url, state);
    }
    return http_reply_redirect(reply, 302, buf_text(&url));
}

static enum rc ask(struct sandbox *sb, const struct http_req *req, struct http_reply *reply,
                   struct err *e)
{
    OWN_BUF struct buf page;
    const char *query = req->query;

    buf_init(&page, 65536);
    buf_str(
        &page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sandbox authorization</title>"
        "<style>body{font:16px system-ui;margin:4rem auto;max-width:34rem}a{display:inline-block;"
        "margin:.3rem .6rem .3rem 0;padding:.6rem 1.2rem;border:1px solid #888;border-radius:.4rem;"
        "text-decoration:none;color:#111}a.yes{background:#111;color:#fff}</style></head><body>"
        "<h1>Authorize the app?</h1><p>This page plays TikTok Shop. The app asks for: ");
    for (size_t i = 0; i < sizeof SCOPES / sizeof SCOPES[0]; i++)
        buf_fmt(&page, "%s%s", i == 0 ? "" : ", ", SCOPES[i]);
    buf_str(&page, ".</p>");
    for (int i = 0; i < sb->n_shops; i++) {
        buf_str(&page, "<a class=\"yes\" href=\"?");
        str_html(&page, query);
        buf_fmt(&page, "&amp;auto=accept&amp;shop=%d\">Authorize ", i + 1);
        str_html(&page, sb->shops[i].name);
        buf_str(&page, "</a>");
    }
    buf_str(&page, "<a href=\"?");
    str_html(&page, query);
    buf_str(&page, "&amp;auto=refuse\">Refuse</a></body></html>");
    return sbx_html(reply, 200, buf_text(&page), e);
}

SBX_HANDLER(sbx_authorize)
{
    struct sandbox *sb = user;
    char service[128] = "", state[2048] = "", decision[16] = "";

    (void)http_query(req, "state", state, sizeof state); /* the App Store sends none */
    bool known = http_query(req, "service_id", service, sizeof service) &&
                 str_eq(service, sb->cfg.service_id);
    bool automatic = http_query(req, "auto", decision, sizeof decision);
    (void)pthread_mutex_lock(&sb->lock);
    sbx_note(sb, req, known ? 200 : 400, 0, "");
    (void)pthread_mutex_unlock(&sb->lock);
    if (!known)
        return http_reply_html(
            reply, 400, "<!doctype html><title>Sandbox</title><p>Unknown service_id.</p>", e);
    if (!automatic)
        return ask(sb, req, reply, e);
    return decided(sb, req, reply, str_eq(decision, "accept"), state);
}

static json_t *scopes_new(void)
{
    json_t *list = sbx_need(json_array());

    for (size_t i = 0; i < sizeof SCOPES / sizeof SCOPES[0]; i++)
        sbx_append(list, json_string(SCOPES[i]));
    return list;
}

/* New pair of tokens for a shop; the old ones end. */
static void grant(struct sbx_call *c, struct sbx_shop *shop, int64_t authorization_ends_s)
{
    struct sandbox *sb = c->sb;
    OWN_BUF struct buf access;
    OWN_BUF struct buf refresh;
    int64_t access_ends_s = sbx_now_s() + sb->cfg.access_seconds;

    buf_init(&access, 256);
    buf_init(&refresh, 256);
    forget(sb->access, shop->id);
    forget(sb->refresh, shop->id);
    mint(sb->access, "ROW_", shop, access_ends_s, &access);
    mint(sb->refresh, "ROW_", shop, authorization_ends_s, &refresh);
    shop->authorized = true;
    shop->authorization_ends_s = authorization_ends_s;
    c->data = sbx_need(json_object());
    sbx_set_text(c->data, "access_token", buf_text(&access));
    sbx_set_int(c->data, "access_token_expire_in", access_ends_s);
    sbx_set_text(c->data, "refresh_token", buf_text(&refresh));
    sbx_set_int(c->data, "refresh_token_expire_in", authorization_ends_s);
    sbx_set_text(c->data, "open_id", shop->open_id);
    sbx_set_text(c->data, "seller_name", shop->seller);
    sbx_set_text(c->data, "seller_base_region", "BR");
    sbx_set_int(c->data, "user_type", 0);
    sbx_set(c->data, "granted_scopes", scopes_new());
}

static void token_query(struct sbx_call *c)
{
    const json_t *known = json_object_get(c->spec, "query");
    struct sbx_breach breach;
    const char *key;
    json_t *schema;

    if (!sbx_query_split(c->req->query, c->pairs, &c->n_pairs)) {
        sbx_fail(c, 36009004, "The query is malformed or repeats a parameter");
        return;
    }
    for (int i = 0; i < c->n_pairs; i++) {
        const json_t *one = json_object_get(known, c->pairs[i].name);

        if (one == NULL || !sbx_schema_param(one, c->pairs[i].name, c->pairs[i].value, &breach)) {
            sbx_fail(c, 36009004, "unexpected identifier or value: %s", c->pairs[i].name);
            return;
        }
    }
    json_object_foreach((json_t *)(uintptr_t)known, key, schema)
    {
        if (json_is_true(json_object_get(schema, "required")) && sbx_query(c, key) == NULL) {
            sbx_fail(c, 36009004, "Missing parameter: %s", key);
            return;
        }
    }
    if (!str_eq(sbx_query(c, "app_key"), c->sb->cfg.app_key) ||
        !str_eq(sbx_query(c, "app_secret"), c->sb->cfg.app_secret))
        sbx_fail(c, 36009004, "Invalid app_key or app_secret");
}

static void trade_code(struct sbx_call *c)
{
    const char *code = sbx_query(c, "auth_code");
    const json_t *known = json_object_get(c->sb->codes, code);

    if (known == NULL || sbx_int(known, "ends_s") <= sbx_now_s()) {
        sbx_fail(c, 36009004, "Invalid auth_code: unknown, used or expired");
        return;
    }
    struct sbx_shop *shop = sbx_shop_find(c->sb, sbx_text(known, "shop"));
    (void)json_object_del(c->sb->codes, code); /* single use */
    if (shop != NULL)
        grant(c, shop, sbx_now_s() + c->sb->cfg.authorization_seconds);
}

static void trade_refresh(struct sbx_call *c)
{
    const json_t *known = json_object_get(c->sb->refresh, sbx_query(c, "refresh_token"));
    struct sbx_shop *shop = known == NULL ? NULL : sbx_shop_find(c->sb, sbx_text(known, "shop"));

    if (shop == NULL || !shop->authorized || sbx_int(known, "ends_s") <= sbx_now_s())
        sbx_fail(c, 36009004, "Invalid refresh_token: unknown, replaced or expired");
    else
        grant(c, shop, sbx_int(known, "ends_s"));
}

SBX_HANDLER(sbx_token)
{
    struct sandbox *sb = user;
    struct sbx_fault fault;
    enum sbx_gate gate = sbx_fault_before(sb, req, reply, "tiktok", &fault);

    if (gate == SBX_STOP)
        return RC_OK;
    struct sbx_call *c = sbx_need(calloc(1, sizeof *c));
    c->sb = sb;
    c->req = req;
    c->operation = req->route->operation;
    c->spec = json_object_get(sb->tiktok_contract, c->operation);
    (void)pthread_mutex_lock(&sb->lock);
    if (gate == SBX_KIND) {
        sbx_fail(c, str_eq(fault.kind, "429") ? 36009002 : 36009003, "Try again later");
        c->status = str_eq(fault.kind, "429") ? 429 : str_eq(fault.kind, "503") ? 503 : 500;
    } else {
        token_query(c);
        if (c->code == 0 && str_eq(c->operation, "get_access_token"))
            trade_code(c);
        else if (c->code == 0)
            trade_refresh(c);
        if (c->code != 0)
            sbx_note_refused(sb, "tiktok", c->operation, "36009004", c->message);
    }
    json_auto_t *envelope = sbx_need(json_object());
    sbx_set_int(envelope, "code", c->code);
    sbx_set_text(envelope, "message", c->code == 0 ? "success" : c->message);
    sbx_set_text(envelope, "request_id", req->id);
    sbx_set(envelope, "data", c->data == NULL ? json_null() : json_incref(c->data));
    sbx_note(sb, req, c->status == 0 ? 200 : c->status, c->code, fault.kind);
    (void)pthread_mutex_unlock(&sb->lock);
    enum rc rc = http_reply_json(reply, c->status == 0 ? 200 : c->status, envelope, e);
    sbx_fault_after(&fault, reply);
    json_decref(c->data);
    free(c);
    return rc;
}

void sbx_get_authorized_shops(struct sbx_call *c)
{
    json_t *list = sbx_need(json_array());
    json_t *shop = sbx_need(json_object());

    sbx_set_text(shop, "id", c->grantor->id);
    sbx_set_text(shop, "name", c->grantor->name);
    sbx_set_text(shop, "region", "BR");
    sbx_set_text(shop, "seller_type", "LOCAL");
    sbx_set_text(shop, "cipher", c->grantor->cipher);
    sbx_set_text(shop, "code", c->grantor->code);
    sbx_append(list, shop);
    c->data = sbx_need(json_object());
    sbx_set(c->data, "shops", list);
}
