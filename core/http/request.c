#include "http/impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    REQUEST_MS = 10000, /* for a head, and for a body */
    HANDLER_MS = 30000, /* for a handler to answer */
};

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
    hw_http_answer_fields(x, 405, "this method is not for this page", fields);
}

static void call(struct hw_http_exchange *x)
{
    x->state = HANDLED;
    x->since = uv_now(x->s->listener.loop);
    hw_http_move(&x->link, &x->s->busy);
    hw_http_limit(x, HANDLER_MS);
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
    hw_http_limit(x, REQUEST_MS);
    /* Who does not get it sends after a while all the same. */
    if (x->head.waits && !x->in.len && !x->in_flight)
        hw_http_write_slice(x, go_ahead, sizeof go_ahead - 1);
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
        hw_http_limit(x, REQUEST_MS);
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
void hw_http_go_on(struct hw_http_exchange *x)
{
    bool more = true;
    while (more && x->in.len)
        more = x->state == IDLE || x->state == HEAD ? take_head(x)
               : x->state == BODY                   ? take_body(x)
                                                    : false;
    if (x->eof && (x->state == IDLE || x->state == HEAD || x->state == BODY))
        hw_http_close_now(x);
    hw_http_pace_reading(x);
}

void hw_http_on_time(uv_timer_t *timer)
{
    struct hw_http_exchange *x = timer->data;
    if (x->state == HEAD || x->state == BODY) {
        x->head.is_head = false;
        x->over = true;
        refuse(x, 408, "the request did not come in time");
    } else if (x->state == HANDLED) {
        hw_http_tell_gone(x);
        refuse(x, 503, "there is no answer yet");
    } else {
        hw_http_close_now(x);
    }
}
