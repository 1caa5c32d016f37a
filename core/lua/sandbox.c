/* sandbox.c - what a script can see: an allow list. Every chunk has an environment of its own, through which it reads
 * one shared table of names; that table and the libraries are views, so no chunk can change them for another. */
#include <lualib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/state.h"

/* Not here: load, loadfile, dofile, collectgarbage, warn; xpcall, whose handler runs inside the hook that has
 * just fired, where no hook fires. print, rawset, require and setmetatable are ours. */
static const char *const base_names[] = {
    "assert", "error",  "getmetatable", "ipairs",   "next",     "pairs", "pcall",   "rawequal",
    "rawget", "rawlen", "select",       "tonumber", "tostring", "type",  "_VERSION"
};

/* NULL ends a row. math.random is seeded alike for every run: replay must be exact. */
static const struct {
    const char *name;
    lua_CFunction open;
    const char *names[28];
} libraries[] = {
    { "coroutine",
      luaopen_coroutine,
      { "close", "create", "isyieldable", "resume", "running", "status", "wrap", "yield" } },
    { "math",
      luaopen_math,
      { "abs",  "acos",   "asin",       "atan", "ceil",       "cos", "deg",        "exp",  "floor",
        "fmod", "huge",   "log",        "max",  "maxinteger", "min", "mininteger", "modf", "pi",
        "rad",  "random", "randomseed", "sin",  "sqrt",       "tan", "tointeger",  "type", "ult" } },
    { "string",
      luaopen_string,
      { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "pack",
        "packsize", "rep", "reverse", "sub", "unpack", "upper" } },
    { "table", luaopen_table, { "concat", "insert", "move", "pack", "remove", "sort", "unpack" } },
    { "utf8", luaopen_utf8, { "char", "charpattern", "codepoint", "codes", "len", "offset" } },
};

static const char env_meta = 0; /* its address is the key in the registry */

/* ---- views --------------------------------------------------------------------------------------- */

static int refuse_change(lua_State *L)
{
    return luaL_error(L, "this table is shared and can't be changed");
}

static int refuse_global(lua_State *L)
{
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    return luaL_error(L, "global '%s' can't be made: write 'local %s'", name, name);
}

static int view_next(lua_State *L)
{
    lua_settop(L, 2);
    lua_replace(L, 1);                     /* key */
    lua_pushvalue(L, lua_upvalueindex(1)); /* key table */
    lua_insert(L, 1);                      /* table key */
    return lua_next(L, 1) ? 2 : (lua_pushnil(L), 1);
}

/* pairs(view): the iterator keeps the real table to itself. */
static int view_pairs(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, view_next, 1);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

static void lock(lua_State *L, lua_CFunction newindex) /* metatable on top */
{
    lua_pushcfunction(L, newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable"); /* what getmetatable gives; setmetatable and rawset refuse */
}

void hw_sandbox_protect(lua_State *L)
{
    lua_newtable(L);                    /* real view */
    lua_createtable(L, 0, 4);           /* real view meta */
    lua_pushvalue(L, -3);               /* real view meta real */
    lua_setfield(L, -2, "__index");     /* real view meta */
    lua_pushvalue(L, -3);               /* real view meta real */
    lua_pushcclosure(L, view_pairs, 1); /* real view meta pairs */
    lua_setfield(L, -2, "__pairs");     /* real view meta */
    lock(L, refuse_change);
    lua_setmetatable(L, -2); /* real view */
    lua_remove(L, -2);       /* view */
}

/* ---- functions of ours --------------------------------------------------------------------------- */

static bool is_locked(lua_State *L, int table)
{
    if (luaL_getmetafield(L, table, "__metatable") == LUA_TNIL)
        return false;
    lua_pop(L, 1);
    return true;
}

static int base_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 3);
    if (is_locked(L, 1))
        return refuse_change(L);
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 1;
}

/* __gc is refused: finalizers run where no hook fires, at a time of their own. Lua looks for it only here, one that is
 * put into the metatable later has no effect. */
