/* feed_name.c - what element names mean in a feed: shapes, namespaces, precedence (feed guide, sections 1 and 2). */
#include "feed_part.h"

#include <string.h>

#include "str.h"

#define NS_EXACT "http://base.google.com/ns/1.0"
#define NS_CUSTOM "http://base.google.com/cns/1.0"
#define NS_ATOM "http://www.w3.org/2005/Atom"
#define NS_RSS1 "http://purl.org/rss/1.0/"
#define NS_CONTENT "http://purl.org/rss/1.0/modules/content/"

/* Ranks: a lower one wins. Native texts have four of their own. */
enum { RANK_EXACT = 0, RANK_CUSTOM = 1, RANK_PREFIXED = 2, RANK_PLAIN = 4, RANK_FOREIGN = 9 };

enum where { IN_EXACT, IN_CUSTOM, IN_NATIVE, IN_NO_SPACE, IN_PREFIXED, IN_FOREIGN };

struct field_name {
    const char *local;
    enum feed_field field;
};

/* Names of the Google namespace, in the order of enum feed_field where one name stands for a field. */
static const struct field_name NAMES[] = {
    { "id", FEED_ID },
    { "item_group_id", FEED_GROUP },
    { "title", FEED_TITLE },
    { "description", FEED_DESCRIPTION },
    { "link", FEED_LINK },
    { "image_link", FEED_IMAGE },
    { "price", FEED_PRICE },
    { "sale_price", FEED_SALE_PRICE },
    { "sale_price_effective_date", FEED_SALE_DATE },
    { "availability", FEED_AVAILABILITY },
    { "condition", FEED_CONDITION },
    { "brand", FEED_BRAND },
    { "gtin", FEED_GTIN },
    { "mpn", FEED_MPN },
    { "product_type", FEED_PRODUCT_TYPE },
    { "google_product_category", FEED_GOOGLE_CATEGORY },
    { "color", FEED_COLOR },
    { "size", FEED_SIZE },
    { "material", FEED_MATERIAL },
    { "pattern", FEED_PATTERN },
    { "gender", FEED_GENDER },
    { "age_group", FEED_AGE_GROUP },
    { "shipping_weight", FEED_WEIGHT },
    { "shipping_length", FEED_LENGTH },
    { "shipping_width", FEED_WIDTH },
    { "shipping_height", FEED_HEIGHT },
    { "product_weight", FEED_PRODUCT_WEIGHT },
    { "product_length", FEED_PRODUCT_LENGTH },
    { "product_width", FEED_PRODUCT_WIDTH },
    { "product_height", FEED_PRODUCT_HEIGHT },
    { "quantity_to_sell_on_facebook", FEED_QUANTITY },
    { "expiration_date", FEED_EXPIRATION },
    { "additional_image_link", FEED_MORE_IMAGES },
    { "product_detail", FEED_DETAIL_NAME },
    { "inventory", FEED_QUANTITY },
};

const char *feed_field_name(enum feed_field field)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (NAMES[i].field == field)
            return NAMES[i].local;
    }
    return "a field";
}

static void lower_local(const char *local, char out[64])
{
    if (!str_copy(out, 64, local))
        out[0] = '\0'; /* no known name is that long */
    str_lower_ascii(out);
}

enum feed_shape feed_shape_of(const struct xmldoc_name *root)
{
    char local[64];

    lower_local(root->local, local);
    if (str_eq(local, "rss"))
        return FEED_SHAPE_RSS;
    if (str_eq(local, "rdf"))
        return FEED_SHAPE_RDF;
    if (str_eq(local, "html"))
        return FEED_SHAPE_HTML;
    if (str_eq(local, "feed") && root->uri != NULL && str_eq(root->uri, NS_ATOM))
        return FEED_SHAPE_ATOM;
    return FEED_SHAPE_XML;
}

static enum where where_of(const struct xmldoc_name *n)
{
    if (n->uri == NULL)
        return n->prefix == NULL ? IN_NO_SPACE : IN_PREFIXED;
    if (str_eq(n->uri, NS_EXACT))
        return IN_EXACT;
    if (str_eq(n->uri, NS_CUSTOM))
        return IN_CUSTOM;
    if (str_eq(n->uri, NS_ATOM) || str_eq(n->uri, NS_RSS1) || str_eq(n->uri, NS_CONTENT))
        return IN_NATIVE;
    if (strstr(n->uri, "base.google.com/ns") != NULL)
        return IN_PREFIXED;
    return IN_FOREIGN;
}

