/* intake_topic.c - which notifications are work, and of which kind; all others are only kept. */
#include "intake_batch.h"

#include <string.h>

static const struct topic_job TOPIC_JOBS[] = {
    { 1, "order_import", LANE_ORDERS, false },      /* order status */
    { 2, "order_import", LANE_ORDERS, false },      /* reverse status, legacy */
    { 3, "order_import", LANE_ORDERS, false },      /* recipient address */
    { 4, "order_import", LANE_ORDERS, false },      /* packages: one per order of the list */
    { 5, "product_audit", LANE_CATALOG, false },    /* product status */
    { 6, "deauthorized", LANE_ORDERS, true },       /* the seller withdrew */
    { 7, "authorization_ends", LANE_ORDERS, true }, /* the grant is about to end */
    { 11, "order_import", LANE_ORDERS, false },     /* cancellation */
    { 12, "order_import", LANE_ORDERS, false },     /* return */
    { 15, "product_audit", LANE_CATALOG, false },   /* product information */
    { 16, "product_audit", LANE_CATALOG, false },   /* product made */
    { 18, "product_audit", LANE_CATALOG, false },   /* product category */
    { 36, "order_import", LANE_ORDERS, false },     /* invoice: one per order of the list */
    { 37, "product_audit", LANE_CATALOG, false },   /* product audit */
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
