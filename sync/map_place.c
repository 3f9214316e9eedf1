/* map_place.c - builds the order that VTEX is asked to place (guide sections 9 and 10). */
#include "br_document.h"
#include "jspec.h"
#include "map_address.h"
#include "map_order.h"
#include "str.h"

#include <string.h>

#define PLACE_LOCK_TTL "10d"
#define PLACE_NOTE_CHARS 500

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static bool masked(const char *text)
{
    return str_blank(text) || strchr(text, '*') != NULL;
}

/* The name for the invoice: the one that belongs to the CPF, unless TikTok masked it and not the other. */
static const char *buyer_name(const json_t *order)
{
    const char *cpf_name = jspec_text(order, "cpf_name");
    const char *receiver = jspec_text(order, "recipient_address.name");

    if (str_blank(receiver))
        receiver = jspec_text(order, "recipient_address.first_name");
    if (!masked(cpf_name) || str_blank(receiver))
        return cpf_name;
    return masked(receiver) && !str_blank(cpf_name) ? cpf_name : receiver;
}

static bool mail_usable(const char *mail)
{
    const char *at = mail ? strchr(mail, '@') : NULL;

    return at && at != mail && at[1] != '\0' && !strpbrk(mail, " *<>\"\\,;") &&
           !strchr(at + 1, '@');
}

static json_t *profile_new(const struct map_order *o, const json_t *order,
                           const struct map_place *how, struct err *e)
{
    const char *mail = jspec_text(order, "buyer_email");
    char first[MAP_TEXT_BYTES], last[MAP_TEXT_BYTES], whole[MAP_TEXT_BYTES];
    char digits[BR_DOCUMENT_BYTES];
    char phone[32];
    char made_mail[256];
    enum br_document kind = br_document_read(jspec_text(order, "cpf"), digits);
    const char *name = buyer_name(order);
    bool firm = kind == BR_DOCUMENT_CNPJ;

    if (kind == BR_DOCUMENT_NONE) {
        (void)err_code(e, RC_INVALID, "document_invalid", "the order holds no valid CPF or CNPJ");
        return NULL;
    }
    if (map_name_split(name, first, last, e) != RC_OK ||
        map_text_clean(whole, sizeof whole, name, e) != RC_OK)
        return NULL;
    if (!mail_usable(mail)) {
        (void)str_fmt(made_mail, sizeof made_mail, "%s@%s", o->order_id, how->mail_domain);
        mail = made_mail;
    }
    map_phone(jspec_text(order, "recipient_address.phone_number"), how->client->phone_fallback,
              phone);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:n, s:s?, s:b, s:n}",
                     "id", "clientProfileData", "email", mail, "firstName", first, "lastName", last,
                     "documentType", firm ? "cnpj" : "cpf", "document", digits, "phone",
                     text_or_null(phone), "corporateName", firm ? whole : NULL, "tradeName",
                     firm ? whole : NULL, "corporateDocument", firm ? digits : NULL,
                     "stateInscription", "corporatePhone", firm ? text_or_null(phone) : NULL,
                     "isCorporate", (int)firm, "userProfileId");
}

static json_t *address_new(const struct map_order *o, const struct map_address *a)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:n, s:[]}",
                     "addressType", "residential", "receiverName", a->receiver, "addressId",
                     o->order_id, "postalCode", a->postal_code, "city", a->city, "state", a->state,
                     "country", "BRA", "street", a->street, "number", a->number, "neighborhood",
                     text_or_null(a->neighborhood), "complement", text_or_null(a->complement),
                     "reference", "geoCoordinates");
}

static json_t *logistics_new(const struct map_order *o)
{
    json_auto_t *list = json_array();

    for (size_t i = 0; list && i < o->n_lines; i++) {
        const struct map_line *line = &o->lines[i];
        json_t *one =
            json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:n}", "itemIndex", (int)i,
                      "selectedSla", o->sla, "selectedDeliveryChannel", "delivery", "addressId",
                      o->order_id, "lockTTL", PLACE_LOCK_TTL, "shippingEstimate", line->estimate,
                      "price", (json_int_t)line->freight_minor, "deliveryWindow");

        if (json_array_append_new(list, one) != 0)
            return NULL;
    }
    return json_incref(list);
}

static json_t *items_new(const struct map_order *o)
{
    json_auto_t *list = json_array();

    for (size_t i = 0; list && i < o->n_lines; i++) {
        const struct map_line *line = &o->lines[i];
        json_t *one = json_pack(
            "{s:s, s:I, s:s, s:i, s:i, s:I, s:[], s:{s:n, s:{}}, s:[], s:[], s:s, s:i,"
            " s:b}",
            "id", line->vtex_sku_id, "quantity", (json_int_t)line->quantity, "seller", "1",
            "commission", 0, "freightCommission", 0, "price", (json_int_t)line->price_minor,
            "bundleItems", "itemAttachment", "name", "content", "attachments", "priceTags",
            "measurementUnit", "un", "unitMultiplier", 1, "isGift", (int)line->gift);

        if (json_array_append_new(list, one) != 0)
            return NULL;
    }
    return json_incref(list);
}

