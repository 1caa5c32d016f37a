#include "kube/backoff.h"

#include <sys/random.h>
#include <time.h>

int64_t hw_backoff_next(struct hw_backoff *b, uint64_t random)
{
    int64_t ceiling = HW_BACKOFF_BASE_MS;
    for (int i = 0; i < b->tries && ceiling < HW_BACKOFF_MAX_MS; i++)
        ceiling *= 2;
    if (ceiling > HW_BACKOFF_MAX_MS)
        ceiling = HW_BACKOFF_MAX_MS;
    if (b->tries < 64)
        b->tries++;
    int64_t wait = (int64_t)(random % (uint64_t)(ceiling + 1));
    return wait < HW_BACKOFF_LEAST_MS ? HW_BACKOFF_LEAST_MS : wait;
}

void hw_backoff_reset(struct hw_backoff *b)
{
    b->tries = 0;
}

uint64_t hw_backoff_random(void)
{
    uint64_t n;
    if (getrandom(&n, sizeof n, GRND_NONBLOCK) == sizeof n)
        return n;
    /* Only in the first seconds of a machine's life. */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15) >> 16;
}
