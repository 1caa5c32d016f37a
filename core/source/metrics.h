/* metrics.h - asks a metrics port of this pod how it stands, at each tick, and hands on each whole body.
 * 127.0.0.1 only: a port and a path are all that can be said, so it can be used to reach nothing else. Plain TCP and HTTP/1.0:
 * no redirect, no proxy, no name, no token exist here. Ceilings: 16 KiB of head, 1 MiB of body, 2 s.
 *
 * juicefs sync takes the next free port when 9567 is busy, so this port and the ten above it are looked through: those that
 * refuse are passed at once, and the one that answers is stayed with once its text is believed; until then each tick goes on to
 * the next one. When nobody listens there any more, the search begins anew.
 * new -> body... -> [ask -> asked] -> free */
#ifndef HW_SOURCE_METRICS_H
#define HW_SOURCE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "base/str.h"

struct hw_metrics;

enum { HW_METRICS_PORTS = 11, HW_METRICS_LIMIT_MS = 2000 };

struct hw_metrics_options {
    uint16_t port;    /* 1 and up */
    const char *path; /* borrows: copied; begins with "/" and is hw_metrics_is_path */
    int64_t tick_ms;
};

struct hw_metrics_events {
    void *ctx;
    /* A whole body; borrowed until it returns. */
    void (*body)(void *ctx, struct hw_str body);
    /* Before the next request: did the last body make sense? Negative: not known yet, the same port is asked once more. */
    int (*believes)(void *ctx);
    /* Once a round: nobody gave one. "metrics port 9567: connection refused" */
    void (*nothing)(void *ctx, const char *why);
    /* The answer to ask, behind the body. */
    void (*asked)(void *ctx);
};

/* Printable ASCII without space, "/" first, at most 500 bytes: it can't break out of the request's first line. */
bool hw_metrics_is_path(const char *path);
HW_MUST_USE int hw_metrics_new(struct hw_metrics **ret, uv_loop_t *loop,
                               const struct hw_metrics_options *options,
                               const struct hw_metrics_events *events, struct hw_err *err);
/* Holds the ticks while the consumer has no room. */
void hw_metrics_hold(struct hw_metrics *m, bool hold);
/* One more round now, then `asked`. */
void hw_metrics_ask(struct hw_metrics *m);
/* Legal inside an event; the loop must turn once more for the handles to close. NULL is allowed. */
void hw_metrics_free(struct hw_metrics *m);

#endif
