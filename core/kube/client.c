#include "kube/client.h"

#include <string.h>

#include "base/mem.h"
#include "kube/auth.h"
#include "kube/http.h"
#include "kube/transfer.h"
#include "kube/url.h"

enum { DEADLINE_MS = 10000, ANSWER_MAX = 4 << 20, NETWORK_CAUSE = 1000 };

/* Waiting (in the list, no transfer) -> running -> delivering -> gone. */
struct hw_kube_call {
    struct hw_kube *k;
    struct hw_kube_call *next; /* in k->calls, in the order of sending */
    hw_kube_fn *fn;
    hw_kube_data_fn *data; /* NULL = no stream */
    void *ctx;
    enum hw_kube_verb verb;
    struct hw_kube_object object; /* owns its strings */
    char *path;                   /* NULL: err says why not */
    char *body;
    size_t body_len;
    bool metadata_only;
    int64_t deadline_ms, began;
    size_t answer_max;
    bool running;    /* transfer is with curl */
    bool delivering; /* fn is being called */
    bool feeding;    /* data is being called */
    bool cancelled;  /* from within data */
    bool again;      /* this is the second try, after a 401 */
    bool renewed;    /* or on a new connection, after a kept one broke */
    struct hw_err err;
    struct hw_kube_transfer transfer;
};

struct hw_kube {
    uv_loop_t *loop;
    const struct hw_clock *clock;
    struct hw_kube_config *config; /* owns */
    struct hw_kube_url server;
    struct hw_kube_auth *auth;
    struct hw_http *http;
    struct hw_kube_call *calls;
    uv_timer_t kick; /* starts what waits, on the next turn of the loop */
    int parallel, running;
    int64_t deadline_ms; /* of requests that name none */
    int depth;           /* inside of deliver */
    bool dead;
};

static const char *const methods[] = {
    [HW_KUBE_GET] = "GET",    [HW_KUBE_LIST] = "GET",    [HW_KUBE_CREATE] = "POST",
    [HW_KUBE_UPDATE] = "PUT", [HW_KUBE_PATCH] = "PATCH", [HW_KUBE_DELETE] = "DELETE",
    [HW_KUBE_WATCH] = "GET",
};

static void on_kick(uv_timer_t *timer);

static void kick(struct hw_kube *k)
{
    if (!k->dead)
        uv_timer_start(&k->kick, on_kick, 0, 0);
}

static void unlink_call(struct hw_kube_call *c)
{
    struct hw_kube_call **at = &c->k->calls;
    while (*at && *at != c)
        at = &(*at)->next;
    if (*at)
        *at = c->next;
}

static void stop_transfer(struct hw_kube_call *c)
{
    if (!c->running)
        return;
    hw_http_stop(c->k->http, &c->transfer.job);
    hw_kube_transfer_close(&c->transfer);
    c->running = false;
    c->k->running -= !c->data;
}

static void free_call(struct hw_kube_call *c)
{
    const struct hw_kube_object *o = &c->object;
    const char *strings[] = { o->group,     o->version, o->resource,
                              o->namespace, o->name,    o->subresource };
    for (size_t i = 0; i < HW_LEN(strings); i++)
        free((char *)(uintptr_t)strings[i]);
    free(c->path);
    free(c->body);
    free(c);
}

static struct hw_kube_object copy_object(const struct hw_kube_object *o)
{
    return (struct hw_kube_object){
        .group = hw_xstrdup(o->group),
        .version = hw_xstrdup(o->version ? o->version : ""),
        .resource = hw_xstrdup(o->resource ? o->resource : ""),
        .namespace = hw_xstrdup(o->namespace),
        .name = hw_xstrdup(o->name),
        .subresource = hw_xstrdup(o->subresource),
    };
}

/* ---- freeing: what is in use stays until its callback is over ---- */

static void on_kick_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct hw_kube, kick));
}

static void finish_free(struct hw_kube *k)
{
    hw_kube_auth_free(k->auth);
    hw_http_free(k->http);
    hw_kube_url_done(&k->server);
    hw_kube_config_free(k->config);
    uv_close((uv_handle_t *)&k->kick, on_kick_closed);
}

