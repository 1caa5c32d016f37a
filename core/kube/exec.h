/* exec.h - one run of a credential plugin (client.authentication.k8s.io/v1, v1beta1) as a child of the loop.
 * In a session of its own, without terminal and input: it can't ask anybody. 30 s and 1 MiB, then it and its
 * children are killed. start -> fn once -> gone by itself; or cancel. */
#ifndef HW_KUBE_EXEC_H
#define HW_KUBE_EXEC_H

#include <uv.h>

#include "base/err.h"
#include "kube/config.h"

/* What a plugin gave. Owns; done wipes. */
struct hw_kube_credential {
    struct hw_kube_blob token;     /* or */
    struct hw_kube_blob cert, key; /* PEM */
    int64_t expires;               /* Unix ms; 0 = not said */
};
void hw_kube_credential_done(struct hw_kube_credential *c);

struct hw_kube_plugin;

/* err is NULL when got holds a credential, which fn takes. Never called from within start. */
typedef void hw_kube_plugin_fn(void *ctx, struct hw_kube_credential *got, const struct hw_err *err);

/* config is borrowed until fn was called or the run was cancelled. */
struct hw_kube_plugin *hw_kube_plugin_start(uv_loop_t *loop, const struct hw_kube_config *config,
                                            hw_kube_plugin_fn *fn, void *ctx);
void hw_kube_plugin_cancel(struct hw_kube_plugin *p); /* kills it; NULL allowed */

/* The output of a plugin -> credential; api_version is the one that was asked for. Pure. */
HW_MUST_USE int hw_kube_credential_parse(struct hw_str output, const char *api_version,
                                         struct hw_kube_credential *ret, struct hw_err *err);
/* The JSON of KUBERNETES_EXEC_INFO; free() it. */
char *hw_kube_exec_info(const struct hw_kube_config *config);

#endif
