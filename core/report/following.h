/* following.h - what a sidecar reads beside the progress file, as the output of its reporter: a log, or a metrics port.
 * new -> [finish -> fn] -> free. Ends by itself once the file has won. */
#ifndef HW_REPORT_FOLLOWING_H
#define HW_REPORT_FOLLOWING_H

#include "report/reporter.h"

struct hw_following;

struct hw_following_options {
    const char *log; /* NULL = none */
    int64_t poll_ms;
    bool events;
    int64_t metrics_port; /* 0 = none; not with a log */
    const char *metrics_path;
};

/* The reporter has await_output, and is borrowed. Before the loop turns, so that nothing is missed. */
HW_MUST_USE int hw_following_new(struct hw_following **ret, uv_loop_t *loop, struct hw_reporter *r,
                                 const struct hw_following_options *options, struct hw_err *err);
/* Reads what is left, up to limit_ms long, then calls fn, once; from inside when nothing is. */
typedef void hw_following_fn(void *ctx);
void hw_following_finish(struct hw_following *f, int64_t limit_ms, hw_following_fn *fn, void *ctx);
/* Before its reporter. NULL is allowed. */
void hw_following_free(struct hw_following *f);

#endif
