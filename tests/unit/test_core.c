/* test_core.c - text, numbers, money, time, JSON and sealing of the core. */
#include "check.h"
#include "clock.h"
#include "jspec.h"
#include "money.h"
#include "sign.h"
#include "str.h"

static void integers_are_strict(void)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } t[] = { { "0", true, 0 },
              { "-1", true, -1 },
              { "9223372036854775807", true, INT64_MAX },
              { "", false, 0 },
              { "+1", false, 0 },
              { " 1", false, 0 },
              { "01", false, 0 },
              { "-0", false, 0 },
              { "9223372036854775808", false, 0 },
              { "1x", false, 0 },
              { "-9223372036854775808", true, INT64_MIN } };

    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        int64_t v = 0;

        CHECK(str_to_i64(t[i].text, INT64_MIN, INT64_MAX, &v) == t[i].ok, "\"%s\"", t[i].text);
        CHECK_INT(v, t[i].value);
    }
}

static void feed_money_is_read_as_the_guide_says(void)
{
    static const struct {
        const char *text;
        enum rc rc;
        int64_t minor;
        const char *code;
    } t[] = {
        { "129.90 BRL", RC_OK, 12990, "" },
        { "R$ 1.299,90", RC_OK, 129990, "" },
        { "BRL 129.90", RC_OK, 12990, "" },
        { "129,9", RC_OK, 12990, "" },
        { "1.299 BRL", RC_OK, 129900, "" },
        { "1,299.00 BRL", RC_OK, 129900, "" },
        { "129 BRL", RC_OK, 12900, "" },
        { "ARS 10,00", RC_INVALID, 0, "currency" },
        { "", RC_NOT_FOUND, 0, "price" },
        { "0.00 BRL", RC_INVALID, 0, "price" },
        { "R$ 99999,99", RC_OK, 9999999, "" },
        { "-5.00 BRL", RC_INVALID, 0, "price" },
        { "abc", RC_INVALID, 0, NULL },
        { "69.90", RC_OK, 6990, "" },
        { "R$\xC2\xA0"
          "69,90",
          RC_OK, 6990, "" },
        { "1.079,90 BRL", RC_OK, 107990, "" },
        { "12.345.678,90", RC_OK, 1234567890, "" },
        { "10.005", RC_OK, 1000500, "" },
        { "10.0050", RC_OK, 1001, "" },
        { "12 34 BRL", RC_OK, 123400, "" },
        { "1..2", RC_INVALID, 0, "price" },
        { "99999999999999999999", RC_INVALID, 0, "price" },
        { "12BRL34", RC_INVALID, 0, NULL },
        { "12,99,9 BRL", RC_INVALID, 0, "price" },
        { "1.299.00", RC_INVALID, 0, "price" },
        { "1.2999.000", RC_INVALID, 0, "price" },
        { "1,299.000,5", RC_INVALID, 0, "price" },
        { "12,99.50", RC_INVALID, 0, "price" },
        { "1.299.000 BRL", RC_OK, 129900000, "" },
    };

    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct err e = { 0 };
        int64_t v = 0;

        CHECK(money_feed_read(t[i].text, "BRL", &v, &e) == t[i].rc, "\"%s\" -> %s %lld", t[i].text,
              e.text, (long long)v);
        CHECK_INT(v, t[i].minor);
        if (t[i].code != NULL)
            CHECK_STR(e.code, t[i].code);
    }
}

