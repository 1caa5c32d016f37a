#include "http/impl.h"

#include <stdlib.h>

#include "base/mem.h"
#include "http/tls.h"

enum {
    SLICE = 64 * 1024, /* of one write */
    DRAIN_MAX =
        256 << 10, /* bytes that are read after a refusal, so that it arrives before the connection breaks */
    IDLE_MS = 60000,  /* between two requests */
    SLICE_MS = 30000, /* for a slice of a stream to be taken */
    DRAIN_MS = 2000,
};

void hw_http_limit(struct hw_http_exchange *x, int ms)
{
    uv_timer_start(&x->timer, hw_http_on_time, (uint64_t)(ms / x->s->hurry), 0);
}

/* ---- lists ------------------------------------------------------------------------------------------ */

static void leave(struct link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = l;
}

void hw_http_move(struct link *l, struct link *list)
{
    leave(l);
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

struct hw_http_exchange *hw_http_first(struct link *list)
{
    return list->next == list ? NULL : HW_CONTAINER(list->next, struct hw_http_exchange, link);
}

/* ---- the end of a connection ------------------------------------------------------------------------ */

static void release(struct hw_http_exchange *x)
{
    x->s->held -= x->held;
    x->held = 0;
    free(x->text);
    x->text = NULL;
    x->gone = NULL;
    hw_buf_done(&x->body);
    hw_buf_done(&x->out);
    hw_buf_done(&x->writing);
    x->at = 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct hw_http_exchange *x = handle->data;
    if (--x->handles > 0)
        return;
    release(x);
    hw_buf_done(&x->in);
    hw_buf_done(&x->sealed);
    hw_http_tls_free(x->tls);
    hw_http_drop_user(x->s);
    free(x);
}

void hw_http_tell_gone(struct hw_http_exchange *x)
{
    void (*fn)(void *) = x->gone;
    x->gone = NULL;
    if (!x->over && fn)
        fn(x->gone_ctx);
    x->over = true;
}

void hw_http_close_now(struct hw_http_exchange *x)
{
    if (x->state == CLOSED)
        return;
    x->state = CLOSED;
    leave(&x->link);
    x->s->connections--;
    hw_http_tell_gone(x);
    uv_close((uv_handle_t *)&x->tcp, on_closed);
    uv_close((uv_handle_t *)&x->timer, on_closed);
}

static void on_shut(uv_shutdown_t *shutdown, int status)
{
    struct hw_http_exchange *x = HW_CONTAINER(shutdown, struct hw_http_exchange, shutdown);
    if (status < 0)
        hw_http_close_now(x);
}

/* A close with bytes unread would be a reset, which may overtake the answer. */
static void drain(struct hw_http_exchange *x)
{
    x->state = DRAINS;
    hw_buf_done(&x->in);
    hw_http_pace_reading(x);
    if (x->tls) {
        hw_http_tls_close(x->tls);
        hw_http_flush(x);
    }
    if (x->eof || uv_shutdown(&x->shutdown, (uv_stream_t *)&x->tcp, on_shut) < 0)
        hw_http_close_now(x);
    else
        hw_http_limit(x, DRAIN_MS);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

void hw_http_on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct hw_http_exchange *x = handle->data;
    (void)size;
    *buf = uv_buf_init(x->s->piece, sizeof x->s->piece); /* emptied before anything else is read */
}

static void take(struct hw_http_exchange *x, const char *bytes, size_t len)
{
    if (x->state == STREAMS)
        return;
    if (x->state == DRAINS) {
        x->drained += len;
        if (x->drained > DRAIN_MAX)
            hw_http_close_now(x);
        return;
    }
    if (hw_buf_add(&x->in, bytes, len, NULL) < 0)
        hw_http_close_now(x);
    else
        hw_http_go_on(x);
}

/* Who has sent a request and no more waits for the answer; but one that is awaited, or has no end, is nobody's. */
static void on_eof(struct hw_http_exchange *x)
{
    x->eof = true;
    if (x->state != ANSWERS)
        hw_http_close_now(x);
}

static void take_sealed(struct hw_http_exchange *x, const char *bytes, size_t len)
{
    static char plain[PIECE]; /* emptied before anything else is read */
    int n = hw_http_tls_feed(x->tls, bytes, len);
    while (n >= 0 && x->state != CLOSED && (n = hw_http_tls_read(x->tls, plain, sizeof plain)) > 0)
        take(x, plain, (size_t)n);
    if (x->state != CLOSED)
        hw_http_flush(x); /* TLS may have something to say, also to who speaks none */
    if (n < 0)
        on_eof(x);
}

void hw_http_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct hw_http_exchange *x = stream->data;
    if (n > 0 && x->tls && x->state != DRAINS)
        take_sealed(x, buf->base, (size_t)n);
    else if (n > 0)
        take(x, buf->base, (size_t)n);
    else if (n == UV_EOF)
        on_eof(x);
    else if (n < 0)
        hw_http_close_now(x);
}

