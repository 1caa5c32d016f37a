#include "kube/kubeconfig.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "kube/object.h"
#include "kube/secret.h"
#include "yaml/yaml.h"

enum { FILES_MAX = 16 };

#define AUTH_V1 "client.authentication.k8s.io/v1"
#define AUTH_V1BETA1 "client.authentication.k8s.io/v1beta1"

struct files {
    struct hw_yaml *of[FILES_MAX];
    int count;
};

static void free_files(struct files *f)
{
    for (int i = 0; i < f->count; i++)
        hw_yaml_free(f->of[i]);
}

static int check_file(const struct hw_yaml *y, struct hw_err *err)
{
    const struct hw_yaml_node *root = hw_yaml_root(y, 0);
    const char *kind = hw_yaml_text(hw_yaml_get(root, "kind"));
    if (root && !hw_yaml_is_map(root))
        return hw_yaml_fail(root, err, HW_ECONFIG, "a kubeconfig is a map, not %s",
                            hw_yaml_describe(root));
    if (kind && strcmp(kind, "Config") != 0)
        return hw_yaml_fail(hw_yaml_get(root, "kind"), err, HW_ECONFIG, "kind is not Config");
    return 0;
}

static int add_file(struct files *f, const char *path, struct hw_err *err)
{
    if (access(path, F_OK) < 0) /* as kubectl: a list may name files that some machines lack */
        return errno == ENOENT || errno == ENOTDIR ? 0 : hw_fail_sys(err, "kubeconfig '%s'", path);
    if (f->count == FILES_MAX)
        return hw_fail(err, HW_ELIMIT, "more than %d kubeconfig files", FILES_MAX);
    if (hw_yaml_load_file(path, 0, &f->of[f->count], err) < 0)
        return hw_wrap(err, "kubeconfig");
    return check_file(f->of[f->count++], err);
}

static int add_files(struct files *f, const char *paths, struct hw_err *err)
{
    for (const char *p = paths; *p; p += *p == ':') {
        size_t len = strcspn(p, ":");
        hw_auto_free char *path = hw_xstrndup(p, len);
        p += len;
        if (len && add_file(f, path, err) < 0)
            return -1;
    }
    return 0;
}

/* The text at key, NULL when it is missing or empty: kubectl writes empty strings for "not set". */
static int get_text(const struct hw_yaml_node *map, const char *key, const char **ret,
                    struct hw_err *err)
{
    const struct hw_yaml_node *node = hw_yaml_get(map, key);
    const char *text = NULL;
    if (!hw_yaml_is_null(node) && hw_yaml_string(node, &text, err) < 0)
        return -1;
    *ret = text && text[0] ? text : NULL;
    return 0;
}

static int copy_text(const struct hw_yaml_node *map, const char *key, char **ret, struct hw_err *err)
{
    const char *text = NULL;
    if (get_text(map, key, &text, err) < 0)
        return -1;
    *ret = hw_xstrdup(text);
    return 0;
}

/* Relative names are relative to the kubeconfig that holds them. Made absolute: the working directory may change. */
static char *beside(const struct hw_yaml_node *node, const char *path)
{
    const char *file = hw_yaml_name(node->file), *slash = strrchr(file, '/');
    if (path[0] == '/')
        return hw_xstrdup(path);
    hw_auto_free char *cwd = file[0] == '/' ? NULL : getcwd(NULL, 0);
    return hw_xasprintf("%s%s%.*s%s", cwd ? cwd : "", cwd ? "/" : "",
                        slash ? (int)(slash - file + 1) : 0, file, path);
}

static int copy_path(const struct hw_yaml_node *map, const char *key, char **ret, struct hw_err *err)
{
    const char *text = NULL;
    if (get_text(map, key, &text, err) < 0)
        return -1;
    *ret = text ? beside(map, text) : NULL;
    return 0;
}

static int copy_data(const struct hw_yaml_node *map, const char *key, struct hw_kube_blob *ret,
                     struct hw_err *err)
{
    const char *text = NULL;
    if (get_text(map, key, &text, err) < 0)
        return -1;
    if (!text || hw_kube_base64_decode(key, hw_str(text), ret, err) == 0)
        return 0;
    return hw_wrap(err, "%s:%d", hw_yaml_name(map->file), hw_yaml_get(map, key)->line);
}

