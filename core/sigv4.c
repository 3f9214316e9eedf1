/* sigv4.c - AWS Signature Version 4, the receiving side: rebuilds what was signed from the raw request.
 *
 * The path is encoded once more than it was sent, as every AWS service but S3 has it. Parameters of the query are
 * decoded and encoded again, so that a proxy may respell them. */
#include "sigv4.h"

#include "clock.h"
#include "own.h"
#include "sign.h"
#include "str.h"

#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define LIMIT_SIGNED_HEADERS 64
#define LIMIT_PARAMS 64
#define LIMIT_SIGNED_TEXT_BYTES ((size_t)16 << 10)
#define LIMIT_CANONICAL_BYTES ((size_t)128 << 10)
#define LIMIT_PRESIGNED_S 604800

/* What the caller says about the signature. */
struct claim {
    bool presigned;
    char credential[256];
    char headers[2048];
    char signature[80];
    char date[24];   /* 20260102T030405Z */
    int64_t expires; /* seconds, presigned only */
    /* parts of the credential, terminated in `parts` */
    char parts[256];
    const char *id, *day, *region, *service;
};

static enum rc incomplete(struct err *e, const char *what)
{
    return err_code(e, RC_DENIED, "IncompleteSignatureException", "%s", what);
}

static enum rc invalid(struct err *e, const char *what)
{
    return err_code(e, RC_DENIED, "InvalidSignatureException", "%s", what);
}

/* ---- what was claimed ------------------------------------------------------------------------------ */

/* Takes the value of NAME=... out of "A=1, B=2"; false when absent, twice or too long. */
static bool list_value(const char *list, const char *name, char *dst, size_t cap)
{
    size_t name_len = strlen(name);
    bool found = false;

    while (*list != '\0') {
        size_t len;

        list += strspn(list, ", \t");
        len = strcspn(list, ", \t");
        if (len > name_len + 1 && strncmp(list, name, name_len) == 0 && list[name_len] == '=') {
            if (found || len - name_len - 1 >= cap)
                return false;
            memcpy(dst, list + name_len + 1, len - name_len - 1);
            dst[len - name_len - 1] = '\0';
            found = true;
        }
        list += len;
    }
    return found;
}

/* The decoded value of one parameter of the query; false when absent, twice or too long. */
static bool query_value(const char *query, const char *name, char *dst, size_t cap)
{
    size_t name_len = strlen(name);
    bool found = false;

    while (*query != '\0') {
        size_t len = strcspn(query, "&");

        if (len > name_len && strncmp(query, name, name_len) == 0 && query[name_len] == '=') {
            if (found || !str_url_decode(dst, cap, query + name_len + 1, len - name_len - 1, false))
                return false;
            found = true;
        }
        query += len;
        query += *query == '&';
    }
    return found;
}

static enum rc claim_header(const struct sigv4_request *req, const char *text, struct claim *c,
                            struct err *e)
{
    const char *date = req->header(req->ctx, "X-Amz-Date");
    const char *rest = text + strlen(ALGORITHM);

    if (!str_starts(text, ALGORITHM) || (*rest != ' ' && *rest != '\t'))
        return err_code(e, RC_DENIED, "MissingAuthenticationTokenException",
                        "Authorization must be an " ALGORITHM " signature.");
    if (!list_value(rest, "Credential", c->credential, sizeof c->credential))
        return incomplete(e, "Authorization header requires one 'Credential' parameter.");
    if (!list_value(rest, "SignedHeaders", c->headers, sizeof c->headers))
        return incomplete(e, "Authorization header requires one 'SignedHeaders' parameter.");
    if (!list_value(rest, "Signature", c->signature, sizeof c->signature))
        return incomplete(e, "Authorization header requires one 'Signature' parameter.");
    if (date == NULL || !str_copy(c->date, sizeof c->date, date))
        return incomplete(e, "Authorization header requires existence of an 'X-Amz-Date' header.");
    return RC_OK;
}

static enum rc claim_presigned(const struct sigv4_request *req, struct claim *c, struct err *e)
{
    char text[32];

