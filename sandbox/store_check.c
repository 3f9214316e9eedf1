/* store_check.c - the rules for an order placement that a schema cannot say. */
#include "store.h"

#include "str.h"

#include <stdio.h>
#include <string.h>

#define DIVERGENCE_PERCENT 70 /* a unit price below this share of the store's price diverges */

/* Both check digits of a CPF. */
static bool cpf_ok(const char *cpf)
{
    if (strlen(cpf) != 11 || !str_digits(cpf) || strspn(cpf, (char[]){ cpf[0], '\0' }) == 11)
        return false;
    for (int n = 9; n <= 10; n++) {
        int sum = 0;

        for (int i = 0; i < n; i++)
            sum += (cpf[i] - '0') * (n + 1 - i);
        if (sum * 10 % 11 % 10 != cpf[n] - '0')
            return false;
    }
    return true;
}

static bool phone_ok(const char *phone)
{
    return phone[0] == '+' && str_digits(phone + 1) && strlen(phone) >= 12 && strlen(phone) <= 15;
}

static bool buyer_ok(struct sbx_vtex *v, const json_t *buyer)
{
    const char *type = sbx_text(buyer, "documentType");
    const char *email = sbx_text(buyer, "email");
    const char *at = strchr(email, '@');
    const char *phone = sbx_text(buyer, "phone");
    const char *document = sbx_text(buyer, "document");

    if (at == NULL || at == email || at[1] == '\0' || strpbrk(email, " \t") != NULL)
        sbx_vtex_fail(v, 400, "ORD007", "email is no address");
    else if (str_blank(sbx_text(buyer, "firstName")) || str_blank(sbx_text(buyer, "lastName")))
        sbx_vtex_fail(v, 400, "ORD007", "firstName and lastName must not be blank");
    else if (str_eq(type, "cpf") && !cpf_ok(document))
        sbx_vtex_fail(v, 400, "ORD007", "document is no CPF of digits with right check digits");
    else if (phone[0] != '\0' && !phone_ok(phone))
        sbx_vtex_fail(v, 400, "ORD007", "phone must be + and digits with the country code");
    return v->status == 0;
}

static bool state_ok(const char *uf)
{
    static const char all[] =
        "AC AL AP AM BA CE DF ES GO MA MT MS MG PA PB PR PE PI RJ RN RS RO RR SC SP SE TO";
    const char *at = strlen(uf) == 2 ? strstr(all, uf) : NULL;

    return at != NULL && (at - all) % 3 == 0;
}

static bool address_ok(struct sbx_vtex *v, const json_t *address)
{
    static const char *const kinds[] = { "residential", "commercial", "pickup" };
    static const char *const texts[] = { "receiverName", "city", "street", "number" };
    const char *cep = sbx_text(address, "postalCode");
    size_t digits = strspn(cep, "0123456789");
    bool cep_ok =
        (digits == 8 && cep[8] == '\0') ||
        (digits == 5 && cep[5] == '-' && strspn(cep + 6, "0123456789") == 3 && cep[9] == '\0');
    bool kind_ok = false;

    for (size_t i = 0; i < 3; i++)
        kind_ok = kind_ok || str_ieq(kinds[i], sbx_text(address, "addressType"));
    if (!kind_ok)
        sbx_vtex_fail(v, 400, "ORD006", "addressType must be residential, commercial or pickup");
    else if (!cep_ok)
        sbx_vtex_fail(v, 400, cep[0] == '\0' ? "FMT0074" : "CHK0040", "postalCode is no CEP");
    else if (!state_ok(sbx_text(address, "state")))
        sbx_vtex_fail(v, 400, "ORD006", "state must be a UF such as SP");
    for (size_t i = 0; i < 4 && v->status == 0; i++) {
        const char *text = sbx_text(address, texts[i]);

        if (str_blank(text) || strpbrk(text, "\n\r\t") != NULL)
            sbx_vtex_fail(v, 400, "ORD044", "%s must hold text without control characters",
                          texts[i]);
    }
    return v->status == 0;
}

static bool endpoint_ok(struct sbx_vtex *v, const char *url)
{
    bool scheme = str_starts(url, "https://") ||
                  str_starts(url, "http://"); /* http only because this is a simulator */

    if (scheme && strchr(url, '?') == NULL && strchr(url, '#') == NULL &&
        strpbrk(url, " \t") == NULL && !str_ends(url, "/"))
        return true;
    sbx_vtex_fail(v, 400, "FMT0070",
                  "marketplaceServicesEndpoint must be absolute, without trailing slash and query");
    return false;
}

/* Number and d or bd (and h, m for an estimate). */
static bool span_ok(const char *text, bool estimate)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;

    return digits > 0 && digits < 5 &&
           (str_eq(unit, "d") || str_eq(unit, "bd") ||
            (estimate && (str_eq(unit, "h") || str_eq(unit, "m"))));
}

