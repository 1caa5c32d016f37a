/* url.h - what the room asks of a server URL. */
#ifndef HW_KUBE_URL_H
#define HW_KUBE_URL_H

#include <stdbool.h>

#include "base/err.h"

/* Owns its strings. */
struct hw_kube_url {
    char *scheme, *host,
        *port;  /* host in lower case, an IPv6 address in brackets; port always given */
    char *path; /* "" or "/prefix", no slash at the end */
    bool loopback;
};
void hw_kube_url_done(struct hw_kube_url *u);
/* https, or http to a loopback host; no user, query or fragment. where stands in front of the message. */
HW_MUST_USE int hw_kube_url_parse(const char *text, const char *where, struct hw_kube_url *ret,
                                  struct hw_err *err);

#endif
