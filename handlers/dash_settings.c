/* dash_settings.c - a client's settings as one form: a table of fields, each a member of the client document. */
#include "dash_pages.h"

#include "jspec.h"
#include "str.h"

#include <string.h>

#define LIMIT_VALUE_BYTES 2200
#define LIST_ITEMS_MAX 32

enum kind { LINE, TEXT, NUMBER, DECIMAL, SWITCH, CHOICE, LIST, SECRET };

static const struct dash_name SOURCE_WORDS[] = { { "vtex", "VTEX", "" },
                                                 { "feed", "the feed", "" },
                                                 { 0 } };
static const struct dash_name SKU_WORDS[] = { { "feed_id", "id of the feed", "" },
                                              { "mpn", "MPN of the feed", "" },
                                              { "vtex_ref_id", "reference of VTEX", "" },
                                              { "last_part", "last part of the id", "" },
                                              { 0 } };
static const struct dash_name BRAND_WORDS[] = { { "omit", "publish without a brand", "" },
                                                { "create", "create it on TikTok", "" },
                                                { "hold", "hold the listing", "" },
                                                { 0 } };
static const struct dash_name REMOVED_WORDS[] = { { "deactivate", "take it off sale", "" },
                                                  { "keep", "keep it on sale", "" },
                                                  { 0 } };
static const struct dash_name FEE_WORDS[] = { { "buyer_fee", "what the buyer paid", "" },
                                              { "zero", "zero", "" },
                                              { 0 } };

/* In the order of the form; LINE begins a part. */
static const struct field {
    enum kind kind;
    const char *path, *label;
    const struct dash_name *choices;
} FIELDS[] = {
    { LINE, NULL, "The shop", NULL },
    { TEXT, "name", "Name", NULL },
    { TEXT, "tik_tok_shop_feed_link", "Address of the feed", NULL },
    { NUMBER, "policies.feed.read_every_minutes",
      "Read the feed every … minutes (0: only on request)", NULL },
    { TEXT, "tik_tok_shop_warehouse_id", "TikTok warehouse (empty: the shop's own)", NULL },
    { LINE, NULL, "What is synchronised", NULL },
    { SWITCH, "policies.sync.products", "Listings", NULL },
    { SWITCH, "policies.sync.prices", "Prices", NULL },
    { SWITCH, "policies.sync.stock", "Stock", NULL },
    { SWITCH, "policies.sync.orders", "Orders", NULL },
    { SWITCH, "policies.sync.text", "Titles and descriptions", NULL },
    { SWITCH, "policies.sync.images", "Pictures", NULL },
    { SWITCH, "policies.sync.activation", "Putting on and taking off sale", NULL },
    { LINE, NULL, "VTEX", NULL },
    { TEXT, "vtex.account", "Account", NULL },
    { SECRET, "vtex.app_key", "App key (empty: stays as it is)", NULL },
    { SECRET, "vtex.app_token", "App token (empty: stays as it is)", NULL },
    { TEXT, "vtex.sales_channel", "Trade policy", NULL },
    { TEXT, "vtex.affiliate_id", "Affiliate", NULL },
    { LIST, "vtex.warehouse_ids", "Warehouses that count, with commas (empty: all)", NULL },
    { LINE, NULL, "Price", NULL },
    { CHOICE, "policies.price.source", "Source of prices", SOURCE_WORDS },
    { DECIMAL, "policies.price.markup_percent", "Markup in percent", NULL },
    { DECIMAL, "policies.price.add_amount", "Amount added", NULL },
    { DECIMAL, "policies.price.round_to", "Round to", NULL },
    { DECIMAL, "policies.price.minimum", "Minimum", NULL },
    { DECIMAL, "policies.price.maximum", "Maximum (empty: none)", NULL },
    { DECIMAL, "policies.price.hold_change_above_percent",
      "Hold changes above … percent (empty: never)", NULL },
    { LINE, NULL, "Stock", NULL },
    { CHOICE, "policies.stock.source", "Source of stock", SOURCE_WORDS },
    { NUMBER, "policies.stock.reserve", "Reserve kept back", NULL },
    { NUMBER, "policies.stock.percent", "Percent offered", NULL },
    { NUMBER, "policies.stock.maximum", "Maximum offered", NULL },
    { NUMBER, "policies.stock.unlimited_as", "Units when VTEX says unlimited", NULL },
    { LINE, NULL, "Listings", NULL },
    { CHOICE, "policies.sku_id.rule", "Seller SKU comes from", SKU_WORDS },
    { CHOICE, "policies.brand.when_unknown", "Brand unknown to TikTok", BRAND_WORDS },
    { SWITCH, "policies.category.accept_recommendation", "Accept TikTok's category suggestion",
      NULL },
    { CHOICE, "policies.removed_products.action", "Product no longer in the feed", REMOVED_WORDS },
    { NUMBER, "policies.removed_products.hold_above_percent",
      "Ask before more than … percent are taken off", NULL },
    { NUMBER, "policies.removed_products.hold_above_count",
      "Ask before more than … products are taken off", NULL },
    { DECIMAL, "policies.package.weight_kg", "Package weight in kg when the feed says none", NULL },
    { DECIMAL, "policies.package.length_cm", "Length in cm", NULL },
    { DECIMAL, "policies.package.width_cm", "Width in cm", NULL },
    { DECIMAL, "policies.package.height_cm", "Height in cm", NULL },
    { LINE, NULL, "Orders", NULL },
    { CHOICE, "policies.order.shipping_fee", "Freight in VTEX", FEE_WORDS },
    { TEXT, "policies.order.phone_fallback", "Phone when the buyer's is hidden", NULL },
};
#define N_FIELDS (sizeof FIELDS / sizeof FIELDS[0])