static void decimals_and_percentages_are_exact(void)
{
    char text[MONEY_TEXT_BYTES];
    int64_t v = 0;

    CHECK(money_decimal_read("129.90", &v, NULL) == RC_OK && v == 12990);
    CHECK(money_decimal_read("-0.05", &v, NULL) == RC_OK && v == -5);
    CHECK(money_decimal_read("0.005", &v, NULL) == RC_OK && v == 1);
    CHECK(money_decimal_read("1,5", &v, NULL) == RC_INVALID);
    CHECK(money_decimal_read("1e3", &v, NULL) == RC_INVALID);
    CHECK(money_real_read(69.9, &v, NULL) == RC_OK && v == 6990);
    CHECK(money_real_read(0.1 + 0.2, &v, NULL) == RC_OK && v == 30);
    CHECK(money_percent(6990, "12.5", &v, NULL) == RC_OK && v == 7864);
    CHECK(money_percent(6990, "-3", &v, NULL) == RC_OK && v == 6780);
    CHECK(money_percent(6990, "x", &v, NULL) == RC_INVALID);
    CHECK_INT(money_round(6994, 10), 6990);
    CHECK_INT(money_round(6995, 10), 7000);
    money_write(-5, text);
    CHECK_STR(text, "-0.05");
    money_write(12990, text);
    CHECK_STR(text, "129.90");
}

static void times_are_read_and_written(void)
{
    static const struct {
        const char *text;
        int64_t us;
    } t[] = { { "1970-01-01T00:00:00Z", 0 },
              { "2026-06-01T00:00:00-03:00", INT64_C(1780282800000000) },
              { "2026-06-01T03:00:00.1234567Z", INT64_C(1780282800123456) },
              { "2026-06-01 03:00:00.5+00", INT64_C(1780282800500000) },
              { "2026-06-01T03:00:00", INT64_C(1780282800000000) },
              { "2026-06-01", INT64_C(1780272000000000) } };
    static const char *const bad[] = {
        "", "2026", "2026-13-01", "2026-06-01T25:00:00Z", "2026-06-01T03:00:00X", "01/06/2026"
    };
    char text[CLOCK_TEXT_BYTES];
    int64_t v = 0;

    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        CHECK(clock_read(t[i].text, &v), "%s", t[i].text);
        CHECK_INT(v, t[i].us);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!clock_read(bad[i], &v), "%s", bad[i]);
    CHECK(clock_read_local("2026-06-01T03:00:00", false, &v) && v == t[1].us, "UTC by default");
    clock_write(INT64_C(1780282800123456), text);
    CHECK_STR(text, "2026-06-01T03:00:00.123456Z");
    CHECK(clock_retry_after("7", &v) && v == 7 * US_PER_S);
    CHECK(clock_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", &v) && v == 0);
    CHECK(!clock_retry_after("soon", &v));
}

static enum rc parse(const char *text, json_t **out, struct err *e)
{
    return jspec_parse(text, strlen(text), 0, out, e);
}

static void json_is_strict_and_keeps_long_ids(void)
{
    static const struct {
        const char *text;
        const char *code;
    } bad[] = { { "{\"a\":1,\"a\":2}", "json_invalid" },
                { "{", "json_invalid" },
                { "{\"a\":\"\xff\"}", "json_encoding" },
                { "", "json_invalid" },
                { "{\"a\":01}", "json_invalid" } };
    struct err e = { 0 };
    json_t *v = NULL;
    char deep[200], id[JSPEC_ID_BYTES];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(parse(bad[i].text, &v, &e) == RC_INVALID, "%s", bad[i].text);
        CHECK_STR(e.code, bad[i].code);
    }
    memset(deep, '[', 40);
    memset(deep + 40, ']', 40);
    deep[80] = '\0';
    CHECK(parse(deep, &v, &e) == RC_INVALID);
    CHECK_STR(e.code, "json_too_deep");
    CHECK(parse("{\"id\":57648631694849000112345,\"n\":-12,\"s\":\"1\\\"2\"}", &v, &e) == RC_OK);
    jspec_id(v, "id", id);
    CHECK_STR(id, "57648631694849000112345");
    CHECK_INT(jspec_int(v, "n", 0), -12);
    CHECK_STR(jspec_text(v, "s"), "1\"2");
    json_decref(v);
}