    c->presigned = true;
    if (!query_value(req->query, "X-Amz-Algorithm", text, sizeof text) || !str_eq(text, ALGORITHM))
        return incomplete(e, "X-Amz-Algorithm must be " ALGORITHM ".");
    if (!query_value(req->query, "X-Amz-Credential", c->credential, sizeof c->credential) ||
        !query_value(req->query, "X-Amz-SignedHeaders", c->headers, sizeof c->headers) ||
        !query_value(req->query, "X-Amz-Signature", c->signature, sizeof c->signature) ||
        !query_value(req->query, "X-Amz-Date", c->date, sizeof c->date))
        return incomplete(e,
                          "AWS query-string parameters must include X-Amz-Credential, X-Amz-Date,"
                          " X-Amz-SignedHeaders and X-Amz-Signature, once each.");
    if (!query_value(req->query, "X-Amz-Expires", text, sizeof text) ||
        !str_to_i64(text, 1, LIMIT_PRESIGNED_S, &c->expires))
        return incomplete(e, "X-Amz-Expires must be a number of seconds from 1 to 604800.");
    return RC_OK;
}

/* id/day/region/service/aws4_request */
static enum rc claim_split(struct claim *c, struct err *e)
{
    const char **into[] = { &c->id, &c->day, &c->region, &c->service };
    char *at = c->parts;

    (void)str_copy(c->parts, sizeof c->parts, c->credential);
    for (int i = 0; i < 4; i++) {
        char *slash = strchr(at, '/');

        if (slash == NULL || slash == at)
            return incomplete(e, "Credential must be KEY/DATE/REGION/SERVICE/aws4_request.");
        *slash = '\0';
        *into[i] = at;
        at = slash + 1;
    }
    if (!str_eq(at, "aws4_request"))
        return incomplete(e, "Credential must be KEY/DATE/REGION/SERVICE/aws4_request.");
    return RC_OK;
}

static enum rc claim_read(const struct sigv4_request *req, struct claim *c, struct err *e)
{
    const char *authorization = req->header(req->ctx, "Authorization");
    bool in_query = strstr(req->query, "X-Amz-Signature=") != NULL ||
                    strstr(req->query, "X-Amz-Algorithm=") != NULL;
    enum rc rc;

    if (authorization == NULL && !in_query)
        return err_code(e, RC_DENIED, "MissingAuthenticationTokenException",
                        "Missing Authentication Token");
    if (authorization != NULL && in_query)
        return incomplete(e, "The request is signed in its header and in its query.");
    rc = in_query ? claim_presigned(req, c, e) : claim_header(req, authorization, c, e);
    return rc == RC_OK ? claim_split(c, e) : rc;
}

/* ---- when ------------------------------------------------------------------------------------------ */

/* 20260102T030405Z */
static bool date_read(const char *text, int64_t *us)
{
    char iso[24];

    if (strlen(text) != 16 || text[8] != 'T' || text[15] != 'Z')
        return false;
    return str_fmt(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text, text + 4, text + 6,
                   text + 9, text + 11, text + 13) &&
           clock_read(iso, us);
}

static enum rc check_time(const struct claim *c, int64_t now_us, struct err *e)
{
    int64_t at = 0;
    int64_t lives_us = SIGV4_WINDOW_US;

    if (!date_read(c->date, &at))
        return incomplete(e, "X-Amz-Date must be written as 20260102T030405Z.");
    if (strncmp(c->date, c->day, 8) != 0 || strlen(c->day) != 8)
        return invalid(e, "The date of the credential is not that of X-Amz-Date.");
    if (c->presigned && c->expires * US_PER_S < lives_us)
        lives_us = c->expires * US_PER_S;
    if (at - now_us > SIGV4_WINDOW_US)
        return invalid(e, "Signature not yet current: X-Amz-Date lies more than 5 minutes ahead.");
    if (now_us - at > lives_us)
        return invalid(e, "Signature expired: X-Amz-Date lies too far back.");
    return RC_OK;
}

/* ---- what was signed ------------------------------------------------------------------------------- */

struct param {
    char *name, *value; /* encoded; owned */
};

static int param_order(const void *a, const void *b)
{
    const struct param *x = a;
    const struct param *y = b;
    int by_name = strcmp(x->name, y->name);

    return by_name != 0 ? by_name : strcmp(x->value, y->value);
}

/* One piece of the query, decoded and encoded the one way that is signed. NULL: not readable. */
static char *respell(const char *text, size_t len)
{
    OWN_STR char *plain = malloc(len + 1);
    struct buf out;

    buf_init(&out, LIMIT_SIGNED_TEXT_BYTES * 3);
    if (plain == NULL || !str_url_decode(plain, len + 1, text, len, false))
        return NULL;
    str_url_encode(&out, plain);
    if (buf_check(&out, NULL) != RC_OK) {
        buf_done(&out);
        return NULL;
    }
    return out.len > 0 ? buf_take(&out) : str_dup("");
}

