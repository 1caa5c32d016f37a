/* core_module.h - the Lua module headway_core, for specs: what its parts share. */
#ifndef HW_SPEC_CORE_MODULE_H
#define HW_SPEC_CORE_MODULE_H

#include <lauxlib.h>
#include <lua.h>

#include "lua/worker.h"
#include "progress/sample.h"

/* Each pushes its table. */
int hw_mod_host(lua_State *L);
int hw_mod_hub(lua_State *L);
int hw_mod_parsers(lua_State *L);
int hw_mod_progress(lua_State *L);
int hw_mod_source(lua_State *L);
int hw_mod_text(lua_State *L);
int hw_mod_worker(lua_State *L);
int hw_mod_yaml(lua_State *L);

/* Adds to the table of mod_source.c, which is on top. */
void hw_mod_add_tail(lua_State *L);

/* Pushes a sample as the table that a parser would have made. */
void hw_mod_push_sample(lua_State *L, const struct hw_sample *s);
void hw_mod_push_meta(lua_State *L, const struct hw_parser_meta *m);
/* nil, message, name of the code ("input", "lua", "limit"...). */
int hw_mod_fail(lua_State *L, const struct hw_err *err);

struct hw_mod_options {
    struct hw_parser_option list[32];
    size_t count;
};
/* The table at arg, key -> text, or nothing; borrows from it. */
void hw_mod_read_options(lua_State *L, int arg, struct hw_mod_options *ret);

void hw_mod_add_type(lua_State *L, const char *name, const luaL_Reg *methods);

#endif
