/* metrics.h - the hub as metrics: each operation, what the hub does, and its process. A rendering goes in steps, so that it never
 * holds the loop; between them the hub may change.
 *   new -> [begin -> step... -> text]... -> free */
#ifndef HW_HUB_METRICS_H
#define HW_HUB_METRICS_H

#include "hub/hub.h"

struct hw_hub_metrics;

/* operations_max: how many operations get metrics of their own; those that go on first, then those that failed. All borrowed
 * until free. */
struct hw_hub_metrics *hw_hub_metrics_new(struct hw_hub *hub, const struct hw_clock *clock,
                                          int operations_max);
void hw_hub_metrics_free(struct hw_hub_metrics *m); /* NULL allowed */

void hw_hub_metrics_begin(struct hw_hub_metrics *m);
/* Some milliseconds of it; true: it is whole. */
bool hw_hub_metrics_step(struct hw_hub_metrics *m);
/* Borrowed until the next begin, drop or free. Empty: there is none. */
struct hw_str hw_hub_metrics_text(const struct hw_hub_metrics *m);
void hw_hub_metrics_drop(struct hw_hub_metrics *m);

#endif
