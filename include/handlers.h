/* handlers.h - the routes of the public and the operations port. */
#ifndef HANDLERS_H
#define HANDLERS_H

#include "http.h"

extern const struct http_route ROUTES[]; /* handlers/routes.c */
extern const int ROUTES_COUNT;
extern const struct http_route DASH_ROUTES[]; /* handlers/dash_routes.c: pages and actions */
extern const int DASH_ROUTES_COUNT;
extern const struct http_route OPS_ROUTES[]; /* livez, readyz, metrics */
extern const int OPS_ROUTES_COUNT;

/* Prototypes in the order of routes.c; each is an http_handler with user = struct app *. */
#define HANDLER(name) \
    enum rc name(void *user, struct http_req *req, struct http_reply *reply, struct err *e)

/* webhook_tiktok.c */
HANDLER(webhook_tiktok_post);
/* webhook_vtex.c */
HANDLER(vtex_notification_post);
/* oauth.c */
HANDLER(oauth_authorize_get);
HANDLER(oauth_callback_get);
HANDLER(oauth_connection_get);
HANDLER(authorization_link_post);
/* lambda.c */
HANDLER(lambda_invoke_post);
/* clients.c */
HANDLER(clients_list);
HANDLER(client_put);
HANDLER(client_get);
HANDLER(client_patch);
HANDLER(client_delete);
/* shops.c */
HANDLER(shops_list);
HANDLER(shop_delete);
/* runs.c */
HANDLER(sync_post);
HANDLER(runs_list);
HANDLER(run_get);
HANDLER(run_cancel);
HANDLER(run_changes);
/* undo.c */
HANDLER(run_revert_post);
HANDLER(overrides_list);
HANDLER(override_delete);
/* proposals.c */
HANDLER(product_proposals_post);
HANDLER(proposals_post);
HANDLER(proposals_list);
HANDLER(proposal_get);
HANDLER(proposal_approve);
HANDLER(proposal_dismiss);
/* run_approve.c */
HANDLER(run_approve);
/* product_shelf.c */
HANDLER(product_publish_post);
HANDLER(product_activate_post);
HANDLER(product_deactivate_post);
HANDLER(product_delete_post);
/* products.c */
HANDLER(switches_list);
HANDLER(switch_put);
HANDLER(switch_delete);
HANDLER(products_list);
HANDLER(product_get);
HANDLER(sku_explain_get);
/* sku_price.c */
HANDLER(sku_price_approve_post);
/* orders.c */
HANDLER(orders_list);
HANDLER(order_get);
HANDLER(order_import_post);
HANDLER(order_resync_post);
/* fulfil.c */
HANDLER(order_invoice_post);
HANDLER(order_packages_post);
HANDLER(order_label_get);
/* aftersales.c */
HANDLER(order_cancel_post);
HANDLER(aftersales_list);
HANDLER(aftersale_get);
HANDLER(aftersale_answer_post);
HANDLER(order_erase_buyer_post);
HANDLER(deadlines_list);
/* order_hook.c */
HANDLER(order_hook_put);
HANDLER(order_hook_get);
HANDLER(order_hook_delete);
HANDLER(vtex_order_hook_post);
HANDLER(vtex_callback_post);
HANDLER(vtex_tracking_post);
HANDLER(vtex_tracking_events_post);
/* orders.c */
HANDLER(unlinked_skus_list);
HANDLER(unlinked_sku_put);
/* taxonomy.c */
HANDLER(brands_list);
HANDLER(brand_put);
HANDLER(taxonomy_list);
HANDLER(taxonomy_get);
HANDLER(taxonomy_put);
HANDLER(taxonomy_import);
/* jobs.c, events.c, logs.c */
HANDLER(jobs_list);
HANDLER(client_jobs_list);
HANDLER(job_retry);
HANDLER(job_cancel);
HANDLER(jobs_retry_all);
HANDLER(events_list);
HANDLER(event_replay);
HANDLER(logs_list);
HANDLER(audit_list);
/* dash.c: every page and every action, by the tables of dash_routes.c */
HANDLER(dash_page_get);
HANDLER(dash_action_post);
/* dash_frame.c */
HANDLER(static_get);
HANDLER(language_get);
/* session.c; session_check is the `session` of the listener */
HANDLER(session_check);
HANDLER(login_get);
HANDLER(login_post);
HANDLER(logout_post);
/* metrics.c (operations port) */
HANDLER(metrics_get);

#endif
