#include "hub/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/exposition.h"
#include "http/server.h"
#include "hub/metrics.h"
#include "kube/secret.h"

enum {
    AGAIN_MS = 2000, /* for an address that is taken */
    FRESH_MS = 1000, /* how long metrics are given out once more */
    LOOK_MS = 2000,  /* between two looks at the certificate */
    PEM_MAX = 256 << 10,
};

/* Somebody who waits for the metrics. */
struct asker {
    struct asker *prev, *next;
    struct hw_http_exchange *x;
};

/* What tells two versions of the files apart. */
struct stamp {
    ino_t cert, key;
    struct timespec cert_time, key_time;
};

struct hw_hub_serve {
    struct hw_hub *hub;
    uv_loop_t *loop;
    const struct hw_clock *clock;
    char *address, *cert, *key; /* owns; no cert = no TLS */
    struct stamp stamp;         /* of cert and key when they were read */
    struct hw_http_server *http;
    struct hw_hub_metrics *metrics;
    struct asker askers; /* head of a ring */
    uv_timer_t look;     /* at the certificate */
    uv_timer_t again;    /* for the address */
    uv_timer_t turn;     /* the next step of the metrics, or their end */
    bool rendering;
    int handles;
};

/* ---- health ---- */

static void on_healthz(struct hw_http_exchange *x, const struct hw_http_request *request)
{
    (void)request;
    hw_http_answer_text(x, 200, "ok");
}

static void on_readyz(struct hw_http_exchange *x, const struct hw_http_request *request)
{
    const struct hw_hub_serve *s = request->ctx;
    struct hw_hub_state state = hw_hub_state(s->hub);
    char text[80];
    snprintf(text, sizeof text, "not ready: %d of %d collections are known", state.settled,
             state.collections);
    hw_http_answer_text(x, state.ready ? 200 : 503, state.ready ? "ready" : text);
}

/* ---- metrics ---- */

static void on_left(void *ctx)
{
    struct asker *a = ctx;
    a->prev->next = a->next;
    a->next->prev = a->prev;
    free(a);
}

static void give(const struct hw_hub_serve *s, struct hw_http_exchange *x)
{
    struct hw_str text = hw_hub_metrics_text(s->metrics);
    if (text.len)
        hw_http_answer(
            x, &(struct hw_http_answer){ .status = 200, .type = HW_EXPOSITION_TYPE, .body = text });
    else
        hw_http_answer_text(x, 500, "the metrics have no place in memory");
}

static void on_stale(uv_timer_t *timer)
{
    struct hw_hub_serve *s = HW_CONTAINER(timer, struct hw_hub_serve, turn);
    hw_hub_metrics_drop(s->metrics);
}

/* One step for each turn of the loop: what else there is to do gets its turn, too. */
static void on_turn(uv_timer_t *timer)
{
    struct hw_hub_serve *s = HW_CONTAINER(timer, struct hw_hub_serve, turn);
    if (!hw_hub_metrics_step(s->metrics)) {
        uv_timer_start(timer, on_turn, 0, 0);
        return;
    }
    s->rendering = false;
    for (struct asker *a = s->askers.next, *next; a != &s->askers; a = next) {
        next = a->next;
        give(s, a->x);
        free(a);
    }
    s->askers.prev = s->askers.next = &s->askers;
    uv_timer_start(timer, on_stale, FRESH_MS, 0);
}

static void on_metrics(struct hw_http_exchange *x, const struct hw_http_request *request)
{
    struct hw_hub_serve *s = request->ctx;
    if (!s->rendering && hw_hub_metrics_text(s->metrics).len) {
        give(s, x);
        return;
    }
    struct asker *a = hw_xzalloc(sizeof *a);
    *a = (struct asker){ .prev = s->askers.prev, .next = &s->askers, .x = x };
    s->askers.prev->next = a;
    s->askers.prev = a;
    hw_http_on_gone(x, on_left, a);
    if (s->rendering)
        return;
    s->rendering = true;
    hw_hub_metrics_begin(s->metrics);
    uv_timer_start(&s->turn, on_turn, 0, 0);
}

static const struct hw_http_route routes[] = {
    { "/healthz", HW_HTTP_GET, 0, on_healthz },
    { "/readyz", HW_HTTP_GET, 0, on_readyz },
    { "/metrics", HW_HTTP_GET, 0, on_metrics },
    { NULL, 0, 0, NULL },
};

/* ---- the certificate ---- */

struct pem {
    struct hw_kube_blob cert, key;
};

static void pem_done(struct pem *pem)
{
    hw_kube_blob_done(&pem->cert);
    hw_kube_blob_done(&pem->key);
}

#define auto_pem __attribute__((cleanup(pem_done))) struct pem

static struct hw_str text_of(const struct hw_kube_blob *blob)
{
    return (struct hw_str){ blob->ptr, blob->len };
}

static struct stamp stamp_of(const struct hw_hub_serve *s)
{
    struct stat cert = { 0 }, key = { 0 };
    if (stat(s->cert, &cert) < 0 || stat(s->key, &key) < 0)
        return (struct stamp){ .cert = 0 };
    return (struct stamp){ cert.st_ino, key.st_ino, cert.st_mtim, key.st_mtim };
}