/* ---- the form ------------------------------------------------------------------------------------------ */

static void value_text(const json_t *doc, const struct field *f, struct buf *out)
{
    const json_t *value = jspec_get(doc, f->path);
    size_t i;
    json_t *item;

    if (json_is_string(value))
        buf_str(out, json_string_value(value));
    else if (json_is_integer(value))
        buf_fmt(out, "%lld", (long long)json_integer_value(value));
    json_array_foreach(value, i, item)
    {
        buf_fmt(out, "%s%s", i > 0 ? ", " : "",
                json_is_string(item) ? json_string_value(item) : "");
    }
}

static void put_choice(struct dash *d, const struct field *f, const char *value)
{
    struct html *h = &d->h;

    html_put(h, "<select name=\"%s\">", f->path);
    for (const struct dash_name *c = f->choices; c->value != NULL; c++) {
        html_put(h, "<option value=\"%s\"", c->value);
        if (str_eq(c->value, value))
            html_put(h, " selected");
        html_put(h, ">%s</option>", html_say(h, c->english));
    }
    html_put(h, "</select>");
}

static void put_input(struct dash *d, const struct field *f, const char *value)
{
    static const char *const MODES[] = { [NUMBER] = "numeric", [DECIMAL] = "decimal" };
    const char *mode = f->kind == NUMBER || f->kind == DECIMAL ? MODES[f->kind] : "text";

    if (f->kind == SECRET)
        html_put(&d->h,
                 "<input type=\"password\" name=\"%s\" maxlength=\"1024\" "
                 "autocomplete=\"new-password\">",
                 f->path);
    else
        html_put(&d->h, "<input name=\"%s\" value=\"%s\" maxlength=\"2048\" inputmode=\"%s\">",
                 f->path, value, mode);
}

static void put_field(struct dash *d, const struct field *f, const json_t *doc)
{
    struct html *h = &d->h;
    OWN_BUF struct buf value;

    buf_init(&value, LIMIT_VALUE_BYTES);
    if (f->kind != SECRET)
        value_text(doc, f, &value);
    if (f->kind == SWITCH) {
        html_put(h, "<label class=\"check\"><input type=\"checkbox\" name=\"%s\" value=\"on\"",
                 f->path);
        if (jspec_bool(doc, f->path, false))
            html_put(h, " checked");
        html_put(h, "> %s</label>\n", html_say(h, f->label));
        return;
    }
    html_put(h, "<label>%s", html_say(h, f->label));
    if (f->kind == CHOICE)
        put_choice(d, f, buf_text(&value));
    else
        put_input(d, f, buf_text(&value));
    html_put(h, "</label>\n");
}

