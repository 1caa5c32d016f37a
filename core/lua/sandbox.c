/* sandbox.c - what a parser may see: a list of what is allowed, and nothing else.
 * Left out, and why: load, loadfile, dofile, string.dump (bytecode, files); collectgarbage (its own memory is the host's affair);
 * print (stdout is not ours); math.random (a parser is a pure function of its records); io, os, debug, package.
 * Changed: setmetatable refuses __gc (finalizers run where no budget counts); string.rep refuses results that can't fit;
 * getmetatable of a string is false. Library tables are read through proxies, so that nobody changes them for others. */
#include <string.h>

#include "base/mem.h"
#include "lua/embedded.h"
#include "lua/inner.h"

enum { REP_MAX = 1 << 20 };

static const char *const base_names[] = { "assert",   "error",    "ipairs",   "next",     "pairs",
                                          "pcall",    "rawequal", "rawget",   "rawlen",   "rawset",
                                          "select",   "tonumber", "tostring", "type",     "xpcall",
                                          "getmetatable", "_VERSION", NULL };
static const char *const coroutine_names[] = { "create", "isyieldable", "resume", "running",
                                               "status", "wrap",        "yield",  NULL };
static const char *const string_names[] = { "byte",   "char",  "find",    "format", "gmatch", "gsub",
                                            "len",    "lower", "match",   "pack",   "packsize", "reverse",
                                            "sub",    "unpack", "upper",  NULL };
static const char *const table_names[] = { "concat", "insert", "move", "pack", "remove", "sort", "unpack", NULL };
static const char *const math_names[] = { "abs",  "acos", "asin",  "atan",      "ceil", "cos",   "deg",
                                          "exp",  "floor", "fmod", "huge",      "log",  "max",   "maxinteger",
                                          "min",  "mininteger", "modf", "pi",   "rad",  "sin",   "sqrt",
                                          "tan",  "tointeger", "type", "ult",   NULL };
static const char *const utf8_names[] = { "char", "charpattern", "codepoint", "codes", "len", "offset", NULL };

static const struct {
    const char *name;
    lua_CFunction open;
    const char *const *names;
} libraries[] = {
    { "coroutine", luaopen_coroutine, coroutine_names }, { "string", luaopen_string, string_names },
    { "table", luaopen_table, table_names },             { "math", luaopen_math, math_names },
    { "utf8", luaopen_utf8, utf8_names },
};

static const char loaded_key = 0, globals_key = 0; /* addresses in the registry */

static int safe_setmetatable(lua_State *L)
{
    int type = lua_type(L, 2);
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        lua_rawget(L, 2);
        if (!lua_isnil(L, -1))
            return luaL_error(L, "__gc is not allowed");
        lua_pop(L, 1);
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int safe_rep(lua_State *L)
{
    size_t len, sep_len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer n = luaL_checkinteger(L, 2);
    const char *sep = luaL_optlstring(L, 3, "", &sep_len);
    if (n <= 0 || len + sep_len == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (n > REP_MAX / (lua_Integer)(len + sep_len))
        return luaL_error(L, "resulting string too large");
    luaL_Buffer buf;
    luaL_buffinit(L, &buf);
    for (lua_Integer i = 0; i < n; i++) {
        luaL_addlstring(&buf, text, len);
        if (i + 1 < n)
            luaL_addlstring(&buf, sep, sep_len);
    }
    luaL_pushresult(&buf);
    return 1;
}

static int refuse_write(lua_State *L)
{
    return luaL_error(L, "this table can't be changed");
}

/* t -> a table that reads from t and can't be written. */
static void protect(lua_State *L)
{
    lua_newtable(L);                      /* t proxy */
    lua_createtable(L, 0, 3);             /* t proxy meta */
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);                    /* proxy */
}

/* from -> a new table with the named fields of from. */
static void pick(lua_State *L, const char *const *names)
{
    lua_newtable(L);
    for (; *names; names++) {
        lua_getfield(L, -2, *names);
        lua_setfield(L, -2, *names);
    }
    lua_remove(L, -2);
}

/* globals string -> globals string; methods of strings come from our table, out of reach. */
static void protect_strings(lua_State *L)
{
    lua_pushliteral(L, "");               /* .. string "" */
    lua_createtable(L, 0, 2);             /* .. string "" meta */
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

static int safe_require(lua_State *L);

static void add_function(lua_State *L, const char *name, lua_CFunction fn)
{
    lua_pushcfunction(L, fn);
    lua_setfield(L, -2, name);
}

void hw_sandbox_push(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
    luaL_requiref(L, "_G", luaopen_base, 0);
    pick(L, base_names);                  /* globals */
    add_function(L, "setmetatable", safe_setmetatable);
    add_function(L, "require", safe_require);
    for (size_t i = 0; i < HW_LEN(libraries); i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].open, 0);
        pick(L, libraries[i].names);      /* globals library */
        if (libraries[i].open == luaopen_string) {
            add_function(L, "rep", safe_rep);
            protect_strings(L);
        }
        protect(L);
        lua_setfield(L, -2, libraries[i].name);
    }
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &globals_key);
}

