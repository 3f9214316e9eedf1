/* money.c - reads and writes amounts as integer minor units, by decimal arithmetic on the text. */
#include "money.h"

#include "str.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Digits with an optional decimal mark at `mark` (or NULL) to cents, half up on the third decimal. */
static bool digits_to_minor(const char *text, const char *mark, int64_t *minor)
{
    int64_t value = 0;
    int decimals = -1;
    bool round_up = false, any = false;

    for (const char *p = text; *p != '\0'; p++) {
        if (p == mark) {
            decimals = 0;
            continue;
        }
        if (*p == '.' || *p == ',')
            continue; /* thousands marks; the caller decided which one is the decimal mark */
        if (*p < '0' || *p > '9')
            return false;
        any = true;
        if (decimals >= 2) {
            if (decimals == 2)
                round_up = *p >= '5';
            decimals++;
            continue;
        }
        value = value * 10 + (*p - '0');
        if (decimals >= 0)
            decimals++;
        if (value > MONEY_MAX_MINOR)
            return false;
    }
    for (int d = decimals < 0 ? 0 : decimals; d < 2; d++)
        value *= 10;
    value += round_up;
    if (!any || value > MONEY_MAX_MINOR)
        return false;
    *minor = value;
    return true;
}

/* The feed guide's rule: the last of both marks, or a single mark with one or two digits after it. */
static const char *decimal_mark(const char *number)
{
    const char *dot = strrchr(number, '.'), *comma = strrchr(number, ',');
    const char *last;

    if (dot != NULL && comma != NULL)
        return dot > comma ? dot : comma;
    last = dot != NULL ? dot : comma;
    if (last == NULL || strchr(number, *last) != last)
        return NULL; /* none, or the same mark twice: thousands */
    return strlen(last + 1) == 3 ? NULL : last;
}

/* Each mark but the decimal one stands before exactly three digits and is not of the decimal mark's kind. */
static bool groups_sane(const char *number, const char *decimal)
{
    for (const char *p = strpbrk(number, ".,"); p != NULL && p != decimal;
         p = strpbrk(p + 1, ".,")) {
        if ((decimal != NULL && *p == *decimal) || strspn(p + 1, "0123456789") != 3)
            return false;
    }
    return true;
}

static bool marks_sane(const char *number)
{
    size_t len = strlen(number);

    return len > 0 && isdigit((unsigned char)number[0]) &&
           isdigit((unsigned char)number[len - 1]) && strstr(number, "..") == NULL &&
           strstr(number, ",,") == NULL && strstr(number, ".,") == NULL &&
           strstr(number, ",.") == NULL;
}

/* The text without blanks, plain or non-breaking; false when it does not fit. */
static bool squeeze(const char *text, char *out, size_t cap)
{
    size_t n = 0;

    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)p[0] == 0xC2 && (unsigned char)p[1] == 0xA0) {
            p++;
            continue;
        }
        if (isspace((unsigned char)*p))
            continue;
        if (n + 1 >= cap)
            return false;
        out[n++] = *p;
    }
    out[n] = '\0';
    return true;
}

/* Splits "R$ 1.299,90" into the letters and the number; false when the parts are mixed. */
static bool split(const char *text, char currency[8], char number[40])
{
    char clean[64];
    size_t c = 0, d = 0;

    if (!squeeze(text, clean, sizeof clean))
        return false;
    bool leading = clean[0] != '\0' && !isdigit((unsigned char)clean[0]) && clean[0] != '-';

    for (const char *p = clean; *p != '\0'; p++) {
        bool numeric = strchr("0123456789.,-", *p) != NULL;

        if (numeric && !(leading && d > 0 && c == 0)) {
            if ((!leading && c > 0) || d + 1 >= 40)
                return false;
            number[d++] = *p;
        } else {
            if ((leading && d > 0) || c + 1 >= 8)
                return false;
            currency[c++] = (char)toupper((unsigned char)*p);
        }
    }
    currency[c] = '\0';
    number[d] = '\0';
    return true;
}

enum rc money_feed_read(const char *text, const char *currency, int64_t *minor, struct err *e)
{
    char unit[8], number[40];
    const char *decimal;
    int64_t value;