static bool params_read(const char *query, struct param params[LIMIT_PARAMS], int *n)
{
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        const char *equals = memchr(query, '=', len);
        size_t name_len = equals != NULL ? (size_t)(equals - query) : len;

        if (len > 0 && !(name_len == 15 && strncmp(query, "X-Amz-Signature", 15) == 0)) {
            struct param *p = &params[*n];

            if (*n == LIMIT_PARAMS)
                return false;
            (*n)++;
            p->name = respell(query, name_len);
            p->value = equals != NULL ? respell(equals + 1, len - name_len - 1) : str_dup("");
            if (p->name == NULL || p->value == NULL)
                return false;
        }
        query += len;
        query += *query == '&';
    }
    return true;
}

static bool add_query(struct buf *out, const char *query)
{
    struct param params[LIMIT_PARAMS] = { 0 };
    int n = 0;
    bool fine = params_read(query, params, &n);

    if (fine)
        qsort(params, (size_t)n, sizeof params[0], param_order);
    for (int i = 0; i < n; i++) {
        if (fine)
            buf_fmt(out, "%s%s=%s", i > 0 ? "&" : "", params[i].name, params[i].value);
        free(params[i].name);
        free(params[i].value);
    }
    buf_char(out, '\n');
    return fine;
}

static void add_path(struct buf *out, const char *path)
{
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        OWN_STR char *segment = str_ndup(path, len);

        if (segment == NULL)
            out->failed = true;
        else
            str_url_encode(out, segment);
        path += len;
        if (*path == '/') {
            buf_char(out, '/');
            path++;
        }
    }
    buf_char(out, '\n');
}

/* Trimmed, runs of blanks as one. */
static void add_value(struct buf *out, const char *value)
{
    bool blank = false;
    bool begun = false;

    for (; *value != '\0'; value++) {
        if (*value == ' ' || *value == '\t') {
            blank = begun;
            continue;
        }
        if (blank)
            buf_char(out, ' ');
        buf_char(out, *value);
        blank = false;
        begun = true;
    }
}

/* "name:value\n" of each signed header, in the order of the claim, which must be sorted and without repeats. */
static enum rc add_headers(struct buf *out, const struct sigv4_request *req, const char *names,
                           struct err *e)
{
    char before[128] = "";
    bool host = false;
    int n = 0;

    while (*names != '\0') {
        char name[128];
        size_t len = strcspn(names, ";");
        const char *value;

        if (len == 0 || len >= sizeof name || ++n > LIMIT_SIGNED_HEADERS)
            return incomplete(e, "SignedHeaders is not a list of header names.");
        memcpy(name, names, len);
        name[len] = '\0';
        if (strcmp(before, name) >= 0 || strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
            return incomplete(e, "SignedHeaders must be sorted, in lower case, each once.");
        value = req->header(req->ctx, name);
        if (value == NULL)
            return invalid(e, "A header that the signature covers is missing.");
        host = host || str_eq(name, "host");
        buf_fmt(out, "%s:", name);
        add_value(out, value);
        buf_char(out, '\n');
        (void)str_copy(before, sizeof before, name);
        names += len;
        names += *names == ';';
    }
    return host ? RC_OK : incomplete(e, "'host' must be a signed header.");
}

static bool is_signed(const char *names, const char *name)
{
    size_t name_len = strlen(name);

    while (*names != '\0') {
        size_t len = strcspn(names, ";");

        if (len == name_len && strncmp(names, name, len) == 0)
            return true;
        names += len;
        names += *names == ';';
    }
    return false;
}

/* Digest of the body as it came; a caller who names another, or none, is refused. */
static enum rc body_digest(const struct sigv4_request *req, char hex[SIGN_HEX_BYTES], struct err *e)
{
    const char *given = req->header(req->ctx, "X-Amz-Content-Sha256");
    const char *coding = req->header(req->ctx, "Content-Encoding");
    unsigned char digest[SIGN_SHA256_BYTES];

