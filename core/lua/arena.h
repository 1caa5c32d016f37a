/* arena.h - memory of the parsers: one region that is mapped before the door is shut (afterwards the worker has no
 * system call to ask for more), and heaps that grow inside it, one for each parser.
 * init -> heap_new -> realloc... -> heap_free (all its blocks at once) -> done.
 *
 * The region is untouched pages until used. A heap takes grains of 16 KiB at the lowest place that is free, and fills
 * them from below; freed blocks are joined with their neighbours and reused best fit first, so that few pages are
 * ever touched. 8 bytes overhead a block, every block aligned to 8. */
#ifndef HW_LUA_ARENA_H
#define HW_LUA_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    HW_ARENA_GRAIN = 16 * 1024,
    HW_ARENA_MAX = 64 * 1024 * 1024,
    HW_ARENA_WORDS = HW_ARENA_MAX / HW_ARENA_GRAIN / 64,
};

struct hw_arena {
    unsigned char *base; /* owns; mapped */
    size_t grains;
    uint64_t taken[HW_ARENA_WORDS]; /* one bit for each grain */
};

struct hw_heap;

/* size: bytes, at most HW_ARENA_MAX; rounded down to whole grains. */
HW_MUST_USE int hw_arena_init(struct hw_arena *a, size_t size, struct hw_err *err);
void hw_arena_done(struct hw_arena *a);

/* max: bytes that it may take of the region. NULL when the region is full. */
struct hw_heap *hw_heap_new(struct hw_arena *a, size_t max);
/* As realloc, but size 0 frees and gives NULL. NULL when the ceiling is reached; ptr stays as it was then. Never
 * fails to shrink. */
void *hw_heap_realloc(struct hw_heap *h, void *ptr, size_t size);
/* Bytes of the region that it holds now. */
size_t hw_heap_held(const struct hw_heap *h);
void hw_heap_free(struct hw_heap *h);

#endif
