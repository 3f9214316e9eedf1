/* sync/shopset.c - the shops a replica holds and the queues of their claimed jobs. */
#include "engine.h"

#include <string.h>

#include "str.h"

void items_add(struct item_list *list, struct item *item)
{
    item->next = NULL;
    if (list->tail == NULL)
        list->head = item;
    else
        list->tail->next = item;
    list->tail = item;
    list->n++;
}

struct item *items_take(struct item_list *list)
{
    struct item *item = list->head;

    if (item == NULL)
        return NULL;
    list->head = item->next;
    if (list->head == NULL)
        list->tail = NULL;
    list->n--;
    item->next = NULL;
    return item;
}

void items_move(struct item_list *to, struct item_list *from)
{
    if (from->head == NULL)
        return;
    if (to->tail == NULL)
        to->head = from->head;
    else
        to->tail->next = from->head;
    to->tail = from->tail;
    to->n += from->n;
    *from = (struct item_list){ 0 };
}

void item_free(struct item *item)
{
    if (item == NULL)
        return;
    json_decref(item->claim.job.payload);
    free(item);
}

static unsigned bucket_of(const char *shop_id)
{
    uint32_t h = 2166136261U;

    for (const unsigned char *p = (const unsigned char *)shop_id; *p != 0; p++)
        h = (h ^ *p) * 16777619U;
    return h % ENGINE_BUCKETS;
}

struct held *shop_find(struct workers *w, const char *shop_id)
{
    struct held *shop = w->buckets[bucket_of(shop_id)];

    while (shop != NULL && strcmp(shop->shop_id, shop_id) != 0)
        shop = shop->bucket_next;
    return shop;
}

struct held *shop_add(struct workers *w, const struct work_shop *lease)
{
    struct held *shop = calloc(1, sizeof *shop);
    struct held *before = shop_find(w, lease->shop_id);
    unsigned bucket = bucket_of(lease->shop_id);

    if (shop == NULL)
        return NULL;
    if (before != NULL)
        shop_lose(w, before);
    (void)str_copy(shop->shop_id, sizeof shop->shop_id, lease->shop_id);
    (void)str_copy(shop->client_id, sizeof shop->client_id, lease->client_id);
    shop->token = lease->token;
    atomic_init(&shop->stop, w->stopping);
    shop->more_urgent = shop->more_bulk = shop->more_suspect = true;
    shop->next_due_us = ENGINE_NEVER;
    shop->bucket_next = w->buckets[bucket];
    w->buckets[bucket] = shop;
    shop->next = w->all;
    w->all = shop;
    w->n_shops++;
    return shop;
}

static void unlink_bucket(struct workers *w, const struct held *shop)
{
    struct held **at = &w->buckets[bucket_of(shop->shop_id)];

    while (*at != NULL && *at != shop)
        at = &(*at)->bucket_next;
    if (*at == shop)
        *at = shop->bucket_next;
}

static void ring_remove(struct workers *w, struct held *shop, int lane)
{
    struct ring *ring = &w->ring[lane];
    struct held *before = NULL;

    if (!shop->in_ring[lane])
        return;
    for (struct held *at = ring->head; at != shop; at = at->ring_next[lane])
        before = at;
    if (before == NULL)
        ring->head = shop->ring_next[lane];
    else
        before->ring_next[lane] = shop->ring_next[lane];
    if (ring->tail == shop)
        ring->tail = before;
    shop->ring_next[lane] = NULL;
    shop->in_ring[lane] = false;
}

static void ring_append(struct workers *w, struct held *shop, int lane)
{
    struct ring *ring = &w->ring[lane];

    if (ring->tail == NULL)
        ring->head = shop;
    else
        ring->tail->ring_next[lane] = shop;
    ring->tail = shop;
    shop->ring_next[lane] = NULL;
    shop->in_ring[lane] = true;
}

static void count_queued(struct workers *w, int lane, int n)
{
    if (lane_is_bulk((enum lane)lane))
        w->queued_bulk += n;
    else
        w->queued_urgent += n;
}

void shop_queue(struct workers *w, struct item *item)
{
    struct held *shop = item->shop;
    int lane = (int)item->claim.job.lane;

    items_add(&shop->queue[lane], item);
    count_queued(w, lane, 1);
    if (!shop->in_ring[lane])
        ring_append(w, shop, lane);
}

void shop_unqueue(struct workers *w, struct held *shop)
{
    for (int lane = 0; lane < ENGINE_LANES; lane++) {
        count_queued(w, lane, -shop->queue[lane].n);
        for (struct item *i = shop->queue[lane].head; i != NULL; i = i->next)
            i->rc = RC_STOPPED;
        items_move(&shop->finished, &shop->queue[lane]);
        ring_remove(w, shop, lane);
    }
}

static void items_free(struct item_list *list)
{
    for (struct item *i = items_take(list); i != NULL; i = items_take(list))
        item_free(i);
}

void shop_lose(struct workers *w, struct held *shop)
{
    if (shop->lost)
        return;
    shop_unqueue(w, shop);
    shop->lost = true;
    atomic_store(&shop->stop, true);
    unlink_bucket(w, shop);
    items_free(&shop->finished);
}

static void held_free(struct held *shop)
{
    for (int lane = 0; lane < ENGINE_LANES; lane++)
        items_free(&shop->queue[lane]);
    items_free(&shop->finished);
    items_free(&shop->ending);
    free(shop);
}

void shops_sweep(struct workers *w)
{
    for (struct held **at = &w->all; *at != NULL;) {
        struct held *shop = *at;

        if (shop->lost && shop->running.n == 0 && shop->ending.n == 0) {
            *at = shop->next;
            w->n_shops--;
            held_free(shop);
        } else {
            at = &shop->next;
        }
    }
}

bool shop_at_rest(const struct held *shop)
{
    int queued = 0;

    for (int lane = 0; lane < ENGINE_LANES; lane++)
        queued += shop->queue[lane].n;
    return queued + shop->running.n + shop->finished.n + shop->ending.n == 0;
}

void shop_drop(struct workers *w, struct held *shop)
{
    shop_lose(w, shop);
    shops_sweep(w);
}

/* The next shop of the lane's round that holds fewer threads than it may. */
static struct held *ring_pick(const struct workers *w, int lane)
{
    struct held *shop = w->ring[lane].head;

    while (shop != NULL && shop->running.n >= w->shop_max)
        shop = shop->ring_next[lane];
    return shop;
}

struct item *queue_pick(struct workers *w)
{
    for (int lane = 0; lane < ENGINE_LANES; lane++) {
        struct held *shop = ring_pick(w, lane);
        struct item *item = NULL;

        if (shop == NULL)
            continue;
        if (lane_is_bulk((enum lane)lane) && w->running_bulk >= w->bulk_max)
            return NULL;
        item = items_take(&shop->queue[lane]);
        count_queued(w, lane, -1);
        ring_remove(w, shop, lane);
        if (shop->queue[lane].n > 0)
            ring_append(w, shop, lane);
        return item;
    }
    return NULL;
}