    if (req->header(req->ctx, "Transfer-Encoding") != NULL ||
        (coding != NULL && strstr(coding, "aws-chunked") != NULL))
        return invalid(e, "A payload in chunks is not accepted: send it whole, with its length.");
    sign_sha256(req->body, req->body_len, digest);
    str_hex(hex, digest, sizeof digest);
    if (given != NULL && !str_eq(given, hex))
        return invalid(e, "x-amz-content-sha256 must be the digest of the payload that was sent;"
                          " unsigned payloads are not accepted.");
    return RC_OK;
}

static enum rc canonical_digest(const struct sigv4_request *req, const struct claim *c,
                                char hex[SIGN_HEX_BYTES], struct err *e)
{
    OWN_BUF struct buf text;
    unsigned char digest[SIGN_SHA256_BYTES];
    char body[SIGN_HEX_BYTES];
    enum rc rc = body_digest(req, body, e);

    buf_init(&text, LIMIT_CANONICAL_BYTES);
    if (rc != RC_OK)
        return rc;
    buf_fmt(&text, "%s\n", req->method);
    add_path(&text, req->path);
    if (!add_query(&text, req->query))
        return incomplete(e, "The query is not readable.");
    rc = add_headers(&text, req, c->headers, e);
    if (rc != RC_OK)
        return rc;
    buf_fmt(&text, "\n%s\n%s", c->headers, body);
    rc = buf_check(&text, e);
    if (rc != RC_OK)
        return rc;
    sign_sha256(text.data, text.len, digest);
    str_hex(hex, digest, sizeof digest);
    return RC_OK;
}

/* ---- the signature --------------------------------------------------------------------------------- */

static enum rc signature_make(const struct claim *c, const char *secret, const char *canonical,
                              char hex[SIGN_HEX_BYTES], struct err *e)
{
    const char *const steps[] = { c->day, c->region, c->service, "aws4_request" };
    OWN_SECRET struct buf first;
    unsigned char key[SIGN_SHA256_BYTES];
    char text[512];
    enum rc rc;

    buf_init(&first, 1024);
    buf_fmt(&first, "AWS4%s", secret);
    rc = buf_check(&first, e);
    if (rc != RC_OK)
        return rc;
    if (!str_fmt(text, sizeof text, ALGORITHM "\n%s\n%s/%s/%s/aws4_request\n%s", c->date, c->day,
                 c->region, c->service, canonical))
        return incomplete(e, "Credential is too long.");
    sign_hmac_sha256(first.data, first.len, steps[0], strlen(steps[0]), key);
    for (int i = 1; i < 4; i++) {
        unsigned char next[SIGN_SHA256_BYTES];

        sign_hmac_sha256(key, sizeof key, steps[i], strlen(steps[i]), next);
        memcpy(key, next, sizeof key);
        sign_wipe(next, sizeof next);
    }
    {
        unsigned char out[SIGN_SHA256_BYTES];

        sign_hmac_sha256(key, sizeof key, text, strlen(text), out);
        str_hex(hex, out, sizeof out);
    }
    sign_wipe(key, sizeof key);
    return RC_OK;
}

static bool same_text(const char *a, const char *b)
{
    unsigned char x[SIGN_SHA256_BYTES];
    unsigned char y[SIGN_SHA256_BYTES];

    sign_sha256(a, strlen(a), x);
    sign_sha256(b, strlen(b), y);
    return sign_equal(x, y, sizeof x);
}

enum rc sigv4_verify(const struct sigv4_request *req, const struct sigv4_key *key,
                     const char *const *must_sign, int64_t now_us, struct err *e)
{
    struct claim c = { 0 };
    char canonical[SIGN_HEX_BYTES];
    char expected[SIGN_HEX_BYTES];
    enum rc rc = claim_read(req, &c, e);

    if (rc != RC_OK)
        return rc;
    if (str_blank(key->id) || str_blank(key->secret) || !same_text(c.id, key->id))
        return err_code(e, RC_DENIED, "UnrecognizedClientException",
                        "The security token included in the request is invalid.");
    if (!str_eq(c.service, key->service))
        return invalid(e, "Credential should be scoped to the service that is called.");
    rc = check_time(&c, now_us, e);
    for (int i = 0; rc == RC_OK && must_sign != NULL && must_sign[i] != NULL; i++) {
        if (req->header(req->ctx, must_sign[i]) != NULL && !is_signed(c.headers, must_sign[i]))
            rc = invalid(e, "An x-amz header of the request is not covered by the signature.");
    }
    if (rc == RC_OK)
        rc = canonical_digest(req, &c, canonical, e);
    if (rc == RC_OK)
        rc = signature_make(&c, key->secret, canonical, expected, e);
    if (rc != RC_OK)
        return rc;
    if (!same_text(expected, c.signature))
        return invalid(e, "The request signature we calculated does not match the signature you"
                          " provided. Check your AWS Secret Access Key and signing method.");
    return RC_OK;
}
