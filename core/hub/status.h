/* status.h - writes the values of all operations: who is next, at which pace, and what each refusal means.
 * An operation waits gap_ms between two writes, the end does not wait; over all of them stands a budget of writes a second: states,
 * first and last values first, then whoever has waited longest. Each patch carries uid and resourceVersion, so a value never gets
 * into an object that was made anew, nor over one that somebody else has just written: Fluid's controller always wins.
 * new -> touch (the model's changed), forget (its forgotten), allow -> free. Writes nothing until it is allowed. */
#ifndef HW_HUB_STATUS_H
#define HW_HUB_STATUS_H

#include <uv.h>

#include "hub/model.h"
#include "hub/tally.h"
#include "kube/client.h"

struct hw_hub_writer;

struct hw_hub_writer_opts {
    int64_t gap_ms; /* of one operation */
    int budget;     /* writes a second over all; 0 = no limit */
    /* Asked just before each write: whether we still lead. */
    bool (*may_write)(void *ctx);
    void *ctx;
};

struct hw_hub_writer_counts {
    int64_t written, conflicts, throttled, refused, failed; /* answers; failed: none, or 5xx */
    int64_t waiting; /* operations that wait to be written, now */
    struct hw_tally answers;
};

/* All borrowed until free. */
struct hw_hub_writer *hw_hub_writer_new(struct hw_kube *kube, uv_loop_t *loop,
                                        const struct hw_clock *clock,
                                        const struct hw_hub_writer_opts *opts);
/* What is under way is cancelled; the loop must turn once more. No operation is touched. */
void hw_hub_writer_free(struct hw_hub_writer *w);

void hw_hub_writer_touch(struct hw_hub_writer *w, struct hw_hub_operation *op);
void hw_hub_writer_forget(struct hw_hub_writer *w, struct hw_hub_operation *op);
/* Whether it writes. Not allowed any more: what is under way is cancelled, and due again. Allowed again: looks who is next. */
void hw_hub_writer_allow(struct hw_hub_writer *w, bool allowed);
struct hw_hub_writer_counts hw_hub_writer_counts(const struct hw_hub_writer *w);

#endif
