/* objects.h - a pod and its operation as a cluster would hold them, kept on this machine: what `headway local`
 * shows, and what the directory sink writes for others to read.
 * Progress enters them as it enters the real ones: annotations on the pod, status.infos on the operation. */
#ifndef HW_SINK_OBJECTS_H
#define HW_SINK_OBJECTS_H

#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "sink/sink.h"

struct hw_objects {
    json_t *pod;       /* owns */
    json_t *operation; /* owns; NULL = there is none */
    const char *by;    /* borrows, static text */
    int64_t begun_ms;  /* Unix ms: the operation's start, for its duration */
};

void hw_objects_done(struct hw_objects *o);
/* A pod with nothing but its name, for a reporter that watches a file on a machine without a cluster. */
json_t *hw_objects_bare_pod(const char *namespace, const char *name);
/* Writes p into the annotations and the status: phase Executing, Complete or Failed, duration, the condition at
 * the end, infos. */
void hw_objects_apply(struct hw_objects *o, const struct hw_progress *p, int64_t unix_ms);
/* Both as YAML documents, as `kubectl get -o yaml` prints them, the operation first. */
HW_MUST_USE int hw_objects_yaml(const struct hw_objects *o, struct hw_buf *ret, struct hw_err *err);

/* The sink "dir": one file for each object, "<kind>-<namespace>-<name>.yaml", replaced by rename, so that
 * a reader never sees half of one. What can't be written is tried again. Takes objects. HW_ESYS when there is
 * no directory to be had. */
HW_MUST_USE int hw_dir_new(struct hw_sink **ret, uv_loop_t *loop, const char *dir,
                           struct hw_objects *objects, const struct hw_clock *clock,
                           const struct hw_sink_events *events, struct hw_err *err);

/* The pod that stands in such a directory, a new reference; NULL: there is none, or it can't be read. */
json_t *hw_dir_pod(const char *dir, const char *namespace, const char *name);

#endif
