/* routes.c - the one list of what the public port answers. */
#include "handlers.h"

#define BODY_NONE 0
#define BODY_REST ((size_t)1 << 20)
#define CLIENT "/v1/clients/{client_hash}"

/* A route with a parameter comes after the ones that name its segment. docs/openapi.yaml says the same. */
const struct http_route ROUTES[] = {
    { HTTP_POST, "/tiktok/webhook", HTTP_OPEN, BODY_REST, webhook_tiktok_post, "tiktokWebhook",
      true },
    { HTTP_GET, "/tiktok/authorize", HTTP_OPEN, BODY_NONE, oauth_authorize_get, "authorize",
      false },
    { HTTP_GET, "/tiktok/callback", HTTP_OPEN, BODY_NONE, oauth_callback_get, "oauthCallback",
      false },
    { HTTP_GET, "/tiktok/connection/{exchange_id}", HTTP_OPEN, BODY_NONE, oauth_connection_get,
      "connectionPage", false },

    { HTTP_GET, "/v1/clients", HTTP_READ, BODY_NONE, clients_list, "listClients", false },
    { HTTP_PUT, CLIENT, HTTP_ADMIN, BODY_REST, client_put, "putClient", false },
    { HTTP_GET, CLIENT, HTTP_READ, BODY_NONE, client_get, "getClient", false },
    { HTTP_PATCH, CLIENT, HTTP_ADMIN, BODY_REST, client_patch, "patchClient", false },
    { HTTP_DELETE, CLIENT, HTTP_ADMIN, BODY_NONE, client_delete, "deleteClient", false },
    { HTTP_POST, CLIENT "/authorization-link", HTTP_SYNC, BODY_REST, authorization_link_post,
      "makeAuthorizationLink", false },
    { HTTP_GET, CLIENT "/shops", HTTP_READ, BODY_NONE, shops_list, "listShops", false },
    { HTTP_DELETE, CLIENT "/shops/{shop_id}", HTTP_ADMIN, BODY_NONE, shop_delete, "disconnectShop",
      false },

    { HTTP_POST, CLIENT "/sync/{what}", HTTP_SYNC, BODY_REST, sync_post, "startSync", false },
    { HTTP_GET, CLIENT "/runs", HTTP_READ, BODY_NONE, runs_list, "listRuns", false },
    { HTTP_GET, "/v1/runs/{run_id}", HTTP_READ, BODY_NONE, run_get, "getRun", false },
    { HTTP_POST, "/v1/runs/{run_id}/cancel", HTTP_SYNC, BODY_REST, run_cancel, "cancelRun", false },
    { HTTP_POST, "/v1/runs/{run_id}/revert", HTTP_SYNC, BODY_REST, run_revert_post, "revertRun",
      false },
    { HTTP_GET, "/v1/runs/{run_id}/changes", HTTP_READ, BODY_NONE, run_changes, "listRunChanges",
      false },

    { HTTP_GET, CLIENT "/products", HTTP_READ, BODY_NONE, products_list, "listProducts", false },
    { HTTP_GET, CLIENT "/products/{source_id}", HTTP_READ, BODY_NONE, product_get, "getProduct",
      false },
    { HTTP_POST, CLIENT "/products/{source_id}/publish", HTTP_SYNC, BODY_REST, product_publish_post,
      "publishProduct", false },
    { HTTP_GET, CLIENT "/skus/{seller_sku}/explain", HTTP_READ, BODY_NONE, sku_explain_get,
      "explainSku", false },
    { HTTP_GET, CLIENT "/overrides", HTTP_READ, BODY_NONE, overrides_list, "listOverrides", false },
    { HTTP_DELETE, CLIENT "/overrides/{override_id}", HTTP_SYNC, BODY_NONE, override_delete,
      "liftOverride", false },
    { HTTP_GET, CLIENT "/taxonomy", HTTP_READ, BODY_NONE, taxonomy_list, "listTaxonomy", false },
    { HTTP_PUT, CLIENT "/taxonomy", HTTP_SYNC, BODY_REST, taxonomy_put, "putTaxonomy", false },
    { HTTP_GET, CLIENT "/taxonomy/{source_category}", HTTP_READ, BODY_NONE, taxonomy_get,
      "getTaxonomyOne", false },
    { HTTP_PUT, CLIENT "/taxonomy/{source_category}", HTTP_SYNC, BODY_REST, taxonomy_put,
      "putTaxonomyOne", false },

    { HTTP_GET, CLIENT "/orders", HTTP_READ, BODY_NONE, orders_list, "listOrders", false },
    { HTTP_GET, CLIENT "/orders/{order_id}", HTTP_READ, BODY_NONE, order_get, "getOrder", false },
    { HTTP_POST, CLIENT "/orders/{order_id}/import", HTTP_SYNC, BODY_REST, order_import_post,
      "importOrder", false },
    { HTTP_POST, CLIENT "/orders/{order_id}/resync", HTTP_SYNC, BODY_REST, order_resync_post,
      "resyncOrder", false },
    { HTTP_GET, CLIENT "/unlinked-skus", HTTP_READ, BODY_NONE, unlinked_skus_list,
      "listUnlinkedSkus", false },
    { HTTP_PUT, CLIENT "/unlinked-skus/{tiktok_sku_id}", HTTP_SYNC, BODY_REST, unlinked_sku_put,
      "linkSku", false },

    { HTTP_GET, "/v1/jobs", HTTP_READ, BODY_NONE, jobs_list, "listJobs", false },
    { HTTP_POST, "/v1/jobs/retry", HTTP_SYNC, BODY_REST, jobs_retry_all, "retryJobs", false },
    { HTTP_POST, "/v1/jobs/{job_id}/retry", HTTP_SYNC, BODY_REST, job_retry, "retryJob", false },
    { HTTP_POST, "/v1/jobs/{job_id}/cancel", HTTP_SYNC, BODY_REST, job_cancel, "cancelJob", false },
    { HTTP_GET, CLIENT "/jobs", HTTP_READ, BODY_NONE, client_jobs_list, "listClientJobs", false },
    { HTTP_GET, CLIENT "/events", HTTP_READ, BODY_NONE, events_list, "listEvents", false },
    { HTTP_POST, CLIENT "/events/{event_id}/replay", HTTP_SYNC, BODY_REST, event_replay,
      "replayEvent", false },
    { HTTP_GET, CLIENT "/logs/{log}", HTTP_READ, BODY_NONE, logs_list, "listLogs", false },
    { HTTP_GET, CLIENT "/audit", HTTP_ADMIN, BODY_NONE, audit_list, "listAudit", false },
};
const int ROUTES_COUNT = (int)(sizeof ROUTES / sizeof ROUTES[0]);
