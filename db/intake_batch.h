/* intake_batch.h - writes a batch of events in one transaction; used by the committer only. */
#ifndef INTAKE_BATCH_H
#define INTAKE_BATCH_H

#include "conn.h"
#include "db_job.h"
#include "intake.h"

#define INTAKE_BATCH_MAX 256
#define INTAKE_STATEMENT_MS 2000

/* What became of an event in its batch. */
enum intake_fate { FATE_FRESH, FATE_REPEAT, FATE_ANOMALY };

/* What a topic asks for. */
struct topic_job {
    int topic;
    const char *kind;
    enum lane lane;
    bool per_shop; /* no entity */
    bool unpauses; /* runs even where the shop's work stands still */
};
/* NULL: the event is only kept (other topics, dead letters). */
const struct topic_job *intake_topic_job(const struct intake_event *ev);

/* A job that a batch asks for. */
struct job_row {
    const char *shop_id;
    const struct topic_job *job;
    char entity[64];
};
/* Jobs of the fresh ones among n events, each key once, sorted by it; the caller frees. NULL: out of memory. */
struct job_row *intake_jobs_new(struct intake_event *const *events, int n, int *n_jobs);

/* For how many more batches not all keys, or not all jobs, are taken for new. Zeroed at first. */
struct intake_care {
    int keys;
    int jobs;
};

/* Opens the committer's connection and prepares its statements. */
enum rc intake_batch_open(struct conn *c, const char *url, struct err *e);
/* Key, raw event, jobs, schedule, notice. RC_OK: all committed, the command tag said so; fates are set.
 * RC_DOWN: nothing was committed. RC_UNSURE: the end of the commit is unknown. RC_INVALID, RC_BUG: the database
 * refused something in it; nothing was committed. *care is the caller's memory between batches. */
enum rc intake_batch_write(struct conn *c, struct intake_care *care, struct intake_event **events,
                           int n, struct err *e);

#endif
