/* core_api.c - `require "headway.core"`: what scripts get from C. Declared for editors, and explained, in
 * scripts/headway/meta/core.lua. */
#include "lua/state.h"
#include "progress/nm.h"

/* nm(record) -> done, total, message | nil, why */
static int core_nm(lua_State *L)
{
    struct hw_str record;
    struct hw_nm nm;
    struct hw_err err;
    record.ptr = luaL_checklstring(L, 1, &record.len);
    if (hw_nm_parse(record, &nm, &err) < 0) {
        luaL_pushfail(L);
        lua_pushstring(L, err.msg);
        return 2;
    }
    lua_pushinteger(L, nm.done);
    lua_pushinteger(L, nm.total);
    if (nm.message.len)
        lua_pushlstring(L, nm.message.ptr, nm.message.len);
    else
        lua_pushnil(L);
    return 3;
}

void hw_core_open(lua_State *L)
{
    static const luaL_Reg functions[] = { { "json", hw_json_decode },
                                          { "nm", core_nm },
                                          { NULL, NULL } };
    luaL_newlib(L, functions);
    hw_sandbox_protect(L);
}
