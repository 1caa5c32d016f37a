/* annotation.h - the sink that writes fluid.io/data-progress and -detail to one pod.
 * Begins at once with an empty merge patch: its answer is the whole pod, so the reporter needs the verb `patch`
 * on pods and no `get`. The answer gives the uid, which each later patch carries (a pod made anew under the same
 * name never gets our value), and the value that stands there: a first 0/100 does not overwrite it. */
#ifndef HW_SINK_ANNOTATION_H
#define HW_SINK_ANNOTATION_H

#include <uv.h>

#include "base/json.h"
#include "kube/client.h"
#include "sink/sink.h"

#define HW_ANNOTATION "fluid.io/data-progress"
#define HW_ANNOTATION_DETAIL "fluid.io/data-progress-detail"

/* Strings are copied. */
struct hw_annotation_opts {
    const char *namespace, *pod;
    const char *uid; /* NULL or "": learned from the first answer */
    const char *by;  /* "sidecar", "wrapper": `by` of the detail */
    /* Once, with the first answer: the pod as it was found. Borrowed until it returns. May be NULL. */
    void (*on_pod)(void *ctx, json_t *pod);
    /* Once, when the sink stops for good: the pod is gone or was made anew. May be NULL. */
    void (*on_stop)(void *ctx, const char *reason);
    void *ctx;
};

/* kube and clock are borrowed until the sink is freed; free the sink before the client. HW_ECONFIG for a name that
 * can't be one. sink.events may be set by the owner afterwards, before the loop runs. */
HW_MUST_USE int hw_annotation_new(struct hw_sink **ret, struct hw_kube *kube, uv_loop_t *loop,
                                  const struct hw_clock *clock,
                                  const struct hw_annotation_opts *opts, struct hw_err *err);

#endif
