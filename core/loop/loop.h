/* loop.h - the event loop: libuv's, made so that what can fail is said. */
#ifndef HW_LOOP_LOOP_H
#define HW_LOOP_LOOP_H

#include <uv.h>

#include "base/err.h"

/* Once, before anything else of libuv is called. Its small allocations can't fail any more: they end the program as those of
 * base/mem.h do. libuv ends it, too, where it can't grow its tables, but without a word. */
void hw_loop_guard(void);

/* -1: there is none; it must not be used or closed then. */
HW_MUST_USE int hw_loop_init(uv_loop_t *loop, struct hw_err *err);

#endif
