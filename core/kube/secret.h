/* secret.h - bytes that must not linger: tokens and keys are overwritten before their memory goes back. */
#ifndef HW_KUBE_SECRET_H
#define HW_KUBE_SECRET_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "kube/config.h"

/* Overwrites and frees; the blob is empty then. */
void hw_kube_blob_done(struct hw_kube_blob *b);
/* An ended copy. */
struct hw_kube_blob hw_kube_blob_copy(const void *ptr, size_t len);
/* The same for a string; NULL allowed. */
void hw_kube_secret_free(char *s);

/* A token stands in a header line: visible ASCII only, no space, not empty. where names its origin, in the
 * message; the token itself never. */
HW_MUST_USE int hw_kube_check_token(const char *where, const char *token, struct hw_err *err);
/* A whole small file, at most max bytes; what names it in the message ("token", "ca"). Regular files and
 * what behaves like one; opened anew by each call, since the kubelet swaps by rename. */
HW_MUST_USE int hw_kube_read_file(const char *what, const char *path, size_t max,
                                  struct hw_kube_blob *ret, struct hw_err *err);
/* The same, white space at both ends cut, checked as a token. */
HW_MUST_USE int hw_kube_read_token(const char *path, struct hw_kube_blob *ret, struct hw_err *err);

/* Standard base64 with padding; white space between is skipped. HW_EINPUT. */
HW_MUST_USE int hw_kube_base64_decode(const char *what, struct hw_str text,
                                      struct hw_kube_blob *ret, struct hw_err *err);
char *hw_kube_base64(struct hw_str bytes); /* free() it */

#endif
