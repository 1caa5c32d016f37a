/* watch.h - a collection that is followed: listed page by page, then watched, for as long as this lives.
 * It goes on by itself: after a cut from the last event or bookmark on, after a 410 with a new list, after failures with
 * backoff and full jitter. A list forgets nothing by itself: what was known stays until the list is whole, and only what
 * it did not name is gone then; the owner does that between `listing` and `listed`.
 * new -> [listing object... listed (object | gone)...]... -> free. */
#ifndef HW_KUBE_WATCH_H
#define HW_KUBE_WATCH_H

#include <uv.h>

#include "base/json.h"
#include "kube/client.h"

struct hw_kube_watch;

/* Called from the loop; free is legal in each. Objects are borrowed for the call, and hostile. */
struct hw_kube_watch_events {
    void *ctx;
    void (*listing)(void *ctx);                /* a list begins, or begins anew */
    void (*object)(void *ctx, json_t *object); /* listed, added or changed */
    void (*gone)(void *ctx, json_t *object);   /* deleted, or out of the selection */
    void (*listed)(void *ctx);                 /* the list is whole */
    /* What was tried failed, and is tried again after wait_ms. cause: the same number = the same cause. May be NULL. */
    void (*trouble)(void *ctx, int cause, const struct hw_err *err, int64_t wait_ms);
};

/* Strings are copied. */
struct hw_kube_watch_opts {
    struct hw_kube_object collection; /* without a name; namespace NULL = all */
    const char *labels;               /* selector as kubectl takes it; NULL = all */
    bool metadata_only;               /* objects are PartialObjectMetadata */
    int page;         /* objects of one answer of the list, halved where it is too large; 0 = 100 */
    size_t event_max; /* bytes of one event, a longer one is skipped; also of one page; 0 = 4 MiB */
    int64_t grant_ms; /* for a watch to be granted; 0 = 30 s */
    int64_t silence_ms; /* a watch that says nothing for so long is begun anew: a quiet collection and a server that hangs look
                          * the same. 0 = 150 s */
};

/* Since new. */
struct hw_kube_watch_counts {
    int64_t lists, watches; /* begun */
    int64_t expired;        /* 410: a list was needed */
    int64_t failures;       /* all other troubles */
    int64_t events;
    int64_t skipped; /* events that were too large */
};

/* kube and clock are borrowed until free. HW_ECONFIG for a collection that can't stand in a path. */
HW_MUST_USE int hw_kube_watch_new(struct hw_kube_watch **ret, struct hw_kube *kube, uv_loop_t *loop,
                                  const struct hw_clock *clock,
                                  const struct hw_kube_watch_opts *opts,
                                  const struct hw_kube_watch_events *events, struct hw_err *err);
/* No event comes any more; the loop must turn once more. NULL allowed. */
void hw_kube_watch_free(struct hw_kube_watch *w);

struct hw_kube_watch_counts hw_kube_watch_counts(const struct hw_kube_watch *w);

#endif
