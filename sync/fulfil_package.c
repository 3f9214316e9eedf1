/* fulfil_package.c - keeps the rows of an order's packages as TikTok has them. */
#include "fulfil.h"

#include "jspec.h"
#include "str.h"
#include "tiktok_fulfil.h"

/* The first line of a package in the order, or NULL. */
static const json_t *line_of(const json_t *order, const char *package_id)
{
    const json_t *lines = jspec_get(order, "line_items");

    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        char id[JSPEC_ID_BYTES];

        jspec_id(line, "package_id", id);
        if (str_eq(id, package_id))
            return line;
    }
    return NULL;
}

/* Adds a unit of a SKU to [{"sku_id", "quantity"}]. */
static void unit_add(json_t *skus, const char *sku_id, int64_t quantity)
{
    for (size_t i = 0; i < json_array_size(skus); i++) {
        json_t *one = json_array_get(skus, i);

        if (!str_eq(jspec_text(one, "sku_id"), sku_id))
            continue;
        (void)json_object_set_new(one, "quantity",
                                  json_integer(jspec_int(one, "quantity", 0) + quantity));
        return;
    }
    (void)json_array_append_new(
        skus, json_pack("{s:s, s:I}", "sku_id", sku_id, "quantity", (json_int_t)quantity));
}

/* Units of a package by the order's lines; an order with one package has all of them in it. */
static json_t *units_new(const json_t *order, const char *package_id, bool only)
{
    const json_t *lines = jspec_get(order, "line_items");
    json_t *skus = json_array();

    for (size_t i = 0; skus != NULL && i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        char in[JSPEC_ID_BYTES], sku[JSPEC_ID_BYTES];

        jspec_id(line, "package_id", in);
        jspec_id(line, "sku_id", sku);
        if (!str_eq(jspec_text(line, "display_status"), "CANCELLED") &&
            (str_eq(in, package_id) || (only && in[0] == '\0')))
            unit_add(skus, sku, 1);
    }
    return skus;
}

/* What the order itself says of a package: less than the package's own page, and perhaps older. */
static enum rc from_order(struct fulfil *f, struct db_tx *tx, const char *id, bool only,
                          struct err *e)
{
    const json_t *line = line_of(f->detail, id);
    json_auto_t *orders = json_pack("[s]", f->order.order_id);
    json_auto_t *skus = units_new(f->detail, id, only);
    struct package_facts facts = { .client_id = f->order.client_id,
                                   .shop_id = f->order.shop_id,
                                   .package_id = id,
                                   .order_ids = orders,
                                   .state = jspec_text(line, "package_status"),
                                   .shipping_type = jspec_text(f->detail, "shipping_type"),
                                   .delivery_option_id =
                                       jspec_text(f->detail, "delivery_option_id"),
                                   .tracking_number = jspec_text(line, "tracking_number"),
                                   .carrier = jspec_text(line, "shipping_provider_name"),
                                   .provider_id = jspec_text(line, "shipping_provider_id"),
                                   .skus = skus };

    if (orders == NULL || skus == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    return db_package_store(tx, &facts, e);
}

/* Ids of the packages that the order names. New reference or NULL. */
static json_t *ids_new(const json_t *order)
{
    const json_t *packages = jspec_get(order, "packages");
    json_t *ids = json_array();

    for (size_t i = 0; ids != NULL && i < json_array_size(packages); i++) {
        char id[JSPEC_ID_BYTES];

        jspec_id(json_array_get(packages, i), "id", id);
        if (id[0] != '\0')
            (void)json_array_append_new(ids, json_string(id));
    }
    return ids;
}

static enum rc order_store(struct fulfil *f, struct err *e)
{
    json_auto_t *ids = ids_new(f->detail);
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc;

    if (ids == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    rc = job_tx_begin(f->ctx, "fulfil_packages", &tx, e);
    for (size_t i = 0; rc == RC_OK && i < json_array_size(ids); i++)
        rc = from_order(f, tx, json_string_value(json_array_get(ids, i)), json_array_size(ids) == 1,
                        e);
    if (rc == RC_OK && json_array_size(ids) > 0)
        rc = db_package_only(tx, f->order.shop_id, f->order.order_id, ids, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* ---- the package's own page ------------------------------------------------------------------------ */

/* Orders and units inside. False when out of memory. */
static bool inside_read(const json_t *page, json_t *orders, json_t *skus)
{
    const json_t *list = jspec_get(page, "orders");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *order = json_array_get(list, i);
        const json_t *units = jspec_get(order, "skus");
        char id[JSPEC_ID_BYTES];

        jspec_id(order, "id", id);
        if (json_array_append_new(orders, json_string(id)) != 0)
            return false;
        for (size_t k = 0; k < json_array_size(units); k++) {
            char sku[JSPEC_ID_BYTES];

            jspec_id(json_array_get(units, k), "id", sku);
            unit_add(skus, sku, jspec_int(json_array_get(units, k), "quantity", 1));
        }
    }
    return true;
}

enum rc fulfil_package_read(struct fulfil *f, const struct package *p, struct err *e)
{
    json_auto_t *page = NULL;
    json_auto_t *orders = json_array();
    json_auto_t *skus = json_array();
    OWN_TX struct db_tx *tx = NULL;
    char provider[JSPEC_ID_BYTES], option[JSPEC_ID_BYTES];
    struct package_facts facts = { .client_id = f->order.client_id,
                                   .shop_id = f->order.shop_id,
                                   .package_id = p->package_id };
    enum rc rc = tiktok_package_get(&f->tiktok, p->package_id, &page, e);

    if (rc != RC_OK)
        return rc;
    if (orders == NULL || skus == NULL || !inside_read(page, orders, skus))
        return err_set(e, RC_DOWN, "out of memory");
    if (json_array_size(orders) == 0)
        (void)json_array_append_new(orders, json_string(f->order.order_id));
    jspec_id(page, "shipping_provider_id", provider);
    jspec_id(page, "delivery_option_id", option);
    facts.order_ids = orders;
    facts.skus = json_array_size(skus) > 0 ? skus : NULL;
    facts.state = jspec_text(page, "package_status");
    facts.shipping_type = jspec_text(page, "shipping_type");
    facts.delivery_option_id = option[0] != '\0' ? option : NULL;
    facts.tracking_number = jspec_text(page, "tracking_number");
    facts.carrier = jspec_text(page, "shipping_provider_name");
    facts.provider_id = provider;
    facts.updated_s = jspec_int(page, "update_time", 0);
    rc = job_tx_begin(f->ctx, "fulfil_package", &tx, e);
    if (rc == RC_OK)
        rc = db_package_store(tx, &facts, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* Whether the package's own page says more than the order does. */
static bool worth_reading(const struct fulfil *f, const struct package *p)
{
    if (str_eq(p->ship_state, "sent") || str_eq(p->ship_state, "asked"))
        return true;
    if (str_eq(p->state, "COMPLETED") || str_eq(p->state, "CANCELLED"))
        return false;
    return fulfil_arranged(p) || !fulfil_to_ship(f);
}

enum rc fulfil_packages_read(struct fulfil *f, struct err *e)
{
    enum rc rc = order_store(f, e);

    if (rc == RC_OK)
        rc = fulfil_reload(f, e);
    for (int i = 0; rc == RC_OK && i < f->n_packages; i++) {
        if (worth_reading(f, &f->packages[i]))
            rc = fulfil_package_read(f, &f->packages[i], e);
    }
    return rc == RC_OK ? fulfil_reload(f, e) : rc;
}
