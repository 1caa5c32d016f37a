#include "sink/api.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"

enum {
    SLOW_MS = 60000, /* for a missing right: it may be granted, but nobody hurries */
    JITTER_MS = 5000,
    PATIENCE_MS = 1500, /* with a call that is under way when the last value comes */
    CONFLICTS_AT_ONCE = 3,
    STOPS = -1, /* instead of a wait */
};

static void on_timer(uv_timer_t *timer);

void hw_api_init(struct hw_api_sink *a, const struct hw_sink_ops *sink_ops,
                 const struct hw_api_ops *ops, struct hw_kube *kube, uv_loop_t *loop,
                 const struct hw_clock *clock)
{
    a->sink.ops = sink_ops;
    a->ops = ops;
    a->kube = kube;
    a->clock = clock;
    a->quiet = true;
    uv_timer_init(loop, &a->timer);
}

static void wait_for(struct hw_api_sink *a, int64_t ms, bool retry)
{
    a->waiting = retry;
    uv_timer_start(&a->timer, on_timer, (uint64_t)ms, 0);
}

void hw_api_kick(struct hw_api_sink *a)
{
    if (!a->dead && !a->call && !a->waiting)
        wait_for(a, 0, false);
}

void hw_api_settle(struct hw_api_sink *a)
{
    a->settled = a->seq;
}

static void tell_idle(struct hw_api_sink *a)
{
    const struct hw_sink_events *e = &a->sink.events;
    if (a->quiet || a->dead)
        return;
    a->quiet = true;
    if (e->idle)
        e->idle(e->ctx, &a->sink);
}

static void tell_wrote(struct hw_api_sink *a, bool ok, int64_t ms)
{
    const struct hw_sink_events *e = &a->sink.events;
    if (e->wrote)
        e->wrote(e->ctx, &a->sink, ok, ms);
}

/* What waits may have grown old meanwhile. */
static void ask_newest(struct hw_api_sink *a)
{
    const struct hw_sink_events *e = &a->sink.events;
    if (!a->last && hw_api_wants(a) && e->retry)
        e->retry(e->ctx, &a->sink);
}

/* Asks for the next request; nothing to do = idle. */
static void step(struct hw_api_sink *a)
{
    if (a->dead || a->call || a->waiting)
        return;
    if (a->stopped || !a->ops->next(a))
        if (a->stopped || !hw_api_wants(a))
            tell_idle(a);
}

void hw_api_stop(struct hw_api_sink *a, const char *reason)
{
    if (a->stopped)
        return;
    a->stopped = true;
    a->waiting = false;
    hw_kube_cancel(a->call);
    a->call = NULL;
    hw_api_settle(a);
    hw_log(HW_WARN, a->sink.ops->name, "%s; nothing more is written there", reason);
    if (a->on_stop)
        a->on_stop(a->ctx, reason);
    hw_api_kick(a); /* for idle: not from within publish */
}

/* ---- answers ---- */

/* How long to wait after a refusal; 0 = at once, STOPS = for good. */
static int64_t wait_after(struct hw_api_sink *a, const struct hw_kube_reply *reply)
{
    int64_t wait = hw_backoff_next(&a->backoff, hw_backoff_random());
    a->conflicts += reply->outcome == HW_KUBE_CONFLICT;
    a->told = reply->retry_after_ms >= 0;
    switch (reply->outcome) {
    case HW_KUBE_NOT_FOUND:
        if (a->unseen)
            break;
        return STOPS;
    case HW_KUBE_GONE:
        return STOPS;
    case HW_KUBE_FORBIDDEN:
        /* A server that has just started says so until it has read its rules. */
        if (a->took)
            break;
        return SLOW_MS + wait % JITTER_MS;
    case HW_KUBE_INVALID:
        /* A write's may pass: Fluid's resource refuses infos until its controller has written the first status, and an
         * object that is full may get room. A search can't go on. */
        if (a->sent)
            break;
        return SLOW_MS + wait % JITTER_MS;
    case HW_KUBE_CONFLICT:
        return a->conflicts <= CONFLICTS_AT_ONCE ? 0 : wait;
    default:
        break;
    }
    /* On top of what the server asks for, so that those it sent away don't come back together. */
    return reply->retry_after_ms > 0 ? reply->retry_after_ms + wait : wait;
}

static bool is_new_cause(struct hw_api_sink *a, const struct hw_kube_reply *reply)
{
    int key = (int)reply->outcome << 16 | reply->cause;
    for (int i = 0; i < a->cause_count; i++)
        if (a->causes[i] == key)
            return false;
    if (a->cause_count == HW_API_CAUSES)
        return false;
    a->causes[a->cause_count++] = key;
    return true;
}

static void log_refusal(struct hw_api_sink *a, const struct hw_kube_reply *reply, int64_t wait)
{
    enum hw_level level = is_new_cause(a, reply) ? HW_WARN : HW_DEBUG;
    const char *room = a->sink.ops->name;
    if (!hw_log_shows(level, room))
        return;
    if (wait)
        hw_log(level, room, "%s; next try in %.1f s", reply->err.msg, (double)wait / 1000);
    else
        hw_log(level, room, "%s; trying again", reply->err.msg);
}

