/* http_probe.c - the http room behind a command: http_probe [CONNECTIONS [HURRY [ADDRESS [CERT KEY]]]]. Prints its port, then a line for each client that leaves
 * before its answer is over; ends with SIGTERM.
 * SIGHUP: CERT and KEY are read again.
 *   /echo         what came: method, path, argument "a", Host, Cookie, Authorization, body (at most 1000 bytes)
 *   /big?n=       n bytes
 *   /later?ms=    an answer after that time
 *   /never        none
 *   /stream?n=    n events of size= (1000) bytes, one for each turn of the loop, then the end; no n: a first one, and nothing more
 *   /below/       all that is below */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "http/server.h"
#include "loop/loop.h"

struct later {
    uv_timer_t timer;
    struct hw_http_exchange *x;
    int left, size; /* events of a stream */
};

static uv_loop_t loop;
static struct hw_http_server *server;
static uv_signal_t end, again;
static char **names; /* of certificate and key */

static void on_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct later, timer));
}

static void on_gone(void *ctx)
{
    struct later *l = ctx;
    puts("gone");
    fflush(stdout);
    uv_close((uv_handle_t *)&l->timer, on_closed);
}

static struct later *keep_for_later(struct hw_http_exchange *x)
{
    struct later *l = hw_xzalloc(sizeof *l);
    l->x = x;
    uv_timer_init(&loop, &l->timer);
    hw_http_on_gone(x, on_gone, l);
    return l;
}

static int number(const struct hw_http_request *r, const char *name)
{
    char text[16];
    return hw_http_argument(r->head->query, name, text, sizeof text) ? atoi(text) : -1;
}

static void echo(struct hw_http_exchange *x, const struct hw_http_request *r)
{
    char argument[100] = "(none)", body[3000];
    hw_http_argument(r->head->query, "a", argument, sizeof argument);
    int len =
        snprintf(body, sizeof body, "%d|%s|%s|%s|%s|%s|%.*s", r->head->method, r->head->path.ptr,
                 argument, r->head->headers[HW_HTTP_HOST].ptr, r->head->headers[HW_HTTP_COOKIE].ptr,
                 r->head->headers[HW_HTTP_AUTHORIZATION].ptr, (int)r->body.len, r->body.ptr);
    struct hw_http_field fields[] = { { "Set-Cookie", "x=y" }, { NULL, NULL } };
    hw_http_answer(x, &(struct hw_http_answer){ .status = 200,
                                                .type = "text/plain",
                                                .fields = fields,
                                                .body = { body, (size_t)len } });
}

static void big(struct hw_http_exchange *x, const struct hw_http_request *r)
{
    size_t n = (size_t)number(r, "n");
    hw_auto_free void *body = hw_xmalloc(n + 1);
    memset(body, 'x', n);
    hw_http_answer(
        x, &(struct hw_http_answer){ .status = 200, .type = "text/plain", .body = { body, n } });
}

static void on_time(uv_timer_t *timer)
{
    struct later *l = HW_CONTAINER(timer, struct later, timer);
    hw_http_answer_text(l->x, 200, "later");
    uv_close((uv_handle_t *)timer, on_closed);
}

static void later(struct hw_http_exchange *x, const struct hw_http_request *r)
{
    struct later *l = keep_for_later(x);
    uv_timer_start(&l->timer, on_time, (uint64_t)number(r, "ms"), 0);
}

static void never(struct hw_http_exchange *x, const struct hw_http_request *r)
{
    (void)r;
    keep_for_later(x);
}

static void on_turn(uv_timer_t *timer)
{
    struct later *l = HW_CONTAINER(timer, struct later, timer);
    static char event[20000];
    struct hw_err err;
    size_t size = l->size > 0 && (size_t)l->size <= sizeof event ? (size_t)l->size : 1000;
    memset(event, 'e', size);
    memcpy(event, "data: ", 6);
    memcpy(event + size - 2, "\n\n", 2);
    if (l->left-- > 0 && hw_http_send(l->x, (struct hw_str){ event, size }, &err) == 0)
        return;
    if (l->left >= 0)
        printf("slow: %s, %zu queued\n", err.msg, hw_http_queued(l->x));
    fflush(stdout);
    hw_http_end(l->x);
    uv_close((uv_handle_t *)timer, on_closed);
}

static void stream(struct hw_http_exchange *x, const struct hw_http_request *r)
{
    struct later *l = keep_for_later(x);
    struct hw_err err;
    l->left = number(r, "n");
    l->size = number(r, "size");
    hw_http_stream(x, &(struct hw_http_answer){ .status = 200, .type = "text/event-stream" });
    if (l->left < 0 && hw_http_send(x, hw_str("data: first\n\n"), &err) < 0)
        abort();
    if (l->left >= 0)
        uv_timer_start(&l->timer, on_turn, 0, 1);
}

static const struct hw_http_route routes[] = {
    { "/echo", HW_HTTP_GET | HW_HTTP_POST | HW_HTTP_DELETE, 1000, echo },
    { "/big", HW_HTTP_GET, 0, big },
    { "/later", HW_HTTP_GET, 0, later },
    { "/never", HW_HTTP_GET, 0, never },
    { "/stream", HW_HTTP_GET, 0, stream },
    { "/below/", HW_HTTP_GET, 0, echo },
    { NULL, 0, 0, NULL },
};

static struct hw_str slurp(const char *path)
{
    static char text[2][16384];
    static int count;
    char *at = text[count++ % 2];
    hw_auto_file f = fopen(path, "r");
    return (struct hw_str){ at, f ? fread(at, 1, sizeof text[0], f) : 0 };
}

static void on_again(uv_signal_t *handle, int number)
{
    struct hw_err err;
    (void)handle, (void)number;
    if (hw_http_server_certify(server, slurp(names[0]), slurp(names[1]), &err) < 0)
        puts(err.msg);
    else
        puts("certified");
    fflush(stdout);
}

static void on_end(uv_signal_t *handle, int number)
{
    (void)number;
    uv_close((uv_handle_t *)handle, NULL);
    uv_close((uv_handle_t *)&again, NULL);
    hw_http_server_free(server);
}

int main(int argc, char **argv)
{
    static const struct hw_clock clock;
    struct hw_http_options options = { .address = argc > 3 ? argv[3] : "127.0.0.1:0",
                                       .routes = routes,
                                       .clock = &clock,
                                       .connections_max = argc > 1 ? atoi(argv[1]) : 0,
                                       .hurry = argc > 2 ? atoi(argv[2]) : 0 };
    struct hw_err err;
    if (argc > 5) {
        names = argv + 4;
        options.cert = slurp(names[0]);
        options.key = slurp(names[1]);
    }
    hw_loop_guard();
    if (hw_loop_init(&loop, &err) < 0 || hw_http_server_new(&server, &loop, &options, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    uv_signal_init(&loop, &end);
    uv_signal_start(&end, on_end, SIGTERM);
    uv_signal_init(&loop, &again);
    uv_signal_start(&again, on_again, SIGHUP);
    printf("port %d\n", hw_http_server_port(server));
    fflush(stdout);
    uv_run(&loop, UV_RUN_DEFAULT);
    puts("closed");
    return uv_loop_close(&loop) == 0 ? 0 : 1;
}
