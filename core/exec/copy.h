/* copy.h - one stream of the command on its way out: unchanged, without delay, and a second copy for the reporter as long as
 * that keeps up.
 * Bytes are moved inside the kernel (tee, splice): at each moment they are either still in the command's pipe or already
 * where they belong, so a copier that is killed has lost none, and another process that holds the same
 * descriptors goes on where it stopped.
 *
 * A terminal's bytes (pty) go through a pipe of our own first, which is emptied before more is taken.
 * The descriptor written to is somebody else's: its flags are not changed. What it does not take at once waits in the command's
 * pipe, as it would without us; the reporter's copy is never waited for. */
#ifndef HW_EXEC_COPY_H
#define HW_EXEC_COPY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct hw_copy {
    int src; /* owns: a pipe's read end, or a pty's master, which must not block; -1 = it is over */
    int through[2]; /* owns: the pipe behind a pty's master; -1 = src is a pipe itself */
    int dst;        /* borrows: where the bytes belong */
    int feed;       /* borrows: the reporter's pipe, write end, must not block; -1 = nobody reads */
    size_t ahead;   /* bytes in front that feed has and dst has not */
    uint64_t fed;   /* bytes that were given to feed since the start */
    bool missing;   /* bytes passed that it was not given */
    bool gap; /* it was given more after that: just before byte gap_at of what it got, some are missing. Nothing more is
                      * given before the owner has told it and taken this back */
    uint64_t gap_at;
    bool dst_full; /* it takes nothing now: it is awaited, not src */
    bool plain;    /* dst can't be spliced to (a file opened to append): bytes pass through here */
    bool lost; /* the reader of a pty's bytes is gone: src stays open until the owner has told the command, and calls done */
    int error; /* errno that ended it, EPIPE: its reader is gone; 0 = end of the stream */
};

/* Takes src. pty: it is a master. */
HW_MUST_USE int hw_copy_init(struct hw_copy *c, int src, bool pty, int dst, int feed,
                             struct hw_err *err);
void hw_copy_done(struct hw_copy *c); /* closes src: who still writes there gets SIGPIPE */

static inline bool hw_copy_is_over(const struct hw_copy *c)
{
    return c->src < 0 || c->lost;
}
/* What to wait for; fd -1 when it is over. */
struct pollfd hw_copy_poll(const struct hw_copy *c);
/* Moves what can be moved now, at most about 1 MiB; true when anything was. */
bool hw_copy_step(struct hw_copy *c);
/* Whether bytes are there that were not moved yet. */
bool hw_copy_has_more(const struct hw_copy *c);
/* All streams to their ends. Blocks. Only system calls: may run in a fork of a process with threads. */
void hw_copy_run(struct hw_copy *list, size_t count);

#endif
