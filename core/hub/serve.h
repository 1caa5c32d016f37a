/* serve.h - what the hub shows over HTTP: /healthz (the loop lives), /readyz (it knows all; a standby, too), /metrics.
 * An address that is taken is no reason to end: it is tried again, and the hub works meanwhile.
 *   new -> (run the loop) -> free */
#ifndef HW_HUB_SERVE_H
#define HW_HUB_SERVE_H

#include "hub/hub.h"

struct hw_hub_serve;

struct hw_hub_serve_opts {
    const char *address;    /* as in http/server.h; copied */
    const char *cert, *key; /* files, copied; NULL = no TLS. Read again when they change */
    int metrics_operations; /* that have metrics of their own */
};

/* hub and clock are borrowed until free. HW_ECONFIG: this is no address; -1 also: certificate and
 * key can't be used. */
HW_MUST_USE int hw_hub_serve_new(struct hw_hub_serve **ret, struct hw_hub *hub, uv_loop_t *loop,
                                 const struct hw_clock *clock, const struct hw_hub_serve_opts *opts,
                                 struct hw_err *err);
/* The loop must turn once more. NULL allowed. */
void hw_hub_serve_free(struct hw_hub_serve *s);

#endif
