#include "source/metrics.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "source/reply.h"

enum { PATH_MAX_LEN = 500, PIECE = 16 * 1024 };

/* One request. Freed when its handle is closed. */
struct call {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    struct hw_metrics *owner; /* NULL = nobody waits for it */
    struct hw_reply reply;
    char request[PATH_MAX_LEN + 100];
    char piece[PIECE];
};

struct hw_metrics {
    uv_loop_t *loop; /* borrows */
    uv_timer_t tick, limit;
    int closing; /* timers that are */
    struct hw_metrics_events events;
    uint16_t base;
    char *path; /* owns */
    int64_t tick_ms;
    unsigned at;       /* the port is base + at */
    unsigned tried;    /* of this round */
    bool believed;     /* it is that of at */
    bool unsure;       /* that one has answered, and was not believed yet */
    bool hold, owed;   /* a tick came while it was held; an ask waits for its answer */
    struct call *call; /* under way; NULL = none */
    char why[120]; /* of the first port of a round that did not simply refuse, else of the base */
};

bool hw_metrics_is_path(const char *path)
{
    size_t len = strlen(path);
    if (path[0] != '/' || len > PATH_MAX_LEN)
        return false;
    for (size_t i = 0; i < len; i++)
        if (path[i] <= ' ' || path[i] > '~')
            return false;
    return true;
}

static void try_port(struct hw_metrics *m);

/* ---- one request ----------------------------------------------------------------------------------- */

static void on_call_closed(uv_handle_t *handle)
{
    struct call *c = HW_CONTAINER(handle, struct call, tcp);
    hw_reply_done(&c->reply);
    free(c);
}

static void drop_call(struct hw_metrics *m)
{
    if (!m->call)
        return;
    uv_timer_stop(&m->limit);
    m->call->owner = NULL;
    uv_close((uv_handle_t *)&m->call->tcp, on_call_closed);
    m->call = NULL;
}

static void end_round(struct hw_metrics *m)
{
    bool owed = m->owed;
    m->owed = false;
    if (owed)
        m->events.asked(m->events.ctx);
}

static void next_port(struct hw_metrics *m)
{
    m->at = (m->at + 1) % HW_METRICS_PORTS;
    if (m->base + m->at > UINT16_MAX)
        m->at = 0;
}

/* Nobody is there, or who is there is none of ours. */
static void pass_port(struct hw_metrics *m, const char *why, bool refused)
{
    drop_call(m);
    if (!m->why[0] || !refused)
        snprintf(m->why, sizeof m->why, "metrics port %u: %s", m->base + m->at, why);
    bool anew = m->believed && refused;
    if (m->believed && !refused) { /* it is slow, or in trouble, and still the one */
        m->events.nothing(m->events.ctx, m->why);
        end_round(m);
        return;
    }
    m->believed = false;
    m->tried = anew ? 0 : m->tried + 1;
    if (anew)
        m->at = 0;
    else
        next_port(m);
    if (m->tried < HW_METRICS_PORTS) {
        try_port(m);
        return;
    }
    m->at = 0;
    m->events.nothing(m->events.ctx, m->why);
    end_round(m);
}

static void finish_call(struct call *c)
{
    struct hw_metrics *m = c->owner;
    if (c->reply.state != HW_REPLY_WHOLE) {
        char why[sizeof c->reply.why];
        memcpy(why, c->reply.why, sizeof why);
        pass_port(m, why, false);
        return;
    }
    struct hw_buf body = c->reply.bytes;
    hw_buf_init(&c->reply.bytes, 0);
    drop_call(m);
    m->unsure = !m->believed;
    m->events.body(m->events.ctx, (struct hw_str){ body.ptr, body.len });
    hw_buf_done(&body);
    end_round(m);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct call *c = HW_CONTAINER(handle, struct call, tcp);
    (void)suggested;
    *buf = uv_buf_init(c->piece, PIECE);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct call *c = HW_CONTAINER(stream, struct call, tcp);
    if (!c->owner || n == 0)
        return;
    if (n > 0 && hw_reply_feed(&c->reply, (struct hw_str){ buf->base, (size_t)n }))
        return;
    if (n < 0)
        hw_reply_end(&c->reply, n == UV_EOF);
    finish_call(c);
}

