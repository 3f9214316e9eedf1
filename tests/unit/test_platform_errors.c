/* What the platforms' error codes become, table by table. */
#include "platform.h"

#include "../../outbound/platform_call.h"
#include "check.h"
#include "str.h"

#define VTEX_CODES "tests/fixtures/vtex/errors.json"

struct tiktok_row {
    int64_t code;
    const char *message;
    enum rc reads, writes;
};

static const struct tiktok_row TIKTOK[] = {
    { 36009002, "Too many requests", RC_BUSY, RC_BUSY },
    { 36009003, "Internal error", RC_DOWN, RC_DOWN },
    { 36009007, "Request timeout", RC_DOWN, RC_UNSURE },
    { 105002, "Expired credentials", RC_DENIED, RC_DENIED },
    { 105005, "Access denied", RC_DENIED, RC_DENIED },
    { 36009033, "IP not in allow list", RC_DENIED, RC_DENIED },
    { 36009004, "Invalid timestamp", RC_DOWN, RC_DOWN },
    { 36009004, "The access_token is invalid", RC_DENIED, RC_DENIED },
    { 36009004, "unexpected identifier shop_cipher", RC_BUG, RC_BUG },
    { 36009004, NULL, RC_BUG, RC_BUG },
    { 106001, "Invalid sign", RC_BUG, RC_BUG },
    { 106013, "shop_cipher required", RC_BUG, RC_BUG },
    { 101000, "Invalid query", RC_BUG, RC_BUG },
    { 36009009, "", RC_BUG, RC_BUG },
    { 36009010, "", RC_BUG, RC_BUG },
    { 36009014, "", RC_BUG, RC_BUG },
    { 36009021, "", RC_INVALID, RC_INVALID },
    { 36009022, "", RC_BUG, RC_BUG },
    { 36009023, "", RC_BUG, RC_BUG },
    { 12052990, "wrapped", RC_INVALID, RC_INVALID },
    { 12052093, "listing limit", RC_INVALID, RC_INVALID },
    { 11050001, "invalid param", RC_INVALID, RC_INVALID },
    { 12019064, "No matching categories, and try again.", RC_INVALID, RC_INVALID },
    { 21001008, "System process error, please try again later.", RC_DOWN, RC_UNSURE },
    { 21001011, NULL, RC_DOWN, RC_UNSURE },
    { 11001031, "", RC_DOWN, RC_UNSURE },
    { 11034023, "generation timeout error, please try again later.", RC_DOWN, RC_DOWN },
    { 11034037, "still being generated, please try again later.", RC_DOWN, RC_DOWN },
    { 21009999, "New text: System process error", RC_DOWN, RC_UNSURE },
    { 25009999, "Please TRY AGAIN LATER.", RC_DOWN, RC_DOWN },
    { 21008044, "Open after-sale request", RC_INVALID, RC_INVALID },
    { 12345678, "never seen, try again later", RC_INVALID, RC_INVALID },
};

static void tiktok_codes(void)
{
    for (size_t i = 0; i < sizeof(TIKTOK) / sizeof(TIKTOK[0]); i++) {
        const struct tiktok_row *row = &TIKTOK[i];
        enum rc reads = tiktok_error_rc(row->code, false, row->message);
        enum rc writes = tiktok_error_rc(row->code, true, row->message);

        CHECK(reads == row->reads, "%lld reading: %s", (long long)row->code, rc_name(reads));
        CHECK(writes == row->writes, "%lld writing: %s", (long long)row->code, rc_name(writes));
    }
}

static void tiktok_second_tries(void)
{
    CHECK(tiktok_error_is_token(105002, ""), "expired");
    CHECK(tiktok_error_is_token(36009004, "Access token is invalid"), "bad");
    CHECK(!tiktok_error_is_token(36009004, "invalid sign"), "other");
    CHECK(!tiktok_error_is_token(105005, "access token lacks a scope"), "scope");
    CHECK(tiktok_error_is_clock(36009004, "Timestamp is expired"), "clock");
    CHECK(!tiktok_error_is_clock(106001, "timestamp"), "sign");
}

