/* TikTok request signatures against the published and computed vectors, byte for byte. */
#include "platform.h"

#include "check.h"
#include "sign.h"
#include "str.h"

#define VECTORS "tests/fixtures/tiktok/vectors.json"
#define PAIRS_MAX 32

static json_t *vectors;

static int read_pairs(const json_t *query, struct tiktok_pair pairs[PAIRS_MAX])
{
    int n = (int)json_array_size(query);

    for (int i = 0; i < n && i < PAIRS_MAX; i++) {
        const json_t *item = json_array_get(query, (size_t)i);

        pairs[i].key = json_string_value(json_object_get(item, "key"));
        pairs[i].value = json_string_value(json_object_get(item, "value"));
    }
    return n;
}

/* Signs one vector as its fields say, with the content type given. */
static enum rc sign_vector(const json_t *v, const char *content_type, char out[65])
{
    struct tiktok_pair pairs[PAIRS_MAX];
    const char *text = json_string_value(json_object_get(v, "body"));
    const char *coded = json_string_value(json_object_get(v, "body_base64"));
    int n = read_pairs(json_object_get(v, "query"), pairs);
    static unsigned char raw[65536];
    long len = text ? (long)strlen(text) : 0;
    struct err e = { 0 };

    if (text != NULL)
        memcpy(raw, text, (size_t)len);
    else if (coded != NULL)
        len = str_unbase64(raw, sizeof(raw), coded);
    if (len < 0)
        return RC_BUG;
    return tiktok_sign(json_string_value(json_object_get(v, "app_secret")),
                       json_string_value(json_object_get(v, "path")), pairs, n, content_type, raw,
                       (size_t)len, out, &e);
}

static const json_t *vector_list(void)
{
    return json_object_get(json_object_get(vectors, "request_signing"), "vectors");
}

static const json_t *vector_named(const char *name)
{
    size_t i;
    json_t *v;

    json_array_foreach((json_t *)(uintptr_t)vector_list(), i, v)
    {
        if (str_eq(json_string_value(json_object_get(v, "name")), name))
            return v;
    }
    return NULL;
}

static void every_vector(void)
{
    size_t i, n = json_array_size(vector_list());

    CHECK(n >= 20, "only %zu vectors", n);
    for (i = 0; i < n; i++) {
        const json_t *v = json_array_get(vector_list(), i);
        char got[65] = "";

        CHECK_INT(sign_vector(v, json_string_value(json_object_get(v, "content_type")), got),
                  RC_OK);
        CHECK(str_eq(got, json_string_value(json_object_get(v, "expected_sign"))), "%s: %s",
              json_string_value(json_object_get(v, "name")), got);
    }
}

static void multipart_is_the_media_type_alone(void)
{
    static const char *const SAME[] = { "multipart/form-data", "Multipart/Form-Data;boundary=a",
                                        " multipart/form-data ; boundary=\"a b\"" };
    static const char *const OTHER[] = { "multipart/form-data2; boundary=x", "multipart/mixed",
                                         "application/json; x=multipart/form-data", NULL };
    const json_t *v = vector_named("multipart_upload_image");
    const char *want = json_string_value(json_object_get(v, "expected_sign"));
    char got[65];

    for (size_t i = 0; i < sizeof(SAME) / sizeof(SAME[0]); i++) {
        CHECK_INT(sign_vector(v, SAME[i], got), RC_OK);
        CHECK_STR(got, want);
    }
    for (size_t i = 0; i < sizeof(OTHER) / sizeof(OTHER[0]); i++) {
        CHECK_INT(sign_vector(v, OTHER[i], got), RC_OK);
        CHECK(!str_eq(got, want), "body left out for %s", OTHER[i] ? OTHER[i] : "no type");
    }
}

static void the_slash_counts(void)
{
    char with[65], without[65];

    CHECK_INT(
        sign_vector(vector_named("trailing_slash_changes_the_sign"), "application/json", with),
        RC_OK);
    CHECK_INT(sign_vector(vector_named("first_call_guide_no_trailing_slash"), "application/json",
                          without),
              RC_OK);
    CHECK(!str_eq(with, without), "a trailing slash must change the signature");
}

static void too_many_pairs(void)
{
    struct tiktok_pair pairs[PAIRS_MAX + 1];
    char out[65] = "kept";

    for (int i = 0; i <= PAIRS_MAX; i++)
        pairs[i] = (struct tiktok_pair){ "k", "v" };
    CHECK_INT(tiktok_sign("s", "/p", pairs, PAIRS_MAX + 1, NULL, NULL, 0, out, NULL), RC_BUG);
    CHECK_STR(out, "kept");
}

int main(void)
{
    json_error_t why;

    vectors = json_load_file(VECTORS, 0, &why);
    if (vectors == NULL) {
        printf("%s: %s\n", VECTORS, why.text);
        return 77;
    }
    CASE(every_vector);
    CASE(multipart_is_the_media_type_alone);
    CASE(the_slash_counts);
    CASE(too_many_pairs);
    json_decref(vectors);
    return CHECK_END();
}
