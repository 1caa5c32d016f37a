/* client.h - requests to one API server, on the loop, over a connection that is kept.
 * HTTP/1.1, TLS 1.2 or later with the CA always checked, no redirects, a deadline for each try and a
 * ceiling for each answer. After a 401 the credential is fetched anew and the request sent once more.
 * When nothing is under way no timer is armed and nothing is polled.
 * new -> send... -> [fn ...] -> free. One thread; fn is called from the loop, never from within send. */
#ifndef HW_KUBE_CLIENT_H
#define HW_KUBE_CLIENT_H

#include <stdbool.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "kube/config.h"
#include "kube/object.h"
#include "kube/reply.h"

struct hw_kube;
struct hw_kube_call; /* one request under way; gone once fn was called or it was cancelled */

struct hw_kube_opts {
    int64_t deadline_ms; /* of each try, for requests that name none; 0 = 10 s */
    int parallel; /* requests at once, each on a connection of its own, which is kept; 0 = 1 */
    int streams;  /* how many streams there will be beside them; more are allowed */
};

/* A piece of a stream's body, of any size, borrowed for the call; the first one is empty and says that the stream was granted. As in
 * fn, everything is legal here. */
typedef void hw_kube_data_fn(void *ctx, struct hw_str data);

/* Borrowed for the call of send. */
struct hw_kube_request {
    enum hw_kube_verb verb;
    struct hw_kube_object object;
    const char *query;   /* "limit=500", escaped by the caller; NULL = none */
    struct hw_str body;  /* JSON; copied */
    bool metadata_only;  /* the answer's body is a PartialObjectMetadata: a tenth of the bytes */
    int64_t deadline_ms; /* of each try, connecting included; 0 = that of hw_kube_opts */
    size_t answer_max;   /* bytes; 0 = 4 MiB */
    /* A stream: the body of a 2xx answer goes here as it comes, and fn is told its end, without a body. It takes no place
     * among the parallel ones. Who is slow here slows the server down; nothing piles up. NULL = the answer is collected. */
    hw_kube_data_fn *data;
};

struct hw_kube_reply {
    enum hw_kube_outcome outcome;
    int status;             /* HTTP status; 0 = no answer */
    int64_t retry_after_ms; /* -1 = the server did not say */
    int cause;      /* the same number = the same cause: HTTP status, or 1000 + curl's code */
    bool too_large; /* the answer passed its ceiling */
    int64_t ms;     /* from the start of the last try to its end */
    json_t *body;   /* the answer's object; NULL when there was none. Borrowed until fn returns */
    struct hw_err err; /* filled unless outcome is HW_KUBE_OK; says what to do; never a token */
};

typedef void hw_kube_fn(void *ctx, const struct hw_kube_reply *reply);

/* Takes config on success. clock is borrowed until free. */
HW_MUST_USE int hw_kube_new(struct hw_kube **ret, uv_loop_t *loop, const struct hw_clock *clock,
                            struct hw_kube_config *config, const struct hw_kube_opts *opts,
                            struct hw_err *err);
/* Cancels what is under way, without calling its fn; legal in any fn. The loop must turn once more for
 * its handles to close. */
void hw_kube_free(struct hw_kube *k);

/* Borrowed until free. */
const struct hw_kube_config *hw_kube_config(const struct hw_kube *k);

/* Never fails here: what is wrong (a bad name, no token) comes to fn as HW_KUBE_LOCAL. */
struct hw_kube_call *hw_kube_send(struct hw_kube *k, const struct hw_kube_request *request,
                                  hw_kube_fn *fn, void *ctx);
/* fn is not called any more. NULL is allowed; so is any fn, its own request's too (no effect there). */
void hw_kube_cancel(struct hw_kube_call *call);

#endif