static void specifications_name_the_field(void)
{
    static const char *const words[] = { "vtex", "feed", NULL };
    static const struct jspec_field price[] = {
        { .name = "source", .type = JSPEC_TEXT, .words = words },
        { .name = "minimum", .type = JSPEC_DECIMAL },
        { 0 }
    };
    static const struct jspec_field spec[] = {
        { .name = "name", .type = JSPEC_TEXT, .required = true, .min = 1, .max = 5 },
        { .name = "price", .type = JSPEC_OBJECT, .sub = price },
        { .name = "n", .type = JSPEC_INT, .min = 1, .max = 9, .nullable = true },
        { 0 }
    };
    static const struct {
        const char *text;
        const char *field; /* "" = good */
    } t[] = { { "{\"name\":\"x\",\"price\":{\"source\":\"feed\",\"minimum\":\"0.50\"},\"n\":null}",
                "" },
              { "{}", "name" },
              { "{\"name\":\"\"}", "name" },
              { "{\"name\":\"abcdef\"}", "name" },
              { "{\"name\":\"x\",\"other\":1}", "other" },
              { "{\"name\":\"x\",\"price\":{\"source\":\"db\"}}", "price.source" },
              { "{\"name\":\"x\",\"price\":{\"minimum\":0.5}}", "price.minimum" },
              { "{\"name\":\"x\",\"price\":{\"minimum\":\"1e3\"}}", "price.minimum" },
              { "{\"name\":\"x\",\"n\":10}", "n" } };

    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct err e = { 0 };
        json_t *v = NULL;
        enum rc rc;

        CHECK(parse(t[i].text, &v, &e) == RC_OK);
        rc = jspec_check(v, spec, &e);
        CHECK(rc == (t[i].field[0] ? RC_INVALID : RC_OK), "%s: %s", t[i].text, e.text);
        if (rc != RC_OK)
            CHECK_STR(e.field, t[i].field);
        json_decref(v);
    }
}

static void sealing_binds_place_and_detects_change(void)
{
    static const char keys[] = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    static const char both[] =
        "k2:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=,k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    struct keyring *old = NULL, *rotated = NULL;
    OWN_BUF struct buf wrapped, sealed, plain;
    unsigned char key[32], again[32];
    struct err e = { 0 };

    buf_init(&wrapped, 1024);
    buf_init(&sealed, 1024);
    buf_init(&plain, 1024);
    CHECK(keyring_new("k1:short", &old, &e) == RC_INVALID);
    CHECK(keyring_new(keys, &old, &e) == RC_OK);
    CHECK(keyring_new(both, &rotated, &e) == RC_OK);
    CHECK(keyring_data_key_new(old, "client-1", &wrapped, &e) == RC_OK);
    CHECK(keyring_data_key_open(old, "client-1", wrapped.data, wrapped.len, key, &e) == RC_OK);
    CHECK(keyring_data_key_open(rotated, "client-1", wrapped.data, wrapped.len, again, &e) ==
          RC_OK);
    CHECK(memcmp(key, again, 32) == 0);
    CHECK(keyring_data_key_open(old, "client-2", wrapped.data, wrapped.len, again, &e) ==
          RC_DENIED);
    CHECK(seal_bytes(key, "t\nc\nr", "secret", 6, &sealed, &e) == RC_OK);
    for (size_t i = 0; i + 6 <= sealed.len; i++)
        CHECK(memcmp(sealed.data + i, "secret", 6) != 0);
    CHECK(seal_open(key, "t\nc\nr", sealed.data, sealed.len, &plain, &e) == RC_OK);
    CHECK_STR(buf_text(&plain), "secret");
    CHECK(seal_open(key, "t\nc\nother", sealed.data, sealed.len, &plain, &e) == RC_DENIED);
    sealed.data[15] ^= 1;
    CHECK(seal_open(key, "t\nc\nr", sealed.data, sealed.len, &plain, &e) == RC_DENIED);
    CHECK(seal_open(key, "t\nc\nr", sealed.data, 5, &plain, &e) == RC_DENIED);
    keyring_free(old);
    keyring_free(rotated);
}

