/* rule_trace.h - the record that explains a price or a stock: inputs, rules, result. */
#ifndef SYNC_RULE_TRACE_H
#define SYNC_RULE_TRACE_H

#include <jansson.h>
#include <stdint.h>

/* {"inputs": [], "rules": []}; NULL when out of memory. */
json_t *rule_trace_new(void);
/* A trace that lost a line to a lack of memory explains less and harms nothing: no outcome. at_us 0 = unknown. */
void rule_trace_input(json_t *trace, const char *name, const char *value, int64_t at_us,
                      const char *source);
/* Which call gave the first input. */
void rule_trace_call(json_t *trace, const char *call);
void rule_trace_step(json_t *rules, const char *name, const char *before, const char *after);

#endif
