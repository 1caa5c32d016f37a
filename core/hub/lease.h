/* lease.h - who of several hubs writes: a Lease of coordination.k8s.io.
 * Valid for 10 s, renewed each 5 s, tried again each 2 s; nobody's wall clock matters, each measures how long the lease has not changed
 * before its own eyes. A leader may write while its last renewal began less than 7 s ago, and gives up after 10 s.
 * new -> [led changes, renewed]... -> release -> free. */
#ifndef HW_HUB_LEASE_H
#define HW_HUB_LEASE_H

#include <uv.h>

#include "kube/client.h"

struct hw_hub_lease;

struct hw_hub_lease_opts {
    const char *namespace, *name; /* of the Lease; copied */
    const char *identity;         /* ours, like no other's; copied */
    void (*changed)(void *ctx, bool leads);
    void (*renewed)(void *ctx); /* it leads on; may be NULL */
    void *ctx;
};

/* kube is for this alone, so that nothing else delays a renewal. Borrows until free. HW_ECONFIG. */
HW_MUST_USE int hw_hub_lease_new(struct hw_hub_lease **ret, struct hw_kube *kube, uv_loop_t *loop,
                                 const struct hw_clock *clock, const struct hw_hub_lease_opts *opts,
                                 struct hw_err *err);
/* The loop must turn once more. NULL allowed. */
void hw_hub_lease_free(struct hw_hub_lease *l);

bool hw_hub_lease_leads(const struct hw_hub_lease *l);
/* Whether a write may begin now. */
bool hw_hub_lease_may_write(const struct hw_hub_lease *l);
/* Gives the lease away, when it is ours, and tries for it no more; done is called once, from the loop, within 3 s. The owner has
 * ended its writes. */
void hw_hub_lease_release(struct hw_hub_lease *l, void (*done)(void *ctx), void *ctx);

#endif
