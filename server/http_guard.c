/* http_guard.c - refuses header blocks that two HTTP programs could read in two ways.
 *
 * The library under the listener forgives a lot: bare CR or LF as line ends, folded lines, blanks in odd
 * places, bytes hidden behind a NUL. It parses in place, so the check walks over its memory: each line must
 * begin exactly where the one before ended, or something in between was skipped. One thing cannot be told apart
 * there: a line that ends with NUL LF looks like one that ends with CR LF; no program in front forwards it. */
#include "http_int.h"

#include "str.h"

#include <strings.h>

static bool is_token_char(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return true;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool name_ok(const struct http_field *f)
{
    for (size_t i = 0; i < f->name_len; i++) {
        if (!is_token_char((unsigned char)f->name[i]))
            return false;
    }
    return f->name_len > 0;
}

static bool value_ok(const struct http_field *f)
{
    for (size_t i = 0; i < f->value_len; i++) {
        unsigned char c = (unsigned char)f->value[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool name_is(const struct http_field *f, const char *name)
{
    return f->name_len == strlen(name) && strncasecmp(f->name, name, f->name_len) == 0;
}

const struct http_field *http_field_find(const struct http_field *fields, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (name_is(&fields[i], name))
            return &fields[i];
    }
    return NULL;
}

/* A line end as the library leaves it: CR and LF each became a NUL. A lone one leaves a single NUL. */
static bool line_end(const char **at, const char *end)
{
    if (end - *at < 2 || (*at)[0] != 0 || (*at)[1] != 0)
        return false;
    *at += 2;
    return true;
}

/* The fields must lie one after the other with nothing between them, up to the empty line. */
static bool block_ok(const struct http_field *fields, int n, const struct http_block *block)
{
    const char *at = block->version + strlen(block->version);

    if (!line_end(&at, block->end))
        return false;
    for (int i = 0; i < n; i++) {
        if (fields[i].name != at || fields[i].name[fields[i].name_len] != 0)
            return false;
        at += fields[i].name_len + 1;
        while (at < block->end && (*at == ' ' || *at == '\t'))
            at++;
        if (fields[i].value_len > 0 && fields[i].value != at)
            return false;
        at += fields[i].value_len;
        if (at > block->end || !line_end(&at, block->end))
            return false;
    }
    return line_end(&at, block->end) && at == block->end;
}

/* Content-Length: only digits, at most 18, trailing blanks allowed. */
static bool length_ok(const struct http_field *f)
{
    size_t len = f->value_len;

    while (len > 0 && (f->value[len - 1] == ' ' || f->value[len - 1] == '\t'))
        len--;
    if (len == 0 || len > 18)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (f->value[i] < '0' || f->value[i] > '9')
            return false;
    }
    return true;
}

static bool is_chunked(const struct http_field *f)
{
    return f->value_len == 7 && strncasecmp(f->value, "chunked", 7) == 0;
}

static const char *framing_fault(const struct http_field *fields, int n, bool http_11)
{
    int lengths = 0;
    int codings = 0;
    int hosts = 0;
    int authorizations = 0;

    for (int i = 0; i < n; i++) {
        if (name_is(&fields[i], "Content-Length")) {
            lengths++;
            if (!length_ok(&fields[i]))
                return "content_length";
        } else if (name_is(&fields[i], "Transfer-Encoding")) {
            codings++;
            if (!is_chunked(&fields[i]) || !http_11)
                return "transfer_encoding";
        } else if (name_is(&fields[i], "Host")) {
            hosts++;
        } else if (name_is(&fields[i], "Authorization")) {
            authorizations++;
        }
    }
    if (lengths > 1 || codings > 1 || lengths + codings > 1)
        return "two_body_lengths";
    if (hosts > 1 || (http_11 && hosts == 0))
        return "host";
    if (authorizations > 1)
        return "two_authorizations";
    return NULL;
}

bool http_guard_line(const char *method, const char *path, const char *query)
{
    const struct http_field name = { .name = method, .name_len = strlen(method) };

    for (const char *p = path; *p != 0; p++) {
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
            return false;
    }
    for (const char *p = query; *p != 0; p++) {
        if ((unsigned char)*p <= 0x20 || *p == 0x7f)
            return false;
    }
    return name_ok(&name) && *path != 0;
}

int http_guard_check(const struct http_field *fields, int n, const struct http_block *block,
                     const char **why)
{
    bool http_11 = strcmp(block->version, "HTTP/1.1") == 0;
    const char *fault = NULL;

    *why = "version";
    if (!http_11 && strcmp(block->version, "HTTP/1.0") != 0)
        return 400;
    for (int i = 0; i < n; i++) {
        *why = "header_characters";
        if (!name_ok(&fields[i]) || !value_ok(&fields[i]))
            return 400;
    }
    *why = "header_lines";
    if (block->known_layout && !block_ok(fields, n, block))
        return 400;
    fault = framing_fault(fields, n, http_11);
    if (fault != NULL) {
        *why = fault;
        return 400;
    }
    *why = "";
    return 0;
}

int64_t http_guard_body_length(const struct http_field *fields, int n)
{
    const struct http_field *f = http_field_find(fields, n, "Content-Length");
    int64_t length = 0;

    if (http_field_find(fields, n, "Transfer-Encoding") != NULL)
        return -1;
    if (f == NULL)
        return 0;
    for (size_t i = 0; i < f->value_len && f->value[i] >= '0' && f->value[i] <= '9'; i++)
        length = length * 10 + (f->value[i] - '0');
    return length;
}
