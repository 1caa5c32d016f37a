/* cast.h - reads a recording: asciicast v2 (a header line, then [seconds, "o", text] lines), or any other file as a plain log,
 * which has no times. Bytes in, events out; hostile until checked.
 *
 *   new -> add(bytes) -> next until it says 0 -> add... -> end -> next until it says 0 -> free
 *
 * A line of a recording that is no event is an error with its number, but for the last one: without a line end, and begun like
 * an event, it is where the recording broke off (is_cut). Times that go back are taken as the time before. Events other than "o"
 * have no bytes, but their time counts.
 *
 * Memory: one line, at most HW_CAST_LINE_MAX; of a log nothing is kept. */
#ifndef HW_REPLAY_CAST_H
#define HW_REPLAY_CAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    HW_CAST_HEADER_MAX = 64 * 1024, /* bytes; a first line that is longer is a log's */
    HW_CAST_LINE_MAX =
        4 * 1024 * 1024, /* bytes; a read of 64 KiB, all of it escaped, is a tenth of that */
    HW_CAST_SECONDS_MAX = 1000000000, /* 31 years: what is later is no time */
};

enum hw_cast_kind { HW_CAST_UNKNOWN, HW_CAST_LOG, HW_CAST_V2 };

struct hw_cast_event {
    int64_t us;          /* microseconds since the start, never less than before; 0 in a log */
    struct hw_str bytes; /* what was written; borrowed until the next call */
};

/* What a recording says of itself. Borrowed until free. */
struct hw_cast_about {
    enum hw_cast_kind kind;
    const char *command;      /* clean text; NULL = not said */
    int64_t unix_ms;          /* when it began; 0 = not said */
    bool is_cut;              /* the last line is incomplete */
    uint64_t back, back_line; /* times that went back, and the line of the first; 0 = none */
};

struct hw_cast;

/* must: a log is an error (a file named .cast). */
struct hw_cast *hw_cast_new(bool must);
void hw_cast_free(struct hw_cast *c);
/* bytes are borrowed until next has said 0. */
void hw_cast_add(struct hw_cast *c, struct hw_str bytes);
/* No more bytes come. */
void hw_cast_end(struct hw_cast *c);
/* 1: an event. 0: there is none in what was added. -1: HW_EINPUT, and nothing more can be read. */
HW_MUST_USE int hw_cast_next(struct hw_cast *c, struct hw_cast_event *ret, struct hw_err *err);
/* Reads no further than the header. 1: the kind is known; 0: more bytes are needed, or the input is over and empty. */
HW_MUST_USE int hw_cast_sniff(struct hw_cast *c, struct hw_err *err);
const struct hw_cast_about *hw_cast_about(const struct hw_cast *c);

#endif
