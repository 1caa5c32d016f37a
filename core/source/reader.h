/* reader.h - a thread that reads a file for the loop, since a read may hang for ever (NFS, FUSE) and the loop must not.
 * It sleeps until the tick, a file event or a word from the loop; then it takes a turn. What it found it leaves in a state
 * that both sides share under one lock, and rings the loop.
 * File events are a hint: they are lost on network and FUSE file systems, and in directories that come later; the tick
 * alone is enough. Events cost at most four turns a second after a burst, so a busy writer costs little.
 *
 * new -> turn... -> on_ring... -> free. A thread that hangs is left behind at free with its state, which it frees when
 * it comes back. */
#ifndef HW_SOURCE_READER_H
#define HW_SOURCE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"

struct hw_reader;

enum { HW_READER_HUNG_MS = 30000 }; /* a turn that takes longer is worth a word */

/* Why a turn is taken; none of them: hw_reader_wake. */
struct hw_reader_cause {
    bool tick;  /* also the first turn */
    bool event; /* something happened to the file, or in its directory */
    bool asked; /* hw_reader_ask */
};

enum hw_reader_next {
    HW_READER_LISTEN, /* the next turn comes by tick, event or word */
    HW_READER_DEAF,   /* ... by tick or word: events can't be used now */
};

struct hw_reader_ops {
    /* On the thread. */
    enum hw_reader_next (*turn)(void *state, struct hw_reader *r, struct hw_reader_cause cause);
    /* On the loop, after one or more hw_reader_ring. */
    void (*on_ring)(void *ctx);
    /* By whoever leaves last. */
    void (*free_state)(void *state);
};

struct hw_reader_options {
    const char *path; /* borrows: copied */
    int64_t tick_ms;  /* 10 and up */
    bool events;      /* file events as well as the tick */
};

/* Takes state; on failure it is freed too. */
HW_MUST_USE int hw_reader_new(struct hw_reader **ret, uv_loop_t *loop,
                              const struct hw_reader_options *options,
                              const struct hw_reader_ops *ops, void *state, void *ctx,
                              struct hw_err *err);
/* Around what both sides use. Nothing that blocks in between. */
void hw_reader_lock(struct hw_reader *r);
void hw_reader_unlock(struct hw_reader *r);
/* Under the lock, from either side: on_ring comes. */
void hw_reader_ring(struct hw_reader *r);
/* From the loop, not under the lock: a turn comes, with asked or without. */
void hw_reader_ask(struct hw_reader *r);
void hw_reader_wake(struct hw_reader *r);
/* How long the turn that is under way has been going on; 0 = none is. */
int64_t hw_reader_busy_ms(const struct hw_reader *r);
/* Ends the thread when it can. No callback comes after this. NULL is allowed. */
void hw_reader_free(struct hw_reader *r);

/* The thread's clock: monotonic. */
int64_t hw_reader_now_ms(void);

#endif