void hw_kube_free(struct hw_kube *k)
{
    if (!k || k->dead)
        return;
    k->dead = true;
    for (struct hw_kube_call *c = k->calls, *next; c; c = next) {
        next = c->next;
        if (c->delivering) /* deliver frees it */
            continue;
        if (c->feeding) { /* feed does */
            c->cancelled = true;
            continue;
        }
        stop_transfer(c);
        free_call(c);
    }
    k->calls = NULL;
    if (!k->depth)
        finish_free(k);
}

/* Calls fn; c, and k when it was freed meanwhile, are gone afterwards. */
static void deliver(struct hw_kube_call *c, struct hw_kube_reply *reply)
{
    struct hw_kube *k = c->k;
    unlink_call(c);
    c->delivering = true;
    k->depth++;
    c->fn(c->ctx, reply);
    k->depth--;
    free_call(c);
    if (k->dead && !k->depth)
        finish_free(k);
}

/* Hands out what a stream holds. False: it was cancelled meanwhile, c is gone; and k, when it was freed. */
static bool feed(struct hw_kube_call *c)
{
    struct hw_kube *k = c->k;
    struct hw_buf piece = { .ptr = NULL };
    if (c->transfer.granted) {
        c->transfer.granted = false;
    } else {
        piece = c->transfer.answer;
        hw_buf_init(&c->transfer.answer, c->answer_max);
    }
    c->feeding = true;
    k->depth++;
    c->data(c->ctx, (struct hw_str){ piece.ptr, piece.len });
    k->depth--;
    c->feeding = false;
    hw_buf_done(&piece);
    if (!c->cancelled) {
        if (c->running)
            hw_kube_transfer_resume(&c->transfer);
        return true;
    }
    stop_transfer(c);
    hw_kube_transfer_close(&c->transfer); /* one that had ended */
    free_call(c);
    if (k->dead && !k->depth)
        finish_free(k);
    return false;
}

static bool is_fed(const struct hw_kube_call *c)
{
    const struct hw_kube_transfer *t = &c->transfer;
    return c->data && t->flows && (t->granted || t->answer.len);
}

static struct hw_kube_call *first_fed(struct hw_kube *k)
{
    struct hw_kube_call *c = k->calls;
    while (c && !(c->running && is_fed(c)))
        c = c->next;
    return c;
}

/* From within curl, where nothing may be stopped: the next turn of the loop hands it out. */
static void on_data(void *ctx)
{
    struct hw_kube_call *c = ctx;
    kick(c->k);
}

/* ---- answers ---- */

static void deliver_local(struct hw_kube_call *c, const struct hw_err *err)
{
    struct hw_kube_reply reply = { .outcome = HW_KUBE_LOCAL, .retry_after_ms = -1 };
    hw_kube_explain(c->verb, &c->object, 0, HW_KUBE_LOCAL, NULL, err->msg, &reply.err);
    deliver(c, &reply);
}

static enum hw_kube_outcome judge_result(const struct hw_kube_transfer *t, CURLcode result)
{
    if (t->too_much)
        return HW_KUBE_ODD;
    if (t->no_memory)
        return HW_KUBE_LOCAL;
    switch (result) {
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return HW_KUBE_LOCAL; /* a file of ours */
    case CURLE_OUT_OF_MEMORY: /* a header line over curl's ceiling, that is */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, that is: no HTTP at all */
        return HW_KUBE_ODD;
    default:
        return HW_KUBE_NETWORK;
    }
}

static void deliver_broken(struct hw_kube_call *c, CURLcode result, struct hw_kube_reply *reply)
{
    char why[400];
    struct hw_kube_transfer *t = &c->transfer;
    reply->too_large = t->too_much;
    if (t->too_much)
        snprintf(why, sizeof why, "the answer is larger than %zu bytes", c->answer_max);
    else if (result == CURLE_ABORTED_BY_CALLBACK)
        snprintf(why, sizeof why, "poll the connection: %s", hw_http_refusal(c->k->http));
    else
        hw_kube_transfer_why(t, result, c->k->config, c->deadline_ms, why, sizeof why);
    reply->outcome = judge_result(t, result);
    reply->status = 0;
    reply->cause = NETWORK_CAUSE + (int)result;
    hw_kube_explain(c->verb, &c->object, 0, reply->outcome, NULL, why, &reply->err);
    hw_kube_transfer_close(t);
    deliver(c, reply);
}

