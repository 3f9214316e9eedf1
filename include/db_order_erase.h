/* db_order_erase.h - forgets a buyer on every order of theirs. */
#ifndef DB_ORDER_ERASE_H
#define DB_ORDER_ERASE_H

#include "db_order.h"

/* Erases what is known of the buyer of this order, on every order of that buyer with this client, and keeps a
 * record of it. Asked again it erases nothing and makes a record all the same. RC_NOT_FOUND: no such order. */
enum rc db_order_buyer_erase(struct db_tx *tx, const char *client_id, const char *order_id,
                             const char *who, int64_t *erased, char record_id[64], struct err *e);

#endif
