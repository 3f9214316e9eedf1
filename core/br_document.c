/* br_document.c - reads Brazilian tax ids and verifies their check digits (modulo 11). */
#include "br_document.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Check digit of the first n characters; the last one weighs 2, weights start again after `top`. */
static char check_digit(const char *text, size_t n, int top)
{
    int sum = 0;
    int weight = 2;

    for (size_t i = n; i > 0; i--) {
        sum += (text[i - 1] - '0') * weight;
        weight = weight == top ? 2 : weight + 1;
    }
    sum %= 11;
    return (char)(sum < 2 ? '0' : '0' + 11 - sum);
}

static bool checks_out(const char *text, size_t n, int top)
{
    return check_digit(text, n - 2, top) == text[n - 2] &&
           check_digit(text, n - 1, top) == text[n - 1];
}

static bool all_equal(const char *text, size_t n)
{
    return strspn(text, (const char[]){ text[0], '\0' }) == n;
}

/* Drops separators; -1 for a character that no document has. */
static int strip(const char *text, char *out, size_t cap, bool *letters)
{
    size_t n = 0;

    *letters = false;
    for (; *text; text++) {
        bool letter = *text >= 'A' && *text <= 'Z';

        if (strchr(" .-/", *text))
            continue;
        if (!letter && (*text < '0' || *text > '9'))
            return -1;
        if (n + 1 >= cap)
            return -1;
        *letters = *letters || letter;
        out[n++] = *text;
    }
    out[n] = '\0';
    return (int)n;
}

enum br_document br_document_read(const char *text, char digits[BR_DOCUMENT_BYTES])
{
    char plain[BR_DOCUMENT_BYTES];
    bool letters;
    int n = text ? strip(text, plain, sizeof plain, &letters) : -1;

    digits[0] = '\0';
    if ((n != 11 && n != 14) || all_equal(plain, (size_t)n))
        return BR_DOCUMENT_NONE;
    if (n == 11 && (letters || !checks_out(plain, 11, 11)))
        return BR_DOCUMENT_NONE;
    if (n == 14 && !checks_out(plain, 14, 9))
        return BR_DOCUMENT_NONE;
    memcpy(digits, plain, (size_t)n + 1);
    return n == 11 ? BR_DOCUMENT_CPF : BR_DOCUMENT_CNPJ;
}
