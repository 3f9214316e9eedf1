/* rule_trace.c - builds the record that explains a price or a stock. */
#include "rule_trace.h"

#include "clock.h"

json_t *rule_trace_new(void)
{
    return json_pack("{s:[], s:[]}", "inputs", "rules");
}

void rule_trace_input(json_t *trace, const char *name, const char *value, int64_t at_us,
                      const char *source)
{
    char at[CLOCK_TEXT_BYTES];
    json_t *when = json_null();

    if (at_us > 0) {
        clock_write(at_us, at);
        when = json_string(at);
    }
    (void)json_array_append_new(json_object_get(trace, "inputs"),
                                json_pack("{s:s, s:s, s:o, s:s}", "name", name, "value", value,
                                          "at", when, "source", source));
}

void rule_trace_call(json_t *trace, const char *call)
{
    json_t *first = json_array_get(json_object_get(trace, "inputs"), 0);

    if (first != NULL && call != NULL)
        (void)json_object_set_new(first, "call", json_string(call)); /* only for people to read */
}

void rule_trace_step(json_t *rules, const char *name, const char *before, const char *after)
{
    (void)json_array_append_new(
        rules, json_pack("{s:s, s:s, s:s}", "name", name, "before", before, "after", after));
}
