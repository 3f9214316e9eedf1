/* dash_pages.h - the pages and actions that dash_routes.c lists. */
#ifndef DASH_PAGES_H
#define DASH_PAGES_H

#include "dash.h"

#define PAGE(name) enum rc page_##name(struct dash *d, struct err *e)
#define ACT(name) enum rc act_##name(struct dash *d, struct err *e)

/* dash_today.c */
PAGE(today);
PAGE(clients);
PAGE(access);
PAGE(search);
/* dash_client.c */
PAGE(client);
PAGE(authorization);
PAGE(history);
ACT(start);
/* dash_settings.c */
PAGE(settings);
ACT(settings);
/* dash_orders.c */
PAGE(orders);
PAGE(order);
PAGE(unlinked);
ACT(link_sku);
/* dash_products.c */
PAGE(products);
PAGE(product);
ACT(republish);
/* dash_stock.c */
PAGE(stock);
PAGE(sku);
/* dash_taxonomy.c */
PAGE(taxonomy);
ACT(taxonomy);
/* dash_runs.c */
PAGE(runs);
PAGE(run);
ACT(run_approve);
ACT(run_cancel);
ACT(run_revert);
/* dash_report.c */
PAGE(deadlines);
PAGE(report);
/* dash_work.c */
PAGE(queue);
PAGE(events);
ACT(job_retry);
ACT(job_cancel);
ACT(jobs_retry);

#endif
