/* client_doc.c - checks and shows the settings of a merchant. */
#include "client_doc.h"

#include "client_policy.h"
#include "clock.h"
#include "jspec.h"
#include "str.h"

#include <string.h>

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define CONSONANTS "BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
#define PATCH_OBJECTS_MAX 64

static const struct jspec_field VTEX_SPEC[] = {
    { .name = "account", .type = JSPEC_TEXT, .required = true, .min = 1, .max = 63 },
    { .name = "app_key", .type = JSPEC_TEXT, .min = 1, .max = 256 },
    { .name = "app_token", .type = JSPEC_TEXT, .min = 1, .max = 1024 },
    { .name = "sales_channel", .type = JSPEC_TEXT, .nullable = true, .min = 1, .max = 15 },
    { .name = "affiliate_id", .type = JSPEC_TEXT, .nullable = true, .min = 1, .max = 15 },
    { .name = "warehouse_ids", .type = JSPEC_LIST_TEXT, .nullable = true, .max = 32 },
    { .name = "hook_secret", .type = JSPEC_TEXT, .min = 3, .max = 128 },
    { 0 },
};
static const struct jspec_field CLIENT_SPEC[] = {
    { .name = "name", .type = JSPEC_TEXT, .required = true, .min = 1, .max = 200 },
    { .name = "tik_tok_shop_feed_link",
      .type = JSPEC_TEXT,
      .nullable = true,
      .min = 1,
      .max = 2048 },
    { .name = "tik_tok_shop_warehouse_id",
      .type = JSPEC_TEXT,
      .nullable = true,
      .min = 1,
      .max = 63 },
    { .name = "tik_tok_shop_sandbox_shop_id",
      .type = JSPEC_TEXT,
      .nullable = true,
      .min = 1,
      .max = 40 },
    { .name = "vtex", .type = JSPEC_OBJECT, .nullable = true, .sub = VTEX_SPEC },
    { .name = "policies", .type = JSPEC_OBJECT, .nullable = true, .sub = CLIENT_POLICIES_SPEC },
    { 0 },
};

static bool is_address(const char *text)
{
    const char *host = str_starts(text, "https://")  ? text + 8
                       : str_starts(text, "http://") ? text + 7
                                                     : "";

    if (host[0] == '\0' || host[0] == '/')
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '"' || *p == '<' || *p == '>')
            return false;
    }
    return true;
}

/* A secret as given, NULL when absent or masked. */
static enum rc read_secret(const json_t *doc, const char *path, bool stored, const char **out,
                           struct err *e)
{
    const char *text = jspec_text(doc, path);

    if (text != NULL && str_eq(text, CLIENT_MASK)) {
        if (!stored)
            return err_field(e, path, "is a mask; nothing is stored that it could stand for");
        text = NULL;
    }
    *out = text;
    return RC_OK;
}

static enum rc read_secrets(const json_t *doc, const struct client *stored, struct client_write *w,
                            struct err *e)
{
    bool have = stored != NULL && stored->has_vtex_credentials;
    bool have_hook = stored != NULL && stored->has_hook_secret;
    enum rc rc = read_secret(doc, "vtex.app_key", have, &w->app_key, e);

    if (rc == RC_OK)
        rc = read_secret(doc, "vtex.app_token", have, &w->app_token, e);
    if (rc == RC_OK)
        rc = read_secret(doc, "vtex.hook_secret", have_hook, &w->hook_secret, e);
    if (rc != RC_OK)
        return rc;
    if (w->app_key != NULL && w->app_token == NULL)
        return err_field(e, "vtex.app_token", "must come together with vtex.app_key");
    if (w->app_token != NULL && w->app_key == NULL)
        return err_field(e, "vtex.app_key", "must come together with vtex.app_token");
    if (w->hook_secret != NULL &&
        (strlen(w->hook_secret) < 16 || !str_only(w->hook_secret, LETTERS DIGITS "_-")))
        return err_field(e, "vtex.hook_secret",
                         "must be 16 to 128 letters, digits, \"_\" or \"-\"");
    return RC_OK;
}

