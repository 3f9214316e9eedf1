/* Decides by the real socket address whether a connection stays within the public Internet. */
#include "fetch_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct range4 {
    uint32_t network;
    int bits;
};

/* Special-purpose IPv4 blocks (RFC 6890 and its registry). */
static const struct range4 BLOCKED4[] = {
    { 0x00000000, 8 },  /* this network */
    { 0x0a000000, 8 },  /* private */
    { 0x64400000, 10 }, /* shared by carriers */
    { 0x7f000000, 8 },  /* loopback */
    { 0xa9fe0000, 16 }, /* link-local, cloud metadata */
    { 0xac100000, 12 }, /* private */
    { 0xc0000000, 24 }, /* protocol assignments */
    { 0xc0000200, 24 }, /* documentation */
    { 0xc01fc400, 24 }, /* AS112 */
    { 0xc034c100, 24 }, /* AMT */
    { 0xc0586300, 24 }, /* 6to4 relays */
    { 0xc0a80000, 16 }, /* private */
    { 0xc0af3000, 24 }, /* AS112 */
    { 0xc6120000, 15 }, /* benchmarks */
    { 0xc6336400, 24 }, /* documentation */
    { 0xcb007100, 24 }, /* documentation */
    { 0xe0000000, 4 },  /* multicast */
    { 0xf0000000, 4 },  /* reserved, broadcast */
};

struct range6 {
    unsigned char network[4];
    int bits;
};

/* Exceptions inside 2000::/3; everything outside of it is refused anyway: loopback, mapped (::ffff:0:0/96),
 * translated (64:ff9b::/96, 64:ff9b:1::/48), unique local, link-local, site-local, multicast. */
static const struct range6 BLOCKED6[] = {
    { { 0x20, 0x01, 0x00, 0x00 }, 23 }, /* protocol assignments, Teredo, ORCHID */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x20, 0x02, 0x00, 0x00 }, 16 }, /* 6to4: carries any IPv4 address */
    { { 0x3f, 0xfe, 0x00, 0x00 }, 16 }, /* the closed 6bone */
    { { 0x3f, 0xff, 0x00, 0x00 }, 20 }, /* documentation */
};

static bool public4(uint32_t address)
{
    for (size_t i = 0; i < sizeof(BLOCKED4) / sizeof(BLOCKED4[0]); i++) {
        uint32_t mask = UINT32_MAX << (32 - BLOCKED4[i].bits);

        if ((address & mask) == BLOCKED4[i].network)
            return false;
    }
    return true;
}

static bool public6(const unsigned char address[16])
{
    uint32_t head = (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
                    (uint32_t)address[2] << 8 | address[3];

    if ((address[0] & 0xe0) != 0x20)
        return false;
    for (size_t i = 0; i < sizeof(BLOCKED6) / sizeof(BLOCKED6[0]); i++) {
        const unsigned char *n = BLOCKED6[i].network;
        uint32_t network = (uint32_t)n[0] << 24 | (uint32_t)n[1] << 16 | (uint32_t)n[2] << 8 | n[3];

        if ((head & (UINT32_MAX << (32 - BLOCKED6[i].bits))) == network)
            return false;
    }
    return true;
}

bool fetch_address_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, address, sizeof(v4));
        return public4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, address, sizeof(v6));
        return v6.sin6_scope_id == 0 && public6(v6.sin6_addr.s6_addr);
    }
    return false;
}

bool fetch_address_text_public(const char *text)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, text, &v4) == 1)
        return public4(ntohl(v4.s_addr));
    if (inet_pton(AF_INET6, text, &v6) == 1)
        return public6(v6.s6_addr);
    return false;
}
