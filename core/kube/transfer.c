#include "kube/transfer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "kube/secret.h"

enum {
    CONNECT_MS = 5000,
    HEADERS_MAX = 64 * 1024,
    ROOM = 16 * 1024,        /* curl's receive and send buffers */
    STREAM_ROOM = 64 * 1024, /* of a stream, before it must be emptied */
};

#define PARTIAL(kind) "Accept: application/json;as=" kind ";g=meta.k8s.io;v=v1, application/json"

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct hw_kube_transfer *t = ctx;
    if (t->flows && t->answer.len >= STREAM_ROOM) {
        t->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (t->flows)
        t->on_data(t->job.ctx);
    if (hw_buf_add(&t->answer, data, size * n, NULL) == 0)
        return size * n;
    t->no_memory = size * n <= t->answer.max - t->answer.len;
    t->too_much = !t->no_memory;
    return 0; /* ends the transfer */
}

void hw_kube_transfer_resume(struct hw_kube_transfer *t)
{
    if (!t->paused)
        return;
    t->paused = false;
    curl_easy_pause(t->job.easy, CURLPAUSE_CONT);
}

/* name with its colon, in lower case. The value stays as it came, with the line's end. */
static void take_header(struct hw_str line, const char *name, char *dst, size_t size)
{
    size_t n = strlen(name);
    if (line.len > n && strncasecmp(line.ptr, name, n) == 0)
        snprintf(dst, size, "%.*s", (int)(line.len - n), line.ptr + n);
}

bool hw_kube_transfer_header(struct hw_kube_transfer *t, struct hw_str line)
{
    t->header_bytes += line.len;
    if (t->header_bytes > HEADERS_MAX) {
        t->too_much = true;
        return false;
    }
    if (line.len >= 5 && memcmp(line.ptr, "HTTP/", 5) == 0) /* a new block: the one before was a 1xx */
        t->retry_after[0] = t->date[0] = '\0';
    take_header(line, "retry-after:", t->retry_after, sizeof t->retry_after);
    take_header(line, "date:", t->date, sizeof t->date);
    return true;
}

/* Anything but a 2xx is no stream, but an answer that says why not. */
static void begin_stream(struct hw_kube_transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->job.easy, CURLINFO_RESPONSE_CODE, &status);
    t->flows = t->granted = status >= 200 && status < 300;
    if (t->flows)
        t->on_data(t->job.ctx);
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
    struct hw_kube_transfer *t = ctx;
    struct hw_str text = { line, size * n };
    if (!hw_kube_transfer_header(t, text))
        return 0;
    if (t->on_data && (text.len == 1 || (text.len == 2 && line[0] == '\r'))) /* the end of a head */
        begin_stream(t);
    return text.len;
}

/* curl's own sockets would be inherited by a plugin, and by the task that a wrapper starts. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)ctx;
    (void)purpose;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int add_header(struct hw_kube_transfer *t, const char *line, struct hw_err *err)
{
    struct curl_slist *more = curl_slist_append(t->headers, line);
    if (!more)
        return hw_fail(err, HW_ELIMIT, "no memory for a header");
    t->headers = more;
    return 0;
}

static int add_token(struct hw_kube_transfer *t, struct hw_kube_auth *auth, struct hw_err *err)
{
    struct hw_kube_blob token = { 0 };
    if (hw_kube_auth_token(auth, &token, err) < 0)
        return -1;
    if (!token.ptr)
        return 0;
    char *line = hw_xasprintf("Authorization: Bearer %s", token.ptr);
    hw_kube_blob_done(&token);
    int st = add_header(t, line, err);
    hw_kube_secret_free(line);
    return st;
}

static int add_headers(struct hw_kube_transfer *t, const struct hw_kube_exchange *x,
                       struct hw_kube_auth *auth, struct hw_err *err)
{
    const char *accept = !x->metadata_only ? "Accept: application/json"
                         : x->list         ? PARTIAL("PartialObjectMetadataList")
                                           : PARTIAL("PartialObjectMetadata");
    if (add_header(t, accept, err) < 0 ||
        add_header(t, "Expect:", err) < 0) /* no waiting for a 100 */
        return -1;
    if (x->body.len && add_header(t,
                                  x->merge_patch ? "Content-Type: application/merge-patch+json"
                                                 : "Content-Type: application/json",
                                  err) < 0)
        return -1;
    return add_token(t, auth, err);
}

