/* place.h - where a command that was named no progress file gets one: a directory of its own in $TMPDIR, /tmp or /dev/shm,
 * else, where nothing can be written (a read-only root), memory that has a path in /proc.
 * make -> path -> remove. */
#ifndef HW_EXEC_PLACE_H
#define HW_EXEC_PLACE_H

#include <stdbool.h>

#include "base/err.h"

struct hw_place {
    char *path; /* owns: for the command; absolute */
    char *seen; /* owns: for a process that inherited memory; else the same as path */
    char *dir;  /* owns: removed at the end; NULL = none */
    int memory; /* owns: -1 = it is a file */
};

/* open: the command may change its user, so that everybody must be able to write there (a container, not a shared
 * machine). */
HW_MUST_USE int hw_place_make(struct hw_place *p, bool open, struct hw_err *err);
/* Removes what was made, unless the command left more there. */
void hw_place_remove(struct hw_place *p);

#endif
