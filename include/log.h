/* log.h - one line an event to standard error, with the ids of the thread's current work. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *name;
    const char *text; /* NULL: the number counts */
    int64_t number;
};

#define LF_S(field_name, value)                              \
    {                                                        \
        .name = (field_name), .text = (value) ? (value) : "" \
    }
#define LF_I(field_name, value)                                     \
    {                                                               \
        .name = (field_name), .text = 0, .number = (int64_t)(value) \
    }

/* Ids printed with every line of this thread until changed; borrowed. NULL members are left out. */
struct log_ids {
    const char *req;
    const char *run;
    const char *job;
    const char *event;
    const char *account;
};

void log_setup(enum log_level lowest, bool json);
struct log_ids log_ids_swap(struct log_ids ids); /* sets, returns what was set before */
/* Any thread; writes one line with one write(2); texts are escaped and cut at 2 KiB. */
void log_write(enum log_level level, const char *module, const char *message,
               const struct log_field *fields, int n_fields);

/* LOG(LOG_INFO, "worker", "job finished", LF_S("kind", kind), LF_I("ms", ms)); */
#define LOG(level, module, message, ...)                                         \
    log_write((level), (module), (message),                                      \
              (const struct log_field[]){ { 0 }, ##__VA_ARGS__ } + 1,            \
              (int)(sizeof((const struct log_field[]){ { 0 }, ##__VA_ARGS__ }) / \
                    sizeof(struct log_field)) -                                  \
                  1)

#endif
