#include "http/impl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum {
    HELD_MAX = 64 << 20,    /* bytes of answers that wait, of all connections */
    STREAM_MAX = 256 << 10, /* the same, of one stream */
    ANSWER_MS = 60000,      /* for an answer to be taken */
};

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
    x->out.max = s->held < HELD_MAX ? HELD_MAX - s->held : 0;
    if (add_answer(x, answer) < 0) {
        hw_buf_done(&x->out);
        x->out.max = HELD_MAX + PIECE; /* this one must have a place */
        x->close = true;
        if (add_answer(x, &busy) < 0)
            hw_http_fail(x);
    }
    x->state = ANSWERS;
    x->held = x->out.len;
    s->held += x->held;
    hw_http_move(&x->link, &s->busy);
    x->since = uv_now(s->listener.loop);
    hw_http_limit(x, ANSWER_MS);
    hw_http_flush(x);
}

void hw_http_answer_fields(struct hw_http_exchange *x, int status, const char *text,
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
    hw_http_answer_fields(x, status, text, NULL);
}

void hw_http_stream(struct hw_http_exchange *x, const struct hw_http_answer *head)
{
    x->close = true; /* its end is the connection's */
    x->out.max = x->writing.max = STREAM_MAX;
    hw_buf_done(&x->in);
    x->state = STREAMS;
    hw_http_pace_reading(x); /* to see the client leave */
    if (add_head(x, head, true) < 0)
        hw_http_fail(x);
    else
        hw_http_flush(x);
}

int hw_http_send(struct hw_http_exchange *x, struct hw_str bytes, struct hw_err *err)
{
    if (x->head.is_head)
        return 0;
    if (hw_http_queued(x) + bytes.len > STREAM_MAX)
        return hw_fail(err, HW_ELIMIT, "the client reads too slowly");
    if (hw_buf_add(&x->out, bytes.ptr, bytes.len, err) < 0)
        return -1;
    hw_http_flush(x);
    return 0;
}

size_t hw_http_queued(const struct hw_http_exchange *x)
{
    return x->out.len + x->writing.len - x->at;
}

void hw_http_end(struct hw_http_exchange *x)
{
    x->over = true;
    hw_http_flush(x);
}

void hw_http_on_gone(struct hw_http_exchange *x, void (*fn)(void *ctx), void *ctx)
{
    x->gone = fn;
    x->gone_ctx = ctx;
}
