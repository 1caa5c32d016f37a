/* address.h - where a server listens, as settings write it: "127.0.0.1:8080", "[::1]:8080", "localhost:8080", ":8080". No name is
 * looked up. */
#ifndef HW_HTTP_ADDRESS_H
#define HW_HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

/* HW_ECONFIG */
HW_MUST_USE int hw_http_address_read(const char *text, struct sockaddr_storage *ret,
                                     struct hw_err *err);
/* Every address of IPv6, which holds those of IPv4, becomes every address of IPv4: for a machine that has no other. False: it
 * was something else. */
bool hw_http_address_without_ipv6(struct sockaddr_storage *a);
int hw_http_address_port(const struct sockaddr_storage *a);

#endif
