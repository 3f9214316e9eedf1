/* fetch_address.h - which addresses a URL from data may lead to; used by fetch.c alone. */
#ifndef FETCH_ADDRESS_H
#define FETCH_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* True for unicast addresses of the public Internet: no private, loopback, link-local, shared, multicast,
 * reserved, documentation, mapped or translated range. Any thread. */
bool fetch_address_public(const struct sockaddr *address);
/* The same for an address in text, as inet_pton reads it; false for anything else. */
bool fetch_address_text_public(const char *text);

#endif
