/* agenda.c - what the simulator does later: reviews that end, orders that move on, webhooks that go out.
 *
 * A binary heap by due time, served by a few threads; nothing is kept when the process ends. */
#include "state.h"

#include "clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define AGENDA_THREADS_MAX 8

struct entry {
    int64_t due_us; /* monotonic */
    int64_t order;  /* equal times run first come first served */
    sbx_task task;
    void *data;
};

struct agenda {
    struct sandbox *sb;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t threads[AGENDA_THREADS_MAX];
    int n_threads;
    struct entry *heap;
    size_t n, cap;
    int64_t order;
    bool stop;
};

static bool before(const struct entry *a, const struct entry *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void swap(struct entry *a, struct entry *b)
{
    struct entry t = *a;

    *a = *b;
    *b = t;
}

static void push(struct agenda *a, struct entry entry)
{
    if (a->n == a->cap) {
        a->cap = a->cap == 0 ? 64 : a->cap * 2;
        a->heap = sbx_need(realloc(a->heap, a->cap * sizeof *a->heap));
    }
    size_t i = a->n++;
    a->heap[i] = entry;
    while (i > 0 && before(&a->heap[i], &a->heap[(i - 1) / 2])) {
        swap(&a->heap[i], &a->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static struct entry pop(struct agenda *a)
{
    struct entry first = a->heap[0];
    size_t i = 0;

    a->heap[0] = a->heap[--a->n];
    for (;;) {
        size_t least = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < a->n; child++) {
            if (before(&a->heap[child], &a->heap[least]))
                least = child;
        }
        if (least == i)
            return first;
        swap(&a->heap[i], &a->heap[least]);
        i = least;
    }
}

static void wait_for_work(struct agenda *a)
{
    if (a->n == 0) {
        (void)pthread_cond_wait(&a->wake, &a->lock);
        return;
    }
    struct timespec until = { .tv_sec = a->heap[0].due_us / US_PER_S,
                              .tv_nsec = a->heap[0].due_us % US_PER_S * 1000 };
    (void)pthread_cond_timedwait(&a->wake, &a->lock, &until); /* a timeout is the usual end */
}

static void *serve(void *user)
{
    struct agenda *a = user;

    (void)pthread_mutex_lock(&a->lock);
    while (!a->stop) {
        if (a->n == 0 || a->heap[0].due_us > clock_mono_us()) {
            wait_for_work(a);
            continue;
        }
        struct entry entry = pop(a);
        (void)pthread_mutex_unlock(&a->lock);
        entry.task(a->sb, entry.data);
        (void)pthread_mutex_lock(&a->lock);
    }
    (void)pthread_mutex_unlock(&a->lock);
    return NULL;
}

enum rc agenda_new(struct sandbox *sb, int threads, struct agenda **out, struct err *e)
{
    struct agenda *a = sbx_need(calloc(1, sizeof *a));
    pthread_condattr_t attr;

    a->sb = sb;
    (void)pthread_mutex_init(&a->lock, NULL); /* default attributes cannot fail */
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&a->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    while (a->n_threads < threads && a->n_threads < AGENDA_THREADS_MAX) {
        if (pthread_create(&a->threads[a->n_threads], NULL, serve, a) != 0) {
            agenda_free(a);
            return err_set(e, RC_DOWN, "A thread could not be started");
        }
        a->n_threads++;
    }
    *out = a;
    return RC_OK;
}

void agenda_free(struct agenda *a)
{
    if (a == NULL)
        return;
    (void)pthread_mutex_lock(&a->lock);
    a->stop = true;
    (void)pthread_cond_broadcast(&a->wake);
    (void)pthread_mutex_unlock(&a->lock);
    for (int i = 0; i < a->n_threads; i++)
        (void)pthread_join(a->threads[i], NULL);
    for (size_t i = 0; i < a->n; i++)
        free(a->heap[i].data);
    (void)pthread_cond_destroy(&a->wake);
    (void)pthread_mutex_destroy(&a->lock);
    free(a->heap);
    free(a);
}

void agenda_put(struct agenda *a, int64_t ms, sbx_task task, void *data)
{
    (void)pthread_mutex_lock(&a->lock);
    push(a, (struct entry){
                .due_us = clock_mono_us() + ms * US_PER_MS,
                .order = a->order++,
                .task = task,
                .data = data,
            });
    (void)pthread_cond_signal(&a->wake);
    (void)pthread_mutex_unlock(&a->lock);
}
