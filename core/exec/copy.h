/* copy.h - one stream of the command on its way out: unchanged, without delay, and a second copy for the reporter as long as
 * that keeps up.
 * Bytes are moved inside the kernel (tee, splice): at each moment they are either still in the command's pipe or already
 * where they belong, so a copier that is killed has lost none, and another process that holds the same
 * descriptors goes on where it stopped.
 *
 * A terminal's bytes (pty) go through a pipe of our own first, which is emptied before more is taken.
 * The descriptor written to is somebody else's: its flags are not changed. What it does not take at once waits in the command's
 * pipe, as it would without us; the reporter's copy is never waited for, unless it is to be exact: what it does not take
 * is kept for it in memory (spool.h), up to a ceiling; what gives way then is counted, and it always gets the last words. */
#ifndef HW_EXEC_COPY_H
#define HW_EXEC_COPY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "exec/spool.h"

struct hw_copy {
    int src; /* owns: a pipe's read end, or a pty's master, which must not block; -1 = it is over */
    int through[2]; /* owns: the pipe behind a pty's master; -1 = src is a pipe itself */
    int dst;        /* borrows: where the bytes belong */
    int anew; /* owns: a terminal's dst opened once more, so that it does not block; -1 = none */
    bool has_reader; /* dst is a pipe or a socket: poll tells when its reader is gone */
    bool paced; /* dst blocks whatever one asks for (a socket): it is given little, when it has room */
    uint64_t passed; /* bytes that dst took */
    int feed;     /* borrows: the reporter's pipe, write end, must not block; -1 = nobody reads */
    size_t ahead; /* bytes in front that feed has and dst has not */
    uint64_t fed; /* bytes that were given to feed since the start */
    int side[2];  /* owns: a way for copies of bytes into memory; -1 = not made yet */
    struct hw_spool spool; /* while feed takes no more, the newest bytes wait here */
    uint64_t lost; /* bytes that feed never gets, just before the next one that it gets, which waits until the owner has told
                      it, and set this to 0 */
    bool exact;    /* feed is waited for like dst: it gets every byte */
    bool feed_full; /* exact: it takes nothing now, and is awaited */
    bool dst_full;  /* it takes nothing now: it is awaited, not src */
    bool plain;     /* dst can't be spliced to (a file opened to append): bytes pass through here */
    bool reader_gone; /* that of a pty's bytes: src stays open until the owner has told the command, and calls close */
    int error; /* errno that ended it, EPIPE: its reader is gone; 0 = end of the stream */
};

/* Takes src. pty: it is a master. */
HW_MUST_USE int hw_copy_init(struct hw_copy *c, int src, bool pty, int dst, int feed,
                             struct hw_err *err);
/* Closes src: who still writes there gets SIGPIPE. What waits for feed stays. */
void hw_copy_close(struct hw_copy *c);
void hw_copy_done(struct hw_copy *c);

static inline bool hw_copy_is_over(const struct hw_copy *c)
{
    return c->src < 0 || c->reader_gone;
}
/* What to wait for; fd -1 when it is over. */
struct pollfd hw_copy_poll(const struct hw_copy *c);
/* Tells, by revents other than 0, that whoever reads dst is gone. */
struct pollfd hw_copy_poll_reader(const struct hw_copy *c);
/* He is: the stream is over, before anything more is written. */
void hw_copy_lose_reader(struct hw_copy *c);
/* Whether any byte waits to be moved: those on their way through a terminal, too. */
bool hw_copy_has_more(const struct hw_copy *c);
/* Bytes that wait to be moved. */
uint64_t hw_copy_waiting(const struct hw_copy *c);
/* Moves what can be moved now, at most about 1 MiB; true when anything was. */
bool hw_copy_step(struct hw_copy *c);
/* Gives feed what waits for it; false: something still does. */
bool hw_copy_flush(struct hw_copy *c);
/* Time is short: of what waits for feed all but the newest 64 KiB are lost. */
void hw_copy_hurry(struct hw_copy *c);
/* Nobody who holds the other end has to wait for us any more: /dev/null stands in. mode: O_RDONLY or O_WRONLY. */
void hw_empty_fd(int fd, int mode);
/* At most two streams, to their ends. Blocks. Only system calls: may run in a fork of a process with threads. */
void hw_copy_run(struct hw_copy *list, size_t count);

#endif
