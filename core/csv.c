/* csv.c - reads and writes tables as text, for people with spreadsheets. */
#include "csv.h"

#include "str.h"

#include <string.h>

#define LIMIT_ROW_BYTES ((size_t)64 << 10)

void csv_init(struct csv *csv, const char *text, size_t len)
{
    size_t commas = 0;
    size_t semicolons = 0;

    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        len -= 3;
    }
    *csv = (struct csv){ .at = text, .end = text + len, .line = 1 };
    for (const char *p = text; p < csv->end && *p != '\n' && *p != '\r'; p++) {
        commas += *p == ',';
        semicolons += *p == ';';
    }
    csv->separator = semicolons > commas ? ';' : ',';
}

void csv_row_init(struct csv_row *row)
{
    *row = (struct csv_row){ 0 };
    buf_init(&row->memory, LIMIT_ROW_BYTES);
}

void csv_row_done(struct csv_row *row)
{
    buf_done(&row->memory);
}

static bool at_line_end(const struct csv *csv)
{
    return csv->at >= csv->end || *csv->at == '\n' || *csv->at == '\r';
}

static void pass_line_end(struct csv *csv)
{
    if (csv->at < csv->end && *csv->at == '\r')
        csv->at++;
    if (csv->at < csv->end && *csv->at == '\n')
        csv->at++;
    csv->line++;
}

/* After the opening quote up to behind the closing one. */
static void quoted(struct csv *csv, struct csv_row *row)
{
    while (csv->at < csv->end) {
        char c = *csv->at++;

        if (c == '"' && csv->at < csv->end && *csv->at == '"') {
            csv->at++;
        } else if (c == '"') {
            if (!at_line_end(csv) && *csv->at != csv->separator)
                row->wrong = "has text behind a closing quote";
            return;
        }
        csv->line += c == '\n';
        buf_char(&row->memory, c);
    }
    row->wrong = "has a quote that is not closed";
}

static void field(struct csv *csv, struct csv_row *row)
{
    if (*csv->at == '"') {
        csv->at++;
        quoted(csv, row);
        return;
    }
    for (; !at_line_end(csv) && *csv->at != csv->separator; csv->at++) {
        if (*csv->at == '"')
            row->wrong = "has a quote inside a field that does not begin with one";
        buf_char(&row->memory, *csv->at);
    }
}

static void fields(struct csv *csv, struct csv_row *row, size_t starts[LIMIT_CSV_FIELDS])
{
    for (bool more = true; more && row->wrong == NULL;) {
        if (row->n == LIMIT_CSV_FIELDS) {
            row->wrong = "has too many fields";
            return;
        }
        starts[row->n++] = row->memory.len;
        if (!at_line_end(csv))
            field(csv, row);
        buf_char(&row->memory, '\0');
        more = row->wrong == NULL && !at_line_end(csv);
        csv->at += more; /* the separator */
    }
}

/* What is wrong with the texts, once all were read. */
static const char *judge(const struct csv_row *row)
{
    size_t len = row->memory.len;
    int texts = 0;

    if (row->memory.failed)
        return "is too long";
    for (size_t i = 0; i < len; i += strlen(row->memory.data + i) + 1, texts++)
        if (!str_utf8_valid(row->memory.data + i, strlen(row->memory.data + i)))
            return "is not UTF-8";
    return texts == row->n ? NULL : "has a zero byte";
}

bool csv_next(struct csv *csv, struct csv_row *row)
{
    size_t starts[LIMIT_CSV_FIELDS];

    while (csv->at < csv->end && at_line_end(csv))
        pass_line_end(csv);
    if (csv->at >= csv->end)
        return false;
    buf_clear(&row->memory);
    row->memory.failed = false;
    row->wrong = NULL;
    row->n = 0;
    row->line = csv->line;
    fields(csv, row, starts);
    if (row->wrong == NULL)
        row->wrong = judge(row);
    for (int i = 0; i < row->n; i++)
        row->fields[i] = row->wrong == NULL ? row->memory.data + starts[i] : "";
    while (!at_line_end(csv))
        csv->at++;
    if (csv->at < csv->end)
        pass_line_end(csv);
    return true;
}

/* Apostrophes, then a character that begins a formula. */
static bool looks_like_formula(const char *text)
{
    text += strspn(text, "'");
    return *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
}

void csv_put(struct buf *out, const char *text, char separator)
{
    bool formula = looks_like_formula(text);
    bool quotes = formula || strchr(text, separator) != NULL || strpbrk(text, "\"\r\n") != NULL;

    if (!quotes) {
        buf_str(out, text);
        return;
    }
    buf_str(out, formula ? "\"'" : "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"')
            buf_char(out, '"');
        buf_char(out, *text);
    }
    buf_char(out, '"');
}

const char *csv_plain(const char *text)
{
    return *text == '\'' && looks_like_formula(text) ? text + 1 : text;
}
