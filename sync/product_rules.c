/* product_rules.c - which price and stock rules hold for a SKU. */
#include "product_job.h"

void publish_sku_rules(const struct publish *p, struct publish_sku *sku)
{
    sku->price_policy = &p->client.price;
    sku->stock_policy = &p->client.stock;
}
