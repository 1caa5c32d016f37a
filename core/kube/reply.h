/* reply.h - what an answer of the API server means. Pure functions over status, headers and body, so that
 * each row of the table can be a spec. Text of the server is cleaned before it reaches a message. */
#ifndef HW_KUBE_REPLY_H
#define HW_KUBE_REPLY_H

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "kube/object.h"

enum hw_kube_outcome {
    HW_KUBE_OK,
    HW_KUBE_UNAUTHORIZED, /* 401: the token or certificate is not believed */
    HW_KUBE_FORBIDDEN, /* 403, or an admission policy said no: a right is missing, it may come later */
    HW_KUBE_NOT_FOUND, /* 404 */
    HW_KUBE_CONFLICT,  /* 409: somebody else wrote in between */
    HW_KUBE_GONE, /* 410, or the uid is another: the object was made anew under the same name */
    HW_KUBE_INVALID, /* 400, 405, 406, 413, 415, 422: this value or request is refused, another may pass */
    HW_KUBE_THROTTLED, /* 429 */
    HW_KUBE_SERVER,    /* 5xx, 408 */
    HW_KUBE_NETWORK,   /* no whole answer: refused, reset, time-out, TLS */
    HW_KUBE_ODD,       /* an answer that no API server gives: a redirect, not JSON, too large */
    HW_KUBE_LOCAL,     /* nothing was sent: no token to read, plugin failed, no such path */
};

/* "ok", "unauthorized", ...; never NULL. */
const char *hw_kube_outcome_name(enum hw_kube_outcome outcome);

enum hw_kube_verb {
    HW_KUBE_GET,
    HW_KUBE_LIST,
    HW_KUBE_CREATE,
    HW_KUBE_UPDATE,
    HW_KUBE_PATCH, /* JSON merge patch */
    HW_KUBE_DELETE,
    HW_KUBE_WATCH,
};
/* The word that RBAC uses: "get", "patch". */
const char *hw_kube_verb_name(enum hw_kube_verb verb);

/* A whole answer with its HTTP status; body is the parsed JSON, NULL when it was none. */
enum hw_kube_outcome hw_kube_classify(int status, json_t *body);

/* An HTTP date in ms since 1970; -1 when it is none. */
int64_t hw_kube_date(const char *value);
/* Retry-After, in seconds or as an HTTP date, to milliseconds from now, at most 10 min. -1: absent (NULL),
 * negative or garbage. A date that has passed gives 0. */
int64_t hw_kube_retry_after(const char *value, int64_t wall_ms);

/* Fills err with what happened and what to do, e.g.
 * "patch pods 'ns/name': 403 Forbidden: needs verb 'patch' on 'pods' in namespace 'ns' (ClusterRole or Role for ...)".
 * body as above; reason is the cause when there was no answer (NULL otherwise). Returns -1. */
int hw_kube_explain(enum hw_kube_verb verb, const struct hw_kube_object *object, int status,
                    enum hw_kube_outcome outcome, json_t *body, const char *cause,
                    struct hw_err *err);

/* Any JSON value from an answer's bytes, NUL escapes allowed: annotations may hold them, and one of those
 * must not make the whole object unreadable. NULL when it is no JSON. */
json_t *hw_kube_parse(struct hw_str body);

#endif
