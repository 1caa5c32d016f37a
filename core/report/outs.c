#include <inttypes.h>

#include "base/log.h"
#include "report/impl.h"

void hw_outs_add(struct hw_outs *o, struct hw_sink *sink, const struct hw_pace_rules *rules,
                 int64_t now_ms)
{
    if (o->count == HW_REPORTER_SINKS) { /* more than there are kinds of sinks: a fault of ours */
        sink->ops->free(sink);
        return;
    }
    struct hw_out *out = &o->list[o->count++];
    out->sink = sink;
    hw_pace_init(&out->pace, rules, now_ms);
}

static void publish(struct hw_out *out, const struct hw_progress *value, int64_t now_ms)
{
    out->sink->ops->publish(out->sink, value, false);
    hw_pace_wrote(&out->pace, value, false, now_ms);
}

int64_t hw_outs_publish(struct hw_outs *o, const struct hw_progress *value, int64_t now_ms)
{
    int64_t wait = -1;
    for (size_t i = 0; i < o->count; i++) {
        struct hw_out *out = &o->list[i];
        int64_t due = hw_pace_due(&out->pace, value, false, now_ms);
        if (due == 0)
            publish(out, value, now_ms);
        else if (due > 0 && (wait < 0 || due < wait))
            wait = due;
    }
    return wait;
}

void hw_outs_publish_newest(struct hw_outs *o, const struct hw_sink *sink,
                            const struct hw_progress *value, int64_t now_ms)
{
    for (size_t i = 0; i < o->count; i++) {
        struct hw_out *out = &o->list[i];
        if ((!sink || out->sink == sink) && hw_pace_due(&out->pace, value, false, now_ms) >= 0)
            publish(out, value, now_ms);
    }
}

void hw_outs_publish_last(struct hw_outs *o, const struct hw_progress *value)
{
    for (size_t i = 0; i < o->count; i++)
        o->list[i].sink->ops->publish(o->list[i].sink, value, true);
}

bool hw_outs_busy(const struct hw_outs *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->list[i].sink->ops->is_busy(o->list[i].sink))
            return true;
    return false;
}

void hw_outs_warn(const struct hw_outs *o, const struct hw_progress *value)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->list[i].sink->ops->is_busy(o->list[i].sink))
            hw_log(HW_WARN, "report",
                   "the last value %" PRId64 "/%" PRId64 " was not taken by the sink %s in time",
                   value->n, value->m, o->list[i].sink->ops->name);
}

void hw_outs_feedback(struct hw_outs *o, const struct hw_sink *sink, bool ok, int64_t ms)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->list[i].sink == sink)
            hw_pace_feedback(&o->list[i].pace, ok, ms);
}

void hw_outs_done(struct hw_outs *o)
{
    for (size_t i = 0; i < o->count; i++)
        o->list[i].sink->ops->free(o->list[i].sink);
    o->count = 0;
}
