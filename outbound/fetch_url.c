/* fetch_url.c - rewrites addresses by libcurl's own reading of them, so that both see the same parts. */
#include "fetch_url.h"

#include "str.h"

#include <curl/curl.h>

static void url_done(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void curl_text_free(char **text)
{
    curl_free(*text);
}

#define OWN_URL __attribute__((cleanup(url_done)))
#define OWN_CURL_TEXT __attribute__((cleanup(curl_text_free)))

enum rc fetch_url_secure(char url[LIMIT_FETCH_URL_BYTES], struct err *e)
{
    OWN_URL CURLU *parts = curl_url();
    OWN_CURL_TEXT char *scheme = NULL;
    OWN_CURL_TEXT char *port = NULL;
    OWN_CURL_TEXT char *text = NULL;

    if (parts == NULL)
        return err_set(e, RC_DOWN, "no memory for an address");
    if (curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
        !str_eq(scheme, "http") || !str_eq(port, "80"))
        return RC_OK; /* what it lacks is said by the check that follows */
    if (curl_url_set(parts, CURLUPART_SCHEME, "https", 0) != CURLUE_OK ||
        curl_url_set(parts, CURLUPART_PORT, NULL, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_URL, &text, 0) != CURLUE_OK)
        return err_set(e, RC_DOWN, "no memory for an address");
    if (!str_copy(url, LIMIT_FETCH_URL_BYTES, text))
        return err_code(e, RC_INVALID, "url_invalid", "the address is too long");
    return RC_OK;
}
