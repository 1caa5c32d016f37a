/* tally.h - what answered writes were like, counted for metrics: statuses, and how long they took. */
#ifndef HW_HUB_TALLY_H
#define HW_HUB_TALLY_H

#include <stdint.h>

enum { HW_TALLY_STATUSES = 24, HW_TALLY_BUCKETS = 10 };

/* Upper ends of the buckets, in ms. */
extern const int hw_tally_ends[HW_TALLY_BUCKETS];

struct hw_tally {
    struct {
        int status; /* HTTP's; 0 = no answer; -1 = any other, when there is no more room */
        int64_t count;
    } statuses[HW_TALLY_STATUSES];     /* up to the first without a count */
    int64_t buckets[HW_TALLY_BUCKETS]; /* each for itself */
    int64_t count, sum_ms;
};

void hw_tally_add(struct hw_tally *t, int status, int64_t ms);

#endif
