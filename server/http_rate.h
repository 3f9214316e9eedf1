/* http_rate.h - how many requests a token may send. */
#ifndef SERVER_HTTP_RATE_H
#define SERVER_HTTP_RATE_H

#include <stdint.h>

#define HTTP_RATE_NAMES_MAX 32 /* more than API_TOKENS holds */

/* Buckets of per_second (1..1000000) requests; NULL: no memory. Any thread. */
struct http_rate;
struct http_rate *http_rate_new(int per_second);
void http_rate_free(struct http_rate *r);
/* Takes one request of `name` at now_us (monotonic). 0 = allowed, else how long to wait, in microseconds; nothing
 * is taken then. */
int64_t http_rate_take(struct http_rate *r, const char *name, int64_t now_us);

#endif
