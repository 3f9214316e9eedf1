/* test_vtex_catalog.c - what VTEX's answers about a SKU say of its sale. */
#include "vtex_catalog.h"

#include "check.h"
#include "jspec.h"
#include "str.h"

#include <string.h>

static const char *answer;
static char asked[256];

/* Stands for the network: answers what the case says. */
enum rc vtex_call(struct vtex_session *s, const struct vtex_req *req, struct vtex_reply *out,
                  struct err *e)
{
    (void)s;
    (void)str_copy(asked, sizeof asked, req->path);
    *out = (struct vtex_reply){ .status = 200 };
    return jspec_parse(answer, strlen(answer), 0, &out->body, e);
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

/* What VTEX may write for a price, and what must never become one. */
static void prices_as_they_come(void)
{
    static const struct {
        const char *answer;
        enum rc rc;
        int64_t minor;
    } T[] = {
        { "{\"sellingPrice\":69.9}", RC_OK, 6990 },
        { "{\"sellingPrice\":1e3}", RC_OK, 100000 },
        { "{\"sellingPrice\":35.005}", RC_OK, 3501 },
        { "{\"sellingPrice\":1.005}", RC_OK, 101 },
        { "{\"sellingPrice\":\"69.90\"}", RC_OK, 6990 },
        { "{\"sellingPrice\":0}", RC_NOT_FOUND, 0 },
        { "{\"sellingPrice\":null}", RC_NOT_FOUND, 0 },
        { "{\"sellingPrice\":-5}", RC_NOT_FOUND, 0 },
        { "{\"sellingPrice\":\"1.299,90\"}", RC_DOWN, 0 },
        { "{\"sellingPrice\":{\"value\":1}}", RC_DOWN, 0 },
        { "{\"listPrice\":69.9}", RC_DOWN, 0 },
        { "{\"sellingPrice\":1e30}", RC_INVALID, 0 },
        { "{\"sellingPrice\":1234567890123456789012345678901}", RC_DOWN, 0 },
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct vtex_session s = { .sales_channel = "3" };
        int64_t minor = 0;

        answer = T[i].answer;
        CHECK_INT(vtex_computed_price(&s, "1201", &minor, NULL, NULL), T[i].rc);
        if (T[i].rc == RC_OK)
            CHECK(minor == T[i].minor, "%s is %lld", T[i].answer, (long long)minor);
    }
}

static void balances_as_they_come(void)
{
    static const struct {
        const char *answer;
        enum rc rc;
        int n;
        int64_t total, reserved;
    } T[] = {
        { "{\"balance\":[]}", RC_OK, 0, 0, 0 },
        { "{\"balance\":[{\"warehouseId\":\"1\",\"totalQuantity\":5,\"reservedQuantity\":9}]}",
          RC_OK, 1, 5, 9 },
        { "{\"balance\":[{\"warehouseId\":\"1\",\"totalQuantity\":-5,\"reservedQuantity\":-1}]}",
          RC_OK, 1, -5, -1 },
        { "{\"balance\":[{\"warehouseId\":\"1\",\"totalQuantity\":7.0,\"reservedQuantity\":\"2\"}]}",
          RC_OK, 1, 7, 2 },
        { "{\"balance\":[{\"warehouseId\":\"1\",\"hasUnlimitedQuantity\":true}]}", RC_OK, 1, 0, 0 },
        { "{\"balance\":[{\"warehouseId\":\"1\"}]}", RC_DOWN, 0, 0, 0 },
        { "{\"balance\":[{\"warehouseId\":\"1\",\"totalQuantity\":5}]}", RC_DOWN, 0, 0, 0 },
        { "{\"balance\":[{\"totalQuantity\":5,\"reservedQuantity\":0}]}", RC_DOWN, 0, 0, 0 },
        { "{\"balance\":[{\"warehouseId\":\"1\",\"totalQuantity\":1234567890123456789012345678901,"
          "\"reservedQuantity\":0}]}",
          RC_DOWN, 0, 0, 0 },
        { "{\"balance\":null}", RC_DOWN, 0, 0, 0 },
        { "{\"skuId\":\"1\"}", RC_DOWN, 0, 0, 0 },
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct vtex_session s = { .sales_channel = "3" };
        struct vtex_balance list[VTEX_BALANCES_MAX];
        int n = 0;

        answer = T[i].answer;
        CHECK(vtex_inventory(&s, "1201", list, &n, NULL) == T[i].rc, "%s", T[i].answer);
        if (T[i].rc == RC_OK && T[i].n > 0)
            CHECK(n == 1 && list[0].total == T[i].total && list[0].reserved == T[i].reserved, "%s",
                  T[i].answer);
    }
}

int main(void)
{
    CASE(sellable);
    CASE(price_table_is_the_sales_channel);
    CASE(prices_as_they_come);
    CASE(balances_as_they_come);
    return CHECK_END();
}
