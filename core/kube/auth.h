/* auth.h - the credential for the next request: a token file read anew, a token, what a plugin gave last.
 * new -> check (before each request) -> token, cert -> ... forget (after a 401) -> free. */
#ifndef HW_KUBE_AUTH_H
#define HW_KUBE_AUTH_H

#include <stdbool.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "kube/config.h"
#include "kube/exec.h"

struct hw_kube_auth;

/* A plugin ended: err NULL = check says ready now. */
typedef void hw_kube_auth_fn(void *ctx, const struct hw_err *err);

/* All borrowed until free. */
struct hw_kube_auth *hw_kube_auth_new(uv_loop_t *loop, const struct hw_clock *clock,
                                      const struct hw_kube_config *config, hw_kube_auth_fn *fn,
                                      void *ctx);
void hw_kube_auth_free(struct hw_kube_auth *a);

/* True: a request may start. False: a plugin runs (started here when none was), fn comes later. */
bool hw_kube_auth_check(struct hw_kube_auth *a);
/* The bearer token, empty when the credential is a certificate; the caller's own copy, to be wiped. */
HW_MUST_USE int hw_kube_auth_token(struct hw_kube_auth *a, struct hw_kube_blob *ret,
                                   struct hw_err *err);
/* What a plugin gave as client certificate; borrowed until the next check; NULL when it gave none. */
const struct hw_kube_credential *hw_kube_auth_cert(const struct hw_kube_auth *a);
/* The server did not believe it. True when the next one may be another, so that trying again makes sense. */
bool hw_kube_auth_forget(struct hw_kube_auth *a);

#endif
