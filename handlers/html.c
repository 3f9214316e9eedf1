/* html.c - the writer of the pages: escapes every value, translates, writes times and amounts as people read them. */
#include "html.h"

#include "clock.h"
#include "own.h"
#include "str.h"

#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#define SLOTS 4096u /* power of two, more than twice the number of words */
#define LIMIT_WORD_BYTES 600

const struct word *const WORDS_ALL[] = { WORDS_FRAME,  WORDS_WORK,     WORDS_CATALOG,
                                         WORDS_ORDERS, WORDS_SETTINGS, NULL };

/* ---- words ---------------------------------------------------------------------------------------- */

static const struct word *INDEX[SLOTS];
static pthread_once_t INDEXED = PTHREAD_ONCE_INIT;

static unsigned slot_of(const char *text)
{
    unsigned h = 2166136261u;

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h & (SLOTS - 1);
}

static void index_words(void)
{
    for (int i = 0; WORDS_ALL[i] != NULL; i++) {
        for (const struct word *w = WORDS_ALL[i]; w->en != NULL; w++) {
            unsigned at = slot_of(w->en);

            while (INDEX[at] != NULL)
                at = (at + 1) & (SLOTS - 1);
            INDEX[at] = w;
        }
    }
}

const char *html_say(const struct html *h, const char *english)
{
    if (h->english || english == NULL)
        return english;
    (void)pthread_once(&INDEXED, index_words);
    for (unsigned at = slot_of(english); INDEX[at] != NULL; at = (at + 1) & (SLOTS - 1)) {
        if (str_eq(INDEX[at]->en, english))
            return INDEX[at]->pt;
    }
    return english;
}

/* ---- markup --------------------------------------------------------------------------------------- */

/* "{words}": *at stands at the brace and moves behind the other one. */
static void put_words(struct html *h, const char **at)
{
    const char *close = strchr(*at, '}');
    char words[LIMIT_WORD_BYTES];
    size_t len = close != NULL ? (size_t)(close - *at - 1) : 0;

    if (close == NULL || len >= sizeof words) {
        h->out->failed = true;
        *at += strlen(*at);
        return;
    }
    memcpy(words, *at + 1, len);
    words[len] = '\0';
    str_html(h->out, html_say(h, words));
    *at = close + 1;
}

void html_put(struct html *h, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    while (*fmt != '\0') {
        size_t plain = strcspn(fmt, "%{");

        buf_add(h->out, fmt, plain);
        fmt += plain;
        if (*fmt == '{') {
            put_words(h, &fmt);
        } else if (str_starts(fmt, "%s")) {
            const char *text = va_arg(ap, const char *);

            str_html(h->out, text != NULL ? text : "");
            fmt += 2;
        } else if (str_starts(fmt, "%d")) {
            buf_fmt(h->out, "%d", va_arg(ap, int));
            fmt += 2;
        } else if (str_starts(fmt, "%lld")) {
            buf_fmt(h->out, "%lld", va_arg(ap, long long));
            fmt += 4;
        } else if (str_starts(fmt, "%%")) {
            buf_char(h->out, '%');
            fmt += 2;
        } else if (*fmt != '\0') { /* a conversion that is not one of these: the page fails */
            h->out->failed = true;
            break;
        }
    }
    va_end(ap);
}

void html_url(struct html *h, const char *text)
{
    str_url_encode(h->out, text != NULL ? text : "");
}

/* ---- sentences with names in them ------------------------------------------------------------------- */

#define NAMES_MAX 3
struct name {
    const char *at;
    size_t len;
};

/* Whether the text is the pattern with something for each %s; fills names. */
static bool sentence_fits(const char *pattern, const char *text, struct name names[NAMES_MAX])
{
    const char *gap = strstr(pattern, "%s");

    for (int n = 0; gap != NULL && n < NAMES_MAX; n++) {
        size_t before = (size_t)(gap - pattern);
        const char *next = strstr(gap + 2, "%s");
        size_t after = next != NULL ? (size_t)(next - gap - 2) : strlen(gap + 2);
        const char *end = NULL;
        char piece[200];

        if (strncmp(pattern, text, before) != 0 || after >= sizeof piece)
            return false;
        text += before;
        (void)memcpy(piece, gap + 2, after);
        piece[after] = '\0';
        end = after > 0 ? strstr(text, piece) : text + strlen(text);
        if (end == NULL)
            return false;
        names[n] = (struct name){ text, (size_t)(end - text) };
        text = end;
        pattern = gap + 2;
        gap = next;
    }
    return gap == NULL && strcmp(pattern, text) == 0;
}

