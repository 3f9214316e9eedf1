/* store_catalog.c - the catalog of a simulated VTEX account: SKUs, products, brands, categories, channels. */
#include "state.h"

#include "str.h"

#include <stdio.h>
#include <string.h>

#define PAGE_MAX 1000

static json_t *dimension_new(const struct merchant_product *p)
{
    return sbx_need(json_pack("{s:f,s:i,s:i,s:i,s:i}", "cubicweight",
                              (double)p->length_cm * p->width_cm * p->height_cm / 6000.0, "height",
                              p->height_cm, "length", p->length_cm, "weight", p->weight_g, "width",
                              p->width_cm));
}

static json_t *images_new(const struct merchant *m, int sku, const char *account)
{
    json_t *list = sbx_need(json_array());

    for (int n = 0; n < MERCHANT_PICTURES; n++) {
        char name[64], url[256];

        merchant_picture_name(m, sku, n, name);
        (void)snprintf(url, sizeof url, "https://%s.vteximg.com.br/arquivos/ids/%d/%s", account,
                       155000 + m->skus[sku].id * MERCHANT_PICTURES + n, name);
        sbx_append(list, json_pack("{s:s,s:s,s:i}", "ImageUrl", url, "ImageName", "", "FileId",
                                   155000 + m->skus[sku].id * MERCHANT_PICTURES + n));
    }
    return list;
}

static void specification(json_t *list, int field, const char *name, const char *value)
{
    if (value[0] != '\0')
        sbx_append(list, json_pack("{s:i,s:s,s:[i],s:[s]}", "FieldId", field, "FieldName", name,
                                   "FieldValueIds", field * 10 + (int)(value[0] & 7), "FieldValues",
                                   value));
}

static void names_put(json_t *out, const struct merchant_product *p, const struct merchant_sku *s)
{
    char variant[160], full[420], description[900], path[32], link[96];

    (void)snprintf(variant, sizeof variant, "%.60s%s%.60s", s->color,
                   s->color[0] != '\0' && s->size[0] != '\0' ? " " : "", s->size);
    (void)snprintf(full, sizeof full, "%.200s%s%s", p->title, variant[0] == '\0' ? "" : " ",
                   variant);
    (void)snprintf(description, sizeof description, "<p>%.800s</p>", p->description);
    (void)snprintf(path, sizeof path, "/%d/%d/", p->category_id / 1000, p->category_id % 1000);
    (void)snprintf(link, sizeof link, "/produto-%d/p", p->id);
    sbx_set_text(out, "NameComplete", full);
    sbx_set_text(out, "ComplementName", "");
    sbx_set_text(out, "ProductName", p->title);
    sbx_set_text(out, "ProductDescription", description);
    sbx_set_text(out, "ProductRefId", p->ref);
    sbx_set_text(out, "SkuName", variant[0] == '\0' ? p->title : variant);
    sbx_set_text(out, "DetailUrl", link);
    sbx_set(out, "CategoriesFullPath", json_pack("[s]", path));
    sbx_set_text(out, "ProductCategoryIds", path);
    json_t *categories = sbx_need(json_object());
    char id[16];
    (void)snprintf(id, sizeof id, "%d", p->category_id % 1000);
    sbx_set_text(categories, id, p->category);
    (void)snprintf(id, sizeof id, "%d", p->category_id / 1000);
    sbx_set_text(categories, id, p->department);
    sbx_set(out, "ProductCategories", categories);
}