static bool opens_item(const char *local, enum feed_shape shape)
{
    if (str_eq(local, "entry"))
        return shape == FEED_SHAPE_ATOM || shape == FEED_SHAPE_XML;
    if (shape == FEED_SHAPE_ATOM)
        return false;
    return str_eq(local, "item") || str_eq(local, "product") || str_eq(local, "sku");
}

/* title, link and the three kinds of description, which RSS and Atom have themselves. */
static bool native(const char *local, struct feed_name *out)
{
    static const struct {
        const char *local;
        enum feed_field field;
        unsigned char rank;
    } NATIVE[] = { { "title", FEED_TITLE, 0 },
                   { "link", FEED_LINK, 0 },
                   { "description", FEED_DESCRIPTION, 0 },
                   { "summary", FEED_DESCRIPTION, 1 },
                   { "content", FEED_DESCRIPTION, 2 },
                   { "encoded", FEED_DESCRIPTION, 3 } };

    for (size_t i = 0; i < sizeof NATIVE / sizeof NATIVE[0]; i++) {
        if (str_eq(local, NATIVE[i].local)) {
            out->known = true;
            out->field = (unsigned char)NATIVE[i].field;
            out->rank = NATIVE[i].rank;
            return true;
        }
    }
    return false;
}

static bool lookup(const char *local, struct feed_name *out)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (str_eq(local, NAMES[i].local)) {
            out->known = true;
            out->field = (unsigned char)NAMES[i].field;
            return true;
        }
    }
    return false;
}

static void custom_name(const char *local, struct feed_name *out)
{
    if (str_eq(local, "quantity") || str_eq(local, "stock") || str_eq(local, "inventory") ||
        str_eq(local, "quantity_to_sell_on_facebook")) {
        out->known = true;
        out->field = FEED_QUANTITY;
        out->rank = RANK_CUSTOM;
        out->use = FEED_USE_EXACT | FEED_USE_LOOSE;
    }
}

/* A name outside the exact namespace. */
static void loose_name(const char *local, enum where where, struct feed_name *out)
{
    unsigned char base = where == IN_PREFIXED  ? RANK_PREFIXED
                         : where == IN_FOREIGN ? RANK_FOREIGN
                                               : RANK_PLAIN;

    if (native(local, out)) {
        out->rank = (unsigned char)(out->rank + base);
        out->use = where == IN_NATIVE || where == IN_NO_SPACE ? FEED_USE_EXACT | FEED_USE_LOOSE
                                                              : FEED_USE_LOOSE;
    } else if (lookup(local, out)) {
        out->rank = base;
        out->use = FEED_USE_LOOSE;
    } else if (str_eq(local, "quantity") || str_eq(local, "stock")) {
        out->known = true;
        out->field = FEED_QUANTITY;
        out->rank = (unsigned char)(base + 1);
        out->use = FEED_USE_LOOSE;
    } else if (str_eq(local, "guid") && where == IN_NO_SPACE) {
        out->known = true;
        out->field = FEED_ID;
        out->rank = FEED_RANK_GUID;
        out->use = FEED_USE_EXACT | FEED_USE_LOOSE;
    }
}

struct feed_name feed_name_of(const struct xmldoc_name *n, enum feed_shape shape)
{
    struct feed_name out = { 0 };
    char local[64];
    enum where where = where_of(n);

    lower_local(n->local, local);
    out.item = opens_item(local, shape) && where != IN_FOREIGN;
    out.exact = where == IN_EXACT;
    if (where == IN_EXACT && lookup(local, &out)) {
        out.rank = RANK_EXACT;
        out.use = FEED_USE_EXACT | FEED_USE_LOOSE;
    } else if (where == IN_CUSTOM) {
        custom_name(local, &out);
    } else if (where == IN_NATIVE && str_eq(local, "id")) {
        out.known = false; /* an Atom id is never a SKU */
    } else if (where != IN_EXACT) {
        loose_name(local, where, &out);
    }
    out.group = out.known && out.field == FEED_DETAIL_NAME;
    out.markup = out.known && (out.field == FEED_DESCRIPTION || out.field == FEED_TITLE);
    if (str_eq(local, "attribute_name") || str_eq(local, "attribute_value")) {
        out.detail = true;
        out.field = local[10] == 'n' ? FEED_DETAIL_NAME : FEED_DETAIL_VALUE;
        out.rank = where == IN_EXACT ? RANK_EXACT : RANK_PREFIXED;
        out.use = FEED_USE_EXACT | FEED_USE_LOOSE;
    }
    return out;
}
