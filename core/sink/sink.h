/* sink.h - a place where progress is published.
 * The reporter decides when (pace); a sink decides how, and holds at most the newest value while a write is under
 * way or is being retried: older ones are never queued.
 * new (each sink's own) -> publish... -> [idle] -> free. One thread. */
#ifndef HW_SINK_SINK_H
#define HW_SINK_SINK_H

#include <stdbool.h>

#include "progress/progress.h"

struct hw_sink;

/* What the owner learns; any may be NULL. Called from the loop, never from within publish. */
struct hw_sink_events {
    void *ctx;
    /* A write was taken or refused after ms milliseconds; the pace doubles its gap on refusals and slow replies. */
    void (*wrote)(void *ctx, struct hw_sink *sink, bool ok, int64_t ms);
    /* A value that was refused is about to be sent again: publish gives it the newest one. */
    void (*retry)(void *ctx, struct hw_sink *sink);
    /* Nothing is under way any more (after wrote; also when the sink gave up for good). */
    void (*idle)(void *ctx, struct hw_sink *sink);
};

struct hw_sink_ops {
    const char *name; /* "annotation", "status", "lines", "view", "dir" */
    /* Takes a copy. last: no further value comes, retry at once rather than late. */
    void (*publish)(struct hw_sink *sink, const struct hw_progress *p, bool last);
    /* True while a write is under way or waits for its retry. */
    bool (*is_busy)(const struct hw_sink *sink);
    void (*free)(struct hw_sink *sink); /* cancels what is under way; half-built objects too */
};

/* First member of each sink's own struct. */
struct hw_sink {
    const struct hw_sink_ops *ops;
    struct hw_sink_events events;
};

#endif
