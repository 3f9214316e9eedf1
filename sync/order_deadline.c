/* order_deadline.c - the service-level times that TikTok's order names, and in which statuses each of them runs. */
#include "order_import.h"

#include "jspec.h"

#define OPEN "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING"
#define LIMIT_UNTIL 6

static const struct {
    const char *member, *name;
    const char *until[LIMIT_UNTIL];
} TIMES[] = {
    { "rts_sla_time", "arrange_shipment", { OPEN } },
    { "cancel_order_sla_time", "cancelled_by_tiktok", { OPEN } },
    { "shipping_due_time", "cancelled_unless_arranged", { OPEN } },
    { "tts_sla_time", "hand_over", { OPEN, "AWAITING_COLLECTION" } },
    { "collection_due_time", "cancelled_unless_collected", { OPEN, "AWAITING_COLLECTION" } },
    { "delivery_sla_time", "deliver", { OPEN, "AWAITING_COLLECTION", "IN_TRANSIT" } },
    { "delivery_due_time",
      "cancelled_unless_delivered",
      { OPEN, "AWAITING_COLLECTION", "IN_TRANSIT" } },
};

json_t *import_deadlines_new(const json_t *order)
{
    json_t *list = json_array();
    int bad = list ? 0 : -1;

    for (size_t i = 0; bad == 0 && i < sizeof TIMES / sizeof TIMES[0]; i++) {
        int64_t at = jspec_int(order, TIMES[i].member, 0);
        json_t *until;

        if (at <= 0)
            continue;
        until = json_array();
        for (int k = 0; until && k < LIMIT_UNTIL && TIMES[i].until[k]; k++)
            bad |= json_array_append_new(until, json_string(TIMES[i].until[k]));
        bad |= json_array_append_new(list, json_pack("{s:s, s:I, s:o}", "name", TIMES[i].name, "at",
                                                     (json_int_t)at, "until", until));
    }
    if (bad == 0)
        return list;
    json_decref(list);
    return NULL;
}
