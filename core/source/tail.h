/* tail.h - follows a growing log from its first byte, on a thread of its own (reader.h), and hands its bytes to the loop.
 *   new -> on_news... [false: no room -> go_on] -> [ask -> on_news with asked] -> free
 *
 * What is followed:
 * - Rotation by rename: the old file is read to its end, and left only when the new one holds something, since its writer may
 *   not have noticed yet. Then its end is the end of its last line, too: who goes to another file has written all of it. Up to
 *   HW_TAIL_FILES files wait to be read; a file that came and went between two looks (a tick, or at once where there are file
 *   events) was never seen.
 * - Truncation (copytruncate, `> log`): the file is shorter than what was read, or the 64 bytes before that place or at the
 *   file's beginning are others now. Then it is read from its start. What was written after the last read and
 *   before the truncation is gone. A writer without O_APPEND leaves a hole, which is skipped.
 * - A file or a directory that comes later, goes, is made anew. A deleted log is held open until there is a new one.
 * Never taken: links, FIFOs, devices, directories (open.h); why says so, and what is open already goes on being read.
 *
 * Nothing is lost for want of room: while the consumer has none, the file is not read. The loop gets at most HW_TAIL_CHUNK bytes a
 * turn. Memory: two such pieces. Nothing is copied from a log that does not grow, and the loop is not woken for it. */
#ifndef HW_SOURCE_TAIL_H
#define HW_SOURCE_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "base/str.h"

struct hw_tail;

enum {
    HW_TAIL_CHUNK = 64 * 1024,
    HW_TAIL_FILES = 4,
    HW_TAIL_LAST =
        8 * 1024 * 1024, /* of what was not read yet, the most that is read after hw_tail_ask */
    HW_TAIL_WHY = 160,
};

enum hw_tail_seam {
    HW_TAIL_ON, /* the bytes follow those before */
    HW_TAIL_NEXT, /* another file begins with them; the one before was read to its end: hw_records_end, whole */
    HW_TAIL_SEAM, /* they lie at the start of the same file, which was emptied: hw_records_seam */
    HW_TAIL_GAP,  /* some before them were left out: hw_records_gap */
};

struct hw_tail_news {
    struct hw_str bytes; /* may be none; borrowed until the callback returns */
    enum hw_tail_seam seam;
    uint64_t lost;  /* with GAP: so many were left out */
    bool caught_up; /* once: what was there at the start has been given, or there is nothing */
    bool asked;     /* the answer to hw_tail_ask, with or after the last bytes */
    const char *why; /* NULL = as before; "" = the log is read; else why it is not: "no log file yet" */
};
/* On the loop. False: no more until hw_tail_go_on. free is legal inside. */
typedef bool hw_tail_fn(void *ctx, const struct hw_tail_news *news);

struct hw_tail_options {
    const char *path; /* borrows: copied */
    int64_t tick_ms;  /* 10 and up */
    bool events;
};

HW_MUST_USE int hw_tail_new(struct hw_tail **ret, uv_loop_t *loop,
                            const struct hw_tail_options *options, hw_tail_fn *fn, void *ctx,
                            struct hw_err *err);
void hw_tail_go_on(struct hw_tail *t);
/* The writer has ended: reads what is left at once. More than HW_TAIL_LAST bytes of it are left out but for the end, since the
 * last words are worth the most. Asked again before the answer: time is short, and HW_TAIL_CHUNK bytes must do. */
void hw_tail_ask(struct hw_tail *t);
/* How long a read has been going on; 0 = none is. */
int64_t hw_tail_busy_ms(const struct hw_tail *t);
void hw_tail_free(struct hw_tail *t); /* NULL is allowed */

#endif
