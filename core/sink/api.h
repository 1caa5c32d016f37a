/* api.h - what the two sinks that write to the API server share: one request at a time, the newest value wins,
 * retries with backoff, one log line for each cause and one for the recovery, and stopping for good.
 * A sink embeds hw_api_sink first and gives four functions. init -> kick ... -> hw_api_free. */
#ifndef HW_SINK_API_H
#define HW_SINK_API_H

#include <uv.h>

#include "kube/backoff.h"
#include "kube/client.h"
#include "sink/sink.h"

struct hw_api_sink;

struct hw_api_ops {
    /* Sends the next request by hw_api_send, or calls hw_api_stop, and returns true; false: nothing to do now. */
    bool (*next)(struct hw_api_sink *a);
    /* An HW_KUBE_OK answer to a request that carried no value. False: it is not the object that was asked for. */
    bool (*answered)(struct hw_api_sink *a, const struct hw_kube_reply *reply);
    /* An HW_KUBE_OK answer to a value. False: it is not the object that was written, so nothing was. */
    bool (*written)(struct hw_api_sink *a, const struct hw_kube_reply *reply);
    /* Somebody else wrote in between (409); NULL: nothing to do. The request is tried again. */
    void (*conflicted)(struct hw_api_sink *a);
    void (*done)(struct hw_api_sink *a); /* frees the sink's own members, not a */
};

enum { HW_API_CAUSES = 8 };

struct hw_api_sink {
    struct hw_sink sink; /* first: a hw_sink * is a hw_api_sink * */
    const struct hw_api_ops *ops;
    struct hw_kube *kube;         /* borrows */
    const struct hw_clock *clock; /* borrows */
    uv_timer_t timer; /* a retry, a turn of the loop, or the patience with a call when value is the last */
    struct hw_kube_call *call; /* NULL = nothing under way */
    struct hw_backoff backoff;
    struct hw_progress value; /* the newest */
    uint64_t seq;             /* of value, from 1; 0 = none yet */
    uint64_t sent,
        settled;  /* seq of the call, 0 = it carries none; seq of what was taken or refused last */
    bool last;    /* no further value comes */
    bool waiting; /* timer is a retry */
    bool told;    /* the server named the wait: even a last value obeys it */
    bool hurried; /* a call was given up for the last value; once is enough */
    bool stopped; /* for good */
    bool quiet;   /* idle was told, or nothing came since the start */
    bool failing; /* the last write was refused */
    bool dead;    /* freed */
    bool took;    /* a write was taken before: a right that is missing now was there */
    bool unseen; /* the object was named and never answered: a 404 is no end, it may be made later */
    int conflicts;                          /* 409 since the last write that was taken */
    int64_t failing_since;                  /* 0 = not */
    int causes[HW_API_CAUSES], cause_count; /* told since the last success */
    void (*on_stop)(void *ctx, const char *reason);
    void *ctx;
};

/* The embedding struct is zeroed memory of its own; hw_api_free frees it. */
void hw_api_init(struct hw_api_sink *a, const struct hw_sink_ops *sink_ops,
                 const struct hw_api_ops *ops, struct hw_kube *kube, uv_loop_t *loop,
                 const struct hw_clock *clock);

/* Whether a value waits to be written. */
static inline bool hw_api_wants(const struct hw_api_sink *a)
{
    return a->seq != a->settled;
}
/* Nothing counted yet, so N/M is the initial 0/100 and not the task's word. */
static inline bool hw_api_is_initial(const struct hw_progress *p)
{
    return !p->counted && p->n == 0 && p->fraction < 0 && p->state != HW_COMPLETE;
}
/* next will be asked on the loop's next turn, unless something is under way. */
void hw_api_kick(struct hw_api_sink *a);
/* writing: it carries a->value. */
void hw_api_send(struct hw_api_sink *a, const struct hw_kube_request *request, bool writing);
/* The value needs no write: as if it had been written, without telling. */
void hw_api_settle(struct hw_api_sink *a);
/* Logs the reason, tells on_stop, drops the value. */
void hw_api_stop(struct hw_api_sink *a, const char *reason);

/* For hw_sink_ops. */
void hw_api_publish(struct hw_sink *sink, const struct hw_progress *p, bool last);
bool hw_api_is_busy(const struct hw_sink *sink);
void hw_api_free(struct hw_sink *sink);

#endif
