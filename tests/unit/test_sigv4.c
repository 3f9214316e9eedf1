/* test_sigv4.c - signatures that AWS publishes (its test suite and its documentation), and what is refused. */
#include "sigv4.h"

#include "check.h"
#include "clock.h"
#include "str.h"

#define SCOPE "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

struct headers {
    const char *pairs[24]; /* name, value, ..., NULL */
};

static const char *header_of(const void *ctx, const char *name)
{
    const struct headers *h = ctx;

    for (int i = 0; h->pairs[i] != NULL; i += 2) {
        if (str_ieq(h->pairs[i], name))
            return h->pairs[i + 1];
    }
    return NULL;
}

static int64_t at(const char *text)
{
    int64_t us = 0;

    CHECK(clock_read(text, &us), "%s", text);
    return us;
}

struct vector {
    const char *name, *method, *path, *query, *body, *service, *id;
    const char *scope, *signed_headers, *signature;
    struct headers headers;
};

/* get-*, post-*: the AWS Signature Version 4 test suite; iam: the documentation's worked example. */
static const struct vector VECTORS[] = {
    { "get-vanilla",
      "GET",
      "/",
      "",
      "",
      "service",
      "AKIDEXAMPLE",
      SCOPE,
      "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
      { { "Host", "example.amazonaws.com", "X-Amz-Date", "20150830T123600Z", NULL } } },
    { "post-vanilla",
      "POST",
      "/",
      "",
      "",
      "service",
      "AKIDEXAMPLE",
      SCOPE,
      "host;x-amz-date",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
      { { "Host", "example.amazonaws.com", "X-Amz-Date", "20150830T123600Z", NULL } } },
    { "get-vanilla-query-order-key-case",
      "GET",
      "/",
      "Param2=value2&Param1=value1",
      "",
      "service",
      "AKIDEXAMPLE",
      SCOPE,
      "host;x-amz-date",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
      { { "Host", "example.amazonaws.com", "X-Amz-Date", "20150830T123600Z", NULL } } },
    { "get-header-key-duplicate",
      "GET",
      "/",
      "",
      "",
      "service",
      "AKIDEXAMPLE",
      SCOPE,
      "host;my-header1;x-amz-date",
      "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
      { { "Host", "example.amazonaws.com", "My-Header1", "value2,value2,value1", "X-Amz-Date",
          "20150830T123600Z", NULL } } },
    { "post-x-www-form-urlencoded",
      "POST",
      "/",
      "",
      "Param1=value1",
      "service",
      "AKIDEXAMPLE",
      SCOPE,
      "content-type;host;x-amz-date",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
      { { "Host", "example.amazonaws.com", "Content-Type", "application/x-www-form-urlencoded",
          "X-Amz-Date", "20150830T123600Z", NULL } } },
    { "iam",
      "GET",
      "/",
      "Action=ListUsers&Version=2010-05-08",
      "",
      "iam",
      "AKIDEXAMPLE",
      "AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request",
      "content-type;host;x-amz-date",
      "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
      { { "Host", "iam.amazonaws.com", "Content-Type",
          "application/x-www-form-urlencoded; charset=utf-8", "X-Amz-Date", "20150830T123600Z",
          NULL } } },
};

/* The vector with its Authorization header, and one more header when extra is given. */
static enum rc verify(const struct vector *v, const char *authorization, const char *const *extra,
                      const char *const *must_sign, const char *now, const char *body,
                      struct err *e)
{
    struct headers h = v->headers;
    int n = 0;
    char made[1000];

    if (authorization == NULL) {
        (void)snprintf(made, sizeof made,
                       "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=%s, Signature=%s", v->scope,
                       v->signed_headers, v->signature);
        authorization = made;
    }
    while (h.pairs[n] != NULL)
        n++;
    if (authorization[0] != '\0') {
        h.pairs[n++] = "Authorization";
        h.pairs[n++] = authorization;
    }
    for (int i = 0; extra != NULL && extra[i] != NULL; i++)
        h.pairs[n++] = extra[i];
    h.pairs[n] = NULL;
    {
        struct sigv4_request req = { .method = v->method,
                                     .path = v->path,
                                     .query = v->query,
                                     .body = body,
                                     .body_len = strlen(body),
                                     .header = header_of,
                                     .ctx = &h };
        struct sigv4_key key = { .id = "AKIDEXAMPLE", .secret = SECRET, .service = v->service };

        return sigv4_verify(&req, &key, must_sign, at(now), e);
    }
}

