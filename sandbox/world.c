/* world.c - makes the simulator's state from its settings and the built-in files. */
#include "state.h"

#include "assets.h"
#include "clock.h"
#include "jspec.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum rc asset_json(const char *name, json_t **out, struct err *e)
{
    const struct asset *asset = asset_find(name);

    if (asset == NULL)
        return err_set(e, RC_BUG, "The built-in file %s is missing", name);
    return jspec_parse(asset->data, asset->size, 0, out, e);
}

static void shop_init(struct sandbox *sb, int index)
{
    static const char *const names[] = { "Loja Exemplo", "Loja Vizinha", "Loja do Centro",
                                         "Loja da Serra" };
    struct sbx_shop *shop = &sb->shops[index];
    long long n = index + 1;

    (void)snprintf(shop->id, sizeof shop->id, "%lld", 7494049642642440000LL + n);
    (void)snprintf(shop->code, sizeof shop->code, "BRLCSBX%04lld", n);
    (void)snprintf(shop->cipher, sizeof shop->cipher, "ROW_sandbox%04lldKq0eZWebFQq5aIK", n);
    (void)snprintf(shop->open_id, sizeof shop->open_id, "sandbox_open_id_%04lld", n);
    (void)snprintf(shop->seller, sizeof shop->seller, "Vendedor %lld", n);
    if (index < 4)
        (void)snprintf(shop->name, sizeof shop->name, "%s", names[index]);
    else
        (void)snprintf(shop->name, sizeof shop->name, "Loja %lld", n);
    (void)snprintf(shop->sales_warehouse, sizeof shop->sales_warehouse, "%lld",
                   7068517275539719000LL + n);
    (void)snprintf(shop->return_warehouse, sizeof shop->return_warehouse, "%lld",
                   7068517275539729000LL + n);
    shop->products = sbx_need(json_object());
    shop->by_sku = sbx_need(json_object());
    shop->by_external = sbx_need(json_object());
    shop->by_key = sbx_need(json_object());
    shop->orders = sbx_need(json_object());
    shop->parcels = sbx_need(json_object());
    shop->aftersales = sbx_need(json_object());
}

static void account_init(struct sandbox *sb, struct sbx_account *account)
{
    int n = sb->merchant->n_skus;

    account->price_minor = sbx_need(calloc((size_t)n + 1, sizeof *account->price_minor));
    account->total = sbx_need(calloc((size_t)n + 1, sizeof *account->total));
    account->reserved = sbx_need(calloc((size_t)n + 1, sizeof *account->reserved));
    account->orders = sbx_need(json_object());
    for (int i = 0; i < n; i++) {
        account->price_minor[i] = sb->merchant->skus[i].price_minor;
        account->total[i] = sb->merchant->skus[i].stock;
        account->reserved[i] = i % 7 == 0 && account->total[i] > 2 ? 2 : 0;
    }
}

static enum rc accounts_init(struct sandbox *sb, struct err *e)
{
    const char *at = sb->cfg.accounts;

    while (*at != '\0') {
        size_t len = strcspn(at, ",");

        if (sb->n_accounts == SBX_ACCOUNTS_MAX)
            return err_set(e, RC_INVALID, "--accounts names more than %d accounts",
                           SBX_ACCOUNTS_MAX);
        if (len == 0 || len >= sizeof sb->accounts[0].name)
            return err_set(e, RC_INVALID, "--accounts holds an empty or too long name");
        struct sbx_account *account = &sb->accounts[sb->n_accounts++];
        memcpy(account->name, at, len);
        account_init(sb, account);
        at += len;
        at += *at == ',';
    }
    return RC_OK;
}

enum rc sbx_state_new(const struct sbx_cfg *cfg, struct sandbox **out, struct err *e)
{
    struct sandbox *sb = sbx_need(calloc(1, sizeof *sb));

    sb->cfg = *cfg;
    (void)pthread_mutex_init(&sb->lock, NULL); /* default attributes cannot fail */
    sb->id_base = sbx_now_s() - 1700000000;
    sb->codes = sbx_need(json_object());
    sb->access = sbx_need(json_object());
    sb->refresh = sbx_need(json_object());
    sb->custom = sbx_need(json_object());
    sb->images = sbx_need(json_object());
    sb->buckets = sbx_need(json_object());
    sb->calls = sbx_need(json_object());
    sb->refused = sbx_need(json_array());
    sb->exchanges = sbx_need(json_array());
    enum rc rc = merchant_new(cfg->products, &sb->merchant, e);
    if (rc == RC_OK)
        rc = asset_json("sandbox/market/market.json", &sb->market, e);
    if (rc == RC_OK)
        rc = asset_json("sandbox/contract/tiktok.json", &sb->tiktok_contract, e);
    if (rc == RC_OK)
        rc = asset_json("sandbox/contract/vtex.json", &sb->vtex_contract, e);
    if (rc == RC_OK)
        rc = accounts_init(sb, e);
    if (rc != RC_OK) {
        sbx_state_free(sb);
        return rc;
    }
    sb->n_shops = (int)cfg->shops;
    for (int i = 0; i < sb->n_shops; i++)
        shop_init(sb, i);
    *out = sb;
    return RC_OK;
}

void sbx_state_free(struct sandbox *sb)
{
    if (sb == NULL)
        return;
    for (int i = 0; i < sb->n_shops; i++) {
        json_decref(sb->shops[i].products);
        json_decref(sb->shops[i].by_sku);
        json_decref(sb->shops[i].by_external);
        json_decref(sb->shops[i].by_key);
        json_decref(sb->shops[i].orders);
        json_decref(sb->shops[i].parcels);
        json_decref(sb->shops[i].aftersales);
    }
    for (int i = 0; i < sb->n_accounts; i++) {
        free(sb->accounts[i].price_minor);
        free(sb->accounts[i].total);
        free(sb->accounts[i].reserved);
        json_decref(sb->accounts[i].orders);
    }
    json_decref(sb->market);
    json_decref(sb->tiktok_contract);
    json_decref(sb->vtex_contract);
    json_decref(sb->codes);
    json_decref(sb->access);
    json_decref(sb->refresh);
    json_decref(sb->custom);
    json_decref(sb->images);
    json_decref(sb->buckets);
    json_decref(sb->calls);
    json_decref(sb->refused);
    json_decref(sb->exchanges);
    merchant_free(sb->merchant);
    (void)pthread_mutex_destroy(&sb->lock); /* nobody holds it any more */
    free(sb);
}

struct sbx_shop *sbx_shop_find(struct sandbox *sb, const char *id)
{
    for (int i = 0; i < sb->n_shops; i++) {
        if (str_eq(sb->shops[i].id, id))
            return &sb->shops[i];
    }
    return NULL;
}

struct sbx_account *sbx_account_find(struct sandbox *sb, const char *name)
{
    for (int i = 0; i < sb->n_accounts; i++) {
        if (str_eq(sb->accounts[i].name, name))
            return &sb->accounts[i];
    }
    return NULL;
}
