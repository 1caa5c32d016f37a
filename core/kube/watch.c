/* What an event costs is bounded: one line of JSON, at most event_max bytes, is parsed at a time, and a stream is read no faster
 * than its events are taken. */
#include "kube/watch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kube/backoff.h"

enum {
    PAGE = 100,
    EVENT_MAX = 4 << 20,
    GRANT_MS = 30000, /* until a watch is granted */
    SILENCE_MS = 150000,
    LEAST_S =
        300, /* a watch is asked to last this long, and up to as much again, so that not all end together */
    GRACE_MS = 30000,  /* after which one that does not end is cut */
    PROVEN_MS = 10000, /* a stream that lived so long was a success */
    GARBAGE_MAX = 3,   /* in a row at the same place: only a list helps */
    TOKEN_MAX = 4096,  /* bytes of a continue token or a resourceVersion */
};

/* Causes beside those of hw_kube_reply. */
enum { CAUSE_EXPIRED = 2000, CAUSE_GARBAGE, CAUSE_SILENCE, CAUSE_LARGE, CAUSE_ERROR };

struct hw_kube_watch {
    struct hw_kube *kube;
    const struct hw_clock *clock;
    struct hw_kube_watch_opts o; /* owns its strings */
    struct hw_kube_watch_events events;
    char *selector;            /* "&labelSelector=..."; "" */
    struct hw_kube_call *call; /* NULL = waiting, or between two */
    uv_timer_t timer;          /* a wait; or, while a stream runs, its silence */
    struct hw_backoff backoff;
    char *version;      /* watch from here; NULL = a list is due */
    char *list_version; /* of the list under way */
    char *more;         /* its next page; NULL = begins */
    int page;
    struct hw_buf line;
    bool skips;   /* the rest of an event that is too large */
    bool granted; /* the stream */
    bool proven;  /* it gave something */
    bool dead;
    int garbage;
    int64_t began_ms;
    struct hw_kube_watch_counts counts;
};

static void on_timer(uv_timer_t *timer);
static void go_on(struct hw_kube_watch *w);

/* ---- text ---- */

#define QUERY_PLAIN "-._~" /* what need not be escaped in a query */

static void set_text(char **at, const char *text)
{
    free(*at);
    *at = text && text[0] && strlen(text) <= TOKEN_MAX ? hw_xstrdup(text) : NULL;
}

/* ---- trouble ---- */

static void wait_for(struct hw_kube_watch *w, int64_t ms)
{
    uv_timer_start(&w->timer, on_timer, (uint64_t)ms, 0);
}

static void end_call(struct hw_kube_watch *w)
{
    hw_kube_cancel(w->call);
    w->call = NULL;
    hw_buf_clear(&w->line);
    w->skips = false;
}

/* Says it, and waits. retry_after_ms: as the server asked, < 0 when it did not. */
static void suffer(struct hw_kube_watch *w, int cause, const struct hw_err *err,
                   int64_t retry_after_ms)
{
    int64_t wait = hw_backoff_next(&w->backoff, hw_backoff_random());
    if (retry_after_ms > 0)
        wait += retry_after_ms;
    end_call(w);
    if (cause == CAUSE_EXPIRED)
        w->counts.expired++;
    else
        w->counts.failures++;
    wait_for(w, wait);
    if (w->events.trouble)
        w->events.trouble(w->events.ctx, cause, err, wait);
}

HW_PRINTF(3, 4)
static void suffer_text(struct hw_kube_watch *w, int cause, const char *fmt, ...)
{
    char text[300];
    struct hw_err err;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    hw_kube_explain(HW_KUBE_WATCH, &w->o.collection, 0, HW_KUBE_ODD, NULL, text, &err);
    suffer(w, cause, &err, -1);
}

/* What the server has forgotten can only be listed anew. */
static void expire(struct hw_kube_watch *w)
{
    set_text(&w->version, NULL);
    set_text(&w->more, NULL);
    suffer_text(w, CAUSE_EXPIRED, "the server has no events of that time any more; listing anew");
}

