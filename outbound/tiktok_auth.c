/* tiktok_auth.c - reads token pairs and the list of authorized shops. */
#include "tiktok_auth.h"

#include "clock.h"
#include "jspec.h"
#include "sign.h"
#include "str.h"

#include <string.h>

void tiktok_tokens_done(struct tiktok_tokens *t)
{
    sign_wipe_text(&t->access_token);
    sign_wipe_text(&t->refresh_token);
    json_decref(t->scopes);
    memset(t, 0, sizeof *t);
}

static enum rc lacks(const char *member, struct err *e)
{
    return err_code(e, RC_BUG, "tiktok_answer", "TikTok's answer has no usable \"%s\"", member);
}

/* The members that everything later depends on. */
static enum rc read_tokens(const json_t *data, struct tiktok_tokens *t, struct err *e)
{
    int64_t access_s = jspec_int(data, "access_token_expire_in", 0);
    int64_t refresh_s = jspec_int(data, "refresh_token_expire_in", 0);
    char open_id[JSPEC_ID_BYTES];

    jspec_id(data, "open_id", open_id);
    if (open_id[0] == '\0' || !str_copy(t->open_id, sizeof t->open_id, open_id))
        return lacks("open_id", e);
    if (str_blank(jspec_text(data, "access_token")))
        return lacks("access_token", e);
    if (str_blank(jspec_text(data, "refresh_token")))
        return lacks("refresh_token", e);
    if (access_s <= 0 || access_s > INT64_MAX / US_PER_S)
        return lacks("access_token_expire_in", e);
    if (refresh_s < 0 || refresh_s > INT64_MAX / US_PER_S)
        return lacks("refresh_token_expire_in", e);
    t->access_token = str_dup(jspec_text(data, "access_token"));
    t->refresh_token = str_dup(jspec_text(data, "refresh_token"));
    if (t->access_token == NULL || t->refresh_token == NULL)
        return err_set(e, RC_BUG, "no memory for tokens");
    /* Moments in spite of their names. */
    t->access_expires_us = access_s * US_PER_S;
    t->refresh_expires_us = refresh_s * US_PER_S;
    t->user_type = jspec_int(data, "user_type", -1);
    str_copy_cut(t->seller_name, sizeof t->seller_name, jspec_text(data, "seller_name"));
    (void)str_copy(t->region, sizeof t->region, jspec_text(data, "seller_base_region"));
    return RC_OK;
}

static enum rc read_scopes(const json_t *data, struct tiktok_tokens *t, struct err *e)
{
    const json_t *list = jspec_get(data, "granted_scopes");

    if (!json_is_array(list))
        return RC_OK;
    t->scopes = json_array();
    for (size_t i = 0; t->scopes != NULL && i < json_array_size(list); i++) {
        const char *scope = json_string_value(json_array_get(list, i));

        if (scope != NULL && json_array_append_new(t->scopes, json_string(scope)) != 0)
            return err_set(e, RC_BUG, "no memory for scopes");
    }
    return t->scopes != NULL ? RC_OK : err_set(e, RC_BUG, "no memory for scopes");
}

enum rc tiktok_tokens_get(struct platform *p, bool refresh, const char *code_or_token,
                          struct tiktok_tokens *out, struct err *e)
{
    json_auto_t *data = NULL;
    struct tiktok_tokens t = { 0 };
    enum rc rc = tiktok_token_call(p, refresh, code_or_token, &data, e);

    if (rc != RC_OK)
        return rc;
    rc = read_tokens(data, &t, e);
    if (rc == RC_OK)
        rc = read_scopes(data, &t, e);
    if (rc == RC_OK)
        *out = t;
    else
        tiktok_tokens_done(&t);
    return rc;
}

static enum rc read_shop(const json_t *item, struct tiktok_shop *out, struct err *e)
{
    struct tiktok_shop shop = { 0 };

    jspec_id(item, "id", shop.id);
    if (shop.id[0] == '\0')
        return lacks("shops.id", e);
    if (!str_copy(shop.cipher, sizeof shop.cipher, jspec_text(item, "cipher")) ||
        shop.cipher[0] == '\0')
        return lacks("shops.cipher", e);
    str_copy_cut(shop.name, sizeof shop.name, jspec_text(item, "name"));
    (void)str_copy(shop.region, sizeof shop.region, jspec_text(item, "region"));
    (void)str_copy(shop.seller_type, sizeof shop.seller_type, jspec_text(item, "seller_type"));
    (void)str_copy(shop.code, sizeof shop.code, jspec_text(item, "code"));
    *out = shop;
    return RC_OK;
}

static enum rc read_shops(const json_t *list, struct tiktok_shops *out, struct err *e)
{
    size_t n = json_array_size(list);
    enum rc rc = RC_OK;

    if (n > TIKTOK_SHOPS_MAX)
        return err_code(e, RC_INVALID, "too_many_shops",
                        "the authorization covers %zu shops; at most %d work", n, TIKTOK_SHOPS_MAX);
    out->n = 0;
    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        rc = read_shop(json_array_get(list, i), &out->shops[i], e);
        if (rc == RC_OK)
            out->n = (int)i + 1;
    }
    return rc;
}

enum rc tiktok_authorized_shops(struct tiktok_session *s, struct tiktok_shops *out, struct err *e)
{
    struct tiktok_req req = {
        .operation = "get_authorized_shops",
        .method = "GET",
        .path = "/authorization/202309/shops",
    };
    struct tiktok_reply reply = { 0 };
    enum rc rc = tiktok_call(s, &req, &reply, e);

    if (rc == RC_OK)
        rc = read_shops(jspec_get(reply.data, "shops"), out, e);
    tiktok_reply_done(&reply);
    return rc;
}
