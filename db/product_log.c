/* product_log.c - rows of the logs of products, prices and stock. */
#include "db_product.h"

#include <inttypes.h>

#include "str.h"

#define LOG_COLUMNS \
    "(client_id, shop_id, entity, old, new, outcome, platform_code, request_id, run_id, message"
#define LOG_VALUES "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10"

static const char *const LOG_SQL[] = {
    [LOG_TABLE_PRODUCT] =
        "INSERT INTO tiktok_log_product " LOG_COLUMNS ", changes) " LOG_VALUES ", $11::jsonb)",
    [LOG_TABLE_PRICE] = "INSERT INTO tiktok_log_price " LOG_COLUMNS ") " LOG_VALUES ")",
    [LOG_TABLE_PRICE_PRODUCT] =
        "INSERT INTO tiktok_log_price_product " LOG_COLUMNS ", inputs, age_ms) " LOG_VALUES
        ", $11::jsonb, nullif($12::bigint, 0))",
    [LOG_TABLE_STOCK] = "INSERT INTO tiktok_log_stock " LOG_COLUMNS ", inputs, age_ms) " LOG_VALUES
                        ", $11::jsonb, nullif($12::bigint, 0))",
};

enum rc db_log(struct db_tx *tx, enum log_table table, const struct log_row *row, struct err *e)
{
    struct db_args args = { 0 };
    char code[32] = "";

    if (row->platform_code != 0)
        (void)str_fmt(code, sizeof(code), "%" PRId64, row->platform_code);
    db_arg_text(&args, row->client_id);
    db_arg_text(&args, row->shop_id);
    db_arg_text(&args, row->entity);
    db_arg_text(&args, row->old_value);
    db_arg_text(&args, row->new_value);
    db_arg_text(&args, row->outcome);
    db_arg_text(&args, code[0] ? code : NULL);
    db_arg_text(&args, str_blank(row->request_id) ? NULL : row->request_id);
    db_arg_text(&args, str_blank(row->run_id) ? NULL : row->run_id);
    db_arg_text(&args, row->message);
    if (table == LOG_TABLE_PRODUCT)
        db_arg_json(&args, row->changes);
    else if (table == LOG_TABLE_PRICE_PRODUCT || table == LOG_TABLE_STOCK)
        db_arg_json(&args, row->inputs);
    if (table == LOG_TABLE_PRICE_PRODUCT || table == LOG_TABLE_STOCK)
        db_arg_i64(&args, row->age_ms);
    return db_exec(tx, LOG_SQL[table], &args, NULL, e);
}