static json_t *context_new(const struct sbx_vtex *v, int index)
{
    const struct merchant *m = v->sb->merchant;
    const struct merchant_sku *s = &m->skus[index];
    const struct merchant_product *p = &m->products[s->product];
    json_t *out = sbx_need(json_object());
    json_t *specs = sbx_need(json_array());
    char text[16];

    (void)snprintf(text, sizeof text, "%d", s->id);
    specification(specs, 40, "Cor", s->color);
    specification(specs, 41, "Tamanho", s->size);
    sbx_set_int(out, "Id", s->id);
    sbx_set_int(out, "ProductId", p->id);
    names_put(out, p, s);
    sbx_set(out, "IsActive", json_true());
    sbx_set(out, "IsTransported", json_true());
    sbx_set(out, "IsInventoried", json_true());
    sbx_set(out, "IsGiftCardRecharge", json_false());
    sbx_set(out, "Images", images_new(m, index, v->account->name));
    sbx_set_text(out, "ImageUrl",
                 sbx_text(json_array_get(json_object_get(out, "Images"), 0), "ImageUrl"));
    sbx_set(out, "CSCIdentification", json_null());
    sbx_set(out, "SkuSellers",
            json_pack("[{s:s,s:i,s:s,s:b,s:i,s:i}]", "SellerId", "1", "StockKeepingUnitId", s->id,
                      "SellerStockKeepingUnitId", text, "IsActive", 1,
                      "FreightCommissionPercentage", 0, "ProductCommissionPercentage", 0));
    sbx_set(out, "SalesChannels", json_pack("[i,i]", 1, 3));
    sbx_set(out, "SkuSpecifications", specs);
    sbx_set(out, "ProductSpecifications", json_array());
    sbx_set(out, "Dimension", dimension_new(p));
    (void)snprintf(text, sizeof text, "%d", p->brand_id);
    sbx_set_text(out, "BrandId", text);
    sbx_set_text(out, "BrandName", p->brand);
    sbx_set(out, "IsBrandActive", json_true());
    sbx_set(out, "IsKit", json_false());
    sbx_set(out, "KitItems", json_array());
    sbx_set(out, "AlternateIds", json_pack("{s:s,s:s}", "Ean", s->ean, "RefId", s->ref));
    sbx_set(out, "AlternateIdValues", json_pack("[s,s]", s->ean, s->ref));
    sbx_set_text(out, "MeasurementUnit", "un");
    sbx_set_int(out, "UnitMultiplier", 1);
    sbx_set(out, "ProductIsVisible", json_true());
    sbx_set(out, "ShowIfNotAvailable", json_false());
    sbx_set(out, "IsProductActive", json_true());
    return out;
}

static void answer_sku(struct sbx_vtex *v, int index)
{
    if (index < 0) {
        sbx_vtex_fail(v, 404, "1", "SKU não encontrado");
        return;
    }
    v->answer = context_new(v, index);
}

void sbx_vtex_sku(struct sbx_vtex *v)
{
    int64_t id = 0;

    (void)str_to_i64(http_param(v->req, "skuId"), 1, INT32_MAX, &id); /* else unknown */
    answer_sku(v, merchant_sku_by_id(v->sb->merchant, id));
}

/* Last picture first: the order is in Position. The first ones are the feed's, at the same address. */
void sbx_vtex_sku_files(struct sbx_vtex *v)
{
    const struct merchant *m = v->sb->merchant;
    char base[300], name[64], url[400];
    int64_t id = 0;

    (void)str_to_i64(http_param(v->req, "skuId"), 1, INT32_MAX, &id);
    int index = merchant_sku_by_id(m, id);
    if (index < 0) {
        sbx_vtex_fail(v, 404, "1", "SKU não encontrado");
        return;
    }
    sbx_base_address(v->req, base, sizeof base);
    v->answer = sbx_need(json_array());
    for (int n = MERCHANT_PICTURES - 1; n >= 0; n--) {
        int archive = 155000 + m->skus[index].id * MERCHANT_PICTURES + n;

        merchant_picture_name(m, index, n, name);
        (void)snprintf(url, sizeof url, "%s/pictures/%s", base, name);
        sbx_append(v->answer,
                   json_pack("{s:i,s:i,s:i,s:s,s:b,s:n,s:s,s:s,s:s,s:i}", "Id", archive + 9000,
                             "ArchiveId", archive, "SkuId", m->skus[index].id, "Name", name,
                             "IsMain", n == 0, "Label", "Text", name, "Url", url, "FileLocation",
                             url + strlen("http://"), "Position", n));
    }
}

