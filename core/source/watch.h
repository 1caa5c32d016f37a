/* watch.h - follows a progress file on a thread of its own and hands what is new to the loop.
 * The thread sleeps until the tick, a file event or a question; a read that hangs (a dead network file system)
 * holds up nothing but itself, and the loop is woken only when the file says something else than before.
 * File events are a hint: they are lost on network and FUSE file systems, and in directories that come later;
 * the tick alone is enough.
 * new -> on_read... -> [ask -> on_read with asked] -> free. */
#ifndef HW_SOURCE_WATCH_H
#define HW_SOURCE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "source/file.h"
#include "source/reader.h"

struct hw_watch;

struct hw_watch_options {
    const char *path; /* borrows: copied */
    int64_t tick_ms;  /* 3000: time between two reads when no event comes; 10 and up */
    bool events;      /* file events as well as the tick */
};

enum { HW_WATCH_HUNG_MS = HW_READER_HUNG_MS }; /* a read that takes longer is worth a word */

/* On the loop. read is borrowed until it returns. news: it says something else than the last one, or comes after a read that
 * hung. asked: this is the answer to hw_watch_ask, which comes even when nothing is new. */
typedef void hw_watch_fn(void *ctx, const struct hw_file_read *read, bool news, bool asked);

HW_MUST_USE int hw_watch_new(struct hw_watch **ret, uv_loop_t *loop,
                             const struct hw_watch_options *options, hw_watch_fn *fn, void *ctx,
                             struct hw_err *err);
/* Reads at once; a line without its end is believed when a second read 100 ms later agrees. */
void hw_watch_ask(struct hw_watch *w);
/* How long the read that is under way has been going on; 0 = none is. For "no answer from the file system". */
int64_t hw_watch_busy_ms(const struct hw_watch *w);
/* Ends the thread when it can; one that hangs in a read is left behind with its memory. No callback comes after
 * this. */
void hw_watch_free(struct hw_watch *w);

#endif