static bool is_same(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool has_changed(const struct hw_hub_serve *s)
{
    struct stamp now = stamp_of(s);
    return now.cert != s->stamp.cert || now.key != s->stamp.key ||
           !is_same(&now.cert_time, &s->stamp.cert_time) ||
           !is_same(&now.key_time, &s->stamp.key_time);
}

/* Nothing where there is no TLS. */
static int read_pem(struct hw_hub_serve *s, struct pem *ret, struct hw_err *err)
{
    if (!s->cert)
        return 0;
    s->stamp = stamp_of(s);
    if (hw_kube_read_file("certificate", s->cert, PEM_MAX, &ret->cert, err) < 0)
        return -1;
    return hw_kube_read_file("key", s->key, PEM_MAX, &ret->key, err);
}

static void on_look(uv_timer_t *timer)
{
    struct hw_hub_serve *s = HW_CONTAINER(timer, struct hw_hub_serve, look);
    struct hw_err err;
    auto_pem pem = { 0 };
    if (!s->http || !has_changed(s))
        return;
    if (read_pem(s, &pem, &err) < 0 ||
        hw_http_server_certify(s->http, text_of(&pem.cert), text_of(&pem.key), &err) < 0)
        hw_log(HW_WARN, "hub", "hub.http-cert: %s; the old one stays", err.msg);
    else
        hw_log(HW_INFO, "hub", "hub.http-cert: read again");
}

/* ---- life ---- */

static int listen_with(struct hw_hub_serve *s, const struct pem *pem, struct hw_err *err)
{
    struct hw_http_options options = { .address = s->address,
                                       .routes = routes,
                                       .ctx = s,
                                       .clock = s->clock,
                                       .cert = text_of(&pem->cert),
                                       .key = text_of(&pem->key) };
    if (hw_http_server_new(&s->http, s->loop, &options, err) < 0)
        return hw_wrap(err, "hub.http");
    hw_log(HW_INFO, "hub", "%s on '%s', port %d", s->cert ? "HTTPS" : "HTTP", s->address,
           hw_http_server_port(s->http));
    return 0;
}

static void on_again(uv_timer_t *timer)
{
    struct hw_hub_serve *s = HW_CONTAINER(timer, struct hw_hub_serve, again);
    struct hw_err err;
    auto_pem pem = { 0 };
    if (read_pem(s, &pem, &err) == 0 && listen_with(s, &pem, &err) == 0)
        uv_timer_stop(timer);
    else
        hw_log(HW_DEBUG, "hub", "%s", err.msg);
}

/* An address that is taken may be free later; all else is for whoever wrote the settings. */
static int open_server(struct hw_hub_serve *s, struct hw_err *err)
{
    auto_pem pem = { 0 };
    if ((!s->cert) != (!s->key))
        return hw_fail(err, HW_ECONFIG,
                       "hub.http-cert, hub.http-key: one is of no use without the other");
    if (read_pem(s, &pem, err) < 0)
        return hw_wrap(err, "hub.http-cert");
    if (listen_with(s, &pem, err) < 0) {
        if (err->code != HW_ESYS)
            return -1;
        hw_log(HW_ERROR, "hub", "%s; no health, no metrics; tried again every %d s", err->msg,
               AGAIN_MS / 1000);
        uv_timer_start(&s->again, on_again, AGAIN_MS, AGAIN_MS);
    }
    if (s->cert)
        uv_timer_start(&s->look, on_look, LOOK_MS, LOOK_MS);
    return 0;
}

int hw_hub_serve_new(struct hw_hub_serve **ret, struct hw_hub *hub, uv_loop_t *loop,
                     const struct hw_clock *clock, const struct hw_hub_serve_opts *opts,
                     struct hw_err *err)
{
    struct hw_hub_serve *s = hw_xzalloc(sizeof *s);
    s->hub = hub;
    s->loop = loop;
    s->clock = clock;
    s->address = hw_xstrdup(opts->address);
    s->cert = hw_xstrdup(opts->cert);
    s->key = hw_xstrdup(opts->key);
    s->metrics = hw_hub_metrics_new(hub, clock, opts->metrics_operations);
    s->askers.prev = s->askers.next = &s->askers;
    s->handles = 3;
    uv_timer_init(loop, &s->again);
    uv_timer_init(loop, &s->turn);
    uv_timer_init(loop, &s->look);
    s->again.data = s->turn.data = s->look.data = s;
    if (open_server(s, err) < 0) {
        hw_hub_serve_free(s);
        return -1;
    }
    *ret = s;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct hw_hub_serve *s = handle->data;
    if (--s->handles > 0)
        return;
    free(s->address);
    free(s->cert);
    free(s->key);
    free(s);
}

void hw_hub_serve_free(struct hw_hub_serve *s)
{
    if (!s)
        return;
    hw_http_server_free(s->http); /* whoever waits is told */
    hw_hub_metrics_free(s->metrics);
    uv_close((uv_handle_t *)&s->again, on_closed);
    uv_close((uv_handle_t *)&s->turn, on_closed);
    uv_close((uv_handle_t *)&s->look, on_closed);
}
