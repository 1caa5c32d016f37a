/* credential.c - what goes into a plugin and what comes out of it, as text. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "kube/exec.h"
#include "kube/secret.h"

void hw_kube_credential_done(struct hw_kube_credential *c)
{
    hw_kube_blob_done(&c->token);
    hw_kube_blob_done(&c->cert);
    hw_kube_blob_done(&c->key);
    c->expires = 0;
}

static struct hw_kube_blob blob_at(json_t *status, const char *name)
{
    json_t *text = json_object_get(status, name);
    if (!json_is_string(text) || !json_string_length(text))
        return (struct hw_kube_blob){ 0 };
    return hw_kube_blob_copy(json_string_value(text), json_string_length(text));
}

static int read_status(json_t *status, struct hw_kube_credential *c, struct hw_err *err)
{
    c->token = blob_at(status, "token");
    c->cert = blob_at(status, "clientCertificateData");
    c->key = blob_at(status, "clientKeyData");
    if (!c->cert.ptr != !c->key.ptr)
        return hw_fail(err, HW_EINPUT, "clientCertificateData and clientKeyData belong together");
    if (!c->token.ptr && !c->cert.ptr)
        return hw_fail(err, HW_EINPUT, "status holds no token and no client certificate");
    if (c->token.ptr && hw_kube_check_token("the plugin", c->token.ptr, err) < 0)
        return -1;
    const char *expires = hw_json_text(status, "expirationTimestamp", NULL);
    return expires ? hw_parse_time(expires, &c->expires, err) : 0;
}

int hw_kube_credential_parse(struct hw_str output, const char *api_version,
                             struct hw_kube_credential *ret, struct hw_err *err)
{
    /* jansson's own message is not asked for: it may quote the text, which may be a token. */
    hw_auto_json root = json_loadb(output.ptr ? output.ptr : "", output.len, 0, NULL);
    const char *kind = hw_json_text(root, "kind", NULL);
    const char *version = hw_json_text(root, "apiVersion", NULL);
    if (!json_is_object(root))
        return hw_fail(err, HW_EINPUT, "output is not a JSON object");
    if (!hw_streq(kind, "ExecCredential"))
        return hw_fail(err, HW_EINPUT, "output is no ExecCredential");
    if (!hw_streq(version, api_version))
        return hw_fail(err, HW_EINPUT, "output is not of apiVersion %s", api_version);
    struct hw_kube_credential c = { 0 };
    if (read_status(json_object_get(root, "status"), &c, err) < 0) {
        hw_kube_credential_done(&c);
        return -1;
    }
    *ret = c;
    return 0;
}

/* The CA as base64, NULL when the system's own are used or the file can't be read (the request will say so). */
static char *ca_text(const struct hw_kube_config *config)
{
    struct hw_kube_blob file = { 0 };
    if (config->ca_data.ptr)
        return hw_kube_base64((struct hw_str){ config->ca_data.ptr, config->ca_data.len });
    if (!config->ca_file || hw_kube_read_file("ca", config->ca_file, 1 << 20, &file, NULL) < 0)
        return NULL;
    char *text = hw_kube_base64((struct hw_str){ file.ptr, file.len });
    hw_kube_blob_done(&file);
    return text;
}

static json_t *cluster_info(const struct hw_kube_config *config)
{
    json_t *o = json_object();
    hw_auto_free char *ca = ca_text(config);
    json_object_set_new(o, "server", json_string(config->server));
    if (config->tls_server_name)
        json_object_set_new(o, "tls-server-name", json_string(config->tls_server_name));
    if (ca)
        json_object_set_new(o, "certificate-authority-data", json_string(ca));
    if (config->proxy_url)
        json_object_set_new(o, "proxy-url", json_string(config->proxy_url));
    return o;
}

char *hw_kube_exec_info(const struct hw_kube_config *config)
{
    hw_auto_json root = json_object();
    json_t *spec = json_object();
    json_object_set_new(root, "kind", json_string("ExecCredential"));
    json_object_set_new(root, "apiVersion", json_string(config->exec->api_version));
    json_object_set_new(root, "spec", spec);
    json_object_set_new(spec, "interactive", json_false());
    if (config->exec->cluster_info)
        json_object_set_new(spec, "cluster", cluster_info(config));
    return hw_json_dump(root);
}