static void published_signatures_are_accepted(void)
{
    for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
        const struct vector *v = &VECTORS[i];
        struct err e = { 0 };

        CHECK(verify(v, NULL, NULL, NULL, "2015-08-30T12:36:00Z", v->body, &e) == RC_OK, "%s: %s",
              v->name, e.text);
        CHECK(verify(v, NULL, NULL, NULL, "2015-08-30T12:36:00Z", "other", &e) == RC_DENIED, "%s",
              v->name);
        CHECK_STR(e.code, "InvalidSignatureException");
    }
}

static void five_minutes_either_way(void)
{
    static const struct {
        const char *now;
        bool fine;
    } ROWS[] = {
        { "2015-08-30T12:41:00Z", true },  { "2015-08-30T12:41:01Z", false },
        { "2015-08-30T12:31:00Z", true },  { "2015-08-30T12:30:59Z", false },
        { "2016-08-30T12:36:00Z", false },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct err e = { 0 };
        enum rc rc = verify(&VECTORS[0], NULL, NULL, NULL, ROWS[i].now, "", &e);

        CHECK((rc == RC_OK) == ROWS[i].fine, "%s: %s", ROWS[i].now, e.text);
        if (!ROWS[i].fine)
            CHECK_STR(e.code, "InvalidSignatureException");
    }
}

#define GOOD_SIGNATURE "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
#define AUTH(credential, headers, signature) \
    "AWS4-HMAC-SHA256 Credential=" credential ", SignedHeaders=" headers ", Signature=" signature

static void claims_that_do_not_hold(void)
{
    static const struct {
        const char *authorization, *code;
    } ROWS[] = {
        { "", "MissingAuthenticationTokenException" },
        { "Bearer something", "MissingAuthenticationTokenException" },
        { "AWS4-HMAC-SHA256", "MissingAuthenticationTokenException" },
        { "AWS4-HMAC-SHA256 Credential=" SCOPE, "IncompleteSignatureException" },
        { "AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=host;x-amz-date",
          "IncompleteSignatureException" },
        { AUTH("AKIDEXAMPLE/20150830/us-east-1/service", "host;x-amz-date", GOOD_SIGNATURE),
          "IncompleteSignatureException" },
        { AUTH("AKIDOTHER/20150830/us-east-1/service/aws4_request", "host;x-amz-date",
               GOOD_SIGNATURE),
          "UnrecognizedClientException" },
        { AUTH("AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request", "host;x-amz-date", GOOD_SIGNATURE),
          "InvalidSignatureException" },
        { AUTH("AKIDEXAMPLE/20150829/us-east-1/service/aws4_request", "host;x-amz-date",
               GOOD_SIGNATURE),
          "InvalidSignatureException" },
        { AUTH("AKIDEXAMPLE/20150830/eu-west-1/service/aws4_request", "host;x-amz-date",
               GOOD_SIGNATURE),
          "InvalidSignatureException" },
        { AUTH(SCOPE, "x-amz-date", GOOD_SIGNATURE), "IncompleteSignatureException" },
        { AUTH(SCOPE, "x-amz-date;host", GOOD_SIGNATURE), "IncompleteSignatureException" },
        { AUTH(SCOPE, "host;host;x-amz-date", GOOD_SIGNATURE), "IncompleteSignatureException" },
        { AUTH(SCOPE, "host;nothing;x-amz-date", GOOD_SIGNATURE), "InvalidSignatureException" },
        { AUTH(SCOPE, "host;x-amz-date", ""), "IncompleteSignatureException" },
        { AUTH(SCOPE, "host;x-amz-date",
               "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf30"),
          "InvalidSignatureException" },
        { AUTH(SCOPE, "host;x-amz-date", GOOD_SIGNATURE) ", Signature=0",
          "IncompleteSignatureException" },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct err e = { 0 };

        CHECK(verify(&VECTORS[0], ROWS[i].authorization, NULL, NULL, "2015-08-30T12:36:00Z", "",
                     &e) == RC_DENIED,
              "row %d", (int)i);
        CHECK(str_eq(e.code, ROWS[i].code), "row %d is %s: %s", (int)i, e.code, e.text);
        CHECK(strstr(e.text, "5fa00") == NULL, "the text holds no signature");
    }
}

