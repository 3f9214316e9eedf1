/* test_vtex_catalog.c - what VTEX's answers about a SKU say of its sale. */
#include "vtex_catalog.h"

#include "check.h"
#include "str.h"

static const char *answer;
static char asked[256];

/* Stands for the network: answers what the case says. */
enum rc vtex_call(struct vtex_session *s, const struct vtex_req *req, struct vtex_reply *out,
                  struct err *e)
{
    (void)s;
    (void)str_copy(asked, sizeof asked, req->path);
    *out = (struct vtex_reply){ .status = 200, .body = json_loads(answer, JSON_DECODE_ANY, NULL) };
    return out->body != NULL ? RC_OK : err_set(e, RC_BUG, "a bad case");
}

void vtex_reply_done(struct vtex_reply *reply)
{
    json_decref(reply->body);
    *reply = (struct vtex_reply){ 0 };
}

static void sellable(void)
{
    static const struct {
        const char *answer;
        bool sellable;
    } T[] = {
        { "{\"IsActive\":true,\"IsProductActive\":true,\"SalesChannels\":[1,3],"
          "\"SkuSellers\":[{\"SellerId\":\"1\",\"IsActive\":true}]}",
          true },
        { "{\"IsActive\":false,\"IsProductActive\":true,\"SalesChannels\":[3],"
          "\"SkuSellers\":[{\"SellerId\":\"1\",\"IsActive\":true}]}",
          false },
        { "{\"IsActive\":true,\"IsProductActive\":false,\"SalesChannels\":[3],"
          "\"SkuSellers\":[{\"SellerId\":\"1\",\"IsActive\":true}]}",
          false },
        { "{\"IsActive\":true,\"IsProductActive\":true,\"SalesChannels\":[1],"
          "\"SkuSellers\":[{\"SellerId\":\"1\",\"IsActive\":true}]}",
          false },
        { "{\"IsActive\":true,\"IsProductActive\":true,\"SalesChannels\":[3],"
          "\"SkuSellers\":[{\"SellerId\":\"1\",\"IsActive\":false}]}",
          false },
        { "{\"IsActive\":true,\"IsProductActive\":true,\"SalesChannels\":[3],"
          "\"SkuSellers\":[{\"SellerId\":\"outra\",\"IsActive\":true}]}",
          false },
        { "{\"IsActive\":true,\"IsProductActive\":true,\"SalesChannels\":[3],"
          "\"SkuSellers\":[{\"SellerId\":\"outra\",\"IsActive\":false},"
          "{\"SellerId\":\"1\",\"IsActive\":true}]}",
          true },
        { "{\"IsActive\":true,\"IsProductActive\":true,\"SalesChannels\":[3],\"SkuSellers\":[]}",
          false },
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct vtex_session s = { .sales_channel = "3" };
        struct vtex_sku sku = { 0 };

        answer = T[i].answer;
        CHECK_INT(vtex_sku_context(&s, "1201", &sku, NULL), RC_OK);
        CHECK(sku.sellable == T[i].sellable, "%s", T[i].answer);
    }
}

static void price_table_is_the_sales_channel(void)
{
    struct vtex_session s = { .sales_channel = "7" };
    int64_t minor = 0;

    answer = "{\"sellingPrice\":69.9}";
    CHECK_INT(vtex_computed_price(&s, "1201", &minor, NULL, NULL), RC_OK);
    CHECK_STR(asked, "/pricing/prices/1201/computed/7");
    CHECK_INT(minor, 6990);
}

int main(void)
{
    CASE(sellable);
    CASE(price_table_is_the_sales_channel);
    return CHECK_END();
}
