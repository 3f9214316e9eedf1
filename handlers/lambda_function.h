/* lambda_function.h - the functions of the replaced system: their names, and the REST request that each stands for. */
#ifndef HANDLERS_LAMBDA_FUNCTION_H
#define HANDLERS_LAMBDA_FUNCTION_H

#include "http.h"

/* What a call waits for when it wants the result. */
enum lambda_result {
    LAMBDA_RUN,   /* the run that the request opened */
    LAMBDA_ORDER, /* a job of the order */
    LAMBDA_ANSWER /* nothing: the answer of the request is the result */
};

struct lambda_function {
    const char *name;
    const char *what; /* of POST .../sync/{what}; NULL = the function has an operation of its own */
    enum lambda_result result;
    bool sandbox; /* always on the test shop */
    /* NULL-terminated names of the payload's members that go into the body as they are. */
    const char *const *take;
    /* of what == NULL: POST .../orders/{order_id}/{action}, or an operation at .../{place} */
    http_handler handler;
    const char *action;
    const char *place;
    const char *job_kind; /* what LAMBDA_ORDER waits for */
};

/* The row of a name, NULL when there is none or this build has no such synchronisation. */
const struct lambda_function *lambda_function_find(const char *name);

#define LAMBDA_NAME_BYTES 144
#define LAMBDA_VERSION_BYTES 132

/* Reads FunctionName (a name, an ARN or the end of one, with or without a version) and the Qualifier (NULL = none).
 * version: what X-Amz-Executed-Version says. RC_INVALID with an AWS error code. */
enum rc lambda_name_read(const char *text, const char *qualifier, char name[LAMBDA_NAME_BYTES],
                         char version[LAMBDA_VERSION_BYTES], struct err *e);

/* The REST request that a call stands for. */
struct lambda_request {
    char client_id[68];
    char order_id[64]; /* "" = none */
    char path[700];
    char query[64];
    json_t *body; /* owned */
    bool has_ignored;
    char ignored[512]; /* members of the payload that mean nothing, separated by ", " */
};
void lambda_request_done(struct lambda_request *r);
#define OWN_LAMBDA_REQUEST __attribute__((cleanup(lambda_request_done)))
/* Translates a payload. Empty texts and nulls count as absent, as the callers have it. RC_INVALID names the member. */
enum rc lambda_request_read(const struct lambda_function *f, const json_t *payload,
                            struct lambda_request *out, struct err *e);

#endif
