/* config.h - which API server, believed by which CA, entered with which credential.
 * Order: the kubeconfig that was named > in-cluster > $KUBECONFIG (several files, the first that names
 * an entry wins, as kubectl does) > ~/.kube/config. The CA is always checked and plain HTTP is for loopback only:
 * what asks for less is an error, with file:line.
 * load -> use -> free. Reads files, so it blocks: for the time before the loop runs. */
#ifndef HW_KUBE_CONFIG_H
#define HW_KUBE_CONFIG_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* A program that gives credentials (client.authentication.k8s.io); see exec.h. Owns its strings. */
struct hw_kube_exec {
    char *api_version; /* "client.authentication.k8s.io/v1" or ".../v1beta1" */
    char *command;     /* absolute, or a bare name looked up in PATH */
    char **args;       /* ended by NULL, without the command */
    char **env;        /* "NAME=value", added to ours; ended by NULL */
    char *hint;        /* installHint, cleaned; NULL */
    char *where;       /* file:line, for messages */
    bool cluster_info; /* provideClusterInfo */
};

/* PEM text that stands in the kubeconfig itself. Owns; key bytes are wiped by free. */
struct hw_kube_blob {
    char *ptr; /* NULL = none */
    size_t len;
};

/* Owns all of its strings; NULL = not given. */
struct hw_kube_config {
    char *server; /* "https://host:port/prefix", no slash at the end */
    char *tls_server_name;
    char *proxy_url;
    char *ca_file; /* neither file nor data: the system's own CAs */
    struct hw_kube_blob ca_data;
    char *token;
    char *token_file; /* wins over token; opened anew for each request */
    char *cert_file, *key_file;
    struct hw_kube_blob cert_data, key_data;
    struct hw_kube_exec *exec;
    char *namespace; /* never NULL after load */
    char *context;
    char *from; /* for `check`: "in-cluster (/var/run/...)", "~/.kube/config, context 'x'" */
    bool in_cluster;
};

/* NULL members: not given. Borrowed for the call. */
struct hw_kube_config_opts {
    const char *kubeconfig; /* one path, or several with ':' */
    const char *context;
    const char *namespace;
    const char *service_account_dir; /* default /var/run/secrets/kubernetes.io/serviceaccount */
};

/* HW_ECONFIG (wrong), HW_EINPUT (not readable as YAML) or HW_ESYS. */
HW_MUST_USE int hw_kube_config_load(const struct hw_kube_config_opts *opts,
                                    struct hw_kube_config **ret, struct hw_err *err);
void hw_kube_config_free(struct hw_kube_config *c);

/* Whether a server URL may be used: https, or http to a loopback host; no user, query or fragment. where
 * (file:line or the variable's name) stands in front of the message. */
HW_MUST_USE int hw_kube_check_server(const char *url, const char *where, struct hw_err *err);

#endif