/* ---- list ---- */

static void finish_list(struct hw_kube_watch *w)
{
    set_text(&w->version, w->list_version);
    set_text(&w->more, NULL);
    w->page = w->o.page;
    w->events.listed(w->events.ctx);
}

static void take_page(struct hw_kube_watch *w, json_t *body)
{
    const char *version = hw_json_text(body, "metadata", "resourceVersion", NULL);
    json_t *items = json_object_get(body, "items"), *item;
    size_t i;
    if (!version || !version[0] || !(json_is_array(items) || json_is_null(items))) {
        suffer_text(w, CAUSE_GARBAGE, "the answer is no list; is there a proxy in between?");
        return;
    }
    if (!w->more) {
        set_text(&w->list_version, version);
        w->events.listing(w->events.ctx);
    }
    json_array_foreach(items, i, item) {
        if (w->dead)
            return;
        w->events.object(w->events.ctx, item);
    }
    if (w->dead)
        return;
    set_text(&w->more, hw_json_text(body, "metadata", "continue", NULL));
    if (!w->more)
        finish_list(w);
    go_on(w);
}

static void on_page(void *ctx, const struct hw_kube_reply *reply)
{
    struct hw_kube_watch *w = ctx;
    w->call = NULL;
    if (reply->outcome == HW_KUBE_OK) {
        take_page(w, reply->body);
    } else if (reply->outcome == HW_KUBE_GONE) {
        expire(w);
    } else if (reply->too_large && w->page > 1) {
        w->page /= 2;
        go_on(w);
    } else {
        suffer(w, reply->cause, &reply->err, reply->retry_after_ms);
    }
}

static void send_list(struct hw_kube_watch *w)
{
    hw_auto_free char *token = w->more ? hw_kube_escape(w->more, QUERY_PLAIN) : NULL;
    hw_auto_free char *query = hw_xasprintf("limit=%d%s%s%s", w->page, w->selector,
                                            token ? "&continue=" : "", token ? token : "");
    struct hw_kube_request request = { .verb = HW_KUBE_LIST,
                                       .object = w->o.collection,
                                       .query = query,
                                       .metadata_only = w->o.metadata_only,
                                       .answer_max = w->o.event_max };
    w->counts.lists += !w->more;
    w->call = hw_kube_send(w->kube, &request, on_page, w);
}

/* ---- watch ---- */

static void move_on(struct hw_kube_watch *w, json_t *object)
{
    const char *version = hw_json_text(object, "metadata", "resourceVersion", NULL);
    if (version && version[0])
        set_text(&w->version, version);
    w->garbage = 0;
    w->proven = true;
    hw_backoff_reset(&w->backoff);
}

static void take_error(struct hw_kube_watch *w, json_t *status)
{
    json_int_t code = json_integer_value(json_object_get(status, "code"));
    const char *message = hw_json_text(status, "message", NULL);
    if (code == 410)
        expire(w);
    else
        suffer_text(w, CAUSE_ERROR, "the server ends the stream: %" PRId64 " %.200s", (int64_t)code,
                    message ? message : "");
}

static void take_garbage(struct hw_kube_watch *w)
{
    if (++w->garbage >= GARBAGE_MAX) {
        w->garbage = 0;
        set_text(&w->version, NULL);
    }
    suffer_text(w, CAUSE_GARBAGE, "what came is no event; is there a proxy in between?");
}

static void take_event(struct hw_kube_watch *w, struct hw_str line)
{
    hw_auto_json event = hw_kube_parse(line);
    const char *type = hw_json_text(event, "type", NULL);
    json_t *object = json_object_get(event, "object");
    if (!type || !json_is_object(object)) {
        take_garbage(w);
        return;
    }
    if (strcmp(type, "ERROR") == 0) {
        take_error(w, object);
        return;
    }
    w->counts.events++;
    move_on(w, object);
    if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
        w->events.object(w->events.ctx, object);
    else if (strcmp(type, "DELETED") == 0)
        w->events.gone(w->events.ctx, object);
}

