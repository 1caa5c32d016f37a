/* kinds.h - the kinds that the hub follows, as rows: how they are read, and what part they play. All code asks the row. */
#ifndef HW_HUB_KINDS_H
#define HW_HUB_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Where an operation's value goes. */
enum hw_hub_target {
    HW_HUB_INFOS,       /* status.infos, by the status subresource */
    HW_HUB_ANNOTATIONS, /* the two annotations of pods, on the operation itself */
};

/* What tells that an operation is over. */
enum hw_hub_proof {
    HW_HUB_PHASE,      /* status.phase: Complete, Failed */
    HW_HUB_CONDITIONS, /* status.conditions: Complete or Succeeded, Failed */
};

struct hw_hub_kind {
    const char *kind, *group, *version, *resource;
    bool task;      /* a pod */
    bool job;       /* its pods are attempts: the newest of each index counts */
    bool operation; /* gets a value, when no operation stands above it */
    bool metadata_only;
    enum hw_hub_target target;
    enum hw_hub_proof proof;
    /* How its pods are found where their owners don't lead to it; NULL = they do. */
    const char *pod_suffix; /* a pod without an owner, named like it with this behind */
    const char *pod_label;  /* pods with that label are looked at; the label holds its name */
};

enum { HW_HUB_KINDS_MAX = 24 };

/* Owns the strings of rows that were added. */
struct hw_hub_kinds {
    struct hw_hub_kind list[HW_HUB_KINDS_MAX];
    int count, built_in;
};

/* Pod, Job, CronJob and Fluid's four. jobs: plain Jobs are operations, too. */
void hw_hub_kinds_init(struct hw_hub_kinds *k, bool jobs);
void hw_hub_kinds_done(struct hw_hub_kinds *k);
/* One more kind of operation. name: "resource.version.group"; text: "kind=PyTorchJob pods=training.kubeflow.org/job-name
 * value=annotations|infos proof=conditions|phase"; the first of each when value or proof is left out. HW_ECONFIG. */
HW_MUST_USE int hw_hub_kinds_add(struct hw_hub_kinds *k, const char *name, const char *text,
                                 struct hw_err *err);
/* As an ownerReference names it; NULL when it is none of ours. */
const struct hw_hub_kind *hw_hub_kinds_find(const struct hw_hub_kinds *k, const char *group,
                                            const char *kind);

#endif
