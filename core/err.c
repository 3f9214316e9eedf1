/* err.c - fills struct err: one place that formats and cuts the words of a failure. */
#include "err.h"

#include "str.h"

#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void fill(struct err *e, enum rc rc, const char *code,
                                                       const char *fmt, va_list ap)
{
    char text[2048];

    memset(e, 0, sizeof *e);
    e->rc = rc;
    if (code != NULL)
        str_copy_cut(e->code, sizeof e->code, code);
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = '\0';
    str_copy_cut(e->text, sizeof e->text, text);
}

enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...)
{
    va_list ap;

    if (e == NULL)
        return rc;
    va_start(ap, fmt);
    fill(e, rc, NULL, fmt, ap);
    va_end(ap);
    return rc;
}

enum rc err_code(struct err *e, enum rc rc, const char *code, const char *fmt, ...)
{
    va_list ap;

    if (e == NULL)
        return rc;
    va_start(ap, fmt);
    fill(e, rc, code, fmt, ap);
    va_end(ap);
    return rc;
}

enum rc err_field(struct err *e, const char *field, const char *fmt, ...)
{
    va_list ap;

    if (e == NULL)
        return RC_INVALID;
    va_start(ap, fmt);
    fill(e, RC_INVALID, "invalid_field", fmt, ap);
    va_end(ap);
    str_copy_cut(e->field, sizeof e->field, field);
    return RC_INVALID;
}

enum rc err_http(struct err *e, int status, const char *code, const char *fmt, ...)
{
    va_list ap;

    if (e == NULL)
        return RC_INVALID;
    va_start(ap, fmt);
    fill(e, RC_INVALID, code, fmt, ap);
    va_end(ap);
    e->http_status = status;
    return RC_INVALID;
}

const char *rc_name(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return "ok";
    case RC_DUPLICATE:
        return "duplicate";
    case RC_BUSY:
        return "busy";
    case RC_DOWN:
        return "down";
    case RC_UNSURE:
        return "unsure";
    case RC_DENIED:
        return "denied";
    case RC_NOT_FOUND:
        return "not_found";
    case RC_INVALID:
        return "invalid";
    case RC_STOPPED:
        return "stopped";
    case RC_BUG:
        return "bug";
    }
    return "unknown";
}
