/* backoff.h - how long to wait before the next try: exponential with full jitter.
 * The n-th wait in a row is uniform in 0 .. min(max, base * 2^n), so that ten thousand reporters that lost
 * the same server do not come back together. Pure: the random number is handed in. */
#ifndef HW_KUBE_BACKOFF_H
#define HW_KUBE_BACKOFF_H

#include <stdint.h>

enum {
    HW_BACKOFF_BASE_MS = 500,  /* ceiling of the first wait */
    HW_BACKOFF_MAX_MS = 60000, /* ceiling of all later ones */
    HW_BACKOFF_LEAST_MS = 20,  /* no wait is shorter: never a busy loop, however the dice fall */
};

struct hw_backoff {
    int tries; /* waits since the last success; a zeroed struct is ready for use */
};

/* The next wait in milliseconds, and one try more. */
int64_t hw_backoff_next(struct hw_backoff *b, uint64_t random);
void hw_backoff_reset(struct hw_backoff *b); /* after a success */
/* 64 bits from the kernel; never blocks. */
uint64_t hw_backoff_random(void);

#endif