/* A Retry-After that is a date counts from the server's own, when it names it: its clock and ours need not agree. */
static int64_t answered_at(const struct hw_kube_transfer *t, const struct hw_clock *clock)
{
    int64_t date = hw_kube_date(t->date);
    return date < 0 ? hw_wall_ms(clock) : date;
}

static void deliver_answer(struct hw_kube_call *c, struct hw_kube_reply *reply)
{
    struct hw_kube_transfer *t = &c->transfer;
    hw_auto_json body = hw_kube_parse((struct hw_str){ t->answer.ptr, t->answer.len });
    if (t->retry_after[0])
        reply->retry_after_ms = hw_kube_retry_after(t->retry_after, answered_at(t, c->k->clock));
    hw_kube_transfer_close(t); /* before fn: two times the answer is enough */
    reply->outcome = t->flows ? HW_KUBE_OK : hw_kube_classify(reply->status, body);
    reply->cause = reply->status;
    reply->body = body;
    hw_kube_explain(c->verb, &c->object, reply->status, reply->outcome, body, NULL, &reply->err);
    deliver(c, reply);
}

/* A kept connection that the server had already given up: nobody's fault and no news, if the request may be sent
 * twice. curl does so by itself, but not after a reset. */
static bool broke_idle(struct hw_kube_call *c, CURLcode result, long status)
{
    long fresh = 1;
    curl_easy_getinfo(c->transfer.job.easy, CURLINFO_NUM_CONNECTS, &fresh);
    bool broke =
        result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR || result == CURLE_GOT_NOTHING;
    return broke && !fresh && !status && !c->renewed && c->verb != HW_KUBE_CREATE;
}

/* Whether the call is to be sent once more; it is still in its place in the list, so it goes first. */
static bool tries_again(struct hw_kube_call *c, CURLcode result, long status)
{
    if (broke_idle(c, result, status))
        return c->renewed = true;
    if (result == CURLE_OK && status == 401 && !c->again && hw_kube_auth_forget(c->k->auth))
        return c->again = true;
    return false;
}

static void on_done(void *ctx, CURLcode result)
{
    struct hw_kube_call *c = ctx;
    struct hw_kube *k = c->k;
    long status = 0;
    curl_easy_getinfo(c->transfer.job.easy, CURLINFO_RESPONSE_CODE, &status);
    c->running = false;
    k->running -= !c->data;
    kick(k);
    while (is_fed(c))
        if (!feed(c))
            return;
    if (tries_again(c, result, status)) {
        hw_kube_transfer_close(&c->transfer);
        return;
    }
    struct hw_kube_reply reply = {
        .status = (int)status,
        .retry_after_ms = -1,
        .ms = hw_now_ms(k->clock) - c->began,
    };
    if (result == CURLE_OK)
        deliver_answer(c, &reply);
    else
        deliver_broken(c, result, &reply);
}

/* ---- starting ---- */

static int start(struct hw_kube_call *c, struct hw_err *err)
{
    struct hw_kube *k = c->k;
    struct hw_kube_exchange x = {
        .method = methods[c->verb],
        .path = c->path,
        .body = { c->body, c->body_len },
        .merge_patch = c->verb == HW_KUBE_PATCH,
        .list = c->verb == HW_KUBE_LIST,
        .metadata_only = c->metadata_only,
        .deadline_ms = c->deadline_ms,
        .answer_max = c->answer_max,
        .on_data = c->data ? on_data : NULL,
    };
    c->began = hw_now_ms(k->clock);
    c->transfer.job.fn = on_done;
    c->transfer.job.ctx = c;
    if (hw_kube_transfer_open(&c->transfer, k->config, &k->server, k->auth, &x, err) < 0)
        return -1;
    if (hw_http_start(k->http, &c->transfer.job, err) < 0) {
        hw_kube_transfer_close(&c->transfer);
        return -1;
    }
    c->running = true;
    k->running += !c->data;
    return 0;
}

