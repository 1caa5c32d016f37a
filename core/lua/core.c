/* core.c - the module "headway.core": what parsers get from C. Declared for editors in scripts/headway/meta/core.lua. */
#include "lua/inner.h"
#include "progress/nm.h"

/* nm(text) -> done, total, message or nil | nil, why. The grammar of N/M, in the one place where it is written. */
static int nm(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct hw_nm value;
    struct hw_err err;
    if (hw_nm_parse((struct hw_str){ text, len }, &value, &err) < 0) {
        lua_pushnil(L);
        lua_pushstring(L, err.msg);
        return 2;
    }
    lua_pushinteger(L, value.done);
    lua_pushinteger(L, value.total);
    if (!value.message.len)
        return 2;
    lua_pushlstring(L, value.message.ptr, value.message.len);
    return 3;
}

void hw_core_push(lua_State *L)
{
    static const luaL_Reg functions[] = { { "nm", nm }, { NULL, NULL } };
    luaL_newlib(L, functions);
}