    if (str_blank(text))
        return err_code(e, RC_NOT_FOUND, "price", "no amount");
    if (!split(text, unit, number))
        return err_code(e, RC_INVALID, "price", "\"%.60s\" is not an amount", text);
    if (unit[0] != '\0' && strcmp(unit, currency) != 0 &&
        !(strcmp(unit, "R$") == 0 && strcmp(currency, "BRL") == 0))
        return err_code(e, RC_INVALID,
                        strlen(unit) == 3 || strchr(unit, '$') ? "currency" : "price",
                        "\"%.60s\" is not an amount in %s", text, currency);
    decimal = decimal_mark(number);
    if (!marks_sane(number) || !groups_sane(number, decimal) ||
        !digits_to_minor(number, decimal, &value) || value <= 0)
        return err_code(e, RC_INVALID, "price", "\"%.60s\" is not a positive amount", text);
    *minor = value;
    return RC_OK;
}

enum rc money_decimal_read(const char *text, int64_t *minor, struct err *e)
{
    const char *number = text != NULL && *text == '-' ? text + 1 : text;
    const char *dot = number != NULL ? strchr(number, '.') : NULL;
    int64_t value;

    if (number == NULL || strspn(number, "0123456789.") != strlen(number) || !marks_sane(number) ||
        (dot != NULL && strchr(dot + 1, '.') != NULL) || !digits_to_minor(number, dot, &value))
        return err_code(e, RC_INVALID, "price", "\"%.60s\" is not a decimal amount",
                        text ? text : "");
    *minor = number != text ? -value : value;
    return RC_OK;
}

enum rc money_real_read(double value, int64_t *minor, struct err *e)
{
    char text[32];

    if (!isfinite(value) || fabs(value) * 100.0 > (double)MONEY_MAX_MINOR)
        return err_code(e, RC_INVALID, "price", "amount out of range");
    /* The digits that were written: 1.005 is stored as a little less, and still is 1.01. */
    (void)snprintf(text, sizeof text, "%.15g", value);
    if (strchr(text, 'e') == NULL)
        return money_decimal_read(text, minor, e);
    *minor = (int64_t)llround(value * 100.0);
    return RC_OK;
}

void money_write(int64_t minor, char out[MONEY_TEXT_BYTES])
{
    uint64_t size = minor < 0 ? (uint64_t)0 - (uint64_t)minor : (uint64_t)minor;

    (void)snprintf(out, MONEY_TEXT_BYTES, "%s%llu.%02llu", minor < 0 ? "-" : "",
                   (unsigned long long)(size / 100), (unsigned long long)(size % 100));
}

int64_t money_round(int64_t minor, int64_t step_minor)
{
    int64_t rest;

    if (step_minor <= 1)
        return minor;
    rest = minor % step_minor;
    if (rest < 0)
        rest += step_minor;
    return rest * 2 >= step_minor ? minor - rest + step_minor : minor - rest;
}

__extension__ typedef __int128 wide;

/* Percentage * 10,000; at most four decimals, a minus sign may stand before it. */
static enum rc percent_read(const char *percent, int64_t *out, struct err *e)
{
    const char *p = percent;
    bool negative = *p == '-';
    int64_t scaled = 0;
    int decimals = -1;

    for (p += negative; *p != '\0'; p++) {
        if (*p == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (*p < '0' || *p > '9' || decimals >= 4 || scaled > INT64_C(1000000000))
            return err_code(e, RC_INVALID, "percent", "\"%.30s\" is not a percentage", percent);
        scaled = scaled * 10 + (*p - '0');
        if (decimals >= 0)
            decimals++;
    }
    for (int d = decimals < 0 ? 0 : decimals; d < 4; d++)
        scaled *= 10;
    *out = negative ? -scaled : scaled;
    return RC_OK;
}

enum rc money_marked_up(int64_t minor, const char *percent, int64_t add_minor, int64_t step_minor,
                        int64_t *out, struct err *e)
{
    int64_t scaled = 0;
    enum rc rc = str_blank(percent) ? RC_OK : percent_read(percent, &scaled, e);

    if (rc != RC_OK)
        return rc;

    /* Brazilian prices stay far below 2^43 minor units, so 128 bits hold every product. */
    wide total = (wide)minor * (1000000 + scaled) + (wide)add_minor * 1000000;
    wide step = (wide)(step_minor > 1 ? step_minor : 1) * 1000000;
    wide steps = total >= 0 ? (total + step / 2) / step : -((-total + step / 2) / step);
    wide rounded = steps * (step / 1000000);

    if (rounded > MONEY_MAX_MINOR || rounded < -MONEY_MAX_MINOR)
        return err_code(e, RC_INVALID, "price", "amount out of range after %s %%", percent);
    *out = (int64_t)rounded;
    return RC_OK;
}

enum rc money_percent(int64_t minor, const char *percent, int64_t *out, struct err *e)
{
    return money_marked_up(minor, percent, 0, 1, out, e);
}