/* The first that waits; those that are over (they can't be sent) go before all others. */
static struct hw_kube_call *first_waiting(struct hw_kube *k)
{
    struct hw_kube_call *first = NULL;
    for (struct hw_kube_call *c = k->calls; c; c = c->next) {
        if (!c->running && c->err.code)
            return c;
        if (!c->running && !first && (c->data || k->running < k->parallel))
            first = c;
    }
    return first;
}

static void on_kick(uv_timer_t *timer)
{
    struct hw_kube *k = HW_CONTAINER(timer, struct hw_kube, kick);
    struct hw_kube_call *c;
    while (!k->dead && (c = first_fed(k)))
        feed(c);
    c = k->dead ? NULL : first_waiting(k);
    if (!c)
        return;
    if (!c->err.code) {
        if (!hw_kube_auth_check(k->auth))
            return; /* on_done and on_credential kick again */
        if (start(c, &c->err) == 0) {
            kick(k);
            return;
        }
    }
    kick(k); /* before fn, which may free k */
    deliver_local(c, &c->err);
}

/* A plugin's failure is the failure of all that wait for it; whoever tries again, runs it again. */
static void on_credential(void *ctx, const struct hw_err *err)
{
    struct hw_kube *k = ctx;
    for (struct hw_kube_call *c = k->calls; err && c; c = c->next)
        if (!c->running && !c->err.code)
            c->err = *err;
    kick(k);
}

static char *make_path(const struct hw_kube_request *request, struct hw_err *err)
{
    hw_auto_free char *path = hw_kube_path(&request->object, err);
    if (!path)
        return NULL;
    return request->query ? hw_xasprintf("%s?%s", path, request->query) : hw_xstrdup(path);
}

struct hw_kube_call *hw_kube_send(struct hw_kube *k, const struct hw_kube_request *request,
                                  hw_kube_fn *fn, void *ctx)
{
    struct hw_kube_call *c = hw_xzalloc(sizeof *c);
    *c = (struct hw_kube_call){
        .k = k,
        .fn = fn,
        .ctx = ctx,
        .verb = request->verb,
        .object = copy_object(&request->object),
        .body = request->body.len ? hw_xstrndup(request->body.ptr, request->body.len) : NULL,
        .body_len = request->body.len,
        .data = request->data,
        .metadata_only = request->metadata_only,
        .deadline_ms = request->deadline_ms > 0 ? request->deadline_ms : k->deadline_ms,
        .answer_max = request->answer_max ? request->answer_max : ANSWER_MAX,
    };
    c->path = make_path(request, &c->err);
    struct hw_kube_call **last = &k->calls;
    while (*last)
        last = &(*last)->next;
    *last = c;
    kick(k);
    return c;
}

void hw_kube_cancel(struct hw_kube_call *call)
{
    if (!call || call->delivering || call->cancelled)
        return;
    struct hw_kube *k = call->k;
    unlink_call(call);
    if (call->feeding) {
        call->cancelled = true;
        return;
    }
    stop_transfer(call);
    free_call(call);
    kick(k);
}

const struct hw_kube_config *hw_kube_config(const struct hw_kube *k)
{
    return k->config;
}

int hw_kube_new(struct hw_kube **ret, uv_loop_t *loop, const struct hw_clock *clock,
                struct hw_kube_config *config, const struct hw_kube_opts *opts, struct hw_err *err)
{
    struct hw_kube_url server = { 0 };
    struct hw_http *http = NULL;
    if (hw_kube_url_parse(config->server, config->from ? config->from : "settings", &server, err) < 0)
        return -1;
    int parallel = opts && opts->parallel > 0 ? opts->parallel : 1;
    if (hw_http_new(&http, loop, parallel + (opts ? opts->streams : 0), err) < 0) {
        hw_kube_url_done(&server);
        return -1;
    }
    struct hw_kube *k = hw_xzalloc(sizeof *k);
    *k = (struct hw_kube){
        .loop = loop,
        .clock = clock,
        .config = config,
        .server = server,
        .http = http,
        .parallel = parallel,
        .deadline_ms = opts && opts->deadline_ms > 0 ? opts->deadline_ms : DEADLINE_MS,
    };
    k->auth = hw_kube_auth_new(loop, clock, config, on_credential, k);
    uv_timer_init(loop, &k->kick);
    *ret = k;
    return 0;
}
