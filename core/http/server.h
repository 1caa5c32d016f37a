/* server.h - HTTP/1.1 for those who look at a hub: routes, answers now or later, streams of events, TLS. On our loop.
 *   new -> [handler -> answer | stream, send..., end]... -> free
 * A request is hostile: its head is at most 8 KiB, its body what the route allows, each part must come in time, and there is a
 * ceiling of connections: where it is reached, who keeps us waiting longest makes room. What waits to be sent has a ceiling,
 * too. Every answer forbids sniffing and storing.
 * Handlers run on the loop and never wait. */
#ifndef HW_HTTP_SERVER_H
#define HW_HTTP_SERVER_H

#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "http/head.h"

struct hw_http_server;
struct hw_http_exchange; /* one request and its answer */

struct hw_http_request {
    const struct hw_http_head *head;
    struct hw_str body;
    void *ctx; /* the server's */
};

/* Called once the body is whole; the request is borrowed until the exchange is answered. Answers with hw_http_answer or
 * hw_http_stream, now or within 30 s; who answers later asks to be told when the client leaves (hw_http_on_gone). */
typedef void hw_http_handler_fn(struct hw_http_exchange *x, const struct hw_http_request *request);

struct hw_http_route {
    const char *path; /* "/metrics"; "/api/" takes all that is below; of several that fit the first counts */
    unsigned methods; /* enum hw_http_method, or-ed; HEAD is served as GET */
    size_t body_max;  /* bytes */
    hw_http_handler_fn *fn;
};

struct hw_http_options {
    const char *address; /* "127.0.0.1:8080", "[::1]:8080", ":8080" = on every address; port 0 = one that is free */
    const struct hw_http_route *routes; /* borrows; ended by one without a path */
    void *ctx;                          /* borrows, until free */
    const struct hw_clock *clock;       /* borrows, for the date of an answer */
    struct hw_str cert, key;            /* PEM; empty = no TLS */
    int connections_max;                /* 0 = 200 */
    int hurry;                          /* time limits are divided by it, for specs; 0 = 1 */
};

/* HW_ECONFIG; HW_ESYS: the address can't be had. The loop must turn once more then. */
HW_MUST_USE int hw_http_server_new(struct hw_http_server **ret, uv_loop_t *loop,
                                   const struct hw_http_options *options, struct hw_err *err);
int hw_http_server_port(const struct hw_http_server *s);
/* Another certificate and key, for connections that come. HW_ECONFIG: all is as before. Not for a server without TLS. */
HW_MUST_USE int hw_http_server_certify(struct hw_http_server *s, struct hw_str cert,
                                       struct hw_str key, struct hw_err *err);
/* Ends what is open; the loop must turn once more. NULL allowed. */
void hw_http_server_free(struct hw_http_server *s);

/* More lines of the head: "Set-Cookie", "a=b". Of our own making: nothing from outside without care. */
struct hw_http_field {
    const char *name, *value;
};

struct hw_http_answer {
    int status;
    const char *type;                   /* Content-Type; NULL = no body */
    const struct hw_http_field *fields; /* ended by one without a name; NULL = none */
    struct hw_str body; /* copied; at most 64 MiB, with all that waits for other clients */
};

/* Answers, and the exchange is over: it must not be used any more. */
void hw_http_answer(struct hw_http_exchange *x, const struct hw_http_answer *answer);
/* The same, with a line of text as the body. */
void hw_http_answer_text(struct hw_http_exchange *x, int status, const char *text);

/* Begins an answer without an end: bytes follow with send until hw_http_end, or until the client leaves. */
void hw_http_stream(struct hw_http_exchange *x, const struct hw_http_answer *head);
/* HW_ELIMIT: the client reads too slowly, more than 256 KiB would wait; nothing is added. */
HW_MUST_USE int hw_http_send(struct hw_http_exchange *x, struct hw_str bytes, struct hw_err *err);
size_t hw_http_queued(const struct hw_http_exchange *x);
/* What was sent still goes out; the exchange must not be used any more. */
void hw_http_end(struct hw_http_exchange *x);

/* Called when the exchange ends before it was over, and must not be used any more: the client has left, nobody answered, the server
 * stops. NULL: nobody. */
void hw_http_on_gone(struct hw_http_exchange *x, void (*fn)(void *ctx), void *ctx);

#endif
