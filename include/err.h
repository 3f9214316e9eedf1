/* err.h - outcomes of everything that can fail, and the words that explain them. */
#ifndef ERR_H
#define ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* What became of an attempt. The worker decides by it (docs/ARCHITECTURE.md, "Outcomes"). */
enum rc {
    RC_OK = 0,
    RC_DUPLICATE, /* was done before; as good as done */
    RC_BUSY,      /* the other side said when to come again; not counted as a failure */
    RC_DOWN,      /* not reached: nothing happened there */
    RC_UNSURE,    /* sent, no complete answer: look before repeating */
    RC_DENIED,    /* credentials or rights refused */
    RC_NOT_FOUND, /* what was asked for does not exist */
    RC_INVALID,   /* input that will not get better by itself */
    RC_STOPPED,   /* we are stopping, or the shop lease was lost: put the work back */
    RC_BUG        /* our own mistake */
};

/* Explains one failure. Zero-initialise; valid only after a function returned other than RC_OK. */
struct err {
    enum rc rc;
    int http_status;        /* answer of our own HTTP side; 0 = derived from rc */
    int64_t retry_after_us; /* RC_BUSY, RC_DOWN: wait at least this long; 0 = unknown */
    int64_t platform_code;  /* TikTok's numeric code; 0 = none */
    char platform_text[32]; /* VTEX's code such as FMT009; empty = none */
    char code[64];          /* our stable word: "feed_truncated"; empty = derived from rc */
    char field[96];         /* input field that is wrong; empty = none */
    char request_id[96];    /* the platform's request id; empty = none */
    char text[640];         /* a sentence for people; never secrets or personal data */
};

/* Fills *e (may be NULL) and returns rc, so that callers can `return err_set(...)`.
 * Text that does not fit is cut at a character boundary. Keeps nothing of what *e said before. */
enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with a stable code word. */
enum rc err_code(struct err *e, enum rc rc, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for wrong input: RC_INVALID, code "invalid_field", names the field. */
enum rc err_field(struct err *e, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the HTTP status that our own side answers. */
enum rc err_http(struct err *e, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Lower-case word of an outcome: "ok", "busy", ... Static text. */
const char *rc_name(enum rc rc);

#endif