static void tiktok_statuses(void)
{
    CHECK_INT(tiktok_status_rc(429, true), RC_BUSY);
    CHECK_INT(tiktok_status_rc(503, true), RC_DOWN);
    CHECK_INT(tiktok_status_rc(500, true), RC_UNSURE);
    CHECK_INT(tiktok_status_rc(502, false), RC_DOWN);
    CHECK_INT(tiktok_status_rc(504, true), RC_UNSURE);
    CHECK_INT(tiktok_status_rc(408, true), RC_UNSURE);
    CHECK_INT(tiktok_status_rc(302, true), RC_UNSURE);
    CHECK_INT(tiktok_status_rc(302, false), RC_DOWN);
    CHECK_INT(tiktok_status_rc(200, true), RC_UNSURE);
    CHECK_INT(tiktok_status_rc(200, false), RC_DOWN);
    CHECK_INT(tiktok_status_rc(401, true), RC_DENIED);
    CHECK_INT(tiktok_status_rc(404, true), RC_INVALID);
}

static void vtex_codes(void)
{
    json_error_t why;
    json_t *file = json_load_file(VTEX_CODES, 0, &why), *row;
    const char *code;
    size_t n = 0;

    CHECK(file != NULL, "%s: %s", VTEX_CODES, why.text);
    json_object_foreach(json_object_get(file, "codes"), code, row)
    {
        CHECK_STR(vtex_error_class(code, 400), json_string_value(json_object_get(row, "class")));
        n++;
    }
    CHECK_INT(n, 104);
    CHECK_STR(vtex_error_class("FMT009", 400), "adopt");
    CHECK_STR(vtex_error_class("FMT0090", 400), "payload");
    CHECK_STR(vtex_error_class("FMT00", 400), "payload");
    CHECK_STR(vtex_error_class("FMT009 ", 500), "transient");
    CHECK_STR(vtex_error_class("", 400), "payload");
    CHECK_STR(vtex_error_class(NULL, 502), "transient");
    CHECK_STR(vtex_error_class("1", 422), "payload");
    CHECK_STR(vtex_error_class("", 408), "transient");
    json_decref(file);
}

static void vtex_statuses(void)
{
    CHECK_INT(vtex_error_rc(200, "", true), RC_OK);
    CHECK_INT(vtex_error_rc(204, "", true), RC_OK);
    CHECK_INT(vtex_error_rc(404, "payload", true), RC_NOT_FOUND);
    CHECK_INT(vtex_error_rc(401, "payload", false), RC_DENIED);
    CHECK_INT(vtex_error_rc(403, "payload", false), RC_DENIED);
    CHECK_INT(vtex_error_rc(429, "transient", true), RC_BUSY);
    CHECK_INT(vtex_error_rc(400, "adopt", true), RC_INVALID);
    CHECK_INT(vtex_error_rc(409, "payload", true), RC_INVALID);
    CHECK_INT(vtex_error_rc(400, "transient", true), RC_UNSURE);
    CHECK_INT(vtex_error_rc(400, "transient", false), RC_DOWN);
    CHECK_INT(vtex_error_rc(500, "transient", true), RC_UNSURE);
    CHECK_INT(vtex_error_rc(503, "transient", false), RC_DOWN);
    CHECK_INT(vtex_error_rc(408, "transient", true), RC_UNSURE);
    CHECK_INT(vtex_error_rc(302, "payload", true), RC_UNSURE);
    CHECK_INT(vtex_error_rc(302, "payload", false), RC_DOWN);
}

int main(void)
{
    CASE(tiktok_codes);
    CASE(tiktok_second_tries);
    CASE(tiktok_statuses);
    CASE(vtex_codes);
    CASE(vtex_statuses);
    return CHECK_END();
}
