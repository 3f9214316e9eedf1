/* fetch_setup.h - preparing one transfer and reading what became of it; used by fetch.c alone. */
#ifndef FETCH_SETUP_H
#define FETCH_SETUP_H

#include "fetch_engine.h"

/* Makes a transfer with the options that never change. NULL: out of memory. */
struct xfer *fetch_setup_new(struct fetch *f);
void fetch_setup_free(struct xfer *x);
/* Fills it for one request to `url` with left_ms to go. The request stays borrowed. */
enum rc fetch_setup_request(struct xfer *x, const struct fetch_req *req, const char *url,
                            int64_t left_ms, struct err *e);
/* Outcome of an ended transfer, see fetch_run. */
enum rc fetch_setup_outcome(const struct xfer *x, const char *host, struct err *e);

#endif
