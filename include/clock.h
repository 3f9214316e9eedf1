/* clock.h - time as microseconds since 1970 UTC. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_BYTES 32
#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)

int64_t clock_now_us(void);  /* wall clock; shifted by clock_shift_us in tests */
int64_t clock_mono_us(void); /* never goes back; for durations */
void clock_shift_us(int64_t offset_us);
void clock_pause_ms(int ms); /* blocks the caller; a signal only shortens it */
/* "2026-06-01T03:00:00Z" or with ".123456" when not a whole second. RFC 3339. */
void clock_write(int64_t us, char out[CLOCK_TEXT_BYTES]);
/* RFC 3339 / ISO 8601 date-times with 0 to 7+ fraction digits, Z, +hh:mm, +hhmm or no zone (then UTC),
 * and "YYYY-MM-DD"; also PostgreSQL's "2026-06-01 03:00:00.5+00". */
bool clock_read(const char *text, int64_t *us);
/* Names the zone of clock_read_local ("America/Sao_Paulo") for the whole process; before that it is UTC. False when
 * the system does not know the zone: nothing changes then. Sets TZ: call it once, before any thread starts. */
bool clock_zone_use(const char *name);
/* As clock_read, but a time without a zone belongs to the zone of clock_zone_use. A date by itself means its first
 * moment, or with last_second its last second. Any thread. */
bool clock_read_local(const char *text, bool last_second, int64_t *us);
/* HTTP dates (RFC 9110 5.6.7) or delta seconds of Retry-After; result is a wait from now, >= 0. */
bool clock_retry_after(const char *text, int64_t *wait_us);

#endif
