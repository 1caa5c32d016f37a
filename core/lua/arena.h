/* arena.h - the memory of one parser: a slot of address space that is its ceiling too, and an allocator for Lua.
 * Blocks are rounded to size classes (a quarter of a power of two apart) and go back to the list of their class; nothing
 * is ever given to the system, no lock, no header in a block, since Lua says how large it was.
 * A slot that is reset begins anew, whatever was in it: a parser is thrown away without running a line of its code. */
#ifndef HW_LUA_ARENA_H
#define HW_LUA_ARENA_H

#include <stddef.h>

enum { HW_ARENA_CLASSES = 96 };

struct hw_arena {
    char *base;  /* borrows: 16-byte aligned */
    size_t size; /* bytes */
    size_t top;  /* bytes handed out so far, freed ones included */
    void *free[HW_ARENA_CLASSES];
};

/* Takes the memory into use; also makes an arena anew that was used before. */
void hw_arena_reset(struct hw_arena *a, void *base, size_t size);
/* A lua_Alloc; ud is the arena. NULL when the slot is full. */
void *hw_arena_alloc(void *ud, void *ptr, size_t osize, size_t nsize);

#endif