/* The entry called name in one file's list; 0 with *ret NULL when the file has none. */
static int find_in(const struct hw_yaml *y, const char *list, const char *name,
                   const struct hw_yaml_node **ret, struct hw_err *err)
{
    const struct hw_yaml_node *all = hw_yaml_get(hw_yaml_root(y, 0), list), *found = NULL;
    if (!hw_yaml_is_null(all) && !hw_yaml_is_list(all))
        return hw_yaml_fail(all, err, HW_ECONFIG, "%s is a list, not %s", list,
                            hw_yaml_describe(all));
    for (const struct hw_yaml_node *n = hw_yaml_first(all); n; n = hw_yaml_next(n)) {
        if (!hw_streq(hw_yaml_text(hw_yaml_get(n, "name")), name))
            continue;
        if (found)
            return hw_yaml_fail(n, err, HW_ECONFIG, "%s: '%.60s' again, first in line %d", list,
                                name, found->line);
        found = n;
    }
    *ret = found;
    return 0;
}

/* The map under key ("cluster") of the first entry called name, or NULL; wanted is what names it. */
static const struct hw_yaml_node *find(const struct files *f, const char *list, const char *key,
                                       const char *name, const struct hw_yaml_node *wanted,
                                       struct hw_err *err)
{
    const struct hw_yaml_node *entry = NULL;
    for (int i = 0; i < f->count && !entry; i++)
        if (find_in(f->of[i], list, name, &entry, err) < 0)
            return NULL;
    const struct hw_yaml_node *map = hw_yaml_get(entry, key);
    if (hw_yaml_is_map(map))
        return map;
    if (entry)
        hw_yaml_fail(map ? map : entry, err, HW_ECONFIG, "%s '%.60s' has no map '%s'", list, name,
                     key);
    else if (wanted)
        hw_yaml_fail(wanted, err, HW_ECONFIG, "no entry '%.60s' in %s", name, list);
    else
        hw_fail(err, HW_ECONFIG, "%s: no context '%.60s'", hw_yaml_name(f->of[0]), name);
    return NULL;
}

static int refuse_skip(const struct hw_yaml_node *map, struct hw_err *err)
{
    const struct hw_yaml_node *node = hw_yaml_get(map, "insecure-skip-tls-verify");
    bool skip = false;
    if (!hw_yaml_is_null(node) && hw_yaml_bool(node, &skip, err) < 0)
        return -1;
    if (!skip)
        return 0;
    return hw_yaml_fail(
        node, err, HW_ECONFIG,
        "insecure-skip-tls-verify is refused: the server's certificate is always checked; "
        "give certificate-authority, or tls-server-name for another name");
}

