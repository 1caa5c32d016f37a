#include "kube/http.h"

#include <stdbool.h>

#include "base/mem.h"

struct hw_http {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    int depth; /* inside of collect: memory must stay */
    bool dead; /* free was called */
};

struct sock {
    uv_poll_t poll;
    curl_socket_t fd;
    struct hw_http *http;
};

static void on_sock_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct sock, poll));
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct hw_http, timer));
}

static void finish_free(struct hw_http *h)
{
    curl_multi_cleanup(h->multi); /* drops the sockets through on_socket */
    uv_close((uv_handle_t *)&h->timer, on_timer_closed);
}

void hw_http_free(struct hw_http *h)
{
    if (!h)
        return;
    h->dead = true;
    if (!h->depth)
        finish_free(h);
}

/* Hands out what has ended. fn may start, stop and free: each turn asks curl anew. */
static void collect(struct hw_http *h)
{
    CURLMsg *msg;
    int left;
    h->depth++;
    while (!h->dead && (msg = curl_multi_info_read(h->multi, &left))) {
        struct hw_http_job *job = NULL;
        CURLcode result = msg->data.result; /* msg is gone with remove_handle */
        CURL *easy = msg->easy_handle;
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &job);
        curl_multi_remove_handle(h->multi, easy);
        job->fn(job->ctx, result);
    }
    if (--h->depth == 0 && h->dead)
        finish_free(h);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct sock *s = HW_CONTAINER(poll, struct sock, poll);
    int running, flags = status < 0 ? CURL_CSELECT_ERR : 0;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    struct hw_http *h = s->http; /* s may be gone after the next line */
    curl_multi_socket_action(h->multi, s->fd, flags, &running);
    collect(h);
}

static void on_timer(uv_timer_t *timer)
{
    struct hw_http *h = HW_CONTAINER(timer, struct hw_http, timer);
    int running;
    curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(h);
}

/* curl asks for another timer; -1 = none. Never acts from in here: curl does not allow it. */
static int on_set_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct hw_http *h = ctx;
    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&h->timer);
    else
        uv_timer_start(&h->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static struct sock *new_sock(struct hw_http *h, curl_socket_t fd)
{
    struct sock *s = hw_xzalloc(sizeof *s);
    s->fd = fd;
    s->http = h;
    if (uv_poll_init_socket(h->loop, &s->poll, fd) < 0) {
        free(s);
        return NULL;
    }
    return s;
}

/* curl says what it waits for on a socket; REMOVE also for a connection that is kept but idle. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    struct hw_http *h = ctx;
    struct sock *s = known;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s)
            uv_close((uv_handle_t *)&s->poll, on_sock_closed); /* leaves epoll at once */
        curl_multi_assign(h->multi, fd, NULL);
        return 0;
    }
    if (!s) {
        s = new_sock(h, fd);
        if (!s)
            return -1;
        curl_multi_assign(h->multi, fd, s);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&s->poll, events, on_poll) < 0 ? -1 : 0;
}

/* Once for the process; never undone, since other users of curl may live on. */
static CURLcode init_curl(void)
{
    static bool done;
    unsetenv("SSLKEYLOGFILE"); /* libcurl would write the keys of our TLS sessions there */
    CURLcode st = done ? CURLE_OK : curl_global_init(CURL_GLOBAL_DEFAULT);
    done = st == CURLE_OK;
    return st;
}

int hw_http_new(struct hw_http **ret, uv_loop_t *loop, int keep, struct hw_err *err)
{
    CURLcode st = init_curl();
    if (st != CURLE_OK)
        return hw_fail(err, HW_ESYS, "start libcurl: %s", curl_easy_strerror(st));
    struct hw_http *h = hw_xzalloc(sizeof *h);
    h->loop = loop;
    h->multi = curl_multi_init();
    if (!h->multi) {
        free(h);
        return hw_fail(err, HW_ELIMIT, "start libcurl: no memory");
    }
    uv_timer_init(loop, &h->timer);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_set_timer);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)keep);
    curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    *ret = h;
    return 0;
}

int hw_http_start(struct hw_http *h, struct hw_http_job *job, struct hw_err *err)
{
    curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
    CURLMcode st = curl_multi_add_handle(h->multi, job->easy);
    if (st != CURLM_OK)
        return hw_fail(err, HW_EKUBE, "start transfer: %s", curl_multi_strerror(st));
    return 0;
}

void hw_http_stop(struct hw_http *h, struct hw_http_job *job)
{
    curl_multi_remove_handle(h->multi, job->easy);
}