/* The stream goes on behind an event that is too large: what it told is not known until the object changes again. */
static void skip_event(struct hw_kube_watch *w)
{
    struct hw_err err;
    char text[80];
    snprintf(text, sizeof text, "an event of more than %zu bytes was left out", w->o.event_max);
    hw_kube_explain(HW_KUBE_WATCH, &w->o.collection, 0, HW_KUBE_ODD, NULL, text, &err);
    w->skips = true;
    w->counts.skipped++;
    hw_buf_clear(&w->line);
    if (w->events.trouble)
        w->events.trouble(w->events.ctx, CAUSE_LARGE, &err, 0);
}

/* A whole line: where the line is all in data it is not copied. */
static void take_line(struct hw_kube_watch *w, struct hw_str data)
{
    if (w->skips) {
        w->skips = false;
        return;
    }
    if (!w->line.len) {
        if (data.len > w->o.event_max) {
            skip_event(w);
            w->skips = false;
        } else if (data.len) {
            take_event(w, data);
        }
        return;
    }
    if (hw_buf_add(&w->line, data.ptr, data.len, NULL) < 0) {
        skip_event(w);
        w->skips = false;
        return;
    }
    struct hw_buf line = w->line; /* a large one is given back at once */
    hw_buf_init(&w->line, w->o.event_max);
    take_event(w, (struct hw_str){ line.ptr, line.len });
    hw_buf_done(&line);
}

static void keep_rest(struct hw_kube_watch *w, struct hw_str data)
{
    if (!w->skips && data.len && hw_buf_add(&w->line, data.ptr, data.len, NULL) < 0)
        skip_event(w);
}

static void on_data(void *ctx, struct hw_str data)
{
    struct hw_kube_watch *w = ctx;
    w->granted = true;
    wait_for(w, w->o.silence_ms);
    while (data.len) {
        const char *end = memchr(data.ptr, '\n', data.len);
        size_t n = end ? (size_t)(end - data.ptr) : data.len;
        if (!end) {
            keep_rest(w, data);
            return;
        }
        take_line(w, (struct hw_str){ data.ptr, n });
        if (w->dead || !w->call)
            return; /* freed, or the stream was given up */
        data = (struct hw_str){ data.ptr + n + 1, data.len - n - 1 };
    }
}

/* The server ended it, as it was asked to: the next one at once, but not one that was over at once. */
static void end_well(struct hw_kube_watch *w)
{
    bool lived = w->proven || hw_now_ms(w->clock) - w->began_ms >= PROVEN_MS;
    end_call(w);
    if (lived)
        hw_backoff_reset(&w->backoff);
    wait_for(w, lived ? HW_BACKOFF_LEAST_MS : hw_backoff_next(&w->backoff, hw_backoff_random()));
}

static void on_end(void *ctx, const struct hw_kube_reply *reply)
{
    struct hw_kube_watch *w = ctx;
    w->call = NULL;
    uv_timer_stop(&w->timer);
    if (reply->outcome == HW_KUBE_OK)
        end_well(w);
    else if (reply->outcome == HW_KUBE_GONE)
        expire(w);
    else
        suffer(w, reply->cause, &reply->err, reply->retry_after_ms);
}

static void send_watch(struct hw_kube_watch *w)
{
    int64_t lasts_s = LEAST_S + (int64_t)(hw_backoff_random() % LEAST_S);
    hw_auto_free char *version = hw_kube_escape(w->version, QUERY_PLAIN);
    hw_auto_free char *query = hw_xasprintf(
        "watch=1&allowWatchBookmarks=true&timeoutSeconds=%" PRId64 "&resourceVersion=%s%s", lasts_s,
        version, w->selector);
    struct hw_kube_request request = { .verb = HW_KUBE_WATCH,
                                       .object = w->o.collection,
                                       .query = query,
                                       .metadata_only = w->o.metadata_only,
                                       .deadline_ms = lasts_s * 1000 + GRACE_MS,
                                       .data = on_data };
    w->counts.watches++;
    w->proven = w->granted = false;
    w->began_ms = hw_now_ms(w->clock);
    w->call = hw_kube_send(w->kube, &request, on_end, w);
    wait_for(w, w->o.grant_ms);
}

