/* Which addresses the policy for URLs from data lets through. */
#include "../../outbound/fetch_address.h"
#include "../../outbound/fetch_url.h"

#include "check.h"
#include "str.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const char *const PUBLIC[] = {
    "1.1.1.1",      "8.8.8.8",     "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
    "100.128.0.0",  "126.255.1.1", "128.0.0.1",       "169.253.255.255", "172.15.0.1",
    "172.32.0.1",   "192.0.1.1",   "192.167.1.1",     "192.169.0.1",     "198.17.255.255",
    "198.20.0.0",   "203.0.114.1", "223.255.255.255", "2606:4700::1",    "2001:4860::8",
    "2a00:1450::1", "2001:200::1"
};
static const char *const BLOCKED[] = { "0.0.0.0",
                                       "0.1.2.3",
                                       "10.0.0.1",
                                       "10.255.255.255",
                                       "100.64.0.1",
                                       "100.127.255.255",
                                       "127.0.0.1",
                                       "127.255.255.254",
                                       "169.254.169.254",
                                       "172.16.0.1",
                                       "172.31.255.255",
                                       "192.0.0.8",
                                       "192.0.2.1",
                                       "192.88.99.1",
                                       "192.168.1.1",
                                       "198.18.0.1",
                                       "198.19.255.255",
                                       "198.51.100.7",
                                       "203.0.113.9",
                                       "224.0.0.1",
                                       "239.255.255.255",
                                       "240.0.0.1",
                                       "255.255.255.255",
                                       "::",
                                       "::1",
                                       "::7f00:1",
                                       "::ffff:127.0.0.1",
                                       "::ffff:8.8.8.8",
                                       "64:ff9b::808:808",
                                       "64:ff9b:1::1",
                                       "100::1",
                                       "2001::1",
                                       "2001:10::1",
                                       "2001:db8::1",
                                       "2002:7f00:1::1",
                                       "3fff::1",
                                       "5f00::1",
                                       "fc00::1",
                                       "fd12:3456::1",
                                       "fe80::1",
                                       "fec0::1",
                                       "ff02::1",
                                       "4000::1" };

static void text(void)
{
    for (size_t i = 0; i < sizeof(PUBLIC) / sizeof(PUBLIC[0]); i++)
        CHECK(fetch_address_text_public(PUBLIC[i]), "%s", PUBLIC[i]);
    for (size_t i = 0; i < sizeof(BLOCKED) / sizeof(BLOCKED[0]); i++)
        CHECK(!fetch_address_text_public(BLOCKED[i]), "%s", BLOCKED[i]);
    CHECK(!fetch_address_text_public("example.com"), "a name is no address");
    CHECK(!fetch_address_text_public(""), "nothing is no address");
}

static void sockets(void)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct sockaddr local = { .sa_family = AF_UNIX };

    inet_pton(AF_INET, "8.8.4.4", &v4.sin_addr);
    CHECK(fetch_address_public((struct sockaddr *)&v4), "8.8.4.4");
    inet_pton(AF_INET, "10.1.1.1", &v4.sin_addr);
    CHECK(!fetch_address_public((struct sockaddr *)&v4), "10.1.1.1");
    inet_pton(AF_INET6, "2606:4700::1", &v6.sin6_addr);
    CHECK(fetch_address_public((struct sockaddr *)&v6), "2606:4700::1");
    v6.sin6_scope_id = 2;
    CHECK(!fetch_address_public((struct sockaddr *)&v6), "scoped");
    CHECK(!fetch_address_public(&local), "a local socket");
}

static void http_becomes_https(void)
{
    static const char *const URLS[][2] = {
        { "http://loja.example/a.jpg?v=1&w=%20", "https://loja.example/a.jpg?v=1&w=%20" },
        { "HTTP://loja.example:80/x/../y", "https://loja.example/x/../y" },
        { "http://loja.example", "https://loja.example/" },
        { "http://loja.example:8080/a", "http://loja.example:8080/a" },
        { "https://loja.example/http://x", "https://loja.example/http://x" },
        { "ftp://loja.example/a", "ftp://loja.example/a" },
        { "nonsense", "nonsense" },
    };
    char url[LIMIT_FETCH_URL_BYTES];

    for (size_t i = 0; i < sizeof(URLS) / sizeof(URLS[0]); i++) {
        CHECK(str_copy(url, sizeof(url), URLS[i][0]), "copy");
        CHECK_INT(fetch_url_secure(url, NULL), RC_OK);
        CHECK_STR(url, URLS[i][1]);
    }
}

int main(void)
{
    CASE(text);
    CASE(sockets);
    CASE(http_becomes_https);
    return CHECK_END();
}