void sbx_vtex_sku_by_ean(struct sbx_vtex *v)
{
    answer_sku(v, merchant_sku_by_ean(v->sb->merchant, http_param(v->req, "ean")));
}

void sbx_vtex_sku_by_refid(struct sbx_vtex *v)
{
    int index = merchant_sku_by_ref(v->sb->merchant, http_param(v->req, "refId"));
    char id[16];

    if (index < 0) {
        sbx_vtex_fail(v, 404, "1", "RefId não encontrado");
        return;
    }
    (void)snprintf(id, sizeof id, "%d", v->sb->merchant->skus[index].id);
    v->answer = sbx_need(json_string(id)); /* a bare string */
}

void sbx_vtex_skus_by_refids(struct sbx_vtex *v)
{
    size_t i;
    json_t *ref;

    v->answer = sbx_need(json_object());
    json_array_foreach(v->body, i, ref)
    {
        int index = merchant_sku_by_ref(v->sb->merchant, json_string_value(ref));
        char id[16];

        (void)snprintf(id, sizeof id, "%d", index < 0 ? 0 : v->sb->merchant->skus[index].id);
        sbx_set_text(v->answer, json_string_value(ref), index < 0 ? NULL : id);
    }
}

void sbx_vtex_sku_ids(struct sbx_vtex *v)
{
    const struct merchant *m = v->sb->merchant;
    const char *page_text = sbx_vtex_query(v, "page");
    const char *size_text = sbx_vtex_query(v, "pagesize");
    int64_t page = 1, size = 100;

    if (size_text == NULL)
        size_text = sbx_vtex_query(v, "pageSize");
    if ((page_text != NULL && !str_to_i64(page_text, 1, 1000000, &page)) ||
        (size_text != NULL && !str_to_i64(size_text, 1, PAGE_MAX, &size))) {
        sbx_vtex_fail(v, 400, "1", "page begins at 1, the size is at most %d", PAGE_MAX);
        return;
    }
    v->answer = sbx_need(json_array());
    for (int64_t i = (page - 1) * size; i < page * size && i < m->n_skus; i++)
        sbx_append(v->answer, json_integer(m->skus[i].id));
}

void sbx_vtex_product(struct sbx_vtex *v)
{
    int64_t id = 0;

    (void)str_to_i64(http_param(v->req, "productId"), 1, INT32_MAX, &id); /* else unknown */
    int index = merchant_product_by_id(v->sb->merchant, id);
    if (index < 0) {
        sbx_vtex_fail(v, 404, "1", "Produto não encontrado");
        return;
    }
    const struct merchant_product *p = &v->sb->merchant->products[index];
    v->answer = sbx_need(
        json_pack("{s:i,s:s,s:i,s:i,s:i,s:s,s:b,s:s,s:s,s:s,s:b,s:b,s:[i,i]}", "Id", p->id, "Name",
                  p->title, "DepartmentId", p->category_id / 1000, "CategoryId",
                  p->category_id % 1000, "BrandId", p->brand_id, "RefId", p->ref, "IsVisible", 1,
                  "Description", p->description, "DescriptionShort", "", "Title", p->title,
                  "IsActive", 1, "ShowWithoutStock", 0, "ListStoreId", 1, 3));
}

static json_t *brands_new(const struct merchant *m)
{
    json_auto_t *seen = sbx_need(json_object());
    json_t *list = sbx_need(json_array());

    for (int i = 0; i < m->n_products; i++) {
        const struct merchant_product *p = &m->products[i];

        if (json_object_get(seen, p->brand) != NULL)
            continue;
        sbx_set(seen, p->brand, json_true());
        sbx_append(list, json_pack("{s:i,s:s,s:b,s:s,s:s,s:n}", "id", p->brand_id, "name", p->brand,
                                   "isActive", 1, "title", p->brand, "metaTagDescription", p->brand,
                                   "imageUrl"));
    }
    return list;
}

