/* dash_routes.c - the one list of the dashboard's addresses, its pages and its actions. */
#include "dash_pages.h"

#include "str.h"

#define BODY_NONE 0
#define BODY_FORM ((size_t)64 << 10)
#define CLIENT "/c/{client_hash}"
#define GET_PAGE(path, operation)                                             \
    {                                                                         \
        HTTP_GET, path, HTTP_READ, BODY_NONE, dash_page_get, operation, false \
    }
#define POST_ACT(path, access, operation)                                      \
    {                                                                          \
        HTTP_POST, path, access, BODY_FORM, dash_action_post, operation, false \
    }

/* A route with a parameter comes after the ones that name its segment. */
const struct http_route DASH_ROUTES[] = {
    { HTTP_GET, "/login", HTTP_OPEN, BODY_NONE, login_get, "pageLogin", false },
    { HTTP_POST, "/login", HTTP_OPEN, BODY_FORM, login_post, "signIn", false },
    { HTTP_POST, "/logout", HTTP_READ, BODY_FORM, logout_post, "signOut", false },
    { HTTP_GET, "/static/{file}", HTTP_OPEN, BODY_NONE, static_get, "staticFile", false },
    { HTTP_GET, "/idioma/{language}", HTTP_OPEN, BODY_NONE, language_get, "chooseLanguage", false },

    GET_PAGE("/", "pageToday"),
    GET_PAGE("/clientes", "pageClients"),
    GET_PAGE("/prazos", "pageDeadlines"),
    GET_PAGE("/fila", "pageQueue"),
    GET_PAGE("/autorizacoes", "pageAccess"),
    GET_PAGE("/busca", "pageSearch"),
    POST_ACT("/fila/retry", HTTP_SYNC, "retried-all"),

    GET_PAGE(CLIENT, "pageClient"),
    POST_ACT(CLIENT "/iniciar", HTTP_SYNC, "started"),
    GET_PAGE(CLIENT "/pedidos", "pageOrders"),
    GET_PAGE(CLIENT "/pedidos/{order_id}", "pageOrder"),
    POST_ACT(CLIENT "/pedidos/{order_id}/resync", HTTP_SYNC, "order-read"),
    POST_ACT(CLIENT "/pedidos/{order_id}/import", HTTP_SYNC, "order-imported"),
    GET_PAGE(CLIENT "/prazos", "pageClientDeadlines"),
    GET_PAGE(CLIENT "/relatorio", "pageReport"),
    GET_PAGE(CLIENT "/skus-sem-vinculo", "pageUnlinked"),
    POST_ACT(CLIENT "/skus-sem-vinculo/vincular", HTTP_SYNC, "sku-linked"),
    GET_PAGE(CLIENT "/anuncios", "pageProducts"),
    GET_PAGE(CLIENT "/anuncios/{source_id}", "pageProduct"),
    POST_ACT(CLIENT "/anuncios-por-causa", HTTP_SYNC, "cause-sent"),
    POST_ACT(CLIENT "/anuncios/{source_id}/publish", HTTP_SYNC, "product-sent"),
    POST_ACT(CLIENT "/anuncios/{source_id}/activate", HTTP_SYNC, "product-on"),
    POST_ACT(CLIENT "/anuncios/{source_id}/deactivate", HTTP_SYNC, "product-off"),
    POST_ACT(CLIENT "/anuncios/{source_id}/delete", HTTP_SYNC, "product-deleted"),
    GET_PAGE(CLIENT "/estoque-e-preco", "pageStock"),
    GET_PAGE(CLIENT "/estoque-e-preco/{seller_sku}", "pageSku"),
    GET_PAGE(CLIENT "/categorias", "pageTaxonomy"),
    POST_ACT(CLIENT "/categorias", HTTP_SYNC, "category-saved"),
    GET_PAGE(CLIENT "/execucoes", "pageRuns"),
    GET_PAGE(CLIENT "/execucoes/{run_id}", "pageRun"),
    POST_ACT(CLIENT "/execucoes/{run_id}/approve", HTTP_SYNC, "run-approved"),
    POST_ACT(CLIENT "/execucoes/{run_id}/cancel", HTTP_SYNC, "run-cancelled"),
    POST_ACT(CLIENT "/execucoes/{run_id}/revert", HTTP_SYNC, "run-reverted"),
    POST_ACT(CLIENT "/fila/{job_id}/retry", HTTP_SYNC, "job-retried"),
    POST_ACT(CLIENT "/fila/{job_id}/cancel", HTTP_SYNC, "job-cancelled"),
    GET_PAGE(CLIENT "/eventos", "pageEvents"),
    POST_ACT(CLIENT "/eventos/{event_id}/replay", HTTP_SYNC, "event-replayed"),
    GET_PAGE(CLIENT "/autorizacao", "pageAuthorization"),
    { HTTP_POST, CLIENT "/autorizacao", HTTP_SYNC, BODY_FORM, dash_page_get, "pageLink", false },
    POST_ACT(CLIENT "/lojas/{shop_id}/desconectar", HTTP_ADMIN, "shop-disconnected"),
    { HTTP_GET, CLIENT "/historico", HTTP_ADMIN, BODY_NONE, dash_page_get, "pageHistory", false },
    GET_PAGE(CLIENT "/configuracoes", "pageSettings"),
    POST_ACT(CLIENT "/configuracoes", HTTP_ADMIN, "settings-saved"),
};
const int DASH_ROUTES_COUNT = (int)(sizeof DASH_ROUTES / sizeof DASH_ROUTES[0]);

