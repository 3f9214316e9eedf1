/* platform_call.h - what the calls to both platforms share: quota, breaker, record, clock; used by *_call.c. */
#ifndef PLATFORM_CALL_H
#define PLATFORM_CALL_H

#include "limit.h"
#include "platform.h"

#define PLATFORM_JSON_KEYS ((size_t)200000)
#define LIMIT_REQUEST_BYTES ((size_t)32 << 20)

struct platform {
    const struct cfg *cfg; /* borrowed */
    struct fetch *fetch;   /* borrowed */
    struct limits *limits;
    _Atomic int64_t offset_us; /* platform clock minus ours, as last seen */
    _Atomic int64_t warned_us; /* when the offset was last complained about (monotonic) */
    atomic_bool corrected;     /* signing uses the platform's clock */
};

/* One call under way: call is for the record, the rest says what it may use. */
struct platform_attempt {
    struct platform *platform;
    const struct platform_recorder *recorder;
    const atomic_bool *stop;
    struct platform_call call;
    char quota_key[LIMIT_KEY_BYTES];
    char breaker_key[LIMIT_KEY_BYTES];
    struct limit_rule rule;
    int lane;
    struct limit_pass pass;
};

/* Waits for breaker and quota, then records the attempt of a write. RC_OK: send now, then platform_end. Anything
 * else: do not send; nothing is left open. */
enum rc platform_begin(struct platform_attempt *a, struct err *e);
/* Sends; *reply is valid with RC_OK. Notes sizes, clock and whether the other side was reached. */
enum rc platform_send(struct platform_attempt *a, const struct fetch_req *req,
                      struct fetch_reply *reply, struct err *e);
/* Refused as too much: pauses the quota as long as asked, else unasked_us, and longer with each refusal in a row.
 * Fills e->retry_after_us. */
void platform_pause(struct platform_attempt *a, const struct fetch_reply *reply, int64_t unasked_us,
                    struct err *e);
/* Failed for a while (503): only notes in *e how long the other side wants us to wait. */
void platform_retry_after(const struct fetch_reply *reply, struct err *e);
/* Records the outcome, gives the quota back, counts. */
void platform_end(struct platform_attempt *a, enum rc rc, const struct err *e);
/* Instead of platform_send: the request could not be built. */
void platform_abandon(struct platform_attempt *a);
/* Outcome of a request without a complete answer (rc of platform_send), as seen by a platform call. */
enum rc platform_unanswered(const struct platform_attempt *a, enum rc rc, struct err *e);

/* Unix seconds for signatures. */
int64_t platform_now_s(const struct platform *p);
/* After a complaint about the time: signs by the platform's clock from now on. False when that changes nothing. */
bool platform_correct_clock(struct platform *p, const struct fetch_reply *reply);

/* tiktok_envelope.c: reads {code, message, request_id, data} and makes it an outcome. *out is filled whenever an
 * envelope came. */
enum rc tiktok_envelope_read(const struct fetch_reply *reply, bool writes, struct tiktok_reply *out,
                             struct err *e);

/* tiktok_errors.c: outcome of a code other than 0. message may be NULL. */
enum rc tiktok_error_rc(int64_t code, bool writes, const char *message);
/* Outcome of a status when there is no envelope, for TikTok. */
enum rc tiktok_status_rc(int status, bool writes);
bool tiktok_error_is_clock(int64_t code, const char *message);
bool tiktok_error_is_token(int64_t code, const char *message);
/* The shop's cipher was missing or belongs to another token. */
bool tiktok_error_is_cipher(int64_t code);

/* Outcome of a VTEX answer by status and class. */
enum rc vtex_error_rc(int status, const char *error_class, bool writes);

#endif
