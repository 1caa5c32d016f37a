#include "hub/serve.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/exposition.h"
#include "http/server.h"
#include "hub/metrics.h"

enum {
    AGAIN_MS = 5000, /* for an address that is taken */
    FRESH_MS = 1000, /* how long metrics are given out once more */
};

/* Somebody who waits for the metrics. */
struct asker {
    struct asker *prev, *next;
    struct hw_http_exchange *x;
};

struct hw_hub_serve {
    struct hw_hub *hub;
    uv_loop_t *loop;
    const struct hw_clock *clock;
    char *address; /* owns */
    struct hw_http_server *http;
    struct hw_hub_metrics *metrics;
    struct asker askers; /* head of a ring */
    uv_timer_t again;    /* for the address */
    uv_timer_t turn;     /* the next step of the metrics, or their end */
    bool rendering, told;
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

static void drop(struct asker *a)
{
    a->prev->next = a->next;
    a->next->prev = a->prev;
    free(a);
}

static void on_left(void *ctx)
{
    drop(ctx);
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
    while (s->askers.next != &s->askers) {
        struct hw_http_exchange *x = s->askers.next->x;
        drop(s->askers.next);
        give(s, x);
    }
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

/* ---- life ---- */

static void on_again(uv_timer_t *timer);

/* -1: HW_ECONFIG. */
static int open_server(struct hw_hub_serve *s, struct hw_err *err)
{
    struct hw_http_options options = {
        .address = s->address, .routes = routes, .ctx = s, .clock = s->clock
    };
    if (hw_http_server_new(&s->http, s->loop, &options, err) == 0) {
        hw_log(HW_INFO, "hub", "HTTP on '%s', port %d", s->address, hw_http_server_port(s->http));
        return 0;
    }
    if (err->code == HW_ECONFIG)
        return hw_wrap(err, "hub.http");
    hw_log(s->told ? HW_DEBUG : HW_ERROR, "hub",
           "hub.http: %s; no health, no metrics; tried again every %d s", err->msg, AGAIN_MS / 1000);
    s->told = true;
    uv_timer_start(&s->again, on_again, AGAIN_MS, 0);
    return 0;
}

static void on_again(uv_timer_t *timer)
{
    struct hw_err err;
    (void)!open_server(HW_CONTAINER(timer, struct hw_hub_serve, again), &err);
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
    s->metrics = hw_hub_metrics_new(hub, clock, opts->metrics_operations);
    s->askers.prev = s->askers.next = &s->askers;
    s->handles = 2;
    uv_timer_init(loop, &s->again);
    uv_timer_init(loop, &s->turn);
    s->again.data = s->turn.data = s;
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
}
