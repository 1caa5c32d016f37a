/* cast_out.h - writes a recording, asciicast v2, as it comes: a header line, then an event for each piece of output, each line with
 * one write, so that a recorder that is killed leaves a recording that can be read.
 *
 *   new -> bytes, size... -> end -> free
 *
 * JSON holds characters, not bytes. A character whose bytes come in two pieces stands in the event of its last byte; bytes that are
 * no UTF-8 are lost, each becomes U+FFFD, and is counted. Two streams don't mix in a character.
 *
 * Memory: one piece, at most HW_CAST_OUT_PIECE bytes, escaped. */
#ifndef HW_REPLAY_CAST_OUT_H
#define HW_REPLAY_CAST_OUT_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { HW_CAST_OUT_PIECE = 64 * 1024, HW_CAST_OUT_STREAMS = 2 };

struct hw_cast_header {
    int width, height;        /* columns and rows */
    int64_t unix_ms;          /* when it begins */
    const char *command;      /* as a person types it; NULL = not said */
    const char *title;        /* NULL = not said */
    const char *shell, *term; /* SHELL and TERM; NULL = not set */
};

struct hw_cast_out_counts {
    uint64_t events, bytes;
    uint64_t replaced; /* bytes that were no UTF-8 */
};

struct hw_cast_out;
/* fd: borrows; what it blocks for is waited for. Writes the header. HW_ESYS. */
HW_MUST_USE int hw_cast_out_new(struct hw_cast_out **ret, int fd,
                                const struct hw_cast_header *header, struct hw_err *err);
void hw_cast_out_free(struct hw_cast_out *c);
/* us: microseconds since the beginning, not less than before. stream: 0 or 1, of which the bytes are the next ones. */
HW_MUST_USE int hw_cast_out_bytes(struct hw_cast_out *c, int64_t us, size_t stream,
                                  struct hw_str bytes, struct hw_err *err);
/* The terminal has another size now. */
HW_MUST_USE int hw_cast_out_size(struct hw_cast_out *c, int64_t us, int width, int height,
                                 struct hw_err *err);
/* Characters that were never finished. */
HW_MUST_USE int hw_cast_out_end(struct hw_cast_out *c, int64_t us, struct hw_err *err);
struct hw_cast_out_counts hw_cast_out_counts(const struct hw_cast_out *c);

#endif