static enum rc read_vtex(const json_t *doc, const struct client *stored, struct client_write *w,
                         struct err *e)
{
    const json_t *list = jspec_get(doc, "vtex.warehouse_ids");

    if (!json_is_object(jspec_get(doc, "vtex")))
        return RC_OK;
    w->vtex_account = jspec_text(doc, "vtex.account");
    w->vtex_sales_channel = jspec_text(doc, "vtex.sales_channel");
    w->vtex_affiliate_id = jspec_text(doc, "vtex.affiliate_id");
    if (!str_only(w->vtex_account, "abcdefghijklmnopqrstuvwxyz" DIGITS "-"))
        return err_field(e, "vtex.account", "must be lower-case letters, digits or \"-\"");
    if (w->vtex_sales_channel != NULL && !str_digits(w->vtex_sales_channel))
        return err_field(e, "vtex.sales_channel", "must be digits");
    if (w->vtex_affiliate_id != NULL &&
        (strlen(w->vtex_affiliate_id) != 3 || !str_only(w->vtex_affiliate_id, CONSONANTS)))
        return err_field(e, "vtex.affiliate_id",
                         "must be the three consonants of the affiliate in VTEX");
    for (size_t i = 0; i < json_array_size(list) && i < 32; i++) {
        const char *id = json_string_value(json_array_get(list, i));

        if (str_blank(id) || strlen(id) > 63)
            return err_field(e, "vtex.warehouse_ids", "holds an id that cannot be one");
        w->vtex_warehouse_ids[w->n_vtex_warehouse_ids++] = id;
    }
    return read_secrets(doc, stored, w, e);
}

/* Reads the rules once, only to find out whether their values hold. */
static enum rc check_policies(const struct client_write *w, struct err *e)
{
    struct client probe = { 0 };

    if (w->vtex_account != NULL)
        (void)str_copy(probe.vtex_account, sizeof probe.vtex_account, w->vtex_account);
    return client_policy_read(w->policies, &probe, e);
}

enum rc client_doc_read(const json_t *doc, const struct client *stored, struct client_write *out,
                        struct err *e)
{
    struct client_write w = { 0 };
    enum rc rc = jspec_check(doc, CLIENT_SPEC, e);

    if (rc != RC_OK)
        return rc;
    w.name = jspec_text(doc, "name");
    w.feed_url = jspec_text(doc, "tik_tok_shop_feed_link");
    w.warehouse_id = jspec_text(doc, "tik_tok_shop_warehouse_id");
    w.sandbox_shop_id = jspec_text(doc, "tik_tok_shop_sandbox_shop_id");
    w.policies = jspec_get(doc, "policies");
    if (!json_is_object(w.policies))
        w.policies = NULL;
    if (str_blank(w.name))
        return err_field(e, "name", "must not be blank");
    if (w.feed_url != NULL && !is_address(w.feed_url))
        return err_field(e, "tik_tok_shop_feed_link", "must be an http or https address");
    if (w.warehouse_id != NULL && !str_digits(w.warehouse_id))
        return err_field(e, "tik_tok_shop_warehouse_id", "must be digits");
    if (w.sandbox_shop_id != NULL && !str_digits(w.sandbox_shop_id))
        return err_field(e, "tik_tok_shop_sandbox_shop_id", "must be the id of a shop");
    rc = read_vtex(doc, stored, &w, e);
    if (rc == RC_OK)
        rc = check_policies(&w, e);
    if (rc == RC_OK)
        *out = w;
    return rc;
}

