/* vtex_brand.c - the brands of a VTEX account. */
#include "vtex_catalog.h"

#include "jspec.h"
#include "str.h"

#define PAGE_SIZE "100"

enum rc vtex_brands_page(struct vtex_session *s, int page, json_t **items, bool *more,
                         struct err *e)
{
    struct vtex_reply reply = { 0 };
    char number[16];
    enum rc rc;

    (void)str_fmt(number, sizeof number, "%d", page);
    rc = vtex_call(s,
                   &(struct vtex_req){ .operation = "listBrandsPaged",
                                       .method = "GET",
                                       .path = "/api/catalog_system/pvt/brand/pagedlist",
                                       .query = { { "page", number }, { "pageSize", PAGE_SIZE } } },
                   &reply, e);
    if (rc == RC_OK) {
        json_t *list = json_object_get(reply.body, "items");

        if (!json_is_array(list)) {
            rc = err_set(e, RC_DOWN, "VTEX answers no list of brands");
        } else {
            *items = json_incref(list);
            *more = jspec_int(reply.body, "paging.pages", 0) > page && json_array_size(list) > 0;
        }
    }
    vtex_reply_done(&reply);
    return rc;
}
