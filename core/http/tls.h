/* tls.h - the server's side of TLS 1.2 and 1.3 between bytes and bytes: OpenSSL, without a socket.
 *   identity_new -> (new -> [feed read..., seal]... -> close -> free)... -> identity_free */
#ifndef HW_HTTP_TLS_H
#define HW_HTTP_TLS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

struct hw_http_identity; /* certificate and key */
struct hw_http_tls;      /* one connection */

/* PEM: the certificate, those that it hangs on behind it, and its key. HW_ECONFIG. */
HW_MUST_USE int hw_http_identity_new(struct hw_http_identity **ret, struct hw_str cert,
                                     struct hw_str key, struct hw_err *err);
void hw_http_identity_free(
    struct hw_http_identity *id); /* connections keep what they need; NULL allowed */

/* NULL: no memory. */
struct hw_http_tls *hw_http_tls_new(struct hw_http_identity *id);
void hw_http_tls_free(struct hw_http_tls *t); /* NULL allowed */

/* Takes what came from the client; -1: no memory, or too much is owed to it. Then read until there is no more. */
HW_MUST_USE int hw_http_tls_feed(struct hw_http_tls *t, const char *bytes, size_t len);
/* The length of what was in it; 0 = no more for now; -1: it is no TLS, or the client has ended it. */
HW_MUST_USE int hw_http_tls_read(struct hw_http_tls *t, char *bytes, size_t size);
/* Adds bytes for the client, sealed, to ret, which has room for a tenth and 1 KiB more; -1: they can't be. */
HW_MUST_USE int hw_http_tls_seal(struct hw_http_tls *t, const char *bytes, size_t len,
                                 struct hw_buf *ret);
/* Adds what TLS itself has to say to ret; true: there is something. */
bool hw_http_tls_say(struct hw_http_tls *t, struct hw_buf *ret);
/* Nothing more will be sealed: it has that to say. */
void hw_http_tls_close(struct hw_http_tls *t);

#endif
