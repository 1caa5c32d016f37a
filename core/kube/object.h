/* object.h - how the API server names things: paths, name rules, merge patches.
 * Pure text; nothing here talks to anybody. */
#ifndef HW_KUBE_OBJECT_H
#define HW_KUBE_OBJECT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

/* One object or collection. All strings are borrowed. */
struct hw_kube_object {
    const char *group;       /* "" or NULL = the core group */
    const char *version;     /* "v1", "v1alpha1" */
    const char *resource;    /* plural: "pods" */
    const char *namespace;   /* NULL = cluster-wide */
    const char *name;        /* NULL = the collection */
    const char *subresource; /* NULL, or "status" */
};

/* What we know by kind; the names that an ownerReference carries. */
struct hw_kube_kind {
    const char *kind;
    const char *group;
    const char *version; /* the one to use when the caller names none */
    const char *resource;
    bool operation; /* a Fluid data operation: has status.infos */
};

/* Pod, Job, CronJob and the Fluid operations. Case does not matter, plural and singular both fit
 * ("dataprocess", "dataprocesses"). group NULL fits any. NULL when unknown. */
const struct hw_kube_kind *hw_kube_kind_find(const char *word, const char *group);

/* RFC 1123: a label (namespace; at most 63) or a subdomain (most object names; at most 253). what names
 * the thing in the message: "namespace", "pod". */
HW_MUST_USE int hw_kube_check_label(const char *what, const char *name, struct hw_err *err);
HW_MUST_USE int hw_kube_check_name(const char *what, const char *name, struct hw_err *err);
HW_MUST_USE int hw_kube_check_uid(const char *what, const char *uid, struct hw_err *err);

/* Percent-escaped but for letters, digits and what stands in plain. free() it. */
char *hw_kube_escape(const char *text, const char *plain);
/* "/api/v1/namespaces/ns/pods/name", "/apis/group/version/..."; percent-escaped. A name may be anything
 * that is one path segment ("system:node" too). free() it. NULL and *err when a part can't stand in a path. */
HW_MUST_USE char *hw_kube_path(const struct hw_kube_object *o, struct hw_err *err);
/* "pods 'ns/name'", "dataprocesses/status 'ns/name'": for messages. free() it. Never NULL. */
char *hw_kube_describe(const struct hw_kube_object *o);

/* A merge patch {"metadata":{"uid":uid}}; without the uid when it is NULL. New reference. */
json_t *hw_kube_patch(const char *uid);
/* Sets metadata.annotations.key, value NULL = removed. */
void hw_kube_patch_annotation(json_t *patch, const char *key, const char *value);

#endif
