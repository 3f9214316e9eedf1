/* lambda.h - what the files of the Lambda interface share: a call that waits for its result, and its log. */
#ifndef HANDLERS_LAMBDA_H
#define HANDLERS_LAMBDA_H

#include "app.h"
#include "lambda_function.h"

/* A call from the moment its work was accepted to its answer. */
struct lambda_call {
    const struct lambda_function *function;
    char version[LAMBDA_VERSION_BYTES];
    char client_id[68];
    char run_id[40];   /* LAMBDA_RUN */
    char order_id[64]; /* LAMBDA_ORDER */
    char ignored[512];
    bool tail;        /* the log is wanted */
    int64_t until_us; /* monotonic: the result is not waited for any longer */
};

/* What became of the work. */
struct lambda_outcome {
    bool finished;
    json_t *payload;      /* the result when finished without an error; owned */
    char error_type[64];  /* "" = no error */
    char error_text[640]; /* for people */
};
void lambda_outcome_done(struct lambda_outcome *o);
#define OWN_LAMBDA_OUTCOME __attribute__((cleanup(lambda_outcome_done)))
/* Looks once. */
enum rc lambda_look(struct app *app, const struct lambda_call *call, struct lambda_outcome *out,
                    struct err *e);
/* X-Amz-Log-Result: the last lines of the log of the work, base64. */
enum rc lambda_log(struct app *app, const struct lambda_call *call, const struct http_req *req,
                   struct buf *out, struct err *e);

#endif