/* ---- payment, for the invoice ------------------------------------------------------------------ */

static bool contains(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (; text && *text; text++) {
        size_t i = 0;

        while (i < n && (text[i] | 0x20) == word[i])
            i++;
        if (i == n)
            return true;
    }
    return false;
}

/* VTEX's word for the way the buyer paid; NULL when TikTok does not say. */
static const char *payment_method(const json_t *order)
{
    const char *name = jspec_text(order, "payment_method_name");
    const char *code = jspec_text(order, "payment_method_code");
    const char *card = jspec_text(order, "payment_card_type");

    if (contains(name, "pix") || contains(code, "pix"))
        return "instantPayment";
    if (contains(name, "boleto") || contains(code, "boleto"))
        return "bankInvoice";
    if (contains(card, "debit") || contains(name, "debit"))
        return "debitCard";
    if (!str_blank(card) || contains(name, "ccdc") || contains(name, "card") ||
        contains(name, "credit") || contains(code, "ccdc"))
        return "creditCard";
    return NULL;
}

static int set_text(json_t *object, const char *key, const char *text)
{
    return str_blank(text) ? 0 : json_object_set_new(object, key, json_string(text));
}

static json_t *custom_new(const struct map_order *o, const json_t *order)
{
    const char *method = payment_method(order);
    const char *auth = jspec_text(order, "payment_auth_code");
    char cnpj[BR_DOCUMENT_BYTES];
    json_auto_t *fields = json_object();
    int bad = fields ? 0 : -1;

    bad |= set_text(fields, "orderIdMarketplace", o->order_id);
    bad |= set_text(fields, "paymentIdMarketplace", auth);
    bad |= set_text(fields, "marketplacePaymentMethods", method);
    if (str_eq(method, "creditCard") ||
        str_eq(method, "debitCard")) { /* the invoice names the acquirer */
        (void)br_document_read(jspec_text(order, "channel_entity_national_registry_id"), cnpj);
        bad |= set_text(fields, "marketplacePaymentAuthorizationCodes", auth);
        bad |= set_text(fields, "marketplacePaymentCnpjAcquirers", cnpj);
    }
    if (bad != 0)
        return NULL;
    return json_pack("{s:[{s:s, s:i, s:O}]}", "customApps", "id", "marketplace-integration",
                     "major", 1, "fields", fields);
}

/* What the buyer wrote, else a line that names the order. */
static json_t *note_new(const struct map_order *o, const json_t *order)
{
    const char *message = jspec_text(order, "buyer_message");
    char text[4 * PLACE_NOTE_CHARS + 1];

    if (str_blank(message)) {
        (void)str_fmt(text, sizeof text, "Pedido TikTok Shop %s", o->order_id);
        return json_pack("{s:s}", "value", text);
    }
    return json_pack("{s:s%}", "value", message, str_utf8_prefix(message, PLACE_NOTE_CHARS));
}

enum rc map_order_place_new(const struct map_order *o, const json_t *order,
                            const struct map_place *how, json_t **out, struct err *e)
{
    struct map_address address = { 0 };
    int64_t total = map_order_merchant_minor(o);
    json_auto_t *profile = NULL;
    json_auto_t *place = NULL;
    json_t *made;
    enum rc rc = map_address_read(jspec_get(order, "recipient_address"),
                                  (const char(*)[16])how->client->address_lines, &address, e);

    if (rc != RC_OK)
        return rc;
    profile = profile_new(o, order, how, e);
    if (!profile)
        return RC_INVALID;
    place = address_new(o, &address);
    made = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:b, s:o, s:O, s:{s:s, s:O, s:[O], s:o, s:b}, s:n, s:n,"
        " s:o, s:o}",
        "marketplaceOrderId", o->order_id, "marketplaceOrderGroup", o->order_id,
        "marketplaceServicesEndpoint", how->endpoint, "marketplacePaymentValue", (json_int_t)total,
        "marketplacePaymentReferenceValue", (json_int_t)total, "isCreatedAsync", 1, "items",
        items_new(o), "clientProfileData", profile, "shippingData", "id", "shippingData", "address",
        place, "selectedAddresses", place, "logisticsInfo", logistics_new(o), "isFob",
        (int)o->tiktok_ships, "paymentData", "marketingData", "customData",
        how->no_custom ? json_null() : custom_new(o, order), "openTextField", note_new(o, order));
    if (!made)
        return err_set(e, RC_DOWN, "out of memory");
    *out = made;
    return RC_OK;
}