/* A table of a chunk's own, which reads what it lacks from the sandbox. */
static void push_globals(lua_State *L)
{
    lua_newtable(L);                      /* own */
    lua_createtable(L, 0, 2);             /* own meta */
    lua_rawgetp(L, LUA_REGISTRYINDEX, &globals_key);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "_G");
}

int hw_sandbox_load(lua_State *L, struct hw_str text, const char *chunk)
{
    int st = luaL_loadbufferx(L, text.ptr, text.len, chunk, "t");
    if (st != LUA_OK)
        return st;
    push_globals(L);                      /* chunk own */
    if (!lua_setupvalue(L, -2, 1))        /* a chunk always has _ENV as its first */
        lua_pop(L, 1);
    return LUA_OK;
}

static struct hw_str embedded_module(const char *name)
{
    char path[HW_HOST_NAME_MAX + 16] = "headway/";
    static const char prefix[] = "headway.";
    if (strncmp(name, prefix, strlen(prefix)) != 0)
        return (struct hw_str){ 0 };
    size_t n = strlen(path);
    for (const char *p = name + strlen(prefix); *p && n + 5 < sizeof path; p++)
        path[n++] = *p == '.' ? '/' : *p;
    memcpy(path + n, ".lua", 5);
    for (const struct hw_embedded *e = hw_embedded; e->name; e++)
        if (strcmp(e->name, path) == 0)
            return (struct hw_str){ (const char *)e->data, e->len };
    return (struct hw_str){ 0 };
}

static bool is_module_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    return len && len <= HW_HOST_NAME_MAX && !name[len] && name[0] != '.' && !strstr(name, "..");
}

/* name -> the module; the user's directory comes first, then what is embedded. Only while the parser is loaded, so that it
 * fails early and not at the first record. */
static int safe_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct hw_host *h = hw_host_of(L);
    lua_settop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key); /* name loaded */
    if (lua_getfield(L, 2, name) != LUA_TNIL)
        return 1;
    if (!is_module_name(name))
        return luaL_error(L, "module name '%s': only letters, digits, '_' and '.'", name);
    if (strcmp(name, "headway.core") == 0)
        hw_core_push(L);
    else {
        struct hw_str text = { 0 };
        if (!h->loading)
            return luaL_error(L, "module '%s': require it at the top of the parser", name);
        if (h->module)
            text = h->module(h->module_ctx, name);
        if (!text.ptr)
            text = embedded_module(name);
        if (!text.ptr)
            return luaL_error(L, "module '%s' not found", name);
        lua_pushfstring(L, "@%s", name);
        if (hw_sandbox_load(L, text, lua_tostring(L, -1)) != LUA_OK)
            return lua_error(L);
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
        if (lua_isnil(L, -1))
            lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, 2, name);
    return 1;
}
