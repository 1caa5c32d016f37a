#include "kube/auth.h"

#include <string.h>

#include "base/mem.h"
#include "kube/secret.h"

enum { EXPIRED_USE_MS = 60000 };

struct hw_kube_auth {
    uv_loop_t *loop;
    const struct hw_clock *clock;
    const struct hw_kube_config *config;
    hw_kube_auth_fn *fn;
    void *ctx;
    struct hw_kube_plugin *plugin; /* runs now */
    struct hw_kube_credential got; /* of the last run */
    bool valid;                    /* got may be used */
};

struct hw_kube_auth *hw_kube_auth_new(uv_loop_t *loop, const struct hw_clock *clock,
                                      const struct hw_kube_config *config, hw_kube_auth_fn *fn,
                                      void *ctx)
{
    struct hw_kube_auth *a = hw_xzalloc(sizeof *a);
    *a =
        (struct hw_kube_auth){ .loop = loop, .clock = clock, .config = config, .fn = fn, .ctx = ctx };
    return a;
}

void hw_kube_auth_free(struct hw_kube_auth *a)
{
    if (!a)
        return;
    hw_kube_plugin_cancel(a->plugin);
    hw_kube_credential_done(&a->got);
    free(a);
}

static void on_plugin(void *ctx, struct hw_kube_credential *got, const struct hw_err *err)
{
    struct hw_kube_auth *a = ctx;
    a->plugin = NULL;
    hw_kube_credential_done(&a->got);
    a->got = *got;
    a->valid = !err;
    /* One that is over when it comes (its clock may differ from ours) is used all the same, and not asked for again at
     * once: the server has the last word. */
    int64_t now = hw_wall_ms(a->clock);
    if (!err && got->expires && got->expires <= now)
        a->got.expires = now + EXPIRED_USE_MS;
    a->fn(a->ctx, err);
}

bool hw_kube_auth_check(struct hw_kube_auth *a)
{
    if (!a->config->exec)
        return true;
    if (a->valid && a->got.expires && a->got.expires <= hw_wall_ms(a->clock))
        a->valid = false;
    if (!a->valid && !a->plugin)
        a->plugin = hw_kube_plugin_start(a->loop, a->config, on_plugin, a);
    return a->valid;
}

int hw_kube_auth_token(struct hw_kube_auth *a, struct hw_kube_blob *ret, struct hw_err *err)
{
    const struct hw_kube_config *c = a->config;
    if (c->token_file)
        return hw_kube_read_token(c->token_file, ret, err);
    const char *token = c->exec ? a->got.token.ptr : c->token;
    *ret = token ? hw_kube_blob_copy(token, strlen(token)) : (struct hw_kube_blob){ 0 };
    return 0;
}

const struct hw_kube_credential *hw_kube_auth_cert(const struct hw_kube_auth *a)
{
    return a->got.cert.ptr ? &a->got : NULL;
}

bool hw_kube_auth_forget(struct hw_kube_auth *a)
{
    a->valid = false;
    return a->config->token_file || a->config->exec;
}
