/* fuzz_kubeconfig.c - any bytes as a kubeconfig, or as several (a NUL between): what is taken can be used as it is, what
 * is refused is refused without showing a secret. */
#include "base/json.h"
#include "fuzz.h"
#include "kube/exec.h"
#include "kube/kubeconfig.h"
#include "kube/object.h"
#include "kube/secret.h"
#include "kube/url.h"

static size_t count(const uint8_t *data, size_t size, const char *word)
{
    size_t n = 0, len = strlen(word);
    for (size_t i = 0; i + len <= size; i++)
        n += memcmp(data + i, word, len) == 0;
    return n;
}

/* secret: what the file gave. One that stands in other places of it, too, is no secret. */
static void check_hidden(const char *secret, const char *text, const uint8_t *data, size_t size)
{
    if (secret && strlen(secret) >= 8 && count(data, size, secret) == 1)
        fuzz_check(!strstr(text, secret), "shows a secret", text);
}

static bool is_absolute(const char *path)
{
    return !path || path[0] == '/';
}

static void check_exec(const struct hw_kube_config *c)
{
    const struct hw_kube_exec *e = c->exec;
    fuzz_check(!c->token && !c->token_file, "exec beside a token", e->command);
    fuzz_check(e->command && e->command[0] && e->where && e->args && e->env, "exec", e->command);
    fuzz_check(!strchr(e->command, '/') || e->command[0] == '/', "command", e->command);
    for (char **p = e->env; *p; p++)
        fuzz_check(strchr(*p, '=') > *p, "env", *p);
    if (e->hint)
        fuzz_check_clean(e->hint, "hint is not clean");
    if (c->ca_file)
        return; /* hw_kube_exec_info would read it, wherever it is */
    hw_auto_free char *info = hw_kube_exec_info(c);
    hw_auto_json root = json_loads(info, 0, NULL);
    fuzz_check(hw_streq(hw_json_text(root, "apiVersion", NULL), e->api_version), "exec info", info);
    json_t *cluster = hw_json_at(root, "spec", "cluster", NULL);
    fuzz_check(e->cluster_info ==
                   hw_streq(json_string_value(json_object_get(cluster, "server")), c->server),
               "exec info", info);
}

static void check_config(const struct hw_kube_config *c)
{
    struct hw_err err = { 0 };
    struct hw_kube_url url = { 0 };
    fuzz_check(c->server && hw_kube_url_parse(c->server, "x", &url, &err) == 0, "server", c->server);
    hw_kube_url_done(&url);
    fuzz_check(c->context && c->context[0], "context", c->context);
    fuzz_check_clean(c->from, "origin is not clean");
    fuzz_check(!c->namespace || hw_kube_check_label("namespace", c->namespace, &err) == 0,
               "namespace", c->namespace);
    fuzz_check(!c->token || hw_kube_check_token("x", c->token, &err) == 0, "token", c->token);
    fuzz_check((c->cert_file || c->cert_data.ptr) == (c->key_file || c->key_data.ptr),
               "half a certificate", NULL);
    fuzz_check(!c->ca_data.ptr || c->ca_data.len, "empty CA", NULL);
    fuzz_check(is_absolute(c->ca_file) && is_absolute(c->token_file) && is_absolute(c->cert_file) &&
                   is_absolute(c->key_file),
               "path", NULL);
    if (c->exec)
        check_exec(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hw_err err = { 0 };
    struct hw_str rest = { (const char *)data, size }, part;
    hw_auto_free char *paths = NULL;
    if (size > 32 * 1024)
        return 0;
    for (unsigned i = 0; i < 3 && fuzz_next(&rest, '\0', &part); i++) {
        hw_auto_free char *before = paths;
        paths = hw_xasprintf("%s%s%s", before ? before : "", before ? ":" : "",
                             fuzz_file(i, part.ptr, part.len));
    }
    if (!paths)
        return 0;
    struct hw_kube_config *c = hw_xzalloc(sizeof *c);
    int st = hw_kubeconfig_load(paths, true, NULL, c, &err);
    fuzz_check(st == 0 || st == -1, "a third verdict", err.msg);
    if (st == 0)
        check_config(c);
    else {
        fuzz_check_err(&err);
        check_hidden(c->token, err.msg, data, size);
        check_hidden(c->proxy_url, err.msg, data, size);
    }
    hw_kube_config_free(c);
    return 0;
}
