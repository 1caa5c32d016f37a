/* core_api.c - `require "headway.core"`: what scripts get from C. Declared for editors, and explained, in
 * scripts/headway/meta/core.lua. */
#include <stdbool.h>

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

/* ---- integer ------------------------------------------------------------------------------------- */

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static bool is_mark(const char *p, const char *end)
{
    return p < end && (*p == ',' || *p == '.' || *p == '\'');
}

/* Whether three digits and no fourth follow the mark at p. */
static bool is_group(const char *p, const char *end)
{
    return is_digit(p + 1, end) && is_digit(p + 2, end) && is_digit(p + 3, end) &&
           !is_digit(p + 4, end);
}

/* Reads digits into *n; false: over 63 bits. */
static bool add_digits(const char **p, const char *end, lua_Integer *n)
{
    for (; is_digit(*p, end); (*p)++) {
        lua_Integer digit = **p - '0';
        if (*n > (LUA_MAXINTEGER - digit) / 10)
            return false;
        *n = *n * 10 + digit;
    }
    return true;
}

/* A whole number at p, perhaps in groups of three; false: it is none, or over 63 bits. */
static bool read_grouped(const char **p, const char *end, lua_Integer *n)
{
    const char *begin = *p;
    if (!is_digit(*p, end) || !add_digits(p, end, n))
        return false;
    if (!is_mark(*p, end) || !is_digit(*p + 1, end))
        return true;
    if (*p - begin > 3)
        return false;
    for (char mark = **p; *p < end && **p == mark && is_group(*p, end);) {
        (*p)++;
        if (!add_digits(p, end, n))
            return false;
    }
    return !is_mark(*p, end) || !is_digit(*p + 1, end); /* else decimals follow */
}

/* integer(text, from?) -> n, behind, byte there or nil | nil. Makes no strings: for the lines that come by the million. */
static int core_integer(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len), *end = text + len, *p = text;
    lua_Integer from = luaL_optinteger(L, 2, 1), n = 0;
    luaL_argcheck(L, from >= 1, 2, "position from 1 on expected");
    p = (lua_Unsigned)from > len ? end : text + (from - 1);
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (!read_grouped(&p, end, &n)) {
        luaL_pushfail(L);
        return 1;
    }
    lua_pushinteger(L, n);
    lua_pushinteger(L, p - text + 1);
    if (p == end)
        return 2;
    lua_pushinteger(L, (unsigned char)*p);
    return 3;
}

void hw_core_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "integer", core_integer }, { "json", hw_json_decode }, { "nm", core_nm }, { NULL, NULL }
    };
    luaL_newlib(L, functions);
    hw_sandbox_protect(L);
}
