/* db_dash.h - what the dashboard shows across clients. All need a transaction of DB_SYSTEM.
 *
 * clients: "a+b", the clients that the user may see; NULL = all. Each answers an array of documents, new reference. */
#ifndef DB_DASH_H
#define DB_DASH_H

#include "db.h"

/* What needs a person now: [{"code", "client_hash", "client", "count", "since"}], a row for each kind and client. */
enum rc db_dash_today(struct db_tx *tx, const char *clients, json_t **out, struct err *e);
/* One row for each client: its shops, when its data was read last, what is wrong in which area. */
enum rc db_dash_clients(struct db_tx *tx, const char *clients, json_t **out, struct err *e);
/* Shops with the end of their authorization, the nearest first. */
enum rc db_dash_access(struct db_tx *tx, const char *clients, json_t **out, struct err *e);
/* Lanes: [{"lane", "ready", "waiting", "running", "parked", "oldest_at"}]. */
enum rc db_dash_lanes(struct db_tx *tx, const char *clients, json_t **out, struct err *e);

struct dash_jobs_filter {
    const char *client_id, *state, *kind; /* NULL = all */
    int64_t before_id;                    /* only jobs with a smaller id; 0 = from the start */
    int limit;
};
/* Newest first. */
enum rc db_dash_jobs(struct db_tx *tx, const char *clients, const struct dash_jobs_filter *filter,
                     json_t **out, struct err *e);
/* Orders, products and SKUs with exactly this id: [{"what", "client_hash", "client", "id", "text", "state"}]. */
enum rc db_dash_search(struct db_tx *tx, const char *clients, const char *text, json_t **out,
                       struct err *e);
/* Problems of a client's products by cause: [{"code", "message", "message_pt", "action", "action_pt", "products",
 * "example"}], the most frequent first. Needs a transaction of the client. */
enum rc db_dash_causes(struct db_tx *tx, const char *client_id, json_t **out, struct err *e);
/* Source ids of the products with a cause, up to limit. */
enum rc db_dash_cause_products(struct db_tx *tx, const char *client_id, const char *code,
                               const char *after, int limit, json_t **out, struct err *e);
/* Orders a day of the last two weeks: [{"day", "orders", "failed"}]. */
enum rc db_dash_orders_by_day(struct db_tx *tx, const char *client_id, const char *zone,
                              json_t **out, struct err *e);

/* A page of SKUs: {"items": [{"seller_sku", "title", "price_desired", "price_published", "stock_desired",
 * "stock_published", "price_differs", "stock_differs"}], "next"}. only_different: those whose price or stock on TikTok
 * is not the wanted one. q: exactly this seller SKU, "" = all. */
enum rc db_dash_skus(struct db_tx *tx, const char *client_id, const char *q, bool only_different,
                     const char *cursor, int limit, json_t **out, struct err *e);
/* A page of the categories that products have or that are mapped, with what they mean: {"items": [...], "next"}. */
enum rc db_dash_categories(struct db_tx *tx, const char *client_id, const char *cursor, int limit,
                           json_t **out, struct err *e);

/* Orders that are still to be shipped, the nearest deadline first: [{"client_hash", "client", "order_id", "state",
 * "ship_by", "late", "soon"}]. */
enum rc db_dash_deadlines(struct db_tx *tx, const char *clients, int limit, json_t **out,
                          struct err *e);
/* Seven days of a client from the day "YYYY-MM-DD" on, in the zone: counts, value, a row for each day. Needs a
 * transaction of the client. */
enum rc db_dash_week(struct db_tx *tx, const char *client_id, const char *from, const char *zone,
                     json_t **out, struct err *e);

#endif
