#include "http/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "http/address.h"
#include "http/tls.h"

enum {
    CONNECTIONS_MAX = 200,
    BACKLOG = 128,
    PIECE = 16 * 1024, /* of one read */
    SLICE = 64 * 1024, /* of one write */
    ROOM =
        3 * PIECE, /* what a piece may add: under TLS it may end a record of which most was there */
    IN_MAX = HW_HTTP_HEAD_MAX + PIECE + ROOM, /* read, and not understood yet */
    SEALED_MAX = 2 * SLICE,
    HELD_MAX = 64 << 20,    /* bytes of answers that wait, of all connections */
    STREAM_MAX = 256 << 10, /* the same, of one stream */
    DRAIN_MAX =
        256 << 10, /* bytes that are read after a refusal, so that it arrives before the connection breaks */
    FIRST_MS = 10000,   /* for the first byte of a connection */
    IDLE_MS = 60000,    /* between two requests */
    REQUEST_MS = 10000, /* for a head, and for a body */
    HANDLER_MS = 30000, /* for a handler to answer */
    ANSWER_MS = 60000,  /* for an answer to be taken */
    SLICE_MS = 30000,   /* for a slice of a stream to be taken */
    DRAIN_MS = 2000,
    BUSY_MS = 5000, /* for one exchange, where all connections are busy and another one comes */
};

enum state {
    IDLE,    /* between requests */
    HEAD,    /* some of a head is there */
    BODY,    /* some of a body is missing */
    HANDLED, /* no answer yet */
    ANSWERS, /* to be written whole */
    STREAMS,
    DRAINS, /* everything is written; what comes is thrown away until the client closes */
    CLOSED,
};

struct link {
    struct link *prev, *next;
};

/* A connection, and the one exchange that it is busy with. */
struct hw_http_exchange {
    struct link link; /* in its server's list */
    struct hw_http_server *s;
    uv_tcp_t tcp;
    uv_timer_t timer;
    int handles; /* that are not closed */
    enum state state;
    bool eof;    /* the client sends no more */
    bool paused; /* nothing is read: enough is there */
    struct hw_buf in;
    size_t seen, drained;
    uint64_t since; /* loop's time: when it became busy */

    char *text; /* owns; the head's bytes */
    struct hw_http_head head;
    struct hw_http_request request;
    const struct hw_http_route *route;
    struct hw_buf body;

    bool over;   /* nothing more comes from the handler */
    bool close;  /* the connection ends with the answer */
    size_t held; /* bytes of it that the server counts */
    void (*gone)(void *ctx);
    void *gone_ctx;

    struct hw_buf out, writing; /* what comes next; what is written now, from at on */
    size_t at;
    uv_write_t write;
    uv_shutdown_t shutdown;
    bool in_flight;
    struct hw_http_tls *tls; /* owns; NULL = none */
    struct hw_buf sealed;    /* what is written under TLS */
};

struct hw_http_server {
    uv_tcp_t listener;
    const struct hw_http_route *routes;
    void *ctx;
    const struct hw_clock *clock;
    struct hw_http_identity *identity; /* owns; NULL = no TLS */
    int port, connections, connections_max, hurry;
    int users; /* the listener, and the connections whose handles are not closed */
    size_t held;
    struct link waiting; /* for their clients, the longest first */
    struct link busy;
    char piece[PIECE];
};

static void go_on(struct hw_http_exchange *x);
static void pace_reading(struct hw_http_exchange *x);
static void flush(struct hw_http_exchange *x);
static void on_time(uv_timer_t *timer);

static void limit(struct hw_http_exchange *x, int ms)
{
    uv_timer_start(&x->timer, on_time, (uint64_t)(ms / x->s->hurry), 0);
}

/* ---- lists --------------------------------------------------------------------------------------- */

static void leave(struct link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = l;
}

