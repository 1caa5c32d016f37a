/* inner.h - between the files of this room only: what needs lua.h. */
#ifndef HW_LUA_INNER_H
#define HW_LUA_INNER_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "lua/host.h"

/* The host of a state; every coroutine has a copy of the pointer. */
static inline struct hw_host *hw_host_of(lua_State *L)
{
    return *(struct hw_host **)lua_getextraspace(L);
}

/* Pushes the table that a chunk's globals are read from. Raises when memory is out. */
void hw_sandbox_push(lua_State *L);
/* Loads a chunk of text with globals of its own and pushes it; else pushes the message. Returns as lua_load does. */
int hw_sandbox_load(lua_State *L, struct hw_str text, const char *chunk);
/* Pushes the module "headway.core". */
void hw_core_push(lua_State *L);
/* What the function below the arguments returned, at the top two places of the stack -> as hw_host_feed. Raises nothing. */
int hw_convert(lua_State *L, const char *unit, struct hw_sample *ret, struct hw_err *err);

#endif
