#include "http/impl.h"

#include <stdlib.h>

#include "base/mem.h"
#include "http/address.h"
#include "http/tls.h"

enum {
    CONNECTIONS_MAX = 200,
    BACKLOG = 128,
    FIRST_MS = 10000, /* for the first byte of a connection */
    BUSY_MS = 5000,   /* for one exchange, where all connections are busy and another one comes */
};

/* ---- connections ------------------------------------------------------------------------------------ */

/* A place for one more: that of who keeps us waiting longest, else of who has been busy for too long. */
static bool make_room(struct hw_http_server *s)
{
    struct hw_http_exchange *longest = hw_http_first(&s->waiting);
    if (s->connections < s->connections_max)
        return true;
    if (!longest && (longest = hw_http_first(&s->busy)) &&
        uv_now(s->listener.loop) - longest->since < (uint64_t)(BUSY_MS / s->hurry))
        longest = NULL;
    if (longest)
        hw_http_close_now(longest);
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
    hw_http_move(&x->link, &s->waiting);
    if (uv_accept(listener, (uv_stream_t *)&x->tcp) < 0 || (s->identity && !x->tls) ||
        uv_tcp_nodelay(&x->tcp, 1) < 0 ||
        uv_read_start((uv_stream_t *)&x->tcp, hw_http_on_alloc, hw_http_on_read) < 0)
        hw_http_close_now(x);
    else
        hw_http_limit(x, FIRST_MS);
}

/* ---- life ------------------------------------------------------------------------------------------- */
void hw_http_drop_user(struct hw_http_server *s)
{
    if (--s->users > 0)
        return;
    hw_http_identity_free(s->identity);
    free(s);
}

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
    hw_http_drop_user(HW_CONTAINER(handle, struct hw_http_server, listener));
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
    while ((x = hw_http_first(&s->waiting)) || (x = hw_http_first(&s->busy)))
        hw_http_close_now(x);
}