void sbx_vtex_brands(struct sbx_vtex *v)
{
    v->answer = brands_new(v->sb->merchant);
}

void sbx_vtex_brands_paged(struct sbx_vtex *v)
{
    const char *page_text = sbx_vtex_query(v, "page");
    const char *size_text = sbx_vtex_query(v, "pageSize");
    json_auto_t *all = NULL;
    json_t *items;
    int64_t page = 1, size = 100, total;

    if ((page_text != NULL && !str_to_i64(page_text, 1, 1000000, &page)) ||
        (size_text != NULL && !str_to_i64(size_text, 1, PAGE_MAX, &size))) {
        sbx_vtex_fail(v, 400, "1", "page begins at 1, the size is at most %d", PAGE_MAX);
        return;
    }
    all = brands_new(v->sb->merchant);
    total = (int64_t)json_array_size(all);
    items = sbx_need(json_array());
    for (int64_t i = (page - 1) * size; i < page * size && i < total; i++)
        sbx_append(items, json_incref(json_array_get(all, (size_t)i)));
    v->answer =
        sbx_need(json_pack("{s:o, s:{s:I, s:I, s:I, s:I}}", "items", items, "paging", "page",
                           (json_int_t)page, "perPage", (json_int_t)size, "total",
                           (json_int_t)total, "pages", (json_int_t)((total + size - 1) / size)));
}

static json_t *node_new(int id, const char *name, bool children)
{
    return sbx_need(json_pack("{s:i,s:s,s:b,s:n,s:[],s:s,s:s}", "id", id, "name", name,
                              "hasChildren", children ? 1 : 0, "url", "children", "Title", name,
                              "MetaTagDescription", ""));
}

static json_t *node_of(json_t *list, int id)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        if (sbx_int(one, "id") == id)
            return one;
    }
    return NULL;
}

void sbx_vtex_categories(struct sbx_vtex *v)
{
    const struct merchant *m = v->sb->merchant;

    v->answer = sbx_need(json_array());
    for (int i = 0; i < m->n_products; i++) {
        const struct merchant_product *p = &m->products[i];
        json_t *top = node_of(v->answer, p->category_id / 1000);

        if (top == NULL) {
            top = node_new(p->category_id / 1000, p->department, true);
            sbx_append(v->answer, top);
        }
        json_t *children = json_object_get(top, "children");
        if (!str_eq(http_param(v->req, "categoryLevels"), "1") &&
            node_of(children, p->category_id % 1000) == NULL)
            sbx_append(children, node_new(p->category_id % 1000, p->category, false));
    }
}

static json_t *channel_new(int id, const char *name)
{
    return sbx_need(json_pack("{s:i,s:s,s:b,s:n,s:s,s:s,s:s,s:s,s:s,s:i}", "Id", id, "Name", name,
                              "IsActive", 1, "ProductClusterId", "CountryCode", "BRA",
                              "CultureInfo", "pt-BR", "TimeZone", "E. South America Standard Time",
                              "CurrencyCode", "BRL", "CurrencySymbol", "R$", "CurrencyLocale",
                              1046));
}

void sbx_vtex_channels(struct sbx_vtex *v)
{
    v->answer = sbx_need(json_array());
    sbx_append(v->answer, channel_new(1, "Loja principal"));
    sbx_append(v->answer, channel_new(3, "TikTok Shop"));
}

void sbx_vtex_affiliates(struct sbx_vtex *v)
{
    v->answer = sbx_need(json_pack(
        "[{s:s,s:s,s:b,s:s,s:s,s:s,s:s,s:[s],s:n}]", "id", "TTK", "followUpEmail",
        "integracao@lojaexemplo.example", "useSellerPaymentMethod", 0, "name", "TikTok Shop",
        "salesChannel", "3", "searchURIEndpoint", "", "searchURIEndpointVersion", "1.x.x",
        "searchURIEndpointAvailableVersions", "1.x.x", "minimumValueAccumulated"));
}
