/* product_undone.c - an edit that TikTok's review refused: the SKUs that it would have brought are none. */
#include "product_undone.h"

#include <stdlib.h>

#include "jspec.h"
#include "str.h"

enum rc review_undo_skus(struct db_tx *tx, const struct product *ours, const json_t *product,
                         bool *any, struct err *e)
{
    const json_t *skus = json_object_get(product, "skus"); /* those on sale */
    size_t n = json_array_size(skus);
    char(*ids)[JSPEC_ID_BYTES] = calloc(n + 1, sizeof(*ids));
    const char **list = calloc(n + 1, sizeof(*list));
    enum rc rc = RC_OK;

    *any = false;
    for (size_t i = 0; ids != NULL && list != NULL && i < n; i++) {
        jspec_id(json_array_get(skus, i), "id", ids[i]);
        list[i] = ids[i];
    }
    if (ids == NULL || list == NULL)
        rc = err_set(e, RC_BUG, "out of memory");
    else if (n > 0) /* never on the word of an answer that shows none */
        rc = db_product_edit_undone(tx, ours->shop_id, ours->source_id, list, n, any, e);
    free(list);
    free(ids);
    return rc;
}

bool review_took_back(const json_t *product)
{
    return str_eq(jspec_text(product, "audit.status"), "FAILED") &&
           str_eq(jspec_text(product, "status"), "ACTIVATE");
}
