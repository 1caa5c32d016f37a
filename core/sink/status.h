/* status.h - the sink that writes progress, progressUpdated and progressMessage into status.infos of the operation,
 * for clusters without a hub. The operation is named, or found from the pod through its owners; what is published
 * before it is known waits. */
#ifndef HW_SINK_STATUS_H
#define HW_SINK_STATUS_H

#include <uv.h>

#include "base/json.h"
#include "kube/client.h"
#include "sink/sink.h"

/* Strings are copied. */
struct hw_status_opts {
    const char *namespace; /* where a named operation is looked for when operation names none */
    const char *operation; /* "kind/name", "namespace/kind/name"; NULL or "": found through the pod's owners */
    /* Once, when the sink stops for good: no operation, or it is gone or was made anew. May be NULL. */
    void (*on_stop)(void *ctx, const char *reason);
    void *ctx;
};

/* What stands in status.infos: progress, progressUpdated, progressMessage. New reference. */
json_t *hw_status_infos(const struct hw_progress *p, int64_t unix_ms);

/* Borrows as hw_annotation_new does. */
HW_MUST_USE int hw_status_new(struct hw_sink **ret, struct hw_kube *kube, uv_loop_t *loop,
                              const struct hw_clock *clock, const struct hw_status_opts *opts,
                              struct hw_err *err);
/* From the annotation sink's on_pod: begins the search, and says whether an initial 0/100 would move the status back.
 * NULL: the pod will never be known (from its on_stop), so the sink stops, unless the operation was named. */
void hw_status_set_pod(struct hw_sink *sink, json_t *pod);

#endif