static const struct dash_page PAGES[] = {
    { "pageToday", "Today", NAV_TODAY, NULL, page_today },
    { "pageClients", "Clients", NAV_CLIENTS, NULL, page_clients },
    { "pageDeadlines", "Deadlines", NAV_DEADLINES, NULL, page_deadlines },
    { "pageClientDeadlines", "Deadlines", NAV_CLIENT, "prazos", page_deadlines },
    { "pageReport", "Week", NAV_CLIENT, "relatorio", page_report },
    { "pageQueue", "Queue", NAV_QUEUE, NULL, page_queue },
    { "pageAccess", "Authorizations", NAV_ACCESS, NULL, page_access },
    { "pageSearch", "Search", NAV_CLIENT, NULL, page_search },
    { "pageClient", "Overview", NAV_CLIENT, "", page_client },
    { "pageOrders", "Orders", NAV_CLIENT, "pedidos", page_orders },
    { "pageOrder", "Order", NAV_CLIENT, "pedidos", page_order },
    { "pageUnlinked", "Unlinked SKUs", NAV_CLIENT, "skus-sem-vinculo", page_unlinked },
    { "pageProducts", "Listings", NAV_CLIENT, "anuncios", page_products },
    { "pageProduct", "Listing", NAV_CLIENT, "anuncios", page_product },
    { "pageStock", "Stock and price", NAV_CLIENT, "estoque-e-preco", page_stock },
    { "pageSku", "Why these values?", NAV_CLIENT, "estoque-e-preco", page_sku },
    { "pageTaxonomy", "Categories", NAV_CLIENT, "categorias", page_taxonomy },
    { "pageRuns", "Runs", NAV_CLIENT, "execucoes", page_runs },
    { "pageRun", "Run", NAV_CLIENT, "execucoes", page_run },
    { "pageEvents", "Webhooks", NAV_CLIENT, "eventos", page_events },
    { "pageAuthorization", "Authorization", NAV_CLIENT, "autorizacao", page_authorization },
    { "pageLink", "Authorization", NAV_CLIENT, "autorizacao", page_authorization },
    { "pageHistory", "History", NAV_CLIENT, "historico", page_history },
    { "pageSettings", "Settings", NAV_CLIENT, "configuracoes", page_settings },
};

static const struct dash_action ACTIONS[] = {
    { "retried-all", NULL, act_jobs_retry, "The stopped jobs are being tried again." },
    { "started", NULL, act_start, "It has been started: its progress stands under Runs." },
    { "order-read", order_resync_post, NULL, "The order is being read again." },
    { "order-imported", order_import_post, NULL, "The order is being imported again." },
    { "sku-linked", NULL, act_link_sku, "The SKU is linked; the orders that waited for it go on." },
    { "cause-sent", NULL, act_republish, "The listings are being sent again." },
    { "product-sent", product_publish_post, NULL, "The listing is being sent again." },
    { "product-on", product_activate_post, NULL, "The listing is being put on sale." },
    { "product-off", product_deactivate_post, NULL, "The listing is being taken off sale." },
    { "product-deleted", product_delete_post, NULL, "The listing is being deleted on TikTok." },
    { "category-saved", NULL, act_taxonomy,
      "The category is saved; its listings are being sent again." },
    { "run-approved", NULL, act_run_approve, "The run is approved and goes on." },
    { "run-cancelled", NULL, act_run_cancel, "The run is cancelled." },
    { "run-reverted", NULL, act_run_revert, "A run that undoes this one has been started." },
    { "job-retried", NULL, act_job_retry, "The job is being tried again." },
    { "job-cancelled", NULL, act_job_cancel, "The job has been dropped." },
    { "event-replayed", event_replay, NULL, "The work of this notification is being done again." },
    { "shop-disconnected", shop_delete, NULL, "The shop is disconnected." },
    { "settings-saved", NULL, act_settings, "The settings are saved." },
};

const struct dash_page *dash_page_find(const char *operation)
{
    for (size_t i = 0; i < sizeof PAGES / sizeof PAGES[0]; i++) {
        if (str_eq(PAGES[i].operation, operation))
            return &PAGES[i];
    }
    return NULL;
}

const struct dash_action *dash_action_find(const char *operation)
{
    for (size_t i = 0; i < sizeof ACTIONS / sizeof ACTIONS[0]; i++) {
        if (str_eq(ACTIONS[i].operation, operation))
            return &ACTIONS[i];
    }
    return NULL;
}
