/* log.c - writes one line an event with one write(2), as JSON or as text for people. */
#include "log.h"

#include "clock.h"
#include "str.h"

#include <errno.h>
#include <unistd.h>

#define LIMIT_LOG_TEXT_BYTES ((size_t)2048)
#define LIMIT_LOG_LINE_BYTES ((size_t)16384)

static enum log_level lowest_level = LOG_INFO;
static bool as_json = true;
static _Thread_local struct log_ids current;

static const char *const LEVELS[] = { "debug", "info", "warn", "error" };

void log_setup(enum log_level lowest, bool json)
{
    lowest_level = lowest;
    as_json = json;
}

struct log_ids log_ids_swap(struct log_ids ids)
{
    struct log_ids before = current;

    current = ids;
    return before;
}

static void add_text(struct buf *line, const char *text)
{
    char cut[LIMIT_LOG_TEXT_BYTES];

    str_copy_cut(cut, sizeof cut, text);
    str_json(line, cut, strlen(cut));
}

static void add_pair(struct buf *line, const char *name, const char *text)
{
    if (text == NULL)
        return;
    buf_fmt(line, as_json ? ",\"%s\":\"" : " %s=\"", name);
    add_text(line, text);
    buf_char(line, '"');
}

static void add_start(struct buf *line, enum log_level level, const char *module,
                      const char *message)
{
    char now[CLOCK_TEXT_BYTES];

    clock_write(clock_now_us(), now);
    if (as_json) {
        buf_fmt(line, "{\"time\":\"%s\",\"level\":\"%s\",\"module\":\"%s\",\"message\":\"", now,
                LEVELS[level], module);
        add_text(line, message);
        buf_char(line, '"');
    } else {
        buf_fmt(line, "%s %-5s %s: ", now, LEVELS[level], module);
        add_text(line, message);
    }
}

void log_write(enum log_level level, const char *module, const char *message,
               const struct log_field *fields, int n_fields)
{
    OWN_BUF struct buf line = { 0 };

    if (level < lowest_level)
        return;
    buf_init(&line, LIMIT_LOG_LINE_BYTES);
    add_start(&line, level, module, message);
    add_pair(&line, "req", current.req);
    add_pair(&line, "run", current.run);
    add_pair(&line, "job", current.job);
    add_pair(&line, "event", current.event);
    add_pair(&line, "account", current.account);
    for (int i = 0; i < n_fields; i++) {
        if (fields[i].text != NULL)
            add_pair(&line, fields[i].name, fields[i].text);
        else
            buf_fmt(&line, as_json ? ",\"%s\":%lld" : " %s=%lld", fields[i].name,
                    (long long)fields[i].number);
    }
    buf_str(&line, as_json ? "}\n" : "\n");
    if (line.failed)
        return; /* a line that does not fit in memory helps nobody */
    while (write(STDERR_FILENO, line.data, line.len) < 0 && errno == EINTR)
        continue;
}
