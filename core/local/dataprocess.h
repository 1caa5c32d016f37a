/* dataprocess.h - what a DataProcess manifest wants to be run, and how the cluster would name it.
 * Takes today's resource (data.fluid.io/v1alpha1) and the spelling of Fluid's feature request 4192
 * (processor.metadata, script.image, script.script), with a hint for each old word. */
#ifndef HW_LOCAL_DATAPROCESS_H
#define HW_LOCAL_DATAPROCESS_H

#include <jansson.h>

#include "base/err.h"

enum { HW_HINTS_MAX = 8, HW_ENV_MAX = 256, HW_ARGV_MAX = 64 };

/* Owns everything. */
struct hw_dataprocess {
    json_t *operation; /* the manifest, in today's spelling */
    json_t *pod; /* as Fluid would make it: labels, annotations, name "<op>-processor-job-local" */
    char *name, *namespace;
    char *argv[HW_ARGV_MAX + 1]; /* the script's command, ended by NULL; the script's file is put behind it */
    char *source;                /* the script; NULL: the command stands alone (podSpec) */
    char *env[HW_ENV_MAX + 1]; /* "NAME=value", ended by NULL */
    char *hints[HW_HINTS_MAX + 1]; /* what a person should know: old words, values that only a cluster has */
};

/* path: a file, or "-" for standard input. Of several documents the one of kind DataProcess is taken. HW_EINPUT
 * with file:line when there is none, when there are two, or when it can't be run here. */
HW_MUST_USE int hw_dataprocess_load(const char *path, struct hw_dataprocess *ret,
                                    struct hw_err *err);
void hw_dataprocess_done(struct hw_dataprocess *d);

#endif
