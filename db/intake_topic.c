/* intake_topic.c - which notifications are work, of which kind, and the jobs that a batch asks for. */
#include "intake_batch.h"

#include <string.h>

static const struct topic_job TOPIC_JOBS[] = {
    { 1, "order_import", LANE_ORDERS, false, false },      /* order status */
    { 2, "aftersale_read", LANE_ORDERS, false, false },    /* reverse status, legacy */
    { 3, "order_import", LANE_ORDERS, false, false },      /* recipient address */
    { 4, "order_import", LANE_ORDERS, false, false },      /* packages: one per order of the list */
    { 5, "product_audit", LANE_CATALOG, false, false },    /* product status */
    { 6, "deauthorized", LANE_ORDERS, true, true },        /* the seller withdrew */
    { 7, "authorization_ends", LANE_ORDERS, true, false }, /* the grant is about to end */
    { 11, "aftersale_read", LANE_ORDERS, false, false },   /* cancellation */
    { 12, "aftersale_read", LANE_ORDERS, false, false },   /* return */
    { 15, "product_audit", LANE_CATALOG, false, false },   /* product information */
    { 16, "product_audit", LANE_CATALOG, false, false },   /* product made */
    { 18, "product_audit", LANE_CATALOG, false, false },   /* product category */
    { 27, "product_stock", LANE_STOCK, false, false },     /* stock status */
    { 36, "order_import", LANE_ORDERS, false, false },     /* invoice: one per order of the list */
    { 37, "product_audit", LANE_CATALOG, false, false },   /* product audit */
};

const struct topic_job *intake_topic_job(const struct intake_event *ev)
{
    if (strcmp(ev->source, "tiktok") != 0 || ev->dead_reason[0] != 0)
        return NULL;
    for (size_t i = 0; i < sizeof TOPIC_JOBS / sizeof TOPIC_JOBS[0]; i++) {
        if (TOPIC_JOBS[i].topic == ev->topic)
            return &TOPIC_JOBS[i];
    }
    return NULL;
}

static void job_add(struct job_row *jobs, int *n, const struct intake_event *ev,
                    const struct topic_job *job, const char *entity, size_t len)
{
    struct job_row *row = &jobs[*n];

    if (len >= sizeof row->entity || (len == 0 && !job->per_shop))
        return;
    row->shop_id = ev->shop_id;
    row->job = job;
    memcpy(row->entity, entity, len);
    row->entity[len] = 0;
    (*n)++;
}

/* Most rows that the events can become. */
static size_t jobs_room(struct intake_event *const *events, int n)
{
    size_t room = 1;

    for (int i = 0; i < n; i++) {
        room++;
        for (const char *p = events[i]->more_entities; p != NULL && *p != 0; p++)
            room += *p == '\n';
    }
    return room;
}

static int by_job(const void *a, const void *b)
{
    const struct job_row *x = a;
    const struct job_row *y = b;
    int order = strcmp(x->shop_id, y->shop_id);

    if (order == 0)
        order = strcmp(x->job->kind, y->job->kind);
    return order != 0 ? order : strcmp(x->entity, y->entity);
}

struct job_row *intake_jobs_new(struct intake_event *const *events, int n, int *n_jobs)
{
    struct job_row *jobs = calloc(jobs_room(events, n), sizeof *jobs);
    int made = 0;
    int kept = 0;

    if (jobs == NULL)
        return NULL;
    for (int i = 0; i < n; i++) {
        const struct intake_event *ev = events[i];
        const struct topic_job *job = ev->fate == FATE_FRESH ? intake_topic_job(ev) : NULL;

        if (job == NULL)
            continue;
        job_add(jobs, &made, ev, job, ev->entity, job->per_shop ? 0 : strlen(ev->entity));
        for (const char *p = ev->more_entities; p != NULL && *p != 0;) {
            size_t len = strcspn(p, "\n");

            job_add(jobs, &made, ev, job, p, len);
            p += len + (p[len] != 0);
        }
    }
    qsort(jobs, (size_t)made, sizeof *jobs, by_job);
    for (int i = 0; i < made; i++) {
        if (kept == 0 || by_job(&jobs[i], &jobs[kept - 1]) != 0)
            jobs[kept++] = jobs[i];
    }
    *n_jobs = kept;
    return jobs;
}