static void go_on(struct hw_kube_watch *w)
{
    if (w->dead || w->call)
        return;
    if (w->version)
        send_watch(w);
    else
        send_list(w);
}

static void on_timer(uv_timer_t *timer)
{
    struct hw_kube_watch *w = HW_CONTAINER(timer, struct hw_kube_watch, timer);
    if (w->call && !w->granted) {
        suffer_text(w, CAUSE_SILENCE, "no answer in %.3g s", (double)w->o.grant_ms / 1000);
        return;
    }
    end_call(w); /* a watch that is silent: nothing may have happened, but who knows */
    go_on(w);
}

/* ---- life ---- */

static void copy_opts(struct hw_kube_watch *w, const struct hw_kube_watch_opts *o)
{
    w->o = *o;
    w->o.labels = NULL;
    w->o.collection = (struct hw_kube_object){ .group = hw_xstrdup(o->collection.group),
                                               .version = hw_xstrdup(o->collection.version),
                                               .resource = hw_xstrdup(o->collection.resource),
                                               .namespace = hw_xstrdup(o->collection.namespace) };
    w->o.page = w->page = o->page > 0 ? o->page : PAGE;
    w->o.event_max = o->event_max ? o->event_max : EVENT_MAX;
    w->o.silence_ms = o->silence_ms > 0 ? o->silence_ms : SILENCE_MS;
    w->o.grant_ms = o->grant_ms > 0 ? o->grant_ms : GRANT_MS;
}

static char *make_selector(const char *labels)
{
    hw_auto_free char *text = labels && labels[0] ? hw_kube_escape(labels, QUERY_PLAIN) : NULL;
    return text ? hw_xasprintf("&labelSelector=%s", text) : hw_xstrdup("");
}

int hw_kube_watch_new(struct hw_kube_watch **ret, struct hw_kube *kube, uv_loop_t *loop,
                      const struct hw_clock *clock, const struct hw_kube_watch_opts *opts,
                      const struct hw_kube_watch_events *events, struct hw_err *err)
{
    hw_auto_free char *path = hw_kube_path(&opts->collection, err);
    if (!path)
        return -1;
    struct hw_kube_watch *w = hw_xzalloc(sizeof *w);
    w->kube = kube;
    w->clock = clock;
    w->events = *events;
    copy_opts(w, opts);
    w->selector = make_selector(opts->labels);
    hw_buf_init(&w->line, w->o.event_max);
    uv_timer_init(loop, &w->timer);
    wait_for(w, 0);
    *ret = w;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct hw_kube_watch *w = HW_CONTAINER(handle, struct hw_kube_watch, timer);
    const struct hw_kube_object *o = &w->o.collection;
    const char *strings[] = { o->group, o->version, o->resource, o->namespace };
    for (size_t i = 0; i < HW_LEN(strings); i++)
        free((char *)(uintptr_t)strings[i]);
    free(w->selector);
    free(w->version);
    free(w->list_version);
    free(w->more);
    hw_buf_done(&w->line);
    free(w);
}

void hw_kube_watch_free(struct hw_kube_watch *w)
{
    if (!w || w->dead)
        return;
    w->dead = true;
    hw_kube_cancel(w->call);
    w->call = NULL;
    uv_close((uv_handle_t *)&w->timer, on_closed);
}

struct hw_kube_watch_counts hw_kube_watch_counts(const struct hw_kube_watch *w)
{
    return w->counts;
}