static void payloads_that_are_not_covered(void)
{
    static const char *const EXTRAS[][3] = {
        { "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD", NULL },
        { "X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", NULL },
        { "X-Amz-Content-Sha256",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b856", NULL },
        { "Transfer-Encoding", "chunked", NULL },
        { "Content-Encoding", "aws-chunked", NULL },
    };
    static const char *const RIGHT[] = {
        "X-Amz-Content-Sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        NULL
    };
    struct err e = { 0 };

    for (size_t i = 0; i < sizeof EXTRAS / sizeof EXTRAS[0]; i++)
        CHECK(verify(&VECTORS[0], NULL, EXTRAS[i], NULL, "2015-08-30T12:36:00Z", "", &e) ==
                  RC_DENIED,
              "%s: %s", EXTRAS[i][0], EXTRAS[i][1]);
    CHECK(verify(&VECTORS[0], NULL, RIGHT, NULL, "2015-08-30T12:36:00Z", "", &e) == RC_OK, "%s",
          e.text);
}

static void headers_that_act_must_be_signed(void)
{
    static const char *const EVENT[] = { "X-Amz-Invocation-Type", "Event", NULL };
    static const char *const MUST[] = { "x-amz-date", "x-amz-invocation-type", NULL };
    struct err e = { 0 };

    CHECK(verify(&VECTORS[0], NULL, NULL, MUST, "2015-08-30T12:36:00Z", "", &e) == RC_OK);
    CHECK(verify(&VECTORS[0], NULL, EVENT, MUST, "2015-08-30T12:36:00Z", "", &e) == RC_DENIED);
}

/* Computed with another implementation of HMAC. The path is one that SDKs send for an ARN. */
static void presigned_addresses(void)
{
    static const struct headers HOST = { { "Host", "localhost:8080", NULL } };
    static const struct headers BOTH = { { "Host", "localhost:8080", "Authorization", "x", NULL } };
    static const char QUERY[] =
        "Qualifier=%24LATEST&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F"
        "20150830%2Fus-east-1%2Flambda%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires="
        "60&X-Amz-Security-Token=a%2Fb%3D&X-Amz-SignedHeaders=host&X-Amz-Signature=bed4ed24d6013adcc151af45980a946c0720a13227d35d4a1cb60423f792948e";
    struct sigv4_request req = { .method = "POST",
                                 .path = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A"
                                         "123456789012%3Afunction%3Af/invocations",
                                 .query = QUERY,
                                 .body = "{}",
                                 .body_len = 2,
                                 .header = header_of,
                                 .ctx = &HOST };
    struct sigv4_key key = { .id = "AKIDEXAMPLE", .secret = SECRET, .service = "lambda" };
    struct err e = { 0 };
    char other[sizeof QUERY];

    CHECK(sigv4_verify(&req, &key, NULL, at("2015-08-30T12:37:00Z"), &e) == RC_OK, "%s", e.text);
    CHECK(sigv4_verify(&req, &key, NULL, at("2015-08-30T12:37:01Z"), &e) == RC_DENIED, "expired");
    req.ctx = &BOTH;
    CHECK(sigv4_verify(&req, &key, NULL, at("2015-08-30T12:37:00Z"), &e) == RC_DENIED, "both");
    req.ctx = &HOST;
    memcpy(other, QUERY, sizeof QUERY);
    memcpy(strstr(other, "Expires=60"), "Expires=99", 10);
    req.query = other;
    CHECK(sigv4_verify(&req, &key, NULL, at("2015-08-30T12:37:00Z"), &e) == RC_DENIED, "longer");
    CHECK_STR(e.code, "InvalidSignatureException");
    req.query = QUERY;
    key.secret = "";
    CHECK(sigv4_verify(&req, &key, NULL, at("2015-08-30T12:37:00Z"), &e) == RC_DENIED, "no key");
    CHECK_STR(e.code, "UnrecognizedClientException");
}

int main(void)
{
    CASE(published_signatures_are_accepted);
    CASE(five_minutes_either_way);
    CASE(claims_that_do_not_hold);
    CASE(payloads_that_are_not_covered);
    CASE(headers_that_act_must_be_signed);
    CASE(presigned_addresses);
    return CHECK_END();
}
