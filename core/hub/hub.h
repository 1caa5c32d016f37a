/* hub.h - the controller: watches pods, Jobs and operations, and writes what the tasks report into the operations.
 * Several may run: all of them watch, one leads and writes. What it knows it can build anew from the API server.
 * new -> run the loop -> stop -> [stopped] -> free. */
#ifndef HW_HUB_HUB_H
#define HW_HUB_HUB_H

#include <uv.h>

#include "hub/kinds.h"
#include "hub/model.h"
#include "hub/status.h"
#include "kube/client.h"
#include "kube/watch.h"

struct hw_hub;

/* Strings are copied. */
struct hw_hub_opts {
    const char *namespace;       /* of what is watched; NULL = all */
    const char *lease_namespace; /* never NULL */
    const char *lease;           /* name of the Lease */
    const char *host;            /* a name for people, in the identity; NULL = none */
    int64_t gap_ms;              /* between two writes of one operation */
    int budget;                  /* writes a second; 0 = no limit */
};

enum { HW_HUB_PARALLEL = 6, HW_HUB_STREAMS = HW_HUB_WATCHES_MAX };

/* kinds and clock are borrowed until free; so are kube, made with room for HW_HUB_PARALLEL requests and HW_HUB_STREAMS
 * streams, and lease_kube, another one. */
HW_MUST_USE int hw_hub_new(struct hw_hub **ret, struct hw_kube *kube, struct hw_kube *lease_kube,
                           uv_loop_t *loop, const struct hw_clock *clock,
                           const struct hw_hub_kinds *kinds, const struct hw_hub_opts *opts,
                           struct hw_err *err);
/* Ends the writes and gives the lease away; stopped comes once, from the loop, within 3 s. */
void hw_hub_stop(struct hw_hub *h, void (*stopped)(void *ctx), void *ctx);
/* The loop must turn once more. NULL allowed. */
void hw_hub_free(struct hw_hub *h);

/* ---- for those who look at it ---- */

struct hw_hub_state {
    bool ready; /* every collection was listed once, or is not there to be listed */
    bool leads;
    int collections, settled; /* that are followed; that need not be waited for any more */
};
struct hw_hub_state hw_hub_state(const struct hw_hub *h);

struct hw_hub_collection {
    const char *resource, *selector; /* borrowed; selector NULL = all */
    struct hw_kube_watch_counts counts;
};
struct hw_hub_collection hw_hub_collection(const struct hw_hub *h, int number);

struct hw_hub_model *hw_hub_model(struct hw_hub *h);
const struct hw_hub_writer *hw_hub_writer(const struct hw_hub *h);
const struct hw_hub_kinds *hw_hub_kinds_of(const struct hw_hub *h);

#endif
