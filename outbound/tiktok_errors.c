/* What TikTok Shop's result codes mean for the one who called: wait, repeat, look first, or give up. */
#include "platform_call.h"
#include "str.h"

#include <ctype.h>

#define CODE_BUSY 36009002
#define CODE_INTERNAL 36009003
#define CODE_CREDENTIALS 36009004 /* the text says which: sign, app key, token, time, identifier */
#define CODE_TIMEOUT 36009007
#define CODE_TOKEN_OVER 105002
#define CODE_CIPHER_FOREIGN 101000
#define CODE_CIPHER_MISSING 106013

struct code_rc {
    int64_t code;
    enum rc rc;
};

/* Codes of the platform itself. */
static const struct code_rc COMMON[] = {
    { CODE_CIPHER_FOREIGN, RC_BUG },
    { 105002, RC_DENIED }, /* access token over, even after a refresh */
    { 105005, RC_DENIED }, /* scope missing */
    { 106001, RC_BUG },    /* wrong sign */
    { CODE_CIPHER_MISSING, RC_BUG },
    { 36009002, RC_BUSY },    /* too many requests */
    { 36009003, RC_DOWN },    /* internal error */
    { 36009009, RC_BUG },     /* path */
    { 36009010, RC_BUG },     /* method */
    { 36009014, RC_BUG },     /* version */
    { 36009021, RC_INVALID }, /* file size */
    { 36009022, RC_BUG },     /* body format */
    { 36009023, RC_BUG },     /* must be multipart */
    { 36009033, RC_DENIED },  /* our address is not on their list */
};

/* Refusals that pass by themselves: nothing was done. */
static const int64_t LATER[] = { 10007002, 11006010, 11034023, 11034025,
                                 11034037, 12052234, 21022026, 21023034 };
/* The platform failed while it worked: look before repeating a write. */
static const int64_t BROKE[] = { 10002014, 10002015, 10037002, 10037003, 10037004,
                                 11001027, 11001031, 11006005, 11006026, 12001000,
                                 12052881, 21001003, 21001008, 21001011, 21001043,
                                 21001055, 21008300, 21022029, 21022030, 21023022,
                                 21042001, 21042076, 25001042, 33001002, 38023025 };

static bool is_listed(int64_t code, const int64_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == code)
            return true;
    }
    return false;
}

/* Whether an ASCII text holds a word, case ignored; word is in lower case. */
static bool holds(const char *text, const char *word)
{
    for (; text != NULL && *text != '\0'; text++) {
        size_t i = 0;

        while (word[i] != '\0' && tolower((unsigned char)text[i]) == word[i])
            i++;
        if (word[i] == '\0')
            return true;
    }
    return false;
}

bool tiktok_error_is_clock(int64_t code, const char *message)
{
    return code == CODE_CREDENTIALS &&
           (holds(message, "timestamp") || holds(message, "time stamp"));
}

bool tiktok_error_is_token(int64_t code, const char *message)
{
    if (code == CODE_TOKEN_OVER)
        return true;
    return code == CODE_CREDENTIALS && !tiktok_error_is_clock(code, message) &&
           (holds(message, "access_token") || holds(message, "access token") ||
            holds(message, "access-token"));
}

bool tiktok_error_is_cipher(int64_t code)
{
    return code == CODE_CIPHER_FOREIGN || code == CODE_CIPHER_MISSING;
}

/* Codes of fulfillment and after-sale, whose texts tell what may be tried again. */
static bool is_order_code(int64_t code)
{
    int64_t head = code / 1000000;

    return head == 10 || head == 11 || head == 21 || head == 25;
}

enum rc tiktok_error_rc(int64_t code, bool writes, const char *message)
{
    for (size_t i = 0; i < sizeof(COMMON) / sizeof(COMMON[0]); i++) {
        if (COMMON[i].code == code)
            return COMMON[i].rc;
    }
    if (code == CODE_TIMEOUT)
        return writes ? RC_UNSURE : RC_DOWN;
    if (code == CODE_CREDENTIALS) {
        if (tiktok_error_is_clock(code, message))
            return RC_DOWN;
        return tiktok_error_is_token(code, message) ? RC_DENIED : RC_BUG;
    }
    if (is_listed(code, BROKE, sizeof(BROKE) / sizeof(BROKE[0])))
        return writes ? RC_UNSURE : RC_DOWN;
    if (is_listed(code, LATER, sizeof(LATER) / sizeof(LATER[0])))
        return RC_DOWN;
    if (is_order_code(code) &&
        (holds(message, "system process error") || holds(message, "timeout")))
        return writes ? RC_UNSURE : RC_DOWN;
    if (is_order_code(code) && holds(message, "try again later"))
        return RC_DOWN;
    return RC_INVALID;
}

enum rc tiktok_status_rc(int status, bool writes)
{
    if (status == 429)
        return RC_BUSY;
    if (status == 503)
        return RC_DOWN; /* overload: refused before it was looked at */
    if (status == 401 || status == 403)
        return RC_DENIED;
    if (status >= 400 && status <= 499 && status != 408)
        return RC_INVALID;
    return writes ? RC_UNSURE : RC_DOWN; /* redirects, other 5xx, and 2xx without an envelope */
}
