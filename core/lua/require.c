/* require.c - `require` of scripts: "headway.core" is C, all else is the user's module or an embedded one, in that
 * order. A module runs once in each state, in an environment of its own. */
#include <string.h>

#include "lua/parsers.h"
#include "lua/state.h"

static char loaded_key; /* its address is the key of: name -> module; itself while that loads */

/* Pushes the user's module as a chunk; false: there is none. Holds the text across nothing that may raise. */
static bool load_users(lua_State *L, struct hw_host *h, const char *name, const char *chunk)
{
    struct hw_str text;
    if (!h->loading || !h->hooks.module || h->hooks.module(h->hooks.ctx, name, &text) == 0)
        return false;
    int st = luaL_loadbufferx(L, text.ptr, text.len, chunk, "t"); /* gives its errors back */
    if (h->hooks.release)
        h->hooks.release(h->hooks.ctx);
    if (st != LUA_OK)
        lua_error(L);
    return true;
}

/* Our tools' modules are for our tools. */
static void load_embedded(lua_State *L, const struct hw_host *h, const char *name, const char *chunk)
{
    struct hw_str text = hw_parsers_embedded_module(name);
    if (!text.ptr || (!h->tool && strncmp(name, "tools.", 6) == 0))
        luaL_error(L, "module '%s' not found", name);
    if (luaL_loadbufferx(L, text.ptr, text.len, chunk, "t") != LUA_OK)
        lua_error(L);
}

/* Runs the module and pushes what it gives. */
static void push_module(lua_State *L, const char *name)
{
    struct hw_host *h = hw_host_of(L);
    if (strcmp(name, "headway.core") == 0) {
        hw_core_open(L);
        return;
    }
    const char *chunk = lua_pushfstring(L, "@%s", name); /* chunk-name */
    if (!load_users(L, h, name, chunk))
        load_embedded(L, h, name, chunk); /* chunk-name function */
    hw_sandbox_enclose(L);
    lua_pushstring(L, name);
    lua_call(L, 1, 1); /* chunk-name module */
    lua_remove(L, -2);
    if (h->hooks.step)
        h->hooks.step(h->hooks.ctx);
    if (lua_isnil(L, -1))
        luaL_error(L, "module '%s' returns nothing", name);
}

static int require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_argcheck(L, hw_parsers_is_module_name(name), 1, "no name of a module");
    lua_settop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key); /* name loaded */
    lua_pushvalue(L, 1);
    int type = lua_rawget(L, 2); /* name loaded module */
    if (type == LUA_TLIGHTUSERDATA)
        return luaL_error(L, "module '%s' requires itself, or failed before", name);
    if (type != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    lua_pushlightuserdata(L, &loaded_key);
    lua_setfield(L, 2, name);
    push_module(L, name); /* name loaded module */
    lua_pushvalue(L, -1);
    lua_setfield(L, 2, name);
    return 1;
}

void hw_require_push(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_pushcfunction(L, require);
}
