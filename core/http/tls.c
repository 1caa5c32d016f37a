#include "http/tls.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/mem.h"

enum { OWED_MAX = 64 << 10 /* bytes that TLS has to say to who reads nothing and asks on */ };

struct hw_http_identity {
    SSL_CTX *ctx;
};

struct hw_http_tls {
    SSL *ssl;
    BIO *from, *to; /* the client; owned by ssl */
};

static int ssl_fail(struct hw_err *err, const char *what)
{
    char why[160];
    ERR_error_string_n(ERR_peek_last_error(), why, sizeof why);
    ERR_clear_error();
    return hw_fail(err, HW_ECONFIG, "%s: %s", what, why);
}

static int no_password(char *buf, int size, int writing, void *ctx)
{
    (void)buf, (void)size, (void)writing, (void)ctx;
    return -1; /* nobody is there to be asked */
}

/* The first certificate is ours, the others lead to who signed it. */
static bool take_certificates(SSL_CTX *ctx, BIO *pem)
{
    X509 *cert = PEM_read_bio_X509_AUX(pem, NULL, no_password, NULL);
    bool fine = cert && SSL_CTX_use_certificate(ctx, cert) == 1;
    X509_free(cert);
    while (fine && (cert = PEM_read_bio_X509(pem, NULL, no_password, NULL)))
        if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
            X509_free(cert);
            fine = false;
        }
    if (fine)
        ERR_clear_error(); /* of the end of the file */
    return fine;
}

static bool take_key(SSL_CTX *ctx, BIO *pem)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_password, NULL);
    bool fine = key && SSL_CTX_use_PrivateKey(ctx, key) == 1;
    EVP_PKEY_free(key);
    return fine;
}

static int fill(SSL_CTX *ctx, BIO *cert, BIO *key, struct hw_err *err)
{
    if (!ctx || !cert || !key || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
        return ssl_fail(err, "TLS");
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    if (!take_certificates(ctx, cert))
        return ssl_fail(err, "the certificate");
    return take_key(ctx, key) ? 0 : ssl_fail(err, "the key");
}

int hw_http_identity_new(struct hw_http_identity **ret, struct hw_str cert, struct hw_str key,
                         struct hw_err *err)
{
    if (cert.len > INT_MAX || key.len > INT_MAX)
        return hw_fail(err, HW_ECONFIG, "the certificate or its key is too long");
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    BIO *cert_bio = BIO_new_mem_buf(cert.ptr, (int)cert.len);
    BIO *key_bio = BIO_new_mem_buf(key.ptr, (int)key.len);
    int st = fill(ctx, cert_bio, key_bio, err);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    if (st < 0) {
        SSL_CTX_free(ctx);
        return -1;
    }
    struct hw_http_identity *id = hw_xzalloc(sizeof *id);
    id->ctx = ctx;
    *ret = id;
    return 0;
}

void hw_http_identity_free(struct hw_http_identity *id)
{
    if (!id)
        return;
    SSL_CTX_free(id->ctx);
    free(id);
}

struct hw_http_tls *hw_http_tls_new(struct hw_http_identity *id)
{
    struct hw_http_tls *t = hw_xzalloc(sizeof *t);
    t->ssl = SSL_new(id->ctx);
    t->from = BIO_new(BIO_s_mem());
    t->to = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->from || !t->to) {
        BIO_free(t->from);
        BIO_free(t->to);
        SSL_free(t->ssl);
        free(t);
        return NULL;
    }
    SSL_set_bio(t->ssl, t->from, t->to);
    SSL_set_accept_state(t->ssl);
    return t;
}

void hw_http_tls_free(struct hw_http_tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    free(t);
}

int hw_http_tls_feed(struct hw_http_tls *t, const char *bytes, size_t len)
{
    if (BIO_ctrl_pending(t->to) > OWED_MAX)
        return -1;
    return BIO_write(t->from, bytes, (int)len) == (int)len ? 0 : -1;
}

int hw_http_tls_read(struct hw_http_tls *t, char *bytes, size_t size)
{
    ERR_clear_error();
    int n = SSL_read(t->ssl, bytes, (int)size);
    if (n > 0)
        return n;
    int why = SSL_get_error(t->ssl, n);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

bool hw_http_tls_say(struct hw_http_tls *t, struct hw_buf *ret)
{
    char *bytes;
    long len = BIO_get_mem_data(t->to, &bytes);
    if (len <= 0 || hw_buf_add(ret, bytes, (size_t)len, NULL) < 0)
        return false;
    (void)BIO_reset(t->to);
    return true;
}

int hw_http_tls_seal(struct hw_http_tls *t, const char *bytes, size_t len, struct hw_buf *ret)
{
    ERR_clear_error();
    if (SSL_write(t->ssl, bytes, (int)len) != (int)len)
        return -1;
    return hw_http_tls_say(t, ret) ? 0 : -1;
}

void hw_http_tls_close(struct hw_http_tls *t)
{
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    ERR_clear_error();
}
