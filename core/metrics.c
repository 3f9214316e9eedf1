/* metrics.c - the process's counters, gauges and histograms, written in Prometheus' text format.
 *
 * One small sorted table under one mutex: series are few (fixed names and labels) and updates cheap. */
#include "metrics.h"

#include "str.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_SERIES 2048
#define BUCKETS 12

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct series {
    char *name;
    char *labels;
    enum kind kind;
    int64_t value; /* counter, gauge; histogram: observations */
    int64_t sum_us;
    int64_t buckets[BUCKETS];
};

static const int64_t BOUNDS_US[BUCKETS] = { 1000,   5000,   10000,   25000,   50000,    100000,
                                            250000, 500000, 1000000, 2500000, 10000000, 30000000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct series table[LIMIT_SERIES];
static int n_series;

static int compare(const struct series *s, const char *name, const char *labels)
{
    int c = strcmp(s->name, name);

    return c != 0 ? c : strcmp(s->labels, labels);
}

/* Finds or makes a series; NULL when the table is full. Called with the lock held. */
static struct series *get(const char *name, const char *labels, enum kind kind)
{
    int low = 0, high = n_series;
    struct series fresh = { .kind = kind };

    labels = labels != NULL ? labels : "";
    while (low < high) {
        int mid = (low + high) / 2;
        int c = compare(&table[mid], name, labels);

        if (c == 0)
            return &table[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (n_series == LIMIT_SERIES)
        return NULL;
    fresh.name = str_dup(name);
    fresh.labels = str_dup(labels);
    if (fresh.name == NULL || fresh.labels == NULL) {
        free(fresh.name);
        free(fresh.labels);
        return NULL;
    }
    memmove(&table[low + 1], &table[low], (size_t)(n_series - low) * sizeof table[0]);
    table[low] = fresh;
    n_series++;
    return &table[low];
}

void metrics_add(const char *name, const char *labels, int64_t n)
{
    pthread_mutex_lock(&lock);
    struct series *s = get(name, labels, COUNTER);

    if (s != NULL)
        s->value += n;
    pthread_mutex_unlock(&lock);
}

void metrics_set(const char *name, const char *labels, int64_t value)
{
    pthread_mutex_lock(&lock);
    struct series *s = get(name, labels, GAUGE);

    if (s != NULL)
        s->value = value;
    pthread_mutex_unlock(&lock);
}

void metrics_observe_us(const char *name, const char *labels, int64_t us)
{
    pthread_mutex_lock(&lock);
    struct series *s = get(name, labels, HISTOGRAM);

    if (s != NULL) {
        s->value++;
        s->sum_us += us;
        for (int i = 0; i < BUCKETS; i++)
            s->buckets[i] += us <= BOUNDS_US[i];
    }
    pthread_mutex_unlock(&lock);
}

static void write_histogram(struct buf *out, const struct series *s)
{
    const char *comma = s->labels[0] != '\0' ? "," : "";

    for (int i = 0; i < BUCKETS; i++)
        buf_fmt(out, "%s_bucket{%s%sle=\"%g\"} %lld\n", s->name, s->labels, comma,
                (double)BOUNDS_US[i] / 1e6, (long long)s->buckets[i]);
    buf_fmt(out, "%s_bucket{%s%sle=\"+Inf\"} %lld\n", s->name, s->labels, comma,
            (long long)s->value);
    buf_fmt(out, "%s_sum{%s} %.6f\n", s->name, s->labels, (double)s->sum_us / 1e6);
    buf_fmt(out, "%s_count{%s} %lld\n", s->name, s->labels, (long long)s->value);
}

void metrics_write(struct buf *out)
{
    static const char *const kinds[] = { "counter", "gauge", "histogram" };

    pthread_mutex_lock(&lock);
    for (int i = 0; i < n_series; i++) {
        const struct series *s = &table[i];

        if (i == 0 || strcmp(table[i - 1].name, s->name) != 0)
            buf_fmt(out, "# TYPE %s %s\n", s->name, kinds[s->kind]);
        if (s->kind == HISTOGRAM)
            write_histogram(out, s);
        else if (s->labels[0] != '\0')
            buf_fmt(out, "%s{%s} %lld\n", s->name, s->labels, (long long)s->value);
        else
            buf_fmt(out, "%s %lld\n", s->name, (long long)s->value);
    }
    pthread_mutex_unlock(&lock);
}
