/* open.h - opens a file that somebody else made, whatever it may be: never through a symbolic link at its end, never waiting
 * (FIFO, device), regular files only. May block as long as the file system does. */
#ifndef HW_SOURCE_OPEN_H
#define HW_SOURCE_OPEN_H

#include <stddef.h>
#include <sys/types.h>

enum hw_open_kind {
    HW_OPEN_DONE,
    HW_OPEN_MISSING, /* no such file yet */
    HW_OPEN_REFUSED, /* a link, a directory */
    HW_OPEN_FAILED,  /* the system would not: it may do so the next time */
};

/* what: "progress file", for the texts. The fd is the caller's when it is DONE; else why (ended) says what is the matter. */
enum hw_open_kind hw_open_regular(const char *path, const char *what, int *ret_fd, char *why,
                                  size_t why_size);
/* What an open or a read failed of. */
enum hw_open_kind hw_open_failed(const char *what, int error, char *why, size_t why_size);
/* "is a directory", ...; NULL for a regular file. */
const char *hw_open_wrong_type(mode_t mode);

#endif