static void log_recovery(struct hw_api_sink *a)
{
    char text[24];
    if (!a->cause_count)
        return;
    hw_format_duration(hw_now_ms(a->clock) - a->failing_since, text, sizeof text);
    hw_log(HW_INFO, a->sink.ops->name, "works again after %s", text);
    a->cause_count = 0;
}

/* A race for the object that was lost is settled at once and is nothing to tell. */
static bool retries_conflict(struct hw_api_sink *a, const struct hw_kube_reply *reply, int64_t wait)
{
    if (reply->outcome != HW_KUBE_CONFLICT)
        return false;
    if (a->ops->conflicted)
        a->ops->conflicted(a);
    if (wait == 0)
        hw_log(HW_DEBUG, a->sink.ops->name, "%s; trying again", reply->err.msg);
    return wait == 0;
}

static void refused(struct hw_api_sink *a, const struct hw_kube_reply *reply)
{
    bool writing = a->sent != 0;
    int64_t wait = wait_after(a, reply);
    if (retries_conflict(a, reply, wait))
        return;
    a->failing = a->failing || writing;
    if (!a->cause_count)
        a->failing_since = hw_now_ms(a->clock);
    if (wait != STOPS)
        log_refusal(a, reply, wait);
    if (wait > 0)
        wait_for(a, wait, true);
    if (writing)
        tell_wrote(a, false, reply->ms);
    if (wait == STOPS && !a->dead)
        hw_api_stop(a, reply->err.msg);
}

static void refuse_odd(struct hw_api_sink *a, const struct hw_kube_reply *reply)
{
    struct hw_kube_reply odd = *reply;
    odd.outcome = HW_KUBE_ODD;
    hw_fail(&odd.err, HW_EKUBE,
            "the answer is not the object that was asked for; is there a proxy in between?");
    refused(a, &odd);
}

/* What was looked up is no proof that writing works again. */
static void recover(struct hw_api_sink *a)
{
    if (!a->sent && (a->failing || a->conflicts))
        return;
    hw_backoff_reset(&a->backoff);
    a->conflicts = 0;
    a->failing = a->told = false;
    log_recovery(a);
}

static void accepted(struct hw_api_sink *a, const struct hw_kube_reply *reply)
{
    if (a->sent ? !a->ops->written(a, reply) : !a->ops->answered(a, reply)) {
        refuse_odd(a, reply);
        return;
    }
    recover(a);
    if (!a->sent)
        return;
    a->settled = a->sent;
    a->took = true;
    hw_log(HW_DEBUG, a->sink.ops->name, "written in %" PRId64 " ms", reply->ms);
    tell_wrote(a, true, reply->ms);
}

static void on_reply(void *ctx, const struct hw_kube_reply *reply)
{
    struct hw_api_sink *a = ctx;
    a->call = NULL;
    uv_timer_stop(&a->timer); /* the patience, if any */
    if (reply->outcome == HW_KUBE_OK)
        accepted(a, reply);
    else
        refused(a, reply);
    step(a);
}

void hw_api_send(struct hw_api_sink *a, const struct hw_kube_request *request, bool writing)
{
    a->sent = writing ? a->seq : 0;
    a->call = hw_kube_send(a->kube, request, on_reply, a);
}

static void on_timer(uv_timer_t *timer)
{
    struct hw_api_sink *a = HW_CONTAINER(timer, struct hw_api_sink, timer);
    if (a->waiting)
        ask_newest(a);
    a->waiting = false;
    if (a->call) { /* the last value waits behind a call that does not end */
        hw_kube_cancel(a->call);
        a->call = NULL;
        a->hurried = true;
    }
    step(a);
}

/* ---- for hw_sink_ops ---- */

void hw_api_publish(struct hw_sink *sink, const struct hw_progress *p, bool last)
{
    struct hw_api_sink *a = (struct hw_api_sink *)(void *)sink;
    if (a->stopped || a->dead)
        return;
    a->value = *p;
    a->seq++;
    a->quiet = false;
    a->last = a->last || last;
    if (last && a->call && !a->hurried)
        wait_for(a, PATIENCE_MS, false);
    if (last && a->waiting && !a->told) {
        hw_backoff_reset(&a->backoff);
        a->waiting = false;
    }
    hw_api_kick(a);
}

bool hw_api_is_busy(const struct hw_sink *sink)
{
    const struct hw_api_sink *a = (const struct hw_api_sink *)(const void *)sink;
    return !a->stopped && hw_api_wants(a);
}

static void on_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct hw_api_sink, timer));
}

void hw_api_free(struct hw_sink *sink)
{
    struct hw_api_sink *a = (struct hw_api_sink *)(void *)sink;
    if (!a || a->dead)
        return;
    a->dead = true;
    hw_kube_cancel(a->call);
    a->call = NULL;
    a->ops->done(a);
    uv_close((uv_handle_t *)&a->timer, on_closed);
}