/* Reads on while there is room for a piece. */
void hw_http_pace_reading(struct hw_http_exchange *x)
{
    bool full = x->in.len > IN_MAX - ROOM;
    if (full == x->paused || x->state == CLOSED || x->eof)
        return;
    x->paused = full;
    if (full)
        uv_read_stop((uv_stream_t *)&x->tcp);
    else if (uv_read_start((uv_stream_t *)&x->tcp, hw_http_on_alloc, hw_http_on_read) < 0)
        hw_http_close_now(x);
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *write, int status)
{
    struct hw_http_exchange *x = HW_CONTAINER(write, struct hw_http_exchange, write);
    x->in_flight = false;
    if (status < 0)
        hw_http_close_now(x);
    else if (x->state != CLOSED)
        hw_http_flush(x);
}

static void on_failed(uv_timer_t *timer)
{
    hw_http_close_now(timer->data);
}

/* Not at once: who sends is still busy with it. */
void hw_http_fail(struct hw_http_exchange *x)
{
    uv_timer_start(&x->timer, on_failed, 0, 0);
}

static void write_some(struct hw_http_exchange *x, char *bytes, size_t len)
{
    uv_buf_t buf = uv_buf_init(bytes, (unsigned)len);
    x->in_flight = uv_write(&x->write, (uv_stream_t *)&x->tcp, &buf, 1, on_written) == 0;
    if (!x->in_flight)
        hw_http_fail(x);
}

static void finish(struct hw_http_exchange *x)
{
    release(x);
    if (x->close) {
        drain(x);
        return;
    }
    x->state = IDLE;
    hw_http_move(&x->link, &x->s->waiting);
    hw_http_limit(x, IDLE_MS);
    hw_http_go_on(x);
}

void hw_http_write_slice(struct hw_http_exchange *x, char *bytes, size_t len)
{
    if (!x->tls)
        write_some(x, bytes, len);
    else if (hw_http_tls_seal(x->tls, bytes, len, &x->sealed) < 0)
        hw_http_fail(x);
    else
        write_some(x, x->sealed.ptr, x->sealed.len);
}

/* The next slice, once the one before has gone; what TLS has to say goes first. */
void hw_http_flush(struct hw_http_exchange *x)
{
    if (x->in_flight)
        return;
    hw_buf_clear(&x->sealed);
    if (x->tls && hw_http_tls_say(x->tls, &x->sealed)) {
        write_some(x, x->sealed.ptr, x->sealed.len);
        return;
    }
    if (x->state != ANSWERS && x->state != STREAMS)
        return;
    if (x->at == x->writing.len) {
        struct hw_buf empty = x->writing;
        hw_buf_clear(&empty);
        x->writing = x->out;
        x->out = empty;
        x->out.max = x->writing.max;
        x->at = 0;
    }
    size_t len = x->writing.len - x->at;
    if (!len && x->over) {
        finish(x);
        return;
    }
    if (x->state == STREAMS && len)
        hw_http_limit(x, SLICE_MS);
    else if (x->state == STREAMS)
        uv_timer_stop(&x->timer);
    if (!len)
        return;
    if (len > SLICE)
        len = SLICE;
    x->at += len;
    hw_http_write_slice(x, x->writing.ptr + x->at - len, len);
}
