/* publishing.h - what run and exec share: a reporter with the sinks that the settings name, in a pod or out of one.
 * Zeroed with its first members set -> start -> [hw_reporter_finish] -> stop. */
#ifndef HW_CMD_PUBLISHING_H
#define HW_CMD_PUBLISHING_H

#include "base/clock.h"
#include "config/config.h"
#include "kube/client.h"
#include "report/reporter.h"

struct hw_publishing {
    uv_loop_t *loop;                /* borrows */
    const struct hw_clock *clock;   /* borrows */
    const struct hw_config *config; /* borrows */
    const char *by; /* "sidecar", "wrapper": the writer in the detail annotation, unless the settings say */
    bool resumes; /* an earlier reporter of the same task may have published: nothing moves back */
    bool guest; /* standard output is somebody else's, and standard error is for a line now and then */

    struct hw_reporter *reporter; /* owns */
    struct hw_kube *kube;         /* owns; NULL = no sink needs it */
    struct hw_sink *status;       /* borrows: the reporter owns it */
};

/* Whether this is a container of a pod, as Kubernetes tells each by its environment. */
bool hw_is_in_pod(void);
/* The loop, the worker, a connection and the file want about twenty descriptors: raises the limit, or says so. */
HW_MUST_USE int hw_publishing_limits(struct hw_err *err);
/* A client of the API server that the settings name. */
HW_MUST_USE int hw_connect(struct hw_kube **ret, uv_loop_t *loop, const struct hw_clock *clock,
                           const struct hw_config *c, const struct hw_kube_opts *opts,
                           struct hw_err *err);
/* What is written to: the settings' word, else the pod where there is one, else the terminal (not as a guest). HW_TO_... */
unsigned hw_publishing_sinks(const struct hw_publishing *p);
/* On failure call stop all the same. */
HW_MUST_USE int hw_publishing_start(struct hw_publishing *p,
                                    const struct hw_reporter_options *options, struct hw_err *err);
/* Frees what it owns; the loop must turn once more for the handles to close. */
void hw_publishing_stop(struct hw_publishing *p);

#endif
