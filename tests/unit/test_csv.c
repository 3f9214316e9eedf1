/* test_csv.c - tables as text: what people's spreadsheets write is read, and what we write is safe to open. */
#include "check.h"

#include "csv.h"
#include "str.h"

/* Rows as "line:field|field;" with "line!why;" for wrong ones. */
static void show(const char *text, size_t len, struct buf *out)
{
    struct csv csv;
    struct csv_row row;

    csv_row_init(&row);
    csv_init(&csv, text, len);
    while (csv_next(&csv, &row)) {
        buf_fmt(out, "%d%s", row.line, row.wrong ? "!" : ":");
        buf_str(out, row.wrong ? row.wrong : "");
        for (int i = 0; row.wrong == NULL && i < row.n; i++)
            buf_fmt(out, "%s%s", i > 0 ? "|" : "", row.fields[i]);
        buf_char(out, ';');
    }
    csv_row_done(&row);
}

static void rows_are_read(void)
{
    static const struct {
        const char *text, *want;
    } CASES[] = {
        { "", "" },
        { "\n\r\n", "" },
        { "a,b\n1,2", "1:a|b;2:1|2;" },
        { "\xEF\xBB\xBF"
          "a;b\r\n1;2,5\r\n",
          "1:a|b;2:1|2,5;" },
        { "a,b\r1,2\r", "1:a|b;2:1|2;" },
        { "a,b\n\"x,\"\"y\"\"\",\n", "1:a|b;2:x,\"y\"|;" },
        { "a,b\n\"x\ny\",2\n3,4\n", "1:a|b;2:x\ny|2;4:3|4;" },
        { "a,b\n\"x\"y,2\n3,4\n", "1:a|b;2!has text behind a closing quote;3:3|4;" },
        { "a,b\nx\"y,2\n3,4\n",
          "1:a|b;2!has a quote inside a field that does not begin with one;3:3|4;" },
        { "a,b\n\"x,2\n3,4\n", "1:a|b;2!has a quote that is not closed;" },
        { "a,b\n\xff,2\n3,4\n", "1:a|b;2!is not UTF-8;3:3|4;" },
        { "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\nx\n", "1!has too many fields;2:x;" },
        { ",\n", "1:|;" },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        OWN_BUF struct buf out;

        buf_init(&out, 4096);
        show(CASES[i].text, strlen(CASES[i].text), &out);
        CHECK_STR(buf_text(&out), CASES[i].want);
    }
}

static void fields_are_written(void)
{
    static const struct {
        const char *text, *want;
        char separator;
    } CASES[] = {
        { "Moda > Camisetas", "Moda > Camisetas", ',' },
        { "a,b", "\"a,b\"", ',' },
        { "a,b", "a,b", ';' },
        { "a;b", "\"a;b\"", ';' },
        { "say \"no\"", "\"say \"\"no\"\"\"", ',' },
        { "=1+1", "\"'=1+1\"", ',' },
        { "+55", "\"'+55\"", ',' },
        { "-1", "\"'-1\"", ',' },
        { "@SUM(A1)", "\"'@SUM(A1)\"", ',' },
        { "\t=1", "\"'\t=1\"", ',' },
        { "'=1", "\"''=1\"", ',' },
        { "'a", "'a", ',' },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct csv csv;
        struct csv_row row;
        OWN_BUF struct buf out;

        buf_init(&out, 4096);
        csv_row_init(&row);
        csv_put(&out, CASES[i].text, CASES[i].separator);
        CHECK_STR(buf_text(&out), CASES[i].want);
        csv_init(&csv, buf_text(&out), out.len);
        csv.separator = CASES[i].separator;
        CHECK(csv_next(&csv, &row) && row.wrong == NULL && row.n == 1);
        CHECK_STR(csv_plain(row.fields[0]), CASES[i].text); /* what went out comes back */
        csv_row_done(&row);
    }
}

static void zero_bytes_are_no_text(void)
{
    static const char TABLE[] = "a,b\nx\0y,2\n3,4\n";
    struct csv csv;
    struct csv_row row;

    csv_row_init(&row);
    csv_init(&csv, TABLE, sizeof TABLE - 1);
    CHECK(csv_next(&csv, &row) && row.wrong == NULL);
    CHECK(csv_next(&csv, &row) && row.line == 2);
    CHECK_STR(row.wrong, "has a zero byte");
    CHECK(csv_next(&csv, &row) && row.wrong == NULL && row.line == 3);
    csv_row_done(&row);
}

int main(void)
{
    CASE(rows_are_read);
    CASE(fields_are_written);
    CASE(zero_bytes_are_no_text);
    return CHECK_END();
}