enum rc page_settings(struct dash *d, struct err *e)
{
    struct html *h = &d->h;
    json_auto_t *doc = NULL;
    bool may = dash_may(d, client_patch);
    enum rc rc = dash_get(d, client_get, NULL, &doc, e);

    if (rc != RC_OK)
        return rc;
    if (!may)
        html_put(h, "<p class=\"note\">{Only an administrator can change the settings.}</p>\n");
    dash_form(d, "settings", (const char *const[]){ "c", d->client_id, "configuracoes", NULL });
    if (!may)
        html_put(h, "<fieldset disabled class=\"all\">");
    for (size_t i = 0; i < N_FIELDS; i++) {
        if (FIELDS[i].kind == LINE)
            html_put(h, "<fieldset><legend>%s</legend>\n", html_say(h, FIELDS[i].label));
        else
            put_field(d, &FIELDS[i], doc);
        if (i + 1 == N_FIELDS || FIELDS[i + 1].kind == LINE)
            html_put(h, "</fieldset>\n");
    }
    if (!may)
        html_put(h, "</fieldset>");
    else
        html_put(h, "<button class=\"main\">{Save}</button>");
    html_put(h, "</form>\n");
    return RC_OK;
}

/* ---- what was sent ------------------------------------------------------------------------------------- */

static json_t *list_new(char *text)
{
    json_t *list = json_array();
    char *rest = text, *item;

    while (list != NULL && (item = strsep(&rest, ",")) != NULL) {
        (void)str_trim(item);
        if (item[0] != '\0' && json_array_append_new(list, json_string(item)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* The value as JSON: an empty field means "none". A number that is none goes as text, so that the check names it. */
static json_t *value_new(const struct field *f, char *text)
{
    int64_t number = 0;

    if (f->kind == LIST)
        return list_new(text);
    (void)str_trim(text);
    if (text[0] == '\0')
        return json_null();
    if (f->kind == NUMBER && str_to_i64(text, INT64_MIN, INT64_MAX, &number))
        return json_integer(number);
    for (char *p = text; f->kind == DECIMAL && *p != '\0'; p++)
        *p = *p == ',' ? '.' : *p; /* as Brazilians write it */
    return json_string(text);
}

/* Sets a member by its dotted path, making the objects on the way. Takes value. */
static bool set_path(json_t *root, const char *path, json_t *value)
{
    char name[64];
    const char *dot = strchr(path, '.');

    while (dot != NULL) {
        json_t *next;

        if ((size_t)(dot - path) >= sizeof name)
            break;
        memcpy(name, path, (size_t)(dot - path));
        name[dot - path] = '\0';
        next = json_object_get(root, name);
        if (next == NULL) {
            next = json_object();
            if (json_object_set_new(root, name, next) != 0) {
                json_decref(value);
                return false;
            }
        }
        root = next;
        path = dot + 1;
        dot = strchr(path, '.');
    }
    return json_object_set_new(root, path, value) == 0;
}

static bool take_field(const struct dash *d, const struct field *f, json_t *patch)
{
    char text[LIMIT_VALUE_BYTES];
    bool given = f->kind != LINE && session_field(d->req, f->path, text, sizeof text);

    if (f->kind == LINE)
        return true;
    if (f->kind == SWITCH)
        return set_path(patch, f->path, json_boolean(given));
    if (!given || (f->kind == SECRET && text[0] == '\0'))
        return true;
    return set_path(patch, f->path, value_new(f, text));
}

enum rc act_settings(struct dash *d, struct err *e)
{
    json_auto_t *patch = json_object();
    const char *account;

    for (size_t i = 0; i < N_FIELDS; i++) {
        if (!take_field(d, &FIELDS[i], patch))
            return err_set(e, RC_BUG, "no memory for settings");
    }
    account = jspec_text(patch, "vtex.account");
    if (account == NULL && json_object_set_new(patch, "vtex", json_null()) != 0)
        return err_set(e, RC_BUG, "no memory for settings");
    return dash_call(d, &(struct dash_call){ .handler = client_patch, .body = patch }, NULL, e);
}