static int check_proxy(const struct hw_yaml_node *map, const char *url, struct hw_err *err)
{
    static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://" };
    for (size_t i = 0; i < HW_LEN(schemes); i++)
        if (!url || strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return 0;
    return hw_yaml_fail(hw_yaml_get(map, "proxy-url"), err, HW_ECONFIG,
                        "proxy-url: expected http://, https:// or socks5://");
}

static int read_cluster(const struct hw_yaml_node *map, struct hw_kube_config *c, struct hw_err *err)
{
    if (refuse_skip(map, err) < 0 || copy_text(map, "server", &c->server, err) < 0 ||
        copy_text(map, "tls-server-name", &c->tls_server_name, err) < 0 ||
        copy_text(map, "proxy-url", &c->proxy_url, err) < 0 ||
        check_proxy(map, c->proxy_url, err) < 0 ||
        copy_path(map, "certificate-authority", &c->ca_file, err) < 0 ||
        copy_data(map, "certificate-authority-data", &c->ca_data, err) < 0)
        return -1;
    if (!c->server)
        return hw_yaml_fail(map, err, HW_ECONFIG, "cluster has no server");
    hw_auto_free char *where =
        hw_xasprintf("%s:%d", hw_yaml_name(map->file), hw_yaml_get(map, "server")->line);
    return hw_kube_check_server(c->server, where, err);
}

static int read_args(const struct hw_yaml_node *list, struct hw_kube_exec *exec, struct hw_err *err)
{
    size_t n = 0;
    if (!hw_yaml_is_null(list) && !hw_yaml_is_list(list))
        return hw_yaml_fail(list, err, HW_ECONFIG, "args is a list, not %s", hw_yaml_describe(list));
    exec->args = hw_xzalloc((hw_yaml_len(list) + 1) * sizeof *exec->args);
    for (const struct hw_yaml_node *i = hw_yaml_first(list); i; i = hw_yaml_next(i)) {
        const char *text;
        if (hw_yaml_string(i, &text, err) < 0)
            return -1;
        exec->args[n++] = hw_xstrdup(text);
    }
    return 0;
}

static int read_env(const struct hw_yaml_node *list, struct hw_kube_exec *exec, struct hw_err *err)
{
    size_t n = 0;
    if (!hw_yaml_is_null(list) && !hw_yaml_is_list(list))
        return hw_yaml_fail(list, err, HW_ECONFIG, "env is a list, not %s", hw_yaml_describe(list));
    exec->env = hw_xzalloc((hw_yaml_len(list) + 1) * sizeof *exec->env);
    for (const struct hw_yaml_node *i = hw_yaml_first(list); i; i = hw_yaml_next(i)) {
        const char *name = NULL, *value = NULL;
        if (get_text(i, "name", &name, err) < 0 || get_text(i, "value", &value, err) < 0)
            return -1;
        if (!name || strchr(name, '='))
            return hw_yaml_fail(i, err, HW_ECONFIG, "env: expected a name and a value");
        exec->env[n++] = hw_xasprintf("%s=%s", name, value ? value : "");
    }
    return 0;
}

static int check_mode(const struct hw_yaml_node *map, struct hw_err *err)
{
    const char *mode = NULL;
    if (get_text(map, "interactiveMode", &mode, err) < 0)
        return -1;
    if (mode && strcmp(mode, "Always") == 0)
        return hw_yaml_fail(hw_yaml_get(map, "interactiveMode"), err, HW_ECONFIG,
                            "interactiveMode Always: plugins run without a terminal here");
    return 0;
}

static int read_exec(const struct hw_yaml_node *map, struct hw_kube_exec *exec, struct hw_err *err)
{
    const struct hw_yaml_node *info = hw_yaml_get(map, "provideClusterInfo");
    const char *command = NULL, *hint = NULL;
    if (!hw_yaml_is_map(map))
        return hw_yaml_fail(map, err, HW_ECONFIG, "exec is a map, not %s", hw_yaml_describe(map));
    exec->where = hw_xasprintf("%s:%d", hw_yaml_name(map->file), map->key_line);
    if (copy_text(map, "apiVersion", &exec->api_version, err) < 0 ||
        get_text(map, "command", &command, err) < 0 || get_text(map, "installHint", &hint, err) < 0 ||
        read_args(hw_yaml_get(map, "args"), exec, err) < 0 ||
        read_env(hw_yaml_get(map, "env"), exec, err) < 0 || check_mode(map, err) < 0 ||
        (!hw_yaml_is_null(info) && hw_yaml_bool(info, &exec->cluster_info, err) < 0))
        return -1;
    if (!command)
        return hw_yaml_fail(map, err, HW_ECONFIG, "exec has no command");
    if (!hw_streq(exec->api_version, AUTH_V1) && !hw_streq(exec->api_version, AUTH_V1BETA1))
        return hw_yaml_fail(map, err, HW_ECONFIG,
                            "exec: apiVersion is neither " AUTH_V1 " nor v1beta1");
    exec->command = strchr(command, '/') ? beside(map, command) : hw_xstrdup(command);
    if (hint) {
        exec->hint = hw_xzalloc(161);
        hw_clean_text(exec->hint, 160, hw_str(hint));
    }
    return 0;
}

/* What we know of and don't do, so that nobody wonders about a 401. */
static int refuse_users(const struct hw_yaml_node *map, struct hw_err *err)
{
    static const struct {
        const char *key, *why;
    } rows[] = {
        { "auth-provider", "auth-provider was removed from kubectl, too: use exec" },
        { "username",
          "user name and password are not supported: use a token, a client certificate or exec" },
        { "password",
          "user name and password are not supported: use a token, a client certificate or exec" },
        { "as", "impersonation is not supported: use a context without it" },
        { "as-uid", "impersonation is not supported: use a context without it" },
        { "as-groups", "impersonation is not supported: use a context without it" },
    };
    for (size_t i = 0; i < HW_LEN(rows); i++) {
        const struct hw_yaml_node *node = hw_yaml_get(map, rows[i].key);
        const char *text = hw_yaml_text(node);
        if (!hw_yaml_is_null(node) && (!text || text[0]))
            return hw_yaml_fail(node, err, HW_ECONFIG, "%s", rows[i].why);
    }
    return 0;
}

static int check_user(const struct hw_yaml_node *map, const struct hw_kube_config *c,
                      struct hw_err *err)
{
    bool cert = c->cert_file || c->cert_data.ptr, key = c->key_file || c->key_data.ptr;
    if (cert != key)
        return hw_yaml_fail(map, err, HW_ECONFIG,
                            "client-certificate and client-key belong together");
    if (!c->token)
        return 0;
    hw_auto_free char *where =
        hw_xasprintf("%s:%d", hw_yaml_name(map->file), hw_yaml_get(map, "token")->line);
    return hw_kube_check_token(where, c->token, err);
}

static int read_user(const struct hw_yaml_node *map, struct hw_kube_config *c, struct hw_err *err)
{
    const struct hw_yaml_node *exec = hw_yaml_get(map, "exec");
    if (refuse_users(map, err) < 0 || copy_text(map, "token", &c->token, err) < 0 ||
        copy_path(map, "tokenFile", &c->token_file, err) < 0 ||
        copy_path(map, "client-certificate", &c->cert_file, err) < 0 ||
        copy_data(map, "client-certificate-data", &c->cert_data, err) < 0 ||
        copy_path(map, "client-key", &c->key_file, err) < 0 ||
        copy_data(map, "client-key-data", &c->key_data, err) < 0 || check_user(map, c, err) < 0)
        return -1;
    if (c->token || c->token_file ||
        hw_yaml_is_null(exec)) /* a token goes before exec, as in kubectl */
        return 0;
    c->exec = hw_xzalloc(sizeof *c->exec);
    return read_exec(exec, c->exec, err);
}

/* opts.context, or the first current-context; *ret_node is where it stands (NULL: asked for). */
static int choose_context(const struct files *f, const char *context, const char **ret,
                          const struct hw_yaml_node **ret_node, struct hw_err *err)
{
    *ret = context && context[0] ? context : NULL;
    *ret_node = NULL;
    for (int i = 0; i < f->count && !*ret; i++) {
        const struct hw_yaml_node *root = hw_yaml_root(f->of[i], 0);
        if (get_text(root, "current-context", ret, err) < 0)
            return -1;
        *ret_node = hw_yaml_get(root, "current-context");
    }
    if (!*ret)
        return hw_fail(err, HW_ECONFIG, "%s: no current-context, and none was asked for",
                       hw_yaml_name(f->of[0]));
    return 0;
}

static int read_context(const struct hw_yaml_node *context, const char *name,
                        struct hw_kube_config *c, struct hw_err *err)
{
    c->context = hw_xstrdup(name);
    c->from = hw_xasprintf("%s, context '%s'", hw_yaml_name(context->file), name);
    if (copy_text(context, "namespace", &c->namespace, err) < 0)
        return -1;
    if (c->namespace && hw_kube_check_label("namespace", c->namespace, err) < 0)
        return hw_wrap(err, "%s:%d", hw_yaml_name(context->file),
                       hw_yaml_get(context, "namespace")->line);
    return 0;
}

static int read_files(const struct files *f, const char *wanted, struct hw_kube_config *c,
                      struct hw_err *err)
{
    const char *name = NULL, *cluster = NULL, *user = NULL;
    const struct hw_yaml_node *at = NULL, *context, *map;
    if (choose_context(f, wanted, &name, &at, err) < 0 ||
        !(context = find(f, "contexts", "context", name, at, err)) ||
        read_context(context, name, c, err) < 0 ||
        get_text(context, "cluster", &cluster, err) < 0 || get_text(context, "user", &user, err) < 0)
        return -1;
    if (!cluster)
        return hw_yaml_fail(context, err, HW_ECONFIG, "context '%.60s' names no cluster", name);
    map = find(f, "clusters", "cluster", cluster, hw_yaml_get(context, "cluster"), err);
    if (!map || read_cluster(map, c, err) < 0)
        return -1;
    if (!user)
        return 0;
    map = find(f, "users", "user", user, hw_yaml_get(context, "user"), err);
    return map ? read_user(map, c, err) : -1;
}

int hw_kubeconfig_load(const char *paths, bool must, const char *context, struct hw_kube_config *c,
                       struct hw_err *err)
{
    struct files f = { .count = 0 };
    int st = add_files(&f, paths, err);
    if (st == 0 && f.count == 0)
        st = must ? hw_fail(err, HW_ECONFIG, "kubeconfig '%.200s': no such file", paths) : 1;
    else if (st == 0)
        st = read_files(&f, context, c, err);
    free_files(&f);
    return st;
}