static json_t *warehouses_new(const struct client *c)
{
    json_t *list = json_array();

    for (int i = 0; list != NULL && i < c->n_vtex_warehouse_ids; i++) {
        if (json_array_append_new(list, json_string(c->vtex_warehouse_ids[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static json_t *vtex_new(const struct client *c, const char *hook_secret)
{
    const char *mask = c->has_vtex_credentials ? CLIENT_MASK : NULL;
    const char *hook = hook_secret != NULL ? hook_secret : CLIENT_MASK;

    if (c->vtex_account[0] == '\0')
        return json_null();
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:o, s:s?}", "account", c->vtex_account,
                     "app_key", mask, "app_token", mask, "sales_channel",
                     c->vtex_sales_channel[0] != '\0' ? c->vtex_sales_channel
                                                      : VTEX_SALES_CHANNEL_DEFAULT,
                     "affiliate_id", text_or_null(c->vtex_affiliate_id), "warehouse_ids",
                     warehouses_new(c), "hook_secret", c->has_hook_secret ? hook : NULL);
}

/* Masks that stand for nothing may not be in a document that is checked again. */
static void drop_nulls(json_t *object)
{
    void *next;
    const char *key;
    json_t *value;

    json_object_foreach_safe(object, next, key, value)
    {
        if (json_is_null(value))
            (void)json_object_del(object, key);
    }
}

json_t *client_doc_stored_new(const struct client *c)
{
    json_t *vtex = vtex_new(c, NULL);
    json_t *doc = json_pack(
        "{s:s, s:s?, s:s?, s:s?, s:o, s:O}", "name", c->name, "tik_tok_shop_feed_link", c->feed_url,
        "tik_tok_shop_warehouse_id", text_or_null(c->warehouse_id), "tik_tok_shop_sandbox_shop_id",
        text_or_null(c->sandbox_shop_id), "vtex", vtex, "policies", c->policies);

    if (doc != NULL) {
        drop_nulls(json_object_get(doc, "vtex"));
        drop_nulls(doc);
    }
    return doc;
}

json_t *client_doc_show_new(const struct client *c, const char *hook_secret)
{
    char created[CLOCK_TEXT_BYTES];
    char updated[CLOCK_TEXT_BYTES];

    clock_write(c->created_us, created);
    clock_write(c->updated_us, updated);
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:o, s:o, s:s, s:s}", "client_hash",
                     c->client_id, "name", c->name, "status", c->active ? "active" : "inactive",
                     "tik_tok_shop_feed_link", c->feed_url, "tik_tok_shop_warehouse_id",
                     text_or_null(c->warehouse_id), "tik_tok_shop_sandbox_shop_id",
                     text_or_null(c->sandbox_shop_id), "vtex", vtex_new(c, hook_secret), "policies",
                     client_policy_json_new(c), "created_at", created, "updated_at", updated);
}

struct patch_pair {
    json_t *into;
    const json_t *patch;
};

/* One member of a patch; an object is put on the list to be merged later. */
static enum rc patch_member(json_t *into, const char *key, json_t *value, struct patch_pair *list,
                            int *n, struct err *e)
{
    json_t *old = json_object_get(into, key);

    if (json_is_null(value)) {
        (void)json_object_del(into, key); /* absent already is fine */
        return RC_OK;
    }
    if (!json_is_object(value))
        return json_object_set(into, key, value) == 0 ? RC_OK
                                                      : err_set(e, RC_BUG, "no memory for a patch");
    if (*n == PATCH_OBJECTS_MAX)
        return err_field(e, key, "is one object too many for a patch");
    if (!json_is_object(old)) {
        if (json_object_set_new(into, key, json_object()) != 0)
            return err_set(e, RC_BUG, "no memory for a patch");
        old = json_object_get(into, key);
    }
    list[*n].into = old;
    list[*n].patch = value;
    (*n)++;
    return RC_OK;
}

enum rc client_doc_patch(json_t *doc, const json_t *patch, struct err *e)
{
    struct patch_pair list[PATCH_OBJECTS_MAX] = { { doc, patch } };
    int n = 1;
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < n; i++) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *)(uintptr_t)list[i].patch, key, value)
        {
            rc = patch_member(list[i].into, key, value, list, &n, e);
            if (rc != RC_OK)
                break;
        }
    }
    return rc;
}
