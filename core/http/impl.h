/* impl.h - the inside of the server: a connection, and who calls whom.
 *   connection.c  bytes in and out, the end; request.c  from bytes to a handler; answer.c  from a handler to bytes; server.c  who comes */
#ifndef HW_HTTP_IMPL_H
#define HW_HTTP_IMPL_H

#include "base/buf.h"
#include "http/server.h"

enum {
    PIECE = 16 * 1024, /* of one read */
    ROOM =
        3 * PIECE, /* what a piece may add: under TLS it may end a record of which most was there */
    IN_MAX = HW_HTTP_HEAD_MAX + PIECE + ROOM, /* read, and not understood yet */
    SEALED_MAX = 128 * 1024,
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

/* ---- connection.c ---- */

/* Its time: what is late then depends on its state. */
void hw_http_limit(struct hw_http_exchange *x, int ms);
/* To the end of a list, out of the one that it is in. */
void hw_http_move(struct link *l, struct link *list);
struct hw_http_exchange *hw_http_first(struct link *list); /* NULL: it is empty */
void hw_http_close_now(struct hw_http_exchange *x);
/* The same, soon: who sends is still busy with it. */
void hw_http_fail(struct hw_http_exchange *x);
/* The handler is not to use the exchange any more. */
void hw_http_tell_gone(struct hw_http_exchange *x);
void hw_http_on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf);
void hw_http_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);
/* Reads on while there is room. */
void hw_http_pace_reading(struct hw_http_exchange *x);
/* The next slice of what is to be written, once the one before has gone. */
void hw_http_flush(struct hw_http_exchange *x);
/* bytes stay as they are until it is written; nothing else may be in flight. */
void hw_http_write_slice(struct hw_http_exchange *x, char *bytes, size_t len);

/* ---- request.c ---- */

/* Takes from what was read as much as can be taken. */
void hw_http_go_on(struct hw_http_exchange *x);
void hw_http_on_time(uv_timer_t *timer);

/* ---- answer.c ---- */

void hw_http_answer_fields(struct hw_http_exchange *x, int status, const char *text,
                           const struct hw_http_field *fields);

/* ---- server.c ---- */

void hw_http_drop_user(struct hw_http_server *s);

#endif