static void move(struct link *l, struct link *list)
{
    leave(l);
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

static struct hw_http_exchange *first(struct link *list)
{
    return list->next == list ? NULL : HW_CONTAINER(list->next, struct hw_http_exchange, link);
}

/* ---- the end of a connection --------------------------------------------------------------------- */

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

static void drop_user(struct hw_http_server *s)
{
    if (--s->users > 0)
        return;
    hw_http_identity_free(s->identity);
    free(s);
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
    drop_user(x->s);
    free(x);
}

static void tell_gone(struct hw_http_exchange *x)
{
    void (*fn)(void *) = x->gone;
    x->gone = NULL;
    if (!x->over && fn)
        fn(x->gone_ctx);
    x->over = true;
}

static void close_now(struct hw_http_exchange *x)
{
    if (x->state == CLOSED)
        return;
    x->state = CLOSED;
    leave(&x->link);
    x->s->connections--;
    tell_gone(x);
    uv_close((uv_handle_t *)&x->tcp, on_closed);
    uv_close((uv_handle_t *)&x->timer, on_closed);
}

static void on_shut(uv_shutdown_t *shutdown, int status)
{
    struct hw_http_exchange *x = HW_CONTAINER(shutdown, struct hw_http_exchange, shutdown);
    if (status < 0)
        close_now(x);
}

/* A close with bytes unread would be a reset, which may overtake the answer. */
static void drain(struct hw_http_exchange *x)
{
    x->state = DRAINS;
    hw_buf_done(&x->in);
    pace_reading(x);
    if (x->tls) {
        hw_http_tls_close(x->tls);
        flush(x);
    }
    if (x->eof || uv_shutdown(&x->shutdown, (uv_stream_t *)&x->tcp, on_shut) < 0)
        close_now(x);
    else
        limit(x, DRAIN_MS);
}

/* ---- reading ------------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
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
            close_now(x);
        return;
    }
    if (hw_buf_add(&x->in, bytes, len, NULL) < 0)
        close_now(x);
    else
        go_on(x);
}

/* Who has sent a request and no more waits for the answer; but one that is awaited, or has no end, is nobody's. */
static void on_eof(struct hw_http_exchange *x)
{
    x->eof = true;
    if (x->state != ANSWERS)
        close_now(x);
}

static void take_sealed(struct hw_http_exchange *x, const char *bytes, size_t len)
{
    static char plain[PIECE]; /* emptied before anything else is read */
    int n = hw_http_tls_feed(x->tls, bytes, len);
    while (n >= 0 && x->state != CLOSED && (n = hw_http_tls_read(x->tls, plain, sizeof plain)) > 0)
        take(x, plain, (size_t)n);
    if (x->state != CLOSED)
        flush(x); /* TLS may have something to say, also to who speaks none */
    if (n < 0)
        on_eof(x);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct hw_http_exchange *x = stream->data;
    if (n > 0 && x->tls && x->state != DRAINS)
        take_sealed(x, buf->base, (size_t)n);
    else if (n > 0)
        take(x, buf->base, (size_t)n);
    else if (n == UV_EOF)
        on_eof(x);
    else if (n < 0)
        close_now(x);
}

/* Reads on while there is room for a piece. */
static void pace_reading(struct hw_http_exchange *x)
{
    bool full = x->in.len > IN_MAX - ROOM;
    if (full == x->paused || x->state == CLOSED || x->eof)
        return;
    x->paused = full;
    if (full)
        uv_read_stop((uv_stream_t *)&x->tcp);
    else if (uv_read_start((uv_stream_t *)&x->tcp, on_alloc, on_read) < 0)
        close_now(x);
}

/* ---- writing ------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *write, int status)
{
    struct hw_http_exchange *x = HW_CONTAINER(write, struct hw_http_exchange, write);
    x->in_flight = false;
    if (status < 0)
        close_now(x);
    else if (x->state != CLOSED)
        flush(x);
}

static void on_failed(uv_timer_t *timer)
{
    close_now(timer->data);
}

/* Not at once: who sends is still busy with it. */
static void fail(struct hw_http_exchange *x)
{
    uv_timer_start(&x->timer, on_failed, 0, 0);
}

static void write_some(struct hw_http_exchange *x, char *bytes, size_t len)
{
    uv_buf_t buf = uv_buf_init(bytes, (unsigned)len);
    x->in_flight = uv_write(&x->write, (uv_stream_t *)&x->tcp, &buf, 1, on_written) == 0;
    if (!x->in_flight)
        fail(x);
}

static void finish(struct hw_http_exchange *x)
{
    release(x);
    if (x->close) {
        drain(x);
        return;
    }
    x->state = IDLE;
    move(&x->link, &x->s->waiting);
    limit(x, IDLE_MS);
    go_on(x);
}

static void write_slice(struct hw_http_exchange *x, char *bytes, size_t len)
{
    if (!x->tls)
        write_some(x, bytes, len);
    else if (hw_http_tls_seal(x->tls, bytes, len, &x->sealed) < 0)
        fail(x);
    else
        write_some(x, x->sealed.ptr, x->sealed.len);
}

/* The next slice, once the one before has gone; what TLS has to say goes first. */
static void flush(struct hw_http_exchange *x)
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
        limit(x, SLICE_MS);
    else if (x->state == STREAMS)
        uv_timer_stop(&x->timer);
    if (!len)
        return;
    if (len > SLICE)
        len = SLICE;
    x->at += len;
    write_slice(x, x->writing.ptr + x->at - len, len);
}

