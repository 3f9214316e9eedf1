/* db/args.c - arguments of a statement: numbers, texts, bytes and arrays in PostgreSQL's forms. */
#include "db.h"

#include <string.h>

#include "clock.h"
#include "str.h"

#define LIMIT_ARRAY_BYTES (64 << 20)
#define OID_BYTEA 17
#define OID_INT8 20
#define OID_TEXT 25

/* Next free place; -1 (and failed) when there is none. */
static int next(struct db_args *a)
{
    if (a->failed || a->n >= DB_ARGS_MAX) {
        a->failed = true;
        return -1;
    }
    return a->n++;
}

static void put(struct db_args *a, const char *value, size_t len, bool binary)
{
    int i = next(a);

    if (i < 0)
        return;
    if (len > INT32_MAX) {
        a->failed = true;
        return;
    }
    a->values[i] = value;
    a->lengths[i] = (int)len;
    a->formats[i] = binary ? 1 : 0;
}

/* A heap value that db_exec frees; NULL = out of memory. */
static void put_owned(struct db_args *a, char *value, size_t len, bool binary)
{
    int i = a->n;

    if (value == NULL || a->failed || i >= DB_ARGS_MAX) {
        a->failed = true;
        free(value);
        return;
    }
    a->owned[i] = value;
    put(a, value, len, binary);
}

void db_arg_text(struct db_args *a, const char *text)
{
    put(a, text, text == NULL ? 0 : strlen(text), false);
}

void db_arg_null(struct db_args *a)
{
    put(a, NULL, 0, false);
}

void db_arg_i64(struct db_args *a, int64_t value)
{
    int i = next(a);

    if (i < 0)
        return;
    (void)str_fmt(a->numbers[i], sizeof a->numbers[i], "%lld", (long long)value);
    a->values[i] = a->numbers[i];
    a->lengths[i] = 0;
    a->formats[i] = 0;
}

void db_arg_bool(struct db_args *a, bool value)
{
    put(a, value ? "t" : "f", 1, false);
}

void db_arg_bytes(struct db_args *a, const void *data, size_t len)
{
    put(a, data, data == NULL ? 0 : len, data != NULL);
}

void db_arg_json(struct db_args *a, const json_t *value)
{
    if (value == NULL)
        db_arg_null(a);
    else
        put_owned(a, json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY), 0, false);
}

void db_arg_time(struct db_args *a, int64_t us)
{
    int i = next(a);

    if (i < 0)
        return;
    _Static_assert(sizeof a->numbers[0] >= CLOCK_TEXT_BYTES, "a time must fit");
    a->lengths[i] = 0;
    a->formats[i] = 0;
    a->values[i] = us == 0 ? NULL : a->numbers[i];
    if (us != 0)
        clock_write(us, a->numbers[i]);
}

static void add_u32(struct buf *b, uint32_t v)
{
    const unsigned char bytes[4] = { (unsigned char)(v >> 24), (unsigned char)(v >> 16),
                                     (unsigned char)(v >> 8), (unsigned char)v };

    buf_add(b, bytes, sizeof bytes);
}

/* The binary form of an array: dimensions, "may hold NULL", element type, then length and lower bound of the one
 * dimension. PostgreSQL reads it faster than the text form. */
static void array_begin(struct buf *b, uint32_t element_oid, size_t n)
{
    buf_init(b, LIMIT_ARRAY_BYTES);
    if (n > INT32_MAX)
        b->failed = true;
    add_u32(b, n > 0 ? 1 : 0);
    add_u32(b, 1);
    add_u32(b, element_oid);
    if (n > 0) {
        add_u32(b, (uint32_t)n);
        add_u32(b, 1);
    }
}

/* data NULL = NULL */
static void array_add(struct buf *b, const void *data, size_t len)
{
    if (data == NULL) {
        add_u32(b, UINT32_MAX);
        return;
    }
    if (len > INT32_MAX)
        b->failed = true;
    add_u32(b, (uint32_t)len);
    buf_add(b, data, len);
}

static void array_put(struct db_args *a, struct buf *b)
{
    size_t len = b->len;

    if (b->failed)
        a->failed = true;
    else
        put_owned(a, buf_take(b), len, true);
}

void db_arg_text_array(struct db_args *a, const char *const *texts, size_t n)
{
    OWN_BUF struct buf b = { 0 };

    array_begin(&b, OID_TEXT, n);
    for (size_t i = 0; i < n; i++)
        array_add(&b, texts[i], texts[i] != NULL ? strlen(texts[i]) : 0);
    array_put(a, &b);
}

void db_arg_i64_array(struct db_args *a, const int64_t *values, size_t n)
{
    OWN_BUF struct buf b = { 0 };

    array_begin(&b, OID_INT8, n);
    for (size_t i = 0; i < n; i++) {
        add_u32(&b, 8);
        add_u32(&b, (uint32_t)((uint64_t)values[i] >> 32));
        add_u32(&b, (uint32_t)values[i]);
    }
    array_put(a, &b);
}

void db_arg_bytes_array(struct db_args *a, const struct buf *const *items, size_t n)
{
    OWN_BUF struct buf b = { 0 };

    array_begin(&b, OID_BYTEA, n);
    for (size_t i = 0; i < n; i++) {
        const struct buf *item = items[i];

        if (item == NULL)
            array_add(&b, NULL, 0);
        else
            array_add(&b, item->data != NULL ? item->data : "", item->len);
    }
    array_put(a, &b);
}
