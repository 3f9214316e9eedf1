/* store_cross.c - compares an order placed in VTEX with the TikTok order it comes from.
 *
 * VTEX itself could not know; a difference is noted for the overview and changes nothing. */
#include "store.h"

#include "money.h"
#include "str.h"

#include <stdio.h>

static int64_t minor_of(const json_t *object, const char *key)
{
    int64_t minor = 0;

    (void)money_decimal_read(sbx_text(object, key), &minor, NULL); /* our own text */
    return minor;
}

static const json_t *source_of(const struct sandbox *sb, const char *id)
{
    for (int i = 0; i < sb->n_shops; i++) {
        const json_t *order = json_object_get(sb->shops[i].orders, id);

        if (order != NULL)
            return order;
    }
    return NULL;
}

static void digits(const char *text, char out[24])
{
    size_t n = 0;

    for (; *text != '\0' && n < 23; text++) {
        if (*text >= '0' && *text <= '9')
            out[n++] = *text;
    }
    out[n] = '\0';
}

static int64_t units_of(const json_t *order)
{
    int64_t units = 0;
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(order, "items"), i, item) units += sbx_int(item, "quantity");
    return units;
}

/* What the merchant gets for the goods: the platform pays its own discounts. */
static int64_t goods_of(const json_t *source)
{
    int64_t minor = 0;
    size_t i;
    json_t *line;

    json_array_foreach(json_object_get(source, "line_items"), i, line) minor +=
        minor_of(line, "sale_price") + minor_of(line, "platform_discount");
    return minor;
}

void store_cross_check(struct sbx_vtex *v, const json_t *order)
{
    const json_t *source = source_of(v->sb, sbx_text(order, "marketplaceOrderId"));
    const json_t *payment = json_object_get(source, "payment");
    const char *status = sbx_text(source, "status");
    int64_t value = sbx_int(order, "marketplacePaymentValue");
    int64_t goods = goods_of(source);
    int64_t freight =
        minor_of(payment, "shipping_fee") + minor_of(payment, "shipping_fee_platform_discount");
    char cpf[24], document[24], text[200] = "";

    if (source == NULL)
        return;
    digits(sbx_text(source, "cpf"), cpf);
    digits(sbx_text(json_object_get(order, "clientProfileData"), "document"), document);
    if (str_eq(status, "UNPAID") || str_eq(status, "ON_HOLD") || str_eq(status, "CANCELLED"))
        (void)snprintf(text, sizeof text, "placed although the TikTok order is %.24s", status);
    else if (units_of(order) != (int64_t)json_array_size(json_object_get(source, "line_items")))
        (void)snprintf(text, sizeof text, "placed with another number of units");
    else if (value != goods + freight && value != goods)
        (void)snprintf(text, sizeof text, "placed for %lld; the goods are %lld, the freight %lld",
                       (long long)value, (long long)goods, (long long)freight);
    else if (!str_eq(cpf, document))
        (void)snprintf(text, sizeof text, "placed with another document than the buyer's CPF");
    if (text[0] != '\0')
        sbx_note_refused(v->sb, "vtex", v->operation, "MISMATCH", text);
}
