#include "kube/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "kube/kubeconfig.h"
#include "kube/object.h"
#include "kube/secret.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

static void free_list(char **list)
{
    for (char **p = list; p && *p; p++)
        free(*p);
    free(list);
}

static void free_exec(struct hw_kube_exec *exec)
{
    if (!exec)
        return;
    free(exec->api_version);
    free(exec->command);
    free_list(exec->args);
    free_list(exec->env);
    free(exec->hint);
    free(exec->where);
    free(exec);
}

void hw_kube_config_free(struct hw_kube_config *c)
{
    if (!c)
        return;
    free(c->server);
    free(c->tls_server_name);
    hw_kube_secret_free(c->proxy_url); /* may hold a password */
    free(c->ca_file);
    hw_kube_blob_done(&c->ca_data);
    hw_kube_secret_free(c->token);
    free(c->token_file);
    free(c->cert_file);
    free(c->key_file);
    hw_kube_blob_done(&c->cert_data);
    hw_kube_blob_done(&c->key_data);
    free_exec(c->exec);
    free(c->namespace);
    free(c->context);
    free(c->from);
    free(c);
}

/* The variables every container has, and a token to use: a pod may have none (automountServiceAccountToken). */
static bool is_in_cluster(const char *dir, const char *host, const char *port)
{
    hw_auto_free char *token = hw_xasprintf("%s/token", dir);
    return host && host[0] && port && port[0] && access(token, F_OK) == 0;
}

static int read_namespace(const char *dir, struct hw_kube_config *c, struct hw_err *err)
{
    hw_auto_free char *path = hw_xasprintf("%s/namespace", dir);
    struct hw_kube_blob b = { 0 };
    if (access(path, F_OK) < 0)
        return 0;
    if (hw_kube_read_file("namespace", path, 1024, &b, err) < 0)
        return -1;
    if (!b.ptr)
        return 0;
    b.ptr[strcspn(b.ptr, " \t\r\n")] = '\0';
    int st = hw_kube_check_label("namespace", b.ptr, err);
    if (st == 0)
        c->namespace = hw_xstrdup(b.ptr);
    else
        hw_wrap(err, "%s", path);
    hw_kube_blob_done(&b);
    return st;
}

static int load_in_cluster(const char *dir, const char *host, const char *port,
                           struct hw_kube_config *c, struct hw_err *err)
{
    bool bare6 = strchr(host, ':') && host[0] != '[';
    c->in_cluster = true;
    c->server = hw_xasprintf("https://%s%s%s:%s", bare6 ? "[" : "", host, bare6 ? "]" : "", port);
    c->ca_file = hw_xasprintf("%s/ca.crt", dir);
    c->token_file = hw_xasprintf("%s/token", dir);
    c->from = hw_xasprintf("in-cluster (%s)", dir);
    if (access(c->ca_file, R_OK) < 0)
        return hw_fail_sys(err, "read ca '%s'", c->ca_file);
    if (hw_kube_check_server(c->server, "KUBERNETES_SERVICE_HOST", err) < 0)
        return -1;
    return read_namespace(dir, c, err);
}

static char *home_config(void)
{
    const char *home = getenv("HOME");
    return home && home[0] ? hw_xasprintf("%s/.kube/config", home) : NULL;
}

static int load(const struct hw_kube_config_opts *o, struct hw_kube_config *c, struct hw_err *err)
{
    const char *dir = o->service_account_dir ? o->service_account_dir : SERVICE_ACCOUNT;
    const char *paths = getenv("KUBECONFIG");
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    hw_auto_free char *home = home_config();
    if (o->kubeconfig && o->kubeconfig[0])
        return hw_kubeconfig_load(o->kubeconfig, true, o->context, c, err);
    if (!o->context && is_in_cluster(dir, host, port)) /* who names a context means a kubeconfig */
        return load_in_cluster(dir, host, port, c, err);
    int st = 1;
    if (paths && paths[0])
        st = hw_kubeconfig_load(paths, true, o->context, c, err);
    else if (home)
        st = hw_kubeconfig_load(home, false, o->context, c, err);
    if (st <= 0)
        return st;
    return host ? hw_fail(err, HW_ECONFIG,
                          "no token in '%s': does the pod forbid automountServiceAccountToken?", dir)
                : hw_fail(err, HW_ECONFIG,
                          "no cluster: not in a pod, no $KUBECONFIG, no ~/.kube/config");
}

/* The namespace asked for, else the one that was found, else "default". */
static int settle(const char *asked, struct hw_kube_config *c, struct hw_err *err)
{
    size_t len = strlen(c->server);
    while (len && c->server[len - 1] == '/')
        c->server[--len] = '\0';
    if (asked && asked[0]) {
        if (hw_kube_check_label("namespace", asked, err) < 0)
            return -1;
        free(c->namespace);
        c->namespace = hw_xstrdup(asked);
    }
    if (!c->namespace)
        c->namespace = hw_xstrdup("default");
    return 0;
}

int hw_kube_config_load(const struct hw_kube_config_opts *opts, struct hw_kube_config **ret,
                        struct hw_err *err)
{
    struct hw_kube_config *c = hw_xzalloc(sizeof *c);
    if (load(opts, c, err) < 0 || settle(opts->namespace, c, err) < 0) {
        hw_kube_config_free(c);
        return -1;
    }
    *ret = c;
    return 0;
}
