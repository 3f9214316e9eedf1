/* test_webhook_scan.c - which webhook bodies are usable, and which ids are read from them. */
#include "../../handlers/webhook_scan.h"
#include "check.h"

static const struct row {
    const char *name;
    const char *text;
    size_t len;       /* 0 = strlen */
    const char *want; /* NULL = well */
    int topic;
    const char *shop, *notice, *order, *product, *orders;
    int64_t time;
} ROWS[] = {
    { "order",
      "{\"type\":1,\"tts_notification_id\":\"7327112393057371910\",\"shop_id\":\"7494049642642441621\",\"timestamp\":1644412885,\"data\":{\"order_id\":\"576486316948490001\",\"order_status\":\"UNPAID\",\"is_on_hold_order\":false,\"update_time\":1644412885}}",
      0, NULL, 1, "7494049642642441621", "7327112393057371910", "576486316948490001", "", "",
      1644412885 },
    { "numbers keep their digits",
      "{\"type\":5,\"tts_notification_id\":7327112393057371912,\"shop_id\":7494049642642441621,\"data\":{\"product_id\":1729592969712207008}}",
      0, NULL, 5, "7494049642642441621", "7327112393057371912", "", "1729592969712207008", "", 0 },
    { "packages",
      "{\"type\":4,\"shop_id\":\"s\",\"data\":{\"package_list\":[{\"package_id\":\"1\",\"order_id_list\":[\"152523\",532123]},{\"order_id_list\":[]},{}],\"x\":[[{}]]}}",
      0, NULL, 4, "s", "", "", "", "152523\n532123\n", 0 },
    { "invoice",
      "{\"type\":36,\"shop_id\":\"s\",\"data\":{\"order_ids\":[\"1\",\"2\"],\"package_id\":\"9\"}}",
      0, NULL, 36, "s", "", "", "", "1\n2\n", 0 },
    { "blanks and order", " \t\r\n{ \"data\" : { } , \"shop_id\" : \"s\" , \"type\" : 6 } \n", 0,
      NULL, 6, "s", "", "", "", "", 0 },
    { "type as text", "{\"type\":\"7\",\"shop_id\":\"s\"}", 0, NULL, 7, "s", "", "", "", "", 0 },
    { "escaped key", "{\"\\u0074ype\":1,\"shop\\u005fid\":\"\\u0073\"}", 0, NULL, 1, "s", "", "",
      "", "", 0 },
    { "ids only where they belong",
      "{\"type\":1,\"shop_id\":\"s\",\"x\":{\"order_id\":\"no\",\"shop_id\":\"no\"},\"data\":{\"x\":{\"order_id\":\"no\"}}}",
      0, NULL, 1, "s", "", "", "", "", 0 },
    { "NUL escape elsewhere", "{\"type\":1,\"shop_id\":\"s\",\"data\":{\"m\":\"\\u0000\"}}", 0,
      NULL, 1, "s", "", "", "", "", 0 },
    { "half a pair elsewhere",
      "{\"type\":1,\"shop_id\":\"s\",\"data\":{\"m\":\"\\ud800 \\udfff\\ud83d\\ude00\"}}", 0, NULL,
      1, "s", "", "", "", "", 0 },
    { "odd notification id", "{\"type\":1,\"shop_id\":\"s\",\"tts_notification_id\":\"a b\"}", 0,
      NULL, 1, "s", "", "", "", "", 0 },
    { "empty ids are missing",
      "{\"type\":1,\"shop_id\":\"\",\"tts_notification_id\":\"\",\"data\":{\"order_id\":\"\"}}", 0,
      NULL, 1, "", "", "", "", "", 0 },
    { "nulls are missing", "{\"type\":1,\"shop_id\":null,\"timestamp\":null,\"data\":null}", 0,
      NULL, 1, "", "", "", "", "", 0 },
    { "64-bit ends",
      "{\"type\":1,\"shop_id\":\"s\",\"a\":[-9223372036854775808,18446744073709551615,-0,0.5,1e300,-1E-5]}",
      0, NULL, 1, "s", "", "", "", "", 0 },
    { "same key in another object",
      "{\"type\":1,\"shop_id\":\"s\",\"data\":{\"type\":2},\"x\":[{\"a\":1},{\"a\":1}]}", 0, NULL,
      1, "s", "", "", "", "", 0 },
    { "empty", "", 0, "no_json_object", -1, "", "", "", "", "", 0 },
    { "not an object", "[1]", 0, "no_json_object", -1, "", "", "", "", "", 0 },
    { "text", "\"x\"", 0, "no_json_object", -1, "", "", "", "", "", 0 },
    { "mark of byte order", "\xef\xbb\xbf{}", 0, "no_json_object", -1, "", "", "", "", "", 0 },
    { "cut", "{\"type\":1,\"shop_id\":\"s\"", 0, "bad_json", 1, "s", "", "", "", "", 0 },
    { "cut in text", "{\"type\":1,\"shop_id\":\"s", 0, "bad_json", 1, "", "", "", "", "", 0 },
    { "more after the end", "{\"type\":1}{}", 0, "bad_json", 1, "", "", "", "", "", 0 },
    { "last comma", "{\"type\":1,}", 0, "bad_json", 1, "", "", "", "", "", 0 },
    { "last comma in a list", "{\"a\":[1,]}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "first comma", "{,\"a\":1}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "no comma", "{\"a\":1 \"b\":2}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "no colon", "{\"a\" 1}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "wrong bracket", "{\"a\":[1}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "single quotes", "{'a':1}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "bare word", "{\"a\":nul}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "word goes on", "{\"a\":truex}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "NaN", "{\"a\":NaN}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "leading zero", "{\"a\":01}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "plus", "{\"a\":+1}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "bare point", "{\"a\":1.}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "bare exponent", "{\"a\":1e}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "bare minus", "{\"a\":-}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "control byte in text", "{\"a\":\"\n\"}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "NUL byte", "{\"a\":\"\0\"}", 9, "bad_json", -1, "", "", "", "", "", 0 },
    { "NUL after the end", "{\"type\":1}\0", 11, "bad_json", 1, "", "", "", "", "", 0 },
    { "unknown escape", "{\"a\":\"\\x41\"}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "short escape", "{\"a\":\"\\u12\"}", 0, "bad_json", -1, "", "", "", "", "", 0 },
    { "bad UTF-8", "{\"a\":\"\xff\"}", 0, "bad_utf8", -1, "", "", "", "", "", 0 },
    { "overlong UTF-8", "{\"a\":\"\xc0\x80\"}", 0, "bad_utf8", -1, "", "", "", "", "", 0 },
    { "twice the same key", "{\"type\":1,\"shop_id\":\"s\",\"type\":2}", 0, "duplicate_key", 1, "s",
      "", "", "", "", 0 },
    { "twice the same key, escaped", "{\"type\":1,\"\\u0074ype\":2}", 0, "duplicate_key", 1, "", "",
      "", "", "", 0 },
    { "twice the same key, deep", "{\"a\":[{\"b\":1,\"c\":{},\"b\":1}]}", 0, "duplicate_key", -1,
      "", "", "", "", "", 0 },
    { "integer too large", "{\"a\":18446744073709551616}", 0, "number_out_of_range", -1, "", "", "",
      "", "", 0 },
    { "integer too small", "{\"a\":-9223372036854775809}", 0, "number_out_of_range", -1, "", "", "",
      "", "", 0 },
    { "double too large", "{\"a\":1e999}", 0, "number_out_of_range", -1, "", "", "", "", "", 0 },
    { "type too large", "{\"type\":2147483648}", 0, "bad_type", -1, "", "", "", "", "", 0 },
    { "type with a fraction", "{\"type\":1.0}", 0, "bad_type", -1, "", "", "", "", "", 0 },
    { "negative time", "{\"type\":1,\"timestamp\":-1}", 0, "bad_timestamp", 1, "", "", "", "", "",
      0 },
    { "time out of range", "{\"type\":1,\"timestamp\":999999999999}", 0, "bad_timestamp", 1, "", "",
      "", "", "", 0 },
    { "id with a fraction", "{\"type\":1,\"data\":{\"order_id\":1.5}}", 0, "bad_id", 1, "", "", "",
      "", "", 0 },
    { "id with a NUL", "{\"type\":1,\"data\":{\"order_id\":\"1\\u00002\"}}", 0, "bad_id", 1, "", "",
      "", "", "", 0 },
    { "id with a quote", "{\"type\":1,\"data\":{\"order_id\":\"1';--\"}}", 0, "bad_id", 1, "", "",
      "", "", "", 0 },
    { "id too long",
      "{\"type\":1,\"shop_id\":\"1234567890123456789012345678901234567890123456789012345678901234\"}",
      0, "bad_id", 1, "", "", "", "", "", 0 },
};

static void rows(void)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct row *r = &ROWS[i];
        size_t len = r->len != 0 ? r->len : strlen(r->text);
        char *exact = malloc(len + 1); /* one spare byte that no sanitizer may see read */
        struct webhook_ids ids;
        const char *got = NULL;
        int bad = check_bad;

        memcpy(exact, r->text, len);
        got = webhook_scan(exact, len, &ids);
        CHECK_STR(got != NULL ? got : "well", r->want != NULL ? r->want : "well");
        CHECK_INT(ids.topic, r->topic);
        CHECK_STR(ids.shop_id, r->shop);
        CHECK_STR(ids.notification_id, r->notice);
        CHECK_STR(ids.order_id, r->order);
        CHECK_STR(ids.product_id, r->product);
        CHECK_STR(buf_text(&ids.orders), r->orders);
        CHECK_INT(ids.timestamp_s, r->time);
        if (check_bad != bad)
            printf("  ^ %s\n", r->name);
        webhook_ids_done(&ids);
        free(exact);
    }
}

static const char *nested(int depth)
{
    static char text[400];
    char *p = text;
    struct webhook_ids ids;
    const char *got = NULL;

    p += snprintf(p, 10, "{\"a\":");
    for (int i = 1; i < depth; i++)
        *p++ = '[';
    for (int i = 1; i < depth; i++)
        *p++ = ']';
    *p++ = '}';
    got = webhook_scan(text, (size_t)(p - text), &ids);
    webhook_ids_done(&ids);
    return got != NULL ? got : "well";
}

static void depth(void)
{
    CHECK_STR(nested(32), "well");
    CHECK_STR(nested(33), "too_deep");
    CHECK_STR(nested(150), "too_deep");
}

static const char *with_keys(int n, int twin)
{
    struct buf b;
    struct webhook_ids ids;
    const char *got = NULL;

    buf_init(&b, 1 << 20);
    buf_char(&b, '{');
    for (int i = 0; i < n; i++)
        buf_fmt(&b, "%s\"k%d\":0", i > 0 ? "," : "", i == n - 1 && twin >= 0 ? twin : i);
    buf_char(&b, '}');
    got = webhook_scan(b.data, b.len, &ids);
    webhook_ids_done(&ids);
    buf_done(&b);
    return got != NULL ? got : "well";
}

static void many_keys(void)
{
    CHECK_STR(with_keys(127, -1), "well");
    CHECK_STR(with_keys(5000, -1), "well");
    CHECK_STR(with_keys(10000, -1), "well");
    CHECK_STR(with_keys(10001, -1), "too_many_keys");
    CHECK_STR(with_keys(9000, 3), "duplicate_key");
}

static void many_orders(void)
{
    struct buf b;
    struct webhook_ids ids;

    buf_init(&b, 1 << 20);
    buf_str(&b, "{\"type\":36,\"data\":{\"order_ids\":[0");
    for (int i = 1; i < 1000; i++)
        buf_fmt(&b, ",%d", i);
    buf_str(&b, "]}}");
    CHECK(webhook_scan(b.data, b.len, &ids) == NULL);
    CHECK_INT(ids.n_orders, 1000);
    webhook_ids_done(&ids);
    b.len -= 3;
    buf_str(&b, ",7]}}");
    CHECK_STR(webhook_scan(b.data, b.len, &ids), "too_many_orders");
    webhook_ids_done(&ids);
    buf_done(&b);
}

int main(void)
{
    CASE(rows);
    CASE(depth);
    CASE(many_keys);
    CASE(many_orders);
    return CHECK_END();
}
