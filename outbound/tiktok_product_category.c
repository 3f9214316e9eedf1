/* tiktok_product_category.c - what a listing needs first: category, its rules, brands, uploaded images. */
#include "tiktok_product.h"

#include <string.h>

#include "jspec.h"
#include "str.h"

#define LIMIT_BRAND_PAGES 10
#define CODE_NO_MATCHING_CATEGORY 12019064
#define CODE_NONE_IN_MAIN_CATEGORY 12052912

static void recommendation_read(const json_t *data, struct tiktok_recommendation *out)
{
    const json_t *list = jspec_get(data, "categories");
    char id[JSPEC_ID_BYTES];

    jspec_id(data, "leaf_category_id", out->category_id);
    out->leaf = true;
    out->available = true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const json_t *rights = jspec_get(one, "permission_statuses");

        jspec_id(one, "id", id);
        if (strcmp(id, out->category_id) != 0)
            continue;
        str_copy_cut(out->name, sizeof(out->name), jspec_text(one, "name"));
        out->leaf = jspec_bool(one, "is_leaf", true);
        out->available = json_array_size(rights) == 0;
        for (size_t k = 0; k < json_array_size(rights); k++)
            if (str_eq(json_string_value(json_array_get(rights, k)), "AVAILABLE"))
                out->available = true;
    }
}

enum rc tiktok_recommend_category(struct tiktok_session *s, const char *title,
                                  const char *description, const char *entity,
                                  struct tiktok_recommendation *out, struct err *e)
{
    json_auto_t *body = json_object();
    struct tiktok_recommendation found = { 0 };
    struct tiktok_reply reply = { 0 };

    if (json_object_set_new(body, "product_title", json_string(title)) != 0 ||
        (!str_blank(description) &&
         json_object_set_new(body, "description", json_string(description)) != 0))
        return err_set(e, RC_BUG, "out of memory");

    const struct tiktok_req req = {
        .operation = "recommend_category",
        .method = "POST",
        .path = "/product/202309/categories/recommend",
        .with_cipher = true,
        .entity = entity,
        .body = body,
    };
    enum rc rc = tiktok_call(s, &req, &reply, e);

    if (rc == RC_OK) {
        recommendation_read(reply.data, &found);
        if (found.category_id[0] == '\0')
            rc = err_code(e, RC_NOT_FOUND, "no_category", "TikTok proposes no category");
        else
            *out = found;
    } else if (rc == RC_INVALID && (reply.code == CODE_NO_MATCHING_CATEGORY ||
                                    reply.code == CODE_NONE_IN_MAIN_CATEGORY)) {
        rc = err_code(e, RC_NOT_FOUND, "no_category", "TikTok proposes no category");
    }
    tiktok_reply_done(&reply);
    return rc;
}

/* {"id", "parent_id", "name", "is_leaf", "available", "permissions"} of one category; NULL when it has no id or name. */
static json_t *node_new(const json_t *one)
{
    const json_t *rights = jspec_get(one, "permission_statuses");
    const char *name = jspec_text(one, "local_name");
    bool available = json_array_size(rights) == 0;
    char id[JSPEC_ID_BYTES];
    char parent[JSPEC_ID_BYTES];
    OWN_BUF struct buf words;

    buf_init(&words, 1024);
    for (size_t i = 0; i < json_array_size(rights); i++) {
        const char *word = json_string_value(json_array_get(rights, i));

        available = available || str_eq(word, "AVAILABLE");
        buf_fmt(&words, "%s%s", i > 0 ? "," : "", word ? word : "?");
    }
    jspec_id(one, "id", id);
    jspec_id(one, "parent_id", parent);
    if (id[0] == '\0' || str_blank(name) || buf_check(&words, NULL) != RC_OK)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:b, s:b, s:s}", "id", id, "parent_id", parent, "name", name,
                     "is_leaf", jspec_bool(one, "is_leaf", false), "available", available,
                     "permissions", buf_text(&words));
}