static bool logistics_one_ok(struct sbx_vtex *v, const json_t *one, size_t n_items, json_t *seen,
                             int64_t *freight)
{
    int64_t index = sbx_int(one, "itemIndex");
    const char *sla = sbx_text(one, "selectedSla");
    const char *ttl = sbx_text(one, "lockTTL");
    const char *estimate = sbx_text(one, "shippingEstimate");
    const char *unused = NULL;
    int64_t price = 0;
    char key[24];

    (void)snprintf(key, sizeof key, "%lld", (long long)index);
    if (index >= (int64_t)n_items)
        sbx_vtex_fail(v, 400, "FMT0057", "itemIndex %lld has no item", (long long)index);
    else if (json_object_get(seen, key) != NULL)
        sbx_vtex_fail(v, 400, "FMT0089", "itemIndex %lld is repeated", (long long)index);
    else if (sla[0] != '\0' && !sbx_vtex_sla(sla, &unused, &price))
        sbx_vtex_fail(v, 400, "FMT010", "SLA escolhido indisponível: %.60s", sla);
    else if (ttl[0] == '\0')
        sbx_vtex_fail(v, 400, "FMT017", "lockTTL is missing");
    else if (!span_ok(ttl, false))
        sbx_vtex_fail(v, 400, "FMT0077", "lockTTL must be a number and d or bd");
    else if (estimate[0] == '\0')
        sbx_vtex_fail(v, 400, "FMT0078", "shippingEstimate is missing");
    else if (!span_ok(estimate, true))
        sbx_vtex_fail(v, 400, "FMT0079", "shippingEstimate is malformed");
    if (v->status != 0)
        return false;
    sbx_set(seen, key, json_true());
    *freight += sbx_int(one, "price");
    return true;
}

static bool logistics_ok(struct sbx_vtex *v, const json_t *list, size_t n_items, int64_t *freight)
{
    json_auto_t *seen = sbx_need(json_object());
    size_t i;
    json_t *one;

    if (json_array_size(list) != n_items) {
        sbx_vtex_fail(v, 400, "FMT0057", "logisticsInfo needs exactly one entry for each item");
        return false;
    }
    json_array_foreach(list, i, one)
    {
        if (!logistics_one_ok(v, one, n_items, seen, freight))
            return false;
    }
    return true;
}

/* Checks one item; notes when its price is far below the store's. */
static bool item_ok(struct sbx_vtex *v, const json_t *item, json_t *seen, bool *diverges)
{
    const char *id = sbx_text(item, "id");
    int64_t number = 0;
    int index =
        str_to_i64(id, 1, INT32_MAX, &number) ? merchant_sku_by_id(v->sb->merchant, number) : -1;
    int64_t quantity = sbx_int(item, "quantity");

    if (!str_eq(sbx_text(item, "seller"), "1"))
        sbx_vtex_fail(v, 400, "FMT0040", "seller must be 1");
    else if (index < 0)
        sbx_vtex_fail(v, 400, "FMT0039", "Item %.40s não existe", id);
    else if (json_object_get(seen, id) != NULL)
        sbx_vtex_fail(v, 400, "ORD056", "Item %.40s aparece em duas linhas", id);
    else if (v->account->price_minor[index] == 0 ||
             sbx_vtex_available(v->account, index) < quantity)
        sbx_vtex_fail(v, 400, "ORD027", "Item %.40s não encontrado ou indisponível", id);
    if (v->status != 0)
        return false;
    sbx_set(seen, id, json_true());
    *diverges = *diverges ||
                sbx_int(item, "price") * 100 < v->account->price_minor[index] * DIVERGENCE_PERCENT;
    return true;
}

bool store_order_check(struct sbx_vtex *v, const json_t *order, bool *diverges)
{
    const json_t *items = json_object_get(order, "items");
    const json_t *shipping = json_object_get(order, "shippingData");
    json_auto_t *seen = sbx_need(json_object());
    int64_t freight = 0, sum = 0;
    size_t i;
    json_t *item;

    if (!json_is_null(json_object_get(order, "paymentData")) &&
        json_object_get(order, "paymentData") != NULL) {
        sbx_vtex_fail(v, 400, "FMT0042", "paymentData must be null");
        return false;
    }
    if (!endpoint_ok(v, sbx_text(order, "marketplaceServicesEndpoint")) ||
        !buyer_ok(v, json_object_get(order, "clientProfileData")) ||
        !address_ok(v, json_object_get(shipping, "address")))
        return false;
    json_array_foreach(items, i, item)
    {
        if (!item_ok(v, item, seen, diverges))
            return false;
        sum += sbx_int(item, "price") * sbx_int(item, "quantity");
    }
    if (!logistics_ok(v, json_object_get(shipping, "logisticsInfo"), json_array_size(items),
                      &freight))
        return false;
    if (sum + freight != sbx_int(order, "marketplacePaymentValue")) {
        sbx_vtex_fail(v, 400, "FMT007",
                      "O valor do pagamento diverge do total calculado: %lld + %lld",
                      (long long)sum, (long long)freight);
        return false;
    }
    const json_t *reference = json_object_get(order, "marketplacePaymentReferenceValue");
    if (json_is_integer(reference) && json_integer_value(reference) != sum + freight) {
        sbx_vtex_fail(v, 400, "FMT0066", "marketplacePaymentReferenceValue differs from the total");
        return false;
    }
    if (*diverges && !json_is_true(json_object_get(order, "isCreatedAsync"))) {
        sbx_vtex_fail(v, 400, "FMT006", "O preço do item diverge do preço da loja");
        return false;
    }
    return true;
}
