/* nm.h - the grammar of N/M, in one place: parsers/nm.lua, `headway set` and all who read an annotation
 * ask here. `0 <= N <= M`, decimal, at most 2^63-1, leading zeros allowed, space or tab around and about
 * the "/", then optionally white space and a message. 0/0 is valid: nothing known yet. */
#ifndef HW_PROGRESS_NM_H
#define HW_PROGRESS_NM_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct hw_nm {
    int64_t done;
    int64_t total;
    struct hw_str message; /* borrows from the text; len 0 = none */
};

/* One line, without its line end; a UTF-8 BOM in front is skipped. HW_EINPUT says what is wrong and shows
 * at most 32 printable bytes of the text. */
HW_MUST_USE int hw_nm_parse(struct hw_str line, struct hw_nm *ret, struct hw_err *err);

enum { HW_NM_SIZE = 40 + 1 }; /* two counts, "/", the final NUL */
void hw_nm_format(int64_t done, int64_t total, char buf[HW_NM_SIZE]);

#endif
