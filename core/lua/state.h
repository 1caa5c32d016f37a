/* state.h - what the Lua side of this room shares; the only header here that shows lua.h.
 * Functions marked "may raise" are called inside a protected call and hold no memory, file or lock across it. */
#ifndef HW_LUA_STATE_H
#define HW_LUA_STATE_H

#include <lauxlib.h>
#include <lua.h>

#include "lua/host.h"
#include "lua/meta.h"

struct hw_host {
    struct hw_heap *heap; /* owns; this struct lies in it */
    lua_State *L;         /* owns; never closed, its memory goes with the heap */
    struct hw_host_hooks hooks;
    struct hw_parser_meta meta;
    bool hinted;                   /* records without a hint are skipped */
    bool tool;                     /* one of ours, no parser (parsers.h) */
    bool loading;                  /* modules of the user's can still be asked for */
    bool tripped;                  /* the instruction budget is used up */
    int64_t spent;                 /* instructions since the entry, in steps of the hook */
    char why[HW_HOST_WHY_MAX + 1]; /* of the last error */
    char trace[HW_HOST_TRACE_MAX + 1];
};

/* The host of a state or of a coroutine in it. */
static inline struct hw_host *hw_host_of(lua_State *L)
{
    return *(struct hw_host **)lua_getextraspace(L);
}

/* sandbox.c: leaves nothing on the stack; afterwards chunks can be loaded. May raise. */
void hw_sandbox_open(lua_State *L);
/* Gives the chunk on top, loaded as text ("t"), an environment of its own. May raise. */
void hw_sandbox_enclose(lua_State *L);
/* Replaces the table on top by a view of it that can't be changed, nor got behind. May raise. */
void hw_sandbox_protect(lua_State *L);

/* require.c: pushes the function `require`. May raise. */
void hw_require_push(lua_State *L);

/* core_api.c: pushes the table that `require "headway.core"` gives. May raise. */
void hw_core_open(lua_State *L);

/* json.c: json(text) -> value | nil, why. A lua_CFunction. */
int hw_json_decode(lua_State *L);

/* contract.c: the module on top -> *m, checked. May raise. */
void hw_contract_read(lua_State *L, struct hw_parser_meta *m);
/* options: a table of texts, which become values of the types that the module declares, or its defaults. May raise. */
void hw_contract_options(lua_State *L, int options, int module, const struct hw_parser_meta *m);

/* convert.c: the table at idx -> *ret, checked. Reads it raw; raises nothing, leaves the stack as it was. */
HW_MUST_USE int hw_convert_sample(lua_State *L, int idx, struct hw_sample *ret, struct hw_err *err);

#endif
