/* clock.c - time as microseconds UTC, and its texts. */
#include "clock.h"

#include "str.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ZONE_FILES "/usr/share/zoneinfo/"

static _Atomic int64_t shift_us;
static bool zone_set; /* written once, before threads */

int64_t clock_now_us(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail for this clock */
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000 + atomic_load(&shift_us);
}

int64_t clock_mono_us(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock */
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

void clock_shift_us(int64_t offset_us)
{
    atomic_store(&shift_us, offset_us);
}

void clock_pause_ms(int ms)
{
    struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    (void)nanosleep(&t, NULL);
}

void clock_write(int64_t us, char out[CLOCK_TEXT_BYTES])
{
    int64_t seconds = us / US_PER_S, rest = us % US_PER_S;
    struct tm tm;
    time_t t;
    char date[24];

    if (rest < 0) {
        rest += US_PER_S;
        seconds--;
    }
    t = (time_t)seconds;
    if (gmtime_r(&t, &tm) == NULL || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        date[0] = '\0';
    if (rest == 0)
        (void)str_fmt(out, CLOCK_TEXT_BYTES, "%sZ", date);
    else
        (void)str_fmt(out, CLOCK_TEXT_BYTES, "%s.%06dZ", date, (int)rest);
}

/* Days since 1970-01-01 of a proleptic Gregorian date (era arithmetic, 400-year cycles). */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Reads exactly n digits. */
static bool digits(const char **p, int n, int64_t *out)
{
    *out = 0;
    for (int i = 0; i < n; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool read_zone(const char *p, int64_t *offset_s, bool *named)
{
    int64_t hours, minutes = 0;
    int sign = *p == '-' ? -1 : 1;

    *offset_s = 0;
    *named = *p != '\0';
    if (*p == '\0' || strcmp(p, "Z") == 0 || strcmp(p, "z") == 0)
        return true;
    if (*p != '+' && *p != '-')
        return false;
    p++;
    if (!digits(&p, 2, &hours))
        return false;
    if (*p == ':')
        p++;
    if (*p != '\0' && !digits(&p, 2, &minutes))
        return false;
    if (*p != '\0' || hours > 18 || minutes > 59)
        return false;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool read_time(const char **p, int64_t *us)
{
    int64_t h, m, s = 0, fraction = 0;
    int places = 0;

    if (!digits(p, 2, &h) || *(*p)++ != ':' || !digits(p, 2, &m))
        return false;
    if (**p == ':') {
        (*p)++;
        if (!digits(p, 2, &s))
            return false;
    }
    if (**p == '.' || **p == ',') {
        (*p)++;
        for (; **p >= '0' && **p <= '9'; (*p)++, places++) {
            if (places < 6)
                fraction = fraction * 10 + (**p - '0');
        }
        if (places == 0)
            return false;
    }
    for (; places < 6; places++)
        fraction *= 10;
    if (h > 23 || m > 59 || s > 60)
        return false;
    *us = ((h * 60 + m) * 60 + s) * US_PER_S + fraction;
    return true;
}

/* What a text says beside its moment, taken as UTC when it names no zone. */
struct said {
    bool zone, date_only;
};

static bool read_text(const char *text, int64_t *us, struct said *said)
{
    const char *p = text;
    int64_t y, m, d, time_us = 0, offset_s = 0;

    if (text == NULL || !digits(&p, 4, &y) || *p++ != '-' || !digits(&p, 2, &m) || *p++ != '-' ||
        !digits(&p, 2, &d) || m < 1 || m > 12 || d < 1 || d > 31)
        return false;
    said->date_only = *p == '\0';
    said->zone = false;
    if (*p == 'T' || *p == 't' || *p == ' ') {
        p++;
        if (!read_time(&p, &time_us) || !read_zone(p, &offset_s, &said->zone))
            return false;
    } else if (*p != '\0') {
        return false;
    }
    *us = (days_from_civil(y, m, d) * 86400 - offset_s) * US_PER_S + time_us;
    return true;
}

bool clock_read(const char *text, int64_t *us)
{
    struct said said;

    return read_text(text, us, &said);
}

bool clock_zone_use(const char *name)
{
    char path[128];
    const char *rule = name;

    if (name[0] == '\0' || name[0] == '/' || strstr(name, "..") != NULL ||
        !str_fmt(path, sizeof path, ZONE_FILES "%s", name))
        return false;
    if (access(path, R_OK) != 0) {
        /* Slim images come without zone files; the default zone has had no summer time since 2019. */
        if (!str_eq(name, "America/Sao_Paulo"))
            return false;
        rule = "<-03>3";
    }
    if (setenv("TZ", rule, 1) != 0)
        return false;
    tzset();
    zone_set = true;
    return true;
}

/* A wall clock's moment, given as if it were UTC, to the moment in UTC. A time that the zone skips or has twice is
 * read as mktime reads it. */
static int64_t local_to_utc(int64_t us)
{
    int64_t rest = ((us % US_PER_S) + US_PER_S) % US_PER_S;
    time_t wall = (time_t)((us - rest) / US_PER_S), t;
    struct tm tm;

    if (!zone_set || gmtime_r(&wall, &tm) == NULL)
        return us;
    tm.tm_isdst = -1;
    t = mktime(&tm);
    return t == (time_t)-1 ? us : (int64_t)t * US_PER_S + rest;
}

bool clock_read_local(const char *text, bool last_second, int64_t *us)
{
    struct said said;
    int64_t at;

    if (!read_text(text, &at, &said))
        return false;
    if (said.date_only && last_second)
        at += INT64_C(86399) * US_PER_S;
    *us = said.zone ? at : local_to_utc(at);
    return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7). */
static bool read_http_date(const char *text, int64_t *us)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *p = text != NULL ? strchr(text, ',') : NULL, *month;
    char name[4] = "";
    int64_t d, y, time_us;

    if (p == NULL || p[1] != ' ')
        return false;
    p += 2;
    if (!digits(&p, 2, &d) || *p++ != ' ' || strlen(p) < 4)
        return false;
    memcpy(name, p, 3);
    month = strstr(months, name);
    p += 3;
    if (month == NULL || (month - months) % 3 != 0 || *p++ != ' ' || !digits(&p, 4, &y) ||
        *p++ != ' ' || !read_time(&p, &time_us) || strcmp(p, " GMT") != 0)
        return false;
    *us = days_from_civil(y, (month - months) / 3 + 1, d) * 86400 * US_PER_S + time_us;
    return true;
}

bool clock_retry_after(const char *text, int64_t *wait_us)
{
    int64_t seconds, at, now = clock_now_us();

    if (str_to_i64(text, 0, INT64_C(86400) * 7, &seconds)) {
        *wait_us = seconds * US_PER_S;
        return true;
    }
    if (!read_http_date(text, &at))
        return false;
    *wait_us = at > now ? at - now : 0;
    return true;
}
