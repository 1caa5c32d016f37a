#include "loop/loop.h"

#include "base/mem.h"

void hw_loop_guard(void)
{
    uv_replace_allocator(hw_xmalloc, hw_xrealloc, hw_xcalloc, free);
}

int hw_loop_init(uv_loop_t *loop, struct hw_err *err)
{
    int st = uv_loop_init(loop);
    return st < 0 ? hw_fail(err, HW_ESYS, "make the event loop: %s", uv_strerror(st)) : 0;
}
