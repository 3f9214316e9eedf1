/* metrics.h - counters and gauges of the process, in Prometheus' text format. */
#ifndef METRICS_H
#define METRICS_H

#include "buf.h"

/* Adds to a counter named as in Prometheus, with labels already formatted ("outcome=\"ok\"" or NULL).
 * Names and labels must be from small fixed sets; any thread; creates the series on first use. */
void metrics_add(const char *name, const char *labels, int64_t n);
/* Sets a gauge. */
void metrics_set(const char *name, const char *labels, int64_t value);
/* Adds one observation in microseconds to a histogram with fixed buckets (1 ms .. 30 s), shown in seconds. */
void metrics_observe_us(const char *name, const char *labels, int64_t us);
/* Writes all series, sorted by name. */
void metrics_write(struct buf *out);

#endif
