/* spool.h - what a reporter that lags has not taken yet: in memory, the oldest first, up to a ceiling, over which the oldest part
 * gives way.
 * {0} -> [take -> give...] -> done. The memory is had with the first byte, and goes back when all was given. A fork does not
 * have it, and begins anew with {0}. */
#ifndef HW_EXEC_SPOOL_H
#define HW_EXEC_SPOOL_H

#include <stddef.h>
#include <sys/types.h>

enum {
    HW_SPOOL_MAX = 8 * 1024 * 1024,
    HW_SPOOL_PART =
        HW_SPOOL_MAX / 4, /* what gives way at once: each gap costs the records at its edges */
};

struct hw_spool {
    char *ring; /* owns; NULL = no memory is held */
    size_t from, len;
};

/* The next n bytes of a pipe, which has them; at most HW_SPOOL_PART. Returns how many were lost for it: older ones, or, where no memory
 * is to be had, these. */
size_t hw_spool_take(struct hw_spool *s, int fd, size_t n);
/* As much as a pipe takes; as write. */
ssize_t hw_spool_give(struct hw_spool *s, int fd);
/* Lets go all but the newest; returns how many were lost. */
size_t hw_spool_keep(struct hw_spool *s, size_t newest);
void hw_spool_done(struct hw_spool *s);

#endif
