/* sync/kinds.c - every kind of job: its lane, its function, how it is tried again. */
#include "sync.h"

#define FEED_DUE_S 60 /* feeds have policies in whole minutes */
#define MAINTENANCE_S (6 * 3600)
#define CATALOG_READ_S (24 * 3600)
#define CATEGORIES_S 86400
#define RECONCILE_S 86400
#define ORDER_HOOK_S 86400 /* VTEX drops a hook after about three silent days */

static int order_poll_s(const struct cfg *cfg)
{
    return cfg->order_poll_seconds;
}

/* Requests of buyers wait for two days; the order itself is polled more often. */
static int aftersale_poll_s(const struct cfg *cfg)
{
    return 5 * cfg->order_poll_seconds;
}

const struct job_kind JOB_KINDS[] = {
    { .name = "oauth_exchange", .lane = LANE_ORDERS, .run = sync_oauth_exchange },
    { .name = "token_refresh", .lane = LANE_MAINTENANCE, .run = sync_token_refresh },
    { .name = "deauthorized", .lane = LANE_ORDERS, .run = sync_deauthorized },
    { .name = "authorization_ends", .lane = LANE_ORDERS, .run = sync_authorization_ends },
    { .name = "order_import", .lane = LANE_ORDERS, .run = sync_order_import },
    { .name = "order_poll",
      .lane = LANE_ORDERS,
      .run = sync_order_poll,
      .every = order_poll_s,
      .owns_run = true },
    { .name = "order_fulfil", .lane = LANE_ORDERS, .run = sync_order_fulfil },
    { .name = "fulfil_poll", .lane = LANE_STOCK, .run = sync_fulfil_poll, .every = order_poll_s },
    { .name = "order_label", .lane = LANE_ORDERS, .run = sync_order_label },
    { .name = "aftersale_read", .lane = LANE_ORDERS, .run = sync_aftersale_read },
    { .name = "aftersale_poll",
      .lane = LANE_ORDERS,
      .run = sync_aftersale_poll,
      .every = aftersale_poll_s },
    { .name = "order_hook",
      .lane = LANE_MAINTENANCE,
      .run = sync_order_hook,
      .every_s = ORDER_HOOK_S },
    { .name = "feed_read", .lane = LANE_CATALOG, .run = sync_feed_read, .owns_run = true },
    { .name = "feed_due",
      .lane = LANE_MAINTENANCE,
      .run = sync_feed_due,
      .every_s = FEED_DUE_S,
      .whole_system = true },
    { .name = "product_publish", .lane = LANE_CATALOG, .run = sync_product_publish },
    { .name = "shop_ready", .lane = LANE_CATALOG, .run = sync_shop_ready },
    { .name = "product_shelf", .lane = LANE_CATALOG, .run = sync_product_shelf },
    { .name = "image_read", .lane = LANE_CATALOG, .run = sync_image_read, .owns_run = true },
    { .name = "product_images", .lane = LANE_CATALOG, .run = sync_product_images },
    { .name = "product_images_dry", .lane = LANE_CATALOG, .run = sync_product_images },
    { .name = "category_refresh",
      .lane = LANE_CATALOG,
      .run = sync_category_refresh,
      .every_s = CATEGORIES_S,
      .owns_run = true },
    { .name = "product_stock", .lane = LANE_STOCK, .run = sync_product_stock },
    { .name = "product_values", .lane = LANE_STOCK, .run = sync_product_values },
    { .name = "prices_read", .lane = LANE_PRICE, .run = sync_prices_read, .owns_run = true },
    { .name = "stock_read", .lane = LANE_STOCK, .run = sync_stock_read, .owns_run = true },
    { .name = "values_part", .lane = LANE_PRICE, .run = sync_values_part },
    { .name = "product_audit", .lane = LANE_CATALOG, .run = sync_product_audit },
    { .name = "product_propose",
      .lane = LANE_CATALOG,
      .run = sync_product_propose,
      .owns_run = true },
    { .name = "run_revert", .lane = LANE_CATALOG, .run = sync_run_revert, .owns_run = true },
    { .name = "brands_sync", .lane = LANE_CATALOG, .run = sync_brands, .owns_run = true },
    { .name = "catalog_read",
      .lane = LANE_CATALOG,
      .run = sync_catalog_read,
      .every_s = CATALOG_READ_S },
    { .name = "reconcile", .lane = LANE_CATALOG, .run = sync_reconcile, .owns_run = true },
    { .name = "reconcile_due",
      .lane = LANE_CATALOG,
      .run = sync_reconcile_due,
      .every_s = RECONCILE_S },
    { .name = "maintenance",
      .lane = LANE_MAINTENANCE,
      .run = sync_maintenance,
      .every_s = MAINTENANCE_S,
      .whole_system = true },
    { .name = NULL },
};