static const struct word *sentence_find(const char *text, struct name names[NAMES_MAX])
{
    for (const struct word *w = WORDS_SENTENCES; w->en != NULL; w++) {
        if (sentence_fits(w->en, text, names))
            return w;
    }
    return NULL;
}

bool html_sentence_known(const char *english)
{
    const struct html portuguese = { .out = NULL };
    struct name names[NAMES_MAX];

    return html_say(&portuguese, english) != english || sentence_find(english, names) != NULL;
}

void html_sentence(struct html *h, const char *english)
{
    const char *said = html_say(h, english);
    struct name names[NAMES_MAX] = { 0 };
    const struct word *w = NULL;
    const char *at = NULL;

    if (english == NULL)
        return;
    if (said == english && !h->english)
        w = sentence_find(english, names);
    if (w == NULL) {
        html_put(h, "%s", said);
        return;
    }
    at = w->pt;
    for (int n = 0; n < NAMES_MAX; n++) {
        const char *gap = strstr(at, "%s");
        OWN_STR char *before = gap != NULL ? str_ndup(at, (size_t)(gap - at)) : NULL;
        OWN_STR char *name = gap != NULL ? str_ndup(names[n].at, names[n].len) : NULL;

        if (gap == NULL)
            break;
        html_put(h, "%s%s", before, name);
        at = gap + 2;
    }
    html_put(h, "%s", at);
}

/* ---- values --------------------------------------------------------------------------------------- */

void html_time(struct html *h, const char *rfc3339)
{
    int64_t us = 0;
    time_t seconds = 0;
    struct tm t;
    char short_text[40];
    char whole[40];

    if (rfc3339 == NULL || !clock_read(rfc3339, &us)) {
        html_put(h, "—");
        return;
    }
    seconds = (time_t)(us / US_PER_S);
    (void)localtime_r(&seconds, &t);
    (void)strftime(short_text, sizeof short_text, h->english ? "%Y-%m-%d %H:%M" : "%d/%m/%Y %H:%M",
                   &t);
    (void)strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S%z", &t);
    html_put(h, "<time datetime=\"%s\" title=\"%s\">%s</time>", rfc3339, whole, short_text);
}

void html_day(struct html *h, const char *day)
{
    if (h->english || strlen(day) != 10)
        html_put(h, "%s", day);
    else
        buf_fmt(h->out, "%.2s/%.2s/%.4s", day + 8, day + 5, day);
}

void html_distance(struct html *h, const char *rfc3339)
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } UNITS[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
    int64_t us = 0;
    int64_t s = 0;
    size_t i = 0;

    if (rfc3339 == NULL || !clock_read(rfc3339, &us)) {
        html_put(h, "—");
        return;
    }
    s = (us - clock_now_us()) / US_PER_S;
    while (i < 3 && (s < 0 ? -s : s) < UNITS[i].seconds)
        i++;
    html_put(h, "<time datetime=\"%s\">", rfc3339);
    if (s > -2 && s < 2)
        html_put(h, "{now}");
    else if (s < 0)
        html_put(h, h->english ? "%lld %s ago" : "há %lld %s", (long long)(-s / UNITS[i].seconds),
                 UNITS[i].unit);
    else
        html_put(h, h->english ? "in %lld %s" : "em %lld %s", (long long)(s / UNITS[i].seconds),
                 UNITS[i].unit);
    html_put(h, "</time>");
}

/* Digits in groups of three. */
static void put_grouped(struct html *h, const char *digits, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buf_char(h->out, h->english ? ',' : '.');
        buf_char(h->out, digits[i]);
    }
}

void html_money(struct html *h, const char *amount)
{
    size_t whole = amount != NULL ? strcspn(amount, ".") : 0;
    bool minus = amount != NULL && amount[0] == '-';

    if (amount == NULL || strspn(amount + minus, "0123456789.") != strlen(amount + minus)) {
        html_put(h, "—");
        return;
    }
    html_put(h, "%sR$ ", minus ? "-" : "");
    put_grouped(h, amount + minus, whole - minus);
    html_put(h, "%s%s", h->english ? "." : ",", amount[whole] == '.' ? amount + whole + 1 : "00");
}

void html_count(struct html *h, int64_t n)
{
    char digits[24];

    (void)str_fmt(digits, sizeof digits, "%lld", (long long)(n < 0 ? -n : n));
    html_put(h, "%s", n < 0 ? "-" : "");
    put_grouped(h, digits, strlen(digits));
}