/* ---- answers ------------------------------------------------------------------------------------- */

static const char *phrase(int status)
{
    static const struct {
        int status;
        const char *text;
    } phrases[] = {
        { 200, "OK" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 411, "Length Required" },
        { 413, "Content Too Large" },
        { 417, "Expectation Failed" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < HW_LEN(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].text;
    return "Other";
}

static void date(const struct hw_clock *clock, char *ret, size_t size)
{
    time_t now = (time_t)(hw_wall_ms(clock) / 1000);
    struct tm tm;
    ret[0] = '\0';
    if (gmtime_r(&now, &tm))
        strftime(ret, size, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static int add_head(struct hw_http_exchange *x, const struct hw_http_answer *a, bool stream)
{
    char when[40];
    date(x->s->clock, when, sizeof when);
    if (hw_buf_addf(&x->out, NULL,
                    "HTTP/1.1 %d %s\r\nDate: %s\r\nX-Content-Type-Options: nosniff\r\n"
                    "Cache-Control: no-store\r\n",
                    a->status, phrase(a->status), when) < 0)
        return -1;
    if (a->type && hw_buf_addf(&x->out, NULL, "Content-Type: %s\r\n", a->type) < 0)
        return -1;
    for (const struct hw_http_field *f = a->fields; f && f->name; f++)
        if (hw_buf_addf(&x->out, NULL, "%s: %s\r\n", f->name, f->value) < 0)
            return -1;
    if (!stream && hw_buf_addf(&x->out, NULL, "Content-Length: %zu\r\n", a->body.len) < 0)
        return -1;
    return hw_buf_addf(&x->out, NULL, "%s\r\n", x->close ? "Connection: close\r\n" : "");
}

static int add_answer(struct hw_http_exchange *x, const struct hw_http_answer *a)
{
    if (add_head(x, a, false) < 0)
        return -1;
    return x->head.is_head || !a->body.len ? 0 : hw_buf_add(&x->out, a->body.ptr, a->body.len, NULL);
}

void hw_http_answer(struct hw_http_exchange *x, const struct hw_http_answer *answer)
{
    static const struct hw_http_answer busy = { .status = 503 };
    struct hw_http_server *s = x->s;
    x->over = true;
    x->out.max = HELD_MAX - s->held;
    if (add_answer(x, answer) < 0) {
        hw_buf_done(&x->out);
        x->out.max = HELD_MAX + PIECE; /* this one must have a place */
        x->close = true;
        if (add_answer(x, &busy) < 0)
            fail(x);
    }
    x->state = ANSWERS;
    x->held = x->out.len;
    s->held += x->held;
    move(&x->link, &s->busy);
    x->since = uv_now(s->listener.loop);
    limit(x, ANSWER_MS);
    flush(x);
}

static void answer_text(struct hw_http_exchange *x, int status, const char *text,
                        const struct hw_http_field *fields)
{
    char line[256];
    snprintf(line, sizeof line, "%.250s\n", text);
    hw_http_answer(x, &(struct hw_http_answer){ .status = status,
                                                .type = "text/plain; charset=utf-8",
                                                .fields = fields,
                                                .body = hw_str(line) });
}

void hw_http_answer_text(struct hw_http_exchange *x, int status, const char *text)
{
    answer_text(x, status, text, NULL);
}

void hw_http_stream(struct hw_http_exchange *x, const struct hw_http_answer *head)
{
    x->close = true; /* its end is the connection's */
    x->out.max = x->writing.max = STREAM_MAX;
    hw_buf_done(&x->in);
    x->state = STREAMS;
    pace_reading(x); /* to see the client leave */
    if (add_head(x, head, true) < 0)
        fail(x);
    else
        flush(x);
}

int hw_http_send(struct hw_http_exchange *x, struct hw_str bytes, struct hw_err *err)
{
    if (x->head.is_head)
        return 0;
    if (hw_http_queued(x) + bytes.len > STREAM_MAX)
        return hw_fail(err, HW_ELIMIT, "the client reads too slowly");
    if (hw_buf_add(&x->out, bytes.ptr, bytes.len, err) < 0)
        return -1;
    flush(x);
    return 0;
}

size_t hw_http_queued(const struct hw_http_exchange *x)
{
    return x->out.len + x->writing.len - x->at;
}

void hw_http_end(struct hw_http_exchange *x)
{
    x->over = true;
    flush(x);
}

void hw_http_on_gone(struct hw_http_exchange *x, void (*fn)(void *ctx), void *ctx)
{
    x->gone = fn;
    x->gone_ctx = ctx;
}

/* ---- requests ------------------------------------------------------------------------------------ */

static bool fits(const struct hw_http_route *route, struct hw_str path)
{
    size_t len = strlen(route->path);
    bool below = len > 1 && route->path[len - 1] == '/';
    return (below ? path.len >= len : path.len == len) && memcmp(route->path, path.ptr, len) == 0;
}

static const struct hw_http_route *route_of(const struct hw_http_server *s, struct hw_str path)
{
    for (const struct hw_http_route *route = s->routes; route->path; route++)
        if (fits(route, path))
            return route;
    return NULL;
}

/* What is left of the request is not read. */
static void refuse(struct hw_http_exchange *x, int status, const char *why)
{
    x->state = HANDLED;
    x->close = true;
    hw_http_answer_text(x, status, why);
}

static void refuse_method(struct hw_http_exchange *x)
{
    unsigned may = x->route->methods;
    char allowed[40];
    snprintf(allowed, sizeof allowed, "%s%s%s", may & HW_HTTP_GET ? "GET, HEAD" : "",
             may & HW_HTTP_POST ? (may & HW_HTTP_GET ? ", POST" : "POST") : "",
             may & HW_HTTP_DELETE ? (may & (HW_HTTP_GET | HW_HTTP_POST) ? ", DELETE" : "DELETE")
                                  : "");
    struct hw_http_field fields[] = { { "Allow", allowed }, { NULL, NULL } };
    x->state = HANDLED;
    x->close = true;
    answer_text(x, 405, "this method is not for this page", fields);
}

static void call(struct hw_http_exchange *x)
{
    x->state = HANDLED;
    x->since = uv_now(x->s->listener.loop);
    move(&x->link, &x->s->busy);
    limit(x, HANDLER_MS);
    x->request = (struct hw_http_request){ .head = &x->head,
                                           .body = { x->body.ptr ? x->body.ptr : "", x->body.len },
                                           .ctx = x->s->ctx };
    x->route->fn(x, &x->request);
}

static void await_body(struct hw_http_exchange *x)
{
    static char go_ahead[] = "HTTP/1.1 100 Continue\r\n\r\n";
    x->state = BODY;
    hw_buf_init(&x->body, x->route->body_max);
    limit(x, REQUEST_MS);
    /* Who does not get it sends after a while all the same. */
    if (x->head.waits && !x->in.len && !x->in_flight)
        write_slice(x, go_ahead, sizeof go_ahead - 1);
}

/* The head is whole: refuses, calls the handler, or awaits the body. */
static void begin(struct hw_http_exchange *x, size_t len)
{
    x->over = false;
    x->drained = 0;
    x->text = hw_xmalloc(len + 1);
    memcpy(x->text, x->in.ptr, len);
    hw_buf_drop(&x->in, len);
    int st = hw_http_head_read(&x->head, x->text, len);
    x->close = !x->head.keeps;
    x->route = st < 0 ? NULL : route_of(x->s, x->head.path);
    if (st < 0)
        refuse(x, x->head.status, x->head.why);
    else if (!x->route)
        refuse(x, 404, "there is no such page");
    else if (!(x->route->methods & x->head.method))
        refuse_method(x);
    else if (x->head.length > (int64_t)x->route->body_max)
        refuse(x, 413, "the body is too long");
    else if (x->head.length > 0)
        await_body(x);
    else
        call(x);
}

static bool take_head(struct hw_http_exchange *x)
{
    size_t len = hw_http_head_end(x->in.ptr, x->in.len, &x->seen);
    if (len > HW_HTTP_HEAD_MAX || (!len && x->in.len >= HW_HTTP_HEAD_MAX)) {
        x->head.is_head = false;
        refuse(x, 431, "the head is too long");
        return true;
    }
    if (len) {
        x->seen = 0;
        begin(x, len);
        return true;
    }
    if (x->state == IDLE && x->in.len) {
        x->state = HEAD;
        limit(x, REQUEST_MS);
    }
    return false;
}

static bool take_body(struct hw_http_exchange *x)
{
    size_t left = (size_t)x->head.length - x->body.len;
    size_t len = x->in.len < left ? x->in.len : left;
    if (hw_buf_add(&x->body, x->in.ptr, len, NULL) < 0) {
        refuse(x, 413, "the body is too long");
        return true;
    }
    hw_buf_drop(&x->in, len);
    if (len < left)
        return false;
    call(x);
    return true;
}

/* Takes from what was read as much as can be taken. */
static void go_on(struct hw_http_exchange *x)
{
    bool more = true;
    while (more && x->in.len)
        more = x->state == IDLE || x->state == HEAD ? take_head(x)
               : x->state == BODY                   ? take_body(x)
                                                    : false;
    if (x->eof && (x->state == IDLE || x->state == HEAD || x->state == BODY))
        close_now(x);
    pace_reading(x);
}

/* ---- connections --------------------------------------------------------------------------------- */

static void on_time(uv_timer_t *timer)
{
    struct hw_http_exchange *x = timer->data;
    if (x->state == HEAD || x->state == BODY) {
        x->head.is_head = false;
        x->over = true;
        refuse(x, 408, "the request did not come in time");
    } else if (x->state == HANDLED) {
        tell_gone(x);
        refuse(x, 503, "there is no answer yet");
    } else {
        close_now(x);
    }
}

/* A place for one more: that of who keeps us waiting longest, else of who has been busy for too long. */
static bool make_room(struct hw_http_server *s)
{
    struct hw_http_exchange *longest = first(&s->waiting);
    if (s->connections < s->connections_max)
        return true;
    if (!longest && (longest = first(&s->busy)) &&
        uv_now(s->listener.loop) - longest->since < (uint64_t)(BUSY_MS / s->hurry))
        longest = NULL;
    if (longest)
        close_now(longest);
    return longest != NULL;
}

static void on_refused(uv_handle_t *handle)
{
    free(handle);
}

/* Whoever can't be served is let go at once. */
static void turn_away(struct hw_http_server *s)
{
    uv_tcp_t *tcp = hw_xzalloc(sizeof *tcp);
    if (uv_tcp_init(s->listener.loop, tcp) < 0) {
        free(tcp);
        return;
    }
    uv_accept((uv_stream_t *)&s->listener, (uv_stream_t *)tcp);
    uv_close((uv_handle_t *)tcp, on_refused);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct hw_http_server *s = HW_CONTAINER(listener, struct hw_http_server, listener);
    if (status < 0)
        return;
    if (!make_room(s)) {
        turn_away(s);
        return;
    }
    struct hw_http_exchange *x = hw_xzalloc(sizeof *x);
    *x = (struct hw_http_exchange){
        .s = s, .link = { &x->link, &x->link }, .handles = 2, .over = true
    };
    hw_buf_init(&x->in, IN_MAX);
    hw_buf_init(&x->sealed, SEALED_MAX);
    x->tls = s->identity ? hw_http_tls_new(s->identity) : NULL;
    uv_timer_init(s->listener.loop, &x->timer);
    uv_tcp_init(s->listener.loop, &x->tcp);
    x->tcp.data = x->timer.data = x;
    s->connections++;
    s->users++;
    move(&x->link, &s->waiting);
    if (uv_accept(listener, (uv_stream_t *)&x->tcp) < 0 || (s->identity && !x->tls) ||
        uv_tcp_nodelay(&x->tcp, 1) < 0 ||
        uv_read_start((uv_stream_t *)&x->tcp, on_alloc, on_read) < 0)
        close_now(x);
    else
        limit(x, FIRST_MS);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int port_of(const uv_tcp_t *tcp)
{
    struct sockaddr_storage a;
    int len = sizeof a;
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&a, &len) < 0)
        return 0;
    return hw_http_address_port(&a);
}

static void on_listener_closed(uv_handle_t *handle)
{
    drop_user(HW_CONTAINER(handle, struct hw_http_server, listener));
}

static int listen_on(struct hw_http_server *s, const char *address, struct hw_err *err)
{
    struct sockaddr_storage a;
    if (hw_http_address_read(address, &a, err) < 0)
        return -1;
    int st = uv_tcp_bind(&s->listener, (struct sockaddr *)&a, 0);
    if (st == UV_EAFNOSUPPORT && hw_http_address_without_ipv6(&a))
        st = uv_tcp_bind(&s->listener, (struct sockaddr *)&a, 0);
    if (st == 0)
        st = uv_listen((uv_stream_t *)&s->listener, BACKLOG, on_connection);
    if (st < 0)
        return hw_fail(err, HW_ESYS, "listen on '%s': %s", address, uv_strerror(st));
    s->port = port_of(&s->listener);
    return 0;
}

int hw_http_server_certify(struct hw_http_server *s, struct hw_str cert, struct hw_str key,
                           struct hw_err *err)
{
    struct hw_http_identity *identity;
    if (hw_http_identity_new(&identity, cert, key, err) < 0)
        return -1;
    hw_http_identity_free(s->identity);
    s->identity = identity;
    return 0;
}

int hw_http_server_new(struct hw_http_server **ret, uv_loop_t *loop,
                       const struct hw_http_options *options, struct hw_err *err)
{
    struct hw_http_server *s = hw_xzalloc(sizeof *s);
    s->routes = options->routes;
    s->ctx = options->ctx;
    s->users = 1;
    s->clock = options->clock;
    s->connections_max = options->connections_max ? options->connections_max : CONNECTIONS_MAX;
    s->hurry = options->hurry ? options->hurry : 1;
    s->waiting = (struct link){ &s->waiting, &s->waiting };
    s->busy = (struct link){ &s->busy, &s->busy };
    uv_tcp_init(loop, &s->listener);
    if ((options->cert.len && hw_http_server_certify(s, options->cert, options->key, err) < 0) ||
        listen_on(s, options->address, err) < 0) {
        uv_close((uv_handle_t *)&s->listener, on_listener_closed);
        return -1;
    }
    *ret = s;
    return 0;
}

int hw_http_server_port(const struct hw_http_server *s)
{
    return s->port;
}

void hw_http_server_free(struct hw_http_server *s)
{
    struct hw_http_exchange *x;
    if (!s)
        return;
    uv_close((uv_handle_t *)&s->listener, on_listener_closed);
    while ((x = first(&s->waiting)) || (x = first(&s->busy)))
        close_now(x);
}