enum rc tiktok_categories(struct tiktok_session *s, json_t **nodes, struct err *e)
{
    const struct tiktok_req req = {
        .operation = "get_categories",
        .method = "GET",
        .path = "/product/202309/categories",
        .with_cipher = true,
        .query = { { "locale", strcmp(s->region, "BR") == 0 ? "pt-BR" : NULL } },
    };
    struct tiktok_reply reply = { 0 };
    json_auto_t *list = json_array();
    enum rc rc = tiktok_call(s, &req, &reply, e);
    const json_t *given = rc == RC_OK ? jspec_get(reply.data, "categories") : NULL;

    for (size_t i = 0; i < json_array_size(given); i++) {
        json_t *node = node_new(json_array_get(given, i));

        if (node != NULL)
            (void)json_array_append_new(list, node); /* counted below */
    }
    if (rc == RC_OK && json_array_size(list) == 0)
        rc = err_code(e, RC_DOWN, "no_categories", "TikTok named no category at all");
    if (rc == RC_OK)
        *nodes = json_incref(list);
    tiktok_reply_done(&reply);
    return rc;
}

/* Addresses of pictures change with every answer and say nothing about what is demanded. */
static void drop_pictures(const json_t *list, const char *member)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        (void)json_object_del(json_array_get(list, i), member); /* absent is as good */
}

/* GET of something below a category; refusals of the category become RC_NOT_FOUND. */
static enum rc category_get(struct tiktok_session *s, const char *operation, const char *tail,
                            const char *category_id, const char *locale, struct tiktok_reply *reply,
                            struct err *e)
{
    char path[160];

    if (!str_digits(category_id) ||
        !str_fmt(path, sizeof(path), "/product/202309/categories/%s/%s", category_id, tail))
        return err_code(e, RC_NOT_FOUND, "category_refused", "not a TikTok category id");

    const struct tiktok_req req = {
        .operation = operation,
        .method = "GET",
        .path = path,
        .with_cipher = true,
        .query = { { "locale", locale } },
    };
    enum rc rc = tiktok_call(s, &req, reply, e);

    if (rc == RC_INVALID) {
        const char *said = jspec_text(reply->root, "message");

        rc = err_code(e, RC_NOT_FOUND, "category_refused", "TikTok refuses the category %s: %s",
                      category_id, said ? said : "no reason given");
    }
    return rc;
}

enum rc tiktok_category_rules(struct tiktok_session *s, const char *category_id, json_t **rules,
                              struct err *e)
{
    struct tiktok_reply reply = { 0 };
    enum rc rc = category_get(s, "get_category_rules", "rules", category_id, NULL, &reply, e);

    if (rc == RC_OK) {
        drop_pictures(json_object_get(reply.data, "product_certifications"), "sample_image_url");
        *rules = json_is_object(reply.data) ? json_incref(reply.data) : json_object();
    }
    tiktok_reply_done(&reply);
    return rc;
}

enum rc tiktok_category_attributes(struct tiktok_session *s, const char *category_id,
                                   json_t **attributes, struct err *e)
{
    const char *locale = strcmp(s->region, "BR") == 0 ? "pt-BR" : NULL;
    struct tiktok_reply reply = { 0 };
    enum rc rc = category_get(s, "get_attributes", "attributes", category_id, locale, &reply, e);

    if (rc == RC_OK) {
        json_t *list = json_object_get(reply.data, "attributes");

        for (size_t i = 0; i < json_array_size(list); i++)
            drop_pictures(json_object_get(json_array_get(list, i), "values"), "icon_url");
        *attributes = json_is_array(list) ? json_incref(list) : json_array();
    }
    tiktok_reply_done(&reply);
    return rc;
}

static bool brand_read(const json_t *one, struct tiktok_brand *out)
{
    *out = (struct tiktok_brand){ 0 };
    jspec_id(one, "id", out->id);
    str_copy_cut(out->name, sizeof(out->name),
                 jspec_text(one, "name") ? jspec_text(one, "name") : "");
    out->authorized = str_eq(jspec_text(one, "authorized_status"), "AUTHORIZED");
    out->t1 = jspec_bool(one, "is_t1_brand", false);
    out->available = !str_eq(jspec_text(one, "brand_status"), "UNAVAILABLE");
    return out->id[0] != '\0' && out->name[0] != '\0';
}

