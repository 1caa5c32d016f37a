/* buf.h - a growing byte buffer that is born with its ceiling.
 * init -> add... -> done. Bytes beyond the ceiling are refused whole (HW_ELIMIT), never cut silently.
 * ptr is always ended by a NUL that len does not count, once something was added. */
#ifndef HW_BASE_BUF_H
#define HW_BASE_BUF_H

#include <stddef.h>

#include "base/err.h"

struct hw_buf {
    char *ptr;   /* owns; NULL while empty */
    size_t len;  /* bytes in use */
    size_t size; /* bytes allocated */
    size_t max;  /* ceiling of len */
};

void hw_buf_init(struct hw_buf *b, size_t max);
void hw_buf_done(struct hw_buf *b); /* frees; the buffer may be used again, with the same ceiling */
void hw_buf_clear(struct hw_buf *b); /* len = 0, memory is kept */
/* HW_ELIMIT when the ceiling would be passed, nothing added then; out of memory counts the same. */
HW_MUST_USE int hw_buf_add(struct hw_buf *b, const void *data, size_t len, struct hw_err *err);
HW_MUST_USE int hw_buf_addf(struct hw_buf *b, struct hw_err *err, const char *fmt, ...)
    HW_PRINTF(3, 4);
void hw_buf_drop(struct hw_buf *b, size_t len); /* forgets the first len bytes */
char *hw_buf_take(struct hw_buf *b);            /* gives the memory, an ended string; b is empty */

#define hw_auto_buf __attribute__((cleanup(hw_buf_done))) struct hw_buf

#endif
