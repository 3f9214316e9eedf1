/* aftersale_keep.c - reads one cancellation or return of TikTok's answer into its row. */
#include "aftersale.h"
#include "clock.h"
#include "jspec.h"
#include "str.h"

#define ANSWER_WITHIN_US (48 * 3600 * US_PER_S) /* guide section 16 */

/* States have older spellings; one is kept. */
static const char *status_now(const char *status)
{
    static const char *const spelled[][2] = {
        { "CANCELLATION_REQUEST_CANCELLED", "CANCELLATION_REQUEST_CANCEL" },
        { "RETURN_OR_REFUND__REQUEST_CANCELLED", "RETURN_OR_REFUND_REQUEST_CANCEL" },
        { "RETURN_OR_REFUND_CANCEL", "RETURN_OR_REFUND_REQUEST_CANCEL" },
        { "REQUEST_SUCCESS", "RETURN_OR_REFUND_REQUEST_SUCCESS" },
        { "REQUEST_REJECTED", "REFUND_OR_RETURN_REQUEST_REJECT" },
        { "RECEIVE_REJECTED", "REJECT_RECEIVE_PACKAGE" },
    };

    for (size_t i = 0; i < sizeof spelled / sizeof spelled[0]; i++) {
        if (str_eq(status, spelled[i][0]))
            return spelled[i][1];
    }
    return status ? status : "";
}

/* [{"seller_sku", "tiktok_sku_id", "order_line_item_id", "refund"}]; NULL when out of memory. */
static json_t *lines_new(const json_t *entry, const char *member)
{
    const json_t *lines = jspec_get(entry, member);
    json_t *out = json_array();

    for (size_t i = 0; out && i < json_array_size(lines) && i < 500; i++) {
        const json_t *line = json_array_get(lines, i);
        json_t *one =
            json_pack("{s:s?, s:s?, s:s?, s:s?}", "seller_sku", jspec_text(line, "seller_sku"),
                      "tiktok_sku_id", jspec_text(line, "sku_id"), "order_line_item_id",
                      jspec_text(line, "order_line_item_id"), "refund",
                      jspec_text(line, "refund_amount.refund_total"));

        if (json_array_append_new(out, one) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

/* What the seller has to do next, and until when. */
static void next_read(const json_t *entry, bool pending, struct aftersale_facts *f)
{
    const json_t *next = json_array_get(jspec_get(entry, "seller_next_action_response"), 0);

    f->action = jspec_text(next, "action");
    f->deadline_us = jspec_int(next, "deadline", 0) * US_PER_S;
    if (pending && f->deadline_us == 0)
        f->deadline_us = f->requested_us + ANSWER_WITHIN_US;
}

enum rc aftersale_keep(struct db_tx *tx, const struct job *job, enum tiktok_aftersale what,
                       const json_t *entry, char order_id[ORDER_ID_BYTES], bool *changed,
                       struct err *e)
{
    bool cancels = what == TIKTOK_CANCELLATIONS;
    json_auto_t *lines = lines_new(entry, cancels ? "cancel_line_items" : "return_line_items");
    char id[JSPEC_ID_BYTES];
    struct aftersale_facts f = { .client_id = job->client_id,
                                 .shop_id = job->shop_id,
                                 .id = id,
                                 .order_id = order_id,
                                 .kind = cancels ? "cancellation" : "return" };

    *changed = false;
    if (!lines)
        return err_set(e, RC_DOWN, "out of memory");
    jspec_id(entry, cancels ? "cancel_id" : "return_id", id);
    jspec_id(entry, "order_id", order_id);
    if (id[0] == '\0' || order_id[0] == '\0') {
        order_id[0] = '\0';
        return RC_OK;
    }
    f.type = jspec_text(entry, cancels ? "cancel_type" : "return_type");
    f.status = status_now(jspec_text(entry, cancels ? "cancel_status" : "return_status"));
    f.role = jspec_text(entry, "role");
    f.reason = jspec_text(entry, cancels ? "cancel_reason" : "return_reason");
    f.reason_text = jspec_text(entry, cancels ? "cancel_reason_text" : "return_reason_text");
    f.refund = jspec_text(entry, "refund_amount.refund_total");
    f.tracking_number = jspec_text(entry, "return_tracking_number");
    f.arbitration = jspec_text(entry, "arbitration_status");
    f.lines = lines;
    f.requested_us = jspec_int(entry, "create_time", 0) * US_PER_S;
    f.updated_us = jspec_int(entry, "update_time", 0) * US_PER_S;
    next_read(entry, str_ends(f.status, "PENDING"), &f);
    return db_aftersale_store(tx, &f, changed, e);
}