static enum rc brand_page(struct tiktok_session *s, const char *category_id, const char *name,
                          char token[512], tiktok_brand_fn each, void *user, bool *more,
                          struct err *e)
{
    const struct tiktok_req req = {
        .operation = "get_brands",
        .method = "GET",
        .path = "/product/202309/brands",
        .with_cipher = true,
        .query = { { "category_id", category_id },
                   { "brand_name", name },
                   { "page_size", "100" },
                   { "page_token", token } },
    };
    struct tiktok_reply reply = { 0 };
    enum rc rc = tiktok_call(s, &req, &reply, e);

    *more = false;
    if (rc == RC_OK) {
        const json_t *list = jspec_get(reply.data, "brands");
        const char *next = jspec_text(reply.data, "next_page_token");
        bool go_on = true;

        for (size_t i = 0; i < json_array_size(list) && go_on; i++) {
            struct tiktok_brand brand;

            if (brand_read(json_array_get(list, i), &brand))
                go_on = each(user, &brand);
        }
        *more = go_on && !str_blank(next) && strcmp(next, token) != 0;
        if (*more && !str_copy(token, 512, next))
            rc = err_set(e, RC_INVALID, "page token is too long");
    }
    tiktok_reply_done(&reply);
    return rc;
}

enum rc tiktok_brands(struct tiktok_session *s, const char *category_id, const char *name,
                      tiktok_brand_fn each, void *user, struct err *e)
{
    char token[512] = "";
    bool more = true;

    for (int page = 0; page < LIMIT_BRAND_PAGES && more; page++) {
        enum rc rc = brand_page(s, category_id, name, token, each, user, &more, e);

        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

enum rc tiktok_create_custom_brand(struct tiktok_session *s, const char *name,
                                   char id[TIKTOK_ID_BYTES], struct err *e)
{
    json_auto_t *body = json_pack("{s:s}", "name", name);
    const struct tiktok_req req = {
        .operation = "create_custom_brands",
        .method = "POST",
        .path = "/product/202309/brands",
        .with_cipher = false,
        .writes = true,
        .entity = name,
        .body = body,
    };
    struct tiktok_reply reply = { 0 };
    char made[TIKTOK_ID_BYTES];
    enum rc rc =
        body != NULL ? tiktok_call(s, &req, &reply, e) : err_set(e, RC_DOWN, "out of memory");

    if (rc == RC_OK) {
        jspec_id(reply.data, "id", made);
        if (made[0] == '\0')
            rc = err_set(e, RC_UNSURE, "TikTok made the brand but gave no id");
        else
            (void)str_copy(id, TIKTOK_ID_BYTES, made);
    }
    tiktok_reply_done(&reply);
    return rc;
}

enum rc tiktok_upload_image(struct tiktok_session *s, const char *use_case, const void *bytes,
                            size_t len, const char *name, const char *type, const char *entity,
                            struct tiktok_image *out, struct err *e)
{
    const struct tiktok_req req = {
        .operation = "upload_product_image",
        .method = "POST",
        .path = "/product/202309/images/upload",
        .with_cipher = false,
        .writes = true,
        .entity = entity,
        .part_fields = { { "use_case", use_case } },
        .file = bytes,
        .file_len = len,
        .file_name = name,
        .file_type = type,
    };
    struct tiktok_image made = { 0 };
    struct tiktok_reply reply = { 0 };
    enum rc rc = tiktok_call(s, &req, &reply, e);

    if (rc == RC_OK) {
        const char *uri = jspec_text(reply.data, "uri");
        const char *url = jspec_text(reply.data, "url");

        if (str_blank(uri) || !str_copy(made.uri, sizeof(made.uri), uri))
            rc = err_set(e, RC_UNSURE, "TikTok took the image but gave no usable uri");
        (void)str_copy(made.url, sizeof(made.url), url ? url : "");
        made.width = jspec_int(reply.data, "width", 0);
        made.height = jspec_int(reply.data, "height", 0);
    }
    tiktok_reply_done(&reply);
    if (rc == RC_OK)
        *out = made;
    return rc;
}
