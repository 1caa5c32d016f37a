#include "kube/http.h"

#include <stdbool.h>

#include "base/mem.h"

struct hw_http {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    struct sock *socks;       /* that are polled */
    struct hw_http_job *jobs; /* under way */
    int depth;                /* inside of collect: memory must stay */
    bool dead;                /* free was called */
    int refused;              /* libuv's error for a socket that it would not poll; 0 = none */
    bool gives_up;            /* so every transfer is to end: the timer does that */
};

struct sock {
    uv_poll_t poll;
    struct sock *next;
    curl_socket_t fd;
    struct hw_http *http;
};

static void on_sock_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct sock, poll));
}

static void drop_sock(struct sock *s)
{
    struct sock **at = &s->http->socks;
    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
    uv_close((uv_handle_t *)&s->poll, on_sock_closed); /* leaves epoll at once */
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct hw_http, timer));
}

static void finish_free(struct hw_http *h)
{
    curl_multi_cleanup(h->multi); /* drops the sockets through on_socket */
    while (h->socks)
        drop_sock(h->socks);
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

static void end_job(struct hw_http *h, struct hw_http_job *job)
{
    struct hw_http_job **at = &h->jobs;
    while (*at && *at != job)
        at = &(*at)->next;
    if (*at)
        *at = job->next;
    curl_multi_remove_handle(h->multi, job->easy);
}

static void leave(struct hw_http *h)
{
    if (--h->depth == 0 && h->dead)
        finish_free(h);
}

/* All that were under way when a socket could not be polled. What fn starts comes later. */
static void fail_jobs(struct hw_http *h)
{
    struct hw_http_job *last = h->jobs;
    h->depth++;
    while (last && last->next)
        last = last->next;
    for (bool more = last != NULL; more && !h->dead && h->jobs;) {
        struct hw_http_job *job = h->jobs;
        more = job != last;
        end_job(h, job);
        job->fn(job->ctx, CURLE_ABORTED_BY_CALLBACK);
    }
    leave(h);
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
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &job);
        end_job(h, job);
        job->fn(job->ctx, result);
    }
    leave(h);
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
    bool gives_up = h->gives_up;
    h->gives_up = false;
    if (gives_up) {
        fail_jobs(h);
        return;
    }
    curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(h);
}

/* curl asks for another timer; -1 = none. Never acts from in here: curl does not allow it. */
static int on_set_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct hw_http *h = ctx;
    (void)multi;
    if (h->gives_up)
        return 0;
    if (timeout_ms < 0)
        uv_timer_stop(&h->timer);
    else
        uv_timer_start(&h->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static struct sock *new_sock(struct hw_http *h, curl_socket_t fd)
{
    for (struct sock *old = h->socks; old; old = old->next)
        if (old->fd == fd) { /* forgotten, and closed meanwhile: the number is another socket's now */
            drop_sock(old);
            break;
        }
    struct sock *s = hw_xzalloc(sizeof *s);
    s->fd = fd;
    s->http = h;
    h->refused = uv_poll_init_socket(h->loop, &s->poll, fd);
    if (h->refused < 0) {
        free(s);
        return NULL;
    }
    s->next = h->socks;
    h->socks = s;
    return s;
}

/* Not by curl's own way, a callback that fails: 7.88 goes on to use what that has freed. */
static int give_up(struct hw_http *h)
{
    h->gives_up = true;
    uv_timer_start(&h->timer, on_timer, 0, 0);
    return 0;
}

/* curl says what it waits for on a socket; REMOVE also for a connection that is kept but idle. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    struct hw_http *h = ctx;
    struct sock *s = known;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s)
            drop_sock(s);
        curl_multi_assign(h->multi, fd, NULL);
        return 0;
    }
    if (!s) {
        s = new_sock(h, fd);
        if (!s)
            return give_up(h);
        curl_multi_assign(h->multi, fd, s);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    h->refused = uv_poll_start(&s->poll, events, on_poll);
    return h->refused < 0 ? give_up(h) : 0;
}

/* curl's own ways out of a lack of memory are no way to go: 7.88 divides by a table's size of zero, takes a good URL for a bad
 * one, or never finishes a transfer. What it allocates is small; answers go into a buffer of ours. */
int hw_http_init(struct hw_err *err)
{
    static bool done;
    unsetenv("SSLKEYLOGFILE"); /* libcurl would write the keys of our TLS sessions there */
    CURLcode st = done ? CURLE_OK
                       : curl_global_init_mem(CURL_GLOBAL_DEFAULT, hw_xmalloc, free, hw_xrealloc,
                                              hw_xstrdup, hw_xcalloc);
    done = st == CURLE_OK;
    return done ? 0 : hw_fail(err, HW_ESYS, "start libcurl: %s", curl_easy_strerror(st));
}

int hw_http_new(struct hw_http **ret, uv_loop_t *loop, int keep, struct hw_err *err)
{
    if (hw_http_init(err) < 0)
        return -1;
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
    struct hw_http_job **at = &h->jobs;
    while (*at)
        at = &(*at)->next;
    *at = job;
    job->next = NULL;
    return 0;
}

const char *hw_http_refusal(const struct hw_http *h)
{
    return h->refused < 0 ? uv_strerror(h->refused) : "no reason known";
}

void hw_http_stop(struct hw_http *h, struct hw_http_job *job)
{
    end_job(h, job);
}