static void on_wrote(uv_write_t *write, int status)
{
    (void)write, (void)status; /* what went wrong shows when the reply is read */
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct call *c = HW_CONTAINER(connect, struct call, connect);
    uv_stream_t *stream = (uv_stream_t *)&c->tcp;
    if (!c->owner)
        return;
    uv_buf_t request = uv_buf_init(c->request, (unsigned)strlen(c->request));
    if (status == 0)
        status = uv_write(&c->write, stream, &request, 1, on_wrote);
    if (status == 0)
        status = uv_read_start(stream, on_alloc, on_read);
    if (status < 0)
        pass_port(c->owner, uv_strerror(status), status == UV_ECONNREFUSED);
}

static void on_limit(uv_timer_t *timer)
{
    pass_port(HW_CONTAINER(timer, struct hw_metrics, limit), "no answer within 2 s", false);
}

static int start_call(struct hw_metrics *m)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)(m->base + m->at)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct call *c = hw_xzalloc(sizeof *c);
    int st = uv_tcp_init(m->loop, &c->tcp);
    if (st < 0) {
        free(c);
        return st;
    }
    c->owner = m;
    m->call = c;
    hw_reply_init(&c->reply);
    snprintf(c->request, sizeof c->request,
             "GET %s HTTP/1.0\r\nHost: 127.0.0.1:%u\r\nAccept: text/plain\r\n\r\n", m->path,
             m->base + m->at);
    uv_timer_start(&m->limit, on_limit, HW_METRICS_LIMIT_MS, 0);
    return uv_tcp_connect(&c->connect, &c->tcp, (const struct sockaddr *)&to, on_connected);
}

static void try_port(struct hw_metrics *m)
{
    int st = start_call(m);
    if (st < 0)
        pass_port(m, uv_strerror(st), false);
}

/* ---- rounds ---------------------------------------------------------------------------------------- */

static void begin_round(struct hw_metrics *m)
{
    if (m->call)
        return;
    m->why[0] = '\0';
    m->tried = 0;
    int verdict = m->unsure ? m->events.believes(m->events.ctx) : -1;
    if (verdict >= 0) {
        m->believed = verdict;
        m->unsure = false;
        if (!m->believed)
            next_port(m);
    }
    try_port(m);
}

static void on_tick(uv_timer_t *timer)
{
    struct hw_metrics *m = HW_CONTAINER(timer, struct hw_metrics, tick);
    if (!m->hold)
        begin_round(m);
}

void hw_metrics_hold(struct hw_metrics *m, bool hold)
{
    m->hold = hold;
}

void hw_metrics_ask(struct hw_metrics *m)
{
    m->owed = true;
    begin_round(m);
}

int hw_metrics_new(struct hw_metrics **ret, uv_loop_t *loop,
                   const struct hw_metrics_options *options, const struct hw_metrics_events *events,
                   struct hw_err *err)
{
    if (!hw_metrics_is_path(options->path))
        return hw_fail(err, HW_ECONFIG,
                       "the path of the metrics must begin with / and hold no space");
    struct hw_metrics *m = hw_xzalloc(sizeof *m);
    m->loop = loop;
    m->events = *events;
    m->base = options->port;
    m->path = hw_xstrdup(options->path);
    m->tick_ms = options->tick_ms;
    uv_timer_init(loop, &m->tick);
    uv_timer_init(loop, &m->limit);
    uv_timer_start(&m->tick, on_tick, 0, (uint64_t)m->tick_ms);
    *ret = m;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct hw_metrics *m = handle->data;
    if (--m->closing)
        return;
    free(m->path);
    free(m);
}

void hw_metrics_free(struct hw_metrics *m)
{
    if (!m)
        return;
    drop_call(m);
    m->owed = false; /* freed inside of an event: nothing comes behind it */
    uv_timer_t *timers[] = { &m->tick, &m->limit };
    for (size_t i = 0; i < HW_LEN(timers); i++) {
        m->closing++;
        timers[i]->data = m;
        uv_close((uv_handle_t *)timers[i], on_timer_closed);
    }
}
