/* vtex_invoice.h - invoices and tracking of an order at VTEX. */
#ifndef VTEX_INVOICE_H
#define VTEX_INVOICE_H

#include "platform.h"

/* The whole order document (items, packageAttachment). RC_NOT_FOUND: VTEX has no such order. RC_INVALID (code
 * "foreign_order"): it belongs to another marketplace order. *order: new reference. Blocks. */
enum rc vtex_order_document(struct vtex_session *s, const char *vtex_order_id,
                            const char *tiktok_order_id, json_t **order, struct err *e);
/* Adds the tracking number to an invoice. Repeating it changes nothing. Blocks. */
enum rc vtex_tracking_patch(struct vtex_session *s, const char *vtex_order_id,
                            const char *invoice_number, const char *tracking_number,
                            const char *courier, const char *dispatched_day, struct err *e);
/* Replaces the delivery events of an invoice: {"isDelivered", "deliveredDate", "events"}. Blocks. */
enum rc vtex_tracking_events(struct vtex_session *s, const char *vtex_order_id,
                             const char *invoice_number, const json_t *body, struct err *e);

#endif