static int base_setmetatable(lua_State *L)
{
    int type = lua_type(L, 2);
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (is_locked(L, 1))
        return luaL_error(L, "cannot change a protected metatable");
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "__gc is not for parsers");
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int base_print(lua_State *L)
{
    struct hw_host *h = hw_host_of(L);
    luaL_Buffer b;
    int n = lua_gettop(L);
    if (!h->hooks.print)
        return 0;
    luaL_buffinit(L, &b);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&b, '\t');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    struct hw_str text;
    text.ptr = lua_tolstring(L, -1, &text.len);
    h->hooks.print(h->hooks.ctx, text);
    return 0;
}

/* ---- opening ------------------------------------------------------------------------------------- */

/* from, to: tables; copies one name, which must be there. */
static void copy_name(lua_State *L, int from, int to, const char *name)
{
    if (lua_getfield(L, from, name) == LUA_TNIL)
        luaL_error(L, "this Lua has no '%s'", name);
    lua_setfield(L, to, name);
}

/* Calls a library's opener and pushes a new table with the names allowed. */
static void open_allowed(lua_State *L, lua_CFunction open, const char *const *names, size_t count)
{
    lua_pushcfunction(L, open);
    lua_call(L, 0, 1); /* all */
    lua_newtable(L);   /* all allowed */
    int allowed = lua_gettop(L);
    for (size_t i = 0; i < count && names[i]; i++)
        copy_name(L, allowed - 1, allowed, names[i]);
    lua_remove(L, allowed - 1); /* allowed */
}

/* ("x"):rep: the methods of strings are the allowed ones; getmetatable("") gives false. */
static void lock_strings(lua_State *L) /* allowed functions on top */
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);        /* string "" meta */
    lua_pushvalue(L, -3);           /* string "" meta string */
    lua_setfield(L, -2, "__index"); /* string "" meta */
    lock(L, refuse_change);
    lua_pop(L, 2); /* string */
}

static void seed_random(lua_State *L) /* math on top */
{
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, 0);
    lua_call(L, 1, 0);
}

static void open_libraries(lua_State *L, int base)
{
    for (size_t i = 0; i < HW_LEN(libraries); i++) {
        open_allowed(L, libraries[i].open, libraries[i].names, HW_LEN(libraries[i].names));
        if (libraries[i].open == luaopen_string)
            lock_strings(L);
        if (libraries[i].open == luaopen_math)
            seed_random(L);
        hw_sandbox_protect(L);
        lua_setfield(L, base, libraries[i].name);
    }
}

void hw_sandbox_open(lua_State *L)
{
    static const luaL_Reg ours[] = { { "print", base_print },
                                     { "rawset", base_rawset },
                                     { "setmetatable", base_setmetatable },
                                     { NULL, NULL } };
    open_allowed(L, luaopen_base, base_names, HW_LEN(base_names)); /* base */
    int base = lua_gettop(L);
    lua_newtable(L); /* what Lua itself calls globals: nobody needs them any more */
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    luaL_setfuncs(L, ours, 0);
    open_libraries(L, base);
    hw_require_push(L);
    lua_setfield(L, base, "require");
    lua_pushvalue(L, base);           /* base base */
    hw_sandbox_protect(L);            /* base view */
    lua_setfield(L, base, "_G");      /* base */
    lua_createtable(L, 0, 3);         /* base meta */
    lua_insert(L, base);              /* meta base */
    lua_setfield(L, base, "__index"); /* meta */
    lock(L, refuse_global);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &env_meta);
}

void hw_sandbox_enclose(lua_State *L)
{
    lua_newtable(L);                              /* function env */
    lua_rawgetp(L, LUA_REGISTRYINDEX, &env_meta); /* function env meta */
    lua_setmetatable(L, -2);                      /* function env */
    lua_setupvalue(L, -2, 1);                     /* function: a chunk's only upvalue is _ENV */
}
