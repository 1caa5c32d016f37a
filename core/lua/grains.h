/* grains.h - the arena's lower storey, for its heaps: runs of whole grains. bytes are multiples of a grain. */
#ifndef HW_LUA_GRAINS_H
#define HW_LUA_GRAINS_H

#include <stdbool.h>
#include <stddef.h>

#include "lua/arena.h"

/* The lowest free run of that size; NULL = none. */
void *hw_grains_take(struct hw_arena *a, size_t bytes);
/* The run that begins at `at` (which may be the region's end), when it is free. */
bool hw_grains_take_at(struct hw_arena *a, const void *at, size_t bytes);
void hw_grains_give(struct hw_arena *a, const void *at, size_t bytes);

#endif
