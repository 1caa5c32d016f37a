#include "lua/arena.h"

#include <stdint.h>
#include <string.h>

enum { GRAIN = 16 };

void hw_arena_reset(struct hw_arena *a, void *base, size_t size)
{
    *a = (struct hw_arena){ .base = base, .size = size };
}

/* Classes 0..3 are 16, 32, 48, 64 bytes; then each power of two has four: 80, 96, 112, 128, 160, ... */
static unsigned class_of(size_t size)
{
    size_t grains = (size + GRAIN - 1) / GRAIN;
    if (grains <= 4)
        return grains ? (unsigned)grains - 1 : 0;
    unsigned power = 63 - (unsigned)__builtin_clzl(grains - 1); /* 2^power < grains <= 2^(power+1) */
    size_t step = (size_t)1 << (power - 2);
    return 4 * (power - 1) + (unsigned)((grains - 1 - ((size_t)1 << power)) / step);
}

static size_t size_of(unsigned class)
{
    if (class < 4)
        return (size_t)(class + 1) * GRAIN;
    unsigned power = class / 4 + 1;
    size_t step = (size_t)1 << (power - 2);
    return (((size_t)1 << power) + (class % 4 + 1) * step) * GRAIN;
}

static void *take(struct hw_arena *a, size_t nsize)
{
    if (nsize > a->size)
        return NULL;
    unsigned class = class_of(nsize);
    void *ptr = a->free[class];
    if (ptr) {
        memcpy(&a->free[class], ptr, sizeof ptr);
        return ptr;
    }
    size_t size = size_of(class);
    if (size > a->size - a->top)
        return NULL;
    ptr = a->base + a->top;
    a->top += size;
    return ptr;
}

static void give(struct hw_arena *a, void *ptr, size_t osize)
{
    unsigned class = class_of(osize);
    size_t size = size_of(class);
    if ((char *)ptr + size == a->base + a->top) { /* the last one: the next may be of another class */
        a->top -= size;
        return;
    }
    memcpy(ptr, &a->free[class], sizeof ptr);
    a->free[class] = ptr;
}

void *hw_arena_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct hw_arena *a = ud;
    if (!nsize) {
        if (ptr)
            give(a, ptr, osize);
        return NULL;
    }
    if (!ptr) /* osize is a type tag then */
        return take(a, nsize);
    if (class_of(osize) == class_of(nsize))
        return ptr;
    void *moved = take(a, nsize);
    if (!moved) /* Lua believes that shrinking never fails */
        return nsize <= osize ? ptr : NULL;
    memcpy(moved, ptr, osize < nsize ? osize : nsize);
    give(a, ptr, osize);
    return moved;
}
