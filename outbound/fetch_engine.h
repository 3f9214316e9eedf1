/* fetch_engine.h - one transfer and the thread that runs all of them; used by fetch*.c alone. */
#ifndef FETCH_ENGINE_H
#define FETCH_ENGINE_H

#include "fetch.h"
#include "fetch_url.h"

#include <curl/curl.h>
#include <pthread.h>
#include <semaphore.h>

/* One transfer. Made once, used again and again; the caller fills it, the engine runs it, `ended` says when. */
struct xfer {
    struct xfer *next, *prev; /* in the pool, the queue or the running list */
    struct fetch *fetch;
    CURL *easy;
    sem_t ended;
    struct curl_slist *header_list;
    char error[CURL_ERROR_SIZE];
    /* the request */
    const struct fetch_req *req;
    const atomic_bool *stop;
    bool check_address; /* public addresses only */
    bool once;          /* must not go out twice */
    int64_t limit_bytes;
    /* the answer */
    struct buf body, headers;
    int64_t body_bytes;
    int status;     /* 0 until the first byte of the body */
    bool head_done; /* the empty line after the headers came */
    CURLcode result;
    /* how it went */
    int sends;         /* how often a request was about to be sent */
    bool blocked;      /* the address policy refused a connection */
    enum rc rc;        /* our own reason to end it; RC_OK = none */
    struct err err;    /* belongs to rc */
    bool waits_answer; /* silence is not watched until the answer begins */
    int64_t window_us; /* begin of the present window of silence; 0 = not watched */
    int64_t window_bytes;
};

struct fetch {
    pthread_t thread;
    CURLM *multi;
    bool allow_private;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t idle;
    struct xfer *pool;
    struct xfer *queue_first, *queue_last;
    int n_used; /* transfers that callers hold */
    bool closing;
    atomic_bool asleep;   /* the engine waits in poll */
    struct xfer *running; /* engine thread only */
};

/* Notes our own reason to end a transfer; the first one counts. Engine thread. */
void fetch_engine_fail(struct xfer *x, enum rc rc, const char *code, const char *text);
/* Hands a prepared transfer to the engine and waits until it ended. */
void fetch_engine_run(struct fetch *f, struct xfer *x);
void *fetch_engine_main(void *fetch);
/* Bytes less than this in one window of silence end a transfer. */
#define FETCH_SILENCE_US (INT64_C(15) * 1000000)
#define FETCH_SILENCE_BYTES (15 * 1024)

#endif