static CURLcode set_blob(CURL *easy, CURLoption option, const struct hw_kube_blob *b)
{
    /* Copied: curl compares the bytes of a kept connection with those of the next request. */
    struct curl_blob blob = { b->ptr, b->len, CURL_BLOB_COPY };
    return curl_easy_setopt(easy, option, &blob);
}

static CURLcode set_ca(CURL *easy, const struct hw_kube_config *c)
{
    if (!c->ca_file && !c->ca_data.ptr)
        return CURLE_OK;                                        /* the system's */
    CURLcode st = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* not the system's beside ours */
    if (st == CURLE_OK && c->ca_data.ptr) {
        st = curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
        return st == CURLE_OK ? set_blob(easy, CURLOPT_CAINFO_BLOB, &c->ca_data) : st;
    }
    return st == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca_file) : st;
}

static CURLcode set_cert(CURL *easy, const struct hw_kube_config *c,
                         const struct hw_kube_credential *got)
{
    const struct hw_kube_blob *cert = got ? &got->cert : &c->cert_data;
    const struct hw_kube_blob *key = got ? &got->key : &c->key_data;
    CURLcode st = CURLE_OK;
    if (cert->ptr)
        st = set_blob(easy, CURLOPT_SSLCERT_BLOB, cert);
    else if (c->cert_file)
        st = curl_easy_setopt(easy, CURLOPT_SSLCERT, c->cert_file);
    if (st == CURLE_OK && key->ptr)
        st = set_blob(easy, CURLOPT_SSLKEY_BLOB, key);
    else if (st == CURLE_OK && c->key_file)
        st = curl_easy_setopt(easy, CURLOPT_SSLKEY, c->key_file);
    return st;
}

/* In a cluster and to loopback never a proxy; a kubeconfig's own; else what the environment says. */
static CURLcode set_proxy(CURL *easy, const struct hw_kube_config *c,
                          const struct hw_kube_url *server)
{
    if (c->proxy_url && !c->in_cluster) {
        CURLcode st = curl_easy_setopt(easy, CURLOPT_PROXY, c->proxy_url);
        return st == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_NOPROXY, "") : st;
    }
    if (!c->in_cluster && !server->loopback)
        return CURLE_OK;
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* refused only where there are no proxies anyway */
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    return CURLE_OK;
}

#define SET(option, value)                                                                         \
    do {                                                                                           \
        CURLcode set_ = curl_easy_setopt(easy, option, value);                                     \
        if (set_ != CURLE_OK)                                                                      \
            return set_;                                                                           \
    } while (0)

static CURLcode set_tls(CURL *easy)
{
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
#if LIBCURL_VERSION_NUM >= 0x075700
    SET(CURLOPT_CA_CACHE_TIMEOUT,
        0L); /* a CA file that was replaced counts for the next connection */
#endif
    return CURLE_OK;
}

static CURLcode set_limits(CURL *easy, int64_t deadline_ms)
{
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)deadline_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    SET(CURLOPT_BUFFERSIZE, (long)ROOM);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)ROOM);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_TCP_KEEPALIVE, 1L); /* the kernel's: wakes nobody */
#if LIBCURL_VERSION_NUM >= 0x075700
    SET(CURLOPT_QUICK_EXIT, 1L); /* a name that still resolves doesn't hold up cancel and exit */
#endif
    return CURLE_OK;
}

static CURLcode set_http(struct hw_kube_transfer *t, CURL *easy, const struct hw_kube_exchange *x)
{
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_USERAGENT, "headway/" HW_VERSION);
    SET(CURLOPT_CUSTOMREQUEST, x->method);
    SET(CURLOPT_HTTPHEADER, t->headers);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_ERRORBUFFER, t->why);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    if (x->body.len) {
        SET(CURLOPT_POSTFIELDS, x->body.ptr);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.len);
    }
    return CURLE_OK;
}

