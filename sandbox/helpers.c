/* helpers.c - small helpers of the simulator: JSON members, ids, times. */
#include "state.h"

#include "clock.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>

void *sbx_need(void *value)
{
    if (value == NULL) {
        static const char text[] = "sandbox: out of memory\n";

        (void)fwrite(text, 1, sizeof text - 1, stderr); /* nothing else can be done about it */
        abort();
    }
    return value;
}

void sbx_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, sbx_need(value)) != 0)
        sbx_need(NULL);
}

void sbx_set_text(json_t *object, const char *key, const char *text)
{
    sbx_set(object, key, text == NULL ? json_null() : json_string(text));
}

void sbx_set_int(json_t *object, const char *key, int64_t value)
{
    sbx_set(object, key, json_integer(value));
}

void sbx_append(json_t *list, json_t *value)
{
    if (json_array_append_new(list, sbx_need(value)) != 0)
        sbx_need(NULL);
}

const char *sbx_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

int64_t sbx_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

int64_t sbx_now_s(void)
{
    return clock_now_us() / US_PER_S;
}

void sbx_id(struct sandbox *sb, bool order, char out[32])
{
    int64_t base = order ? INT64_C(576000000000000000) + sb->id_base * 100000000
                         : INT64_C(1729000000000000000) + sb->id_base * 1000000000;

    sb->seq++;
    (void)snprintf(out, 32, "%lld", (long long)(base + sb->seq)); /* 19 digits fit */
}

void sbx_vtex_time(int64_t us, char out[40])
{
    time_t seconds = (time_t)(us / US_PER_S);
    struct tm tm = { 0 };

    (void)gmtime_r(&seconds, &tm); /* times after 1970 always convert */
    size_t n = strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out + n, 40 - n, ".%07lld+00:00", (long long)(us % US_PER_S) * 10);
}

enum rc sbx_html(struct http_reply *reply, int status, const char *html, struct err *e)
{
    http_reply_header(reply, "Content-Security-Policy", "%s",
                      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'");
    return http_reply_html(reply, status, html, e);
}