static void texts_are_encoded(void)
{
    OWN_BUF struct buf b;
    char out[64];
    unsigned char raw[8];

    buf_init(&b, 1024);
    str_url_encode(&b, "a b/\xC3\xA7+~");
    CHECK_STR(buf_text(&b), "a%20b%2F%C3%A7%2B~");
    CHECK(str_url_decode(out, sizeof out, b.data, b.len, false));
    CHECK_STR(out, "a b/\xC3\xA7+~");
    CHECK(!str_url_decode(out, sizeof out, "%4", 2, false));
    CHECK(!str_url_decode(out, sizeof out, "%00", 3, false));
    CHECK(str_url_decode(out, sizeof out, "%41", 3, false) && strcmp(out, "A") == 0);
    buf_clear(&b);
    str_base64(&b, "abcd", 4);
    CHECK_STR(buf_text(&b), "YWJjZA==");
    CHECK_INT(str_unbase64(raw, sizeof raw, "YWJjZA=="), 4);
    CHECK_INT(str_unbase64(raw, sizeof raw, "YWJ"), -1);
    CHECK_INT(str_unbase64(raw, 2, "YWJj"), -1);
    buf_clear(&b);
    str_json(&b, "a\"\n\x01\xff", 5);
    CHECK_STR(buf_text(&b), "a\\\"\\n\\u0001\xEF\xBF\xBD");
    str_copy_cut(out, 3, "a\xC3\xA7z");
    CHECK_STR(out, "a");
    CHECK_INT(str_utf8_prefix("a\xC3\xA7z", 2), 3);
    CHECK(!str_utf8_valid("\xED\xA0\x80", 3));
    buf_done(&b);
    buf_init(&b, 4);
    buf_str(&b, "12345");
    CHECK(buf_check(&b, NULL) == RC_INVALID);
}

/* Last, because the zone stays for the rest of the process. */
static void zoneless_times_belong_to_the_zone(void)
{
    static const struct {
        const char *text, *utc;
        bool last_second;
    } t[] = { { "2026-06-01T00:00:00", "2026-06-01T03:00:00Z", false },
              { "2026-06-01T00:00:00.5", "2026-06-01T03:00:00.500000Z", true },
              { "2026-06-01T00:00:00Z", "2026-06-01T00:00:00Z", false },
              { "2026-06-01T00:00:00+02:00", "2026-05-31T22:00:00Z", false },
              { "2026-06-01", "2026-06-01T03:00:00Z", false },
              { "2026-06-01", "2026-06-02T02:59:59Z", true } };
    char text[CLOCK_TEXT_BYTES];
    int64_t v = 0;

    CHECK(!clock_zone_use("") && !clock_zone_use("Mars/Olympus") && !clock_zone_use("../passwd") &&
          !clock_zone_use("/etc/localtime"));
    CHECK(clock_zone_use("America/Sao_Paulo"));
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        CHECK(clock_read_local(t[i].text, t[i].last_second, &v), "%s", t[i].text);
        clock_write(v, text);
        CHECK_STR(text, t[i].utc);
    }
    CHECK(!clock_read_local("tomorrow", true, &v));
    CHECK(clock_read("2026-06-01", &v) && v == INT64_C(1780272000000000), "clock_read stays UTC");
}

int main(void)
{
    CASE(integers_are_strict);
    CASE(feed_money_is_read_as_the_guide_says);
    CASE(decimals_and_percentages_are_exact);
    CASE(times_are_read_and_written);
    CASE(json_is_strict_and_keeps_long_ids);
    CASE(specifications_name_the_field);
    CASE(sealing_binds_place_and_detects_change);
    CASE(texts_are_encoded);
    CASE(zoneless_times_belong_to_the_zone);
    return CHECK_END();
}