/* tls-server-name is the name that is asked for and checked; the connection goes to the server all the same. */
static CURLcode set_address(struct hw_kube_transfer *t, CURL *easy, const struct hw_kube_config *c,
                            const struct hw_kube_url *server, const char *path)
{
    const char *other = c->tls_server_name;
    hw_auto_free char *url =
        hw_xasprintf("%s://%s:%s%s%s", server->scheme, other ? other : server->host, server->port,
                     server->path, path);
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, server->scheme);
    if (!other)
        return CURLE_OK;
    hw_auto_free char *host = hw_xasprintf("Host: %s:%s", server->host, server->port);
    hw_auto_free char *to = hw_xasprintf("::%s:%s", server->host, server->port);
    t->connect_to = curl_slist_append(NULL, to);
    if (!t->connect_to || add_header(t, host, NULL) < 0)
        return CURLE_OUT_OF_MEMORY;
    SET(CURLOPT_CONNECT_TO, t->connect_to);
    return CURLE_OK;
}

static CURLcode set_all(struct hw_kube_transfer *t, const struct hw_kube_config *c,
                        const struct hw_kube_url *server, struct hw_kube_auth *auth,
                        const struct hw_kube_exchange *x)
{
    CURL *easy = t->job.easy;
    CURLcode st = set_address(t, easy, c, server, x->path);
    if (st == CURLE_OK)
        st = set_http(t, easy, x);
    if (st == CURLE_OK)
        st = set_limits(easy, x->deadline_ms);
    if (st == CURLE_OK)
        st = set_tls(easy);
    if (st == CURLE_OK)
        st = set_ca(easy, c);
    if (st == CURLE_OK)
        st = set_cert(easy, c, hw_kube_auth_cert(auth));
    return st == CURLE_OK ? set_proxy(easy, c, server) : st;
}

int hw_kube_transfer_open(struct hw_kube_transfer *t, const struct hw_kube_config *config,
                          const struct hw_kube_url *server, struct hw_kube_auth *auth,
                          const struct hw_kube_exchange *x, struct hw_err *err)
{
    *t = (struct hw_kube_transfer){ .job = t->job };
    t->on_data = x->on_data;
    hw_buf_init(&t->answer, x->answer_max);
    t->job.easy = curl_easy_init();
    CURLcode st = CURLE_OUT_OF_MEMORY;
    if (t->job.easy && add_headers(t, x, auth, err) < 0) {
        hw_kube_transfer_close(t);
        return -1;
    }
    if (t->job.easy)
        st = set_all(t, config, server, auth, x);
    if (st == CURLE_OK)
        return 0;
    hw_kube_transfer_close(t);
    return hw_fail(err, HW_ECONFIG, "set up the transfer: %s", curl_easy_strerror(st));
}

void hw_kube_transfer_close(struct hw_kube_transfer *t)
{
    curl_easy_cleanup(t->job.easy);
    t->job.easy = NULL;
    for (struct curl_slist *h = t->headers; h; h = h->next)
        hw_wipe(h->data, strlen(h->data));
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->connect_to);
    t->headers = t->connect_to = NULL;
    hw_buf_done(&t->answer);
}

static const char *short_cause(CURLcode result)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "name can't be resolved";
    case CURLE_COULDNT_CONNECT:
        return "can't connect";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "the server's certificate is not believed";
    case CURLE_SSL_CERTPROBLEM:
        return "the client certificate can't be used";
    case CURLE_SSL_CACERT_BADFILE:
        return "the CA can't be read";
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return "the connection broke";
    case CURLE_PARTIAL_FILE:
        return "the answer was cut off";
    case CURLE_OUT_OF_MEMORY:
        return "a header line is too long, or memory is out";
    default:
        return curl_easy_strerror(result);
    }
}

void hw_kube_transfer_why(const struct hw_kube_transfer *t, CURLcode result,
                          const struct hw_kube_config *config, int64_t deadline_ms, char *dst,
                          size_t size)
{
    char more[121];
    hw_clean_private(more, sizeof more - 1, hw_str(t->why));
    if (t->no_memory)
        snprintf(dst, size, "no memory for an answer of more than %zu bytes", t->answer.len);
    else if (result == CURLE_OPERATION_TIMEDOUT && (!more[0] || strstr(more, "Operation")))
        snprintf(dst, size, "no whole answer in %.3g s", (double)deadline_ms / 1000);
    else if (result == CURLE_PEER_FAILED_VERIFICATION)
        snprintf(dst, size, "%s: %s (CA: %s)", short_cause(result), more,
                 config->ca_data.ptr ? "in the kubeconfig"
                 : config->ca_file   ? config->ca_file
                                     : "the system's");
    else
        snprintf(dst, size, "%s%s%s", short_cause(result), more[0] ? ": " : "", more);
}
