#include "lua/arena.h"

#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "lua/grains.h"

int hw_arena_init(struct hw_arena *a, size_t size, struct hw_err *err)
{
    *a = (struct hw_arena){ 0 };
    if (size > HW_ARENA_MAX || size < HW_ARENA_GRAIN)
        return hw_fail(err, HW_ELIMIT, "arena of %zu bytes", size);
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return hw_fail_sys(err, "map %zu bytes", size);
    a->base = base;
    a->grains = size / HW_ARENA_GRAIN;
    return 0;
}

void hw_arena_done(struct hw_arena *a)
{
    if (a->base)
        munmap(a->base, a->grains * HW_ARENA_GRAIN);
    *a = (struct hw_arena){ 0 };
}

static bool is_taken(const struct hw_arena *a, size_t grain)
{
    return a->taken[grain / 64] >> grain % 64 & 1;
}

static void mark(struct hw_arena *a, size_t grain, size_t count, bool taken)
{
    for (size_t i = grain; i < grain + count; i++)
        if (taken)
            a->taken[i / 64] |= UINT64_C(1) << i % 64;
        else
            a->taken[i / 64] &= ~(UINT64_C(1) << i % 64);
}

/* At most 4096 bits are looked at: no index is worth its while. */
void *hw_grains_take(struct hw_arena *a, size_t bytes)
{
    size_t count = bytes / HW_ARENA_GRAIN, run = 0;
    for (size_t i = 0; i < a->grains; i++) {
        run = is_taken(a, i) ? 0 : run + 1;
        if (run == count) {
            size_t first = i + 1 - count;
            mark(a, first, count, true);
            return a->base + first * HW_ARENA_GRAIN;
        }
    }
    return NULL;
}

bool hw_grains_take_at(struct hw_arena *a, const void *at, size_t bytes)
{
    size_t first = (size_t)((const unsigned char *)at - a->base) / HW_ARENA_GRAIN;
    size_t count = bytes / HW_ARENA_GRAIN;
    if (count > a->grains - first)
        return false;
    for (size_t i = first; i < first + count; i++)
        if (is_taken(a, i))
            return false;
    mark(a, first, count, true);
    return true;
}

void hw_grains_give(struct hw_arena *a, const void *at, size_t bytes)
{
    size_t first = (size_t)((const unsigned char *)at - a->base) / HW_ARENA_GRAIN;
    mark(a, first, bytes / HW_ARENA_GRAIN, false);
}
