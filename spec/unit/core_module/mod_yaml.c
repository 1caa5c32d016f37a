/* mod_yaml.c - headway_core.yaml: the YAML reader and writer for specs.
 * read(text, name?) -> list of documents | nil, message. A node: { kind, type?, text?, line, key?, key_line, ... },
 *   children in order under 1...
 * json(text) -> JSON text of the first document | nil, message
 * dump(json) -> YAML text | nil, message
 * canon(json) -> the same JSON as jansson spells it
 * bool(text), int(text): the first document as that type | nil, message */
#include <lauxlib.h>
#include <lua.h>

#include "base/json.h"
#include "base/mem.h"
#include "yaml/convert.h"

int hw_mod_yaml(lua_State *L);

static int fail(lua_State *L, const struct hw_err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err->msg);
    return 2;
}

static void set_text(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value); /* NULL: nil */
    lua_setfield(L, -2, key);
}

static void push_node(lua_State *L, const struct hw_yaml_node *n)
{
    static const char *const kinds[] = { "scalar", "list", "map" };
    static const char *const types[] = { "text", "null", "bool", "int", "real" };
    lua_Integer i = 0;
    luaL_checkstack(L, 4, "depth");
    lua_newtable(L);
    set_text(L, "kind", kinds[n->kind]);
    set_text(L, "type", n->kind == HW_YAML_SCALAR ? types[n->type] : NULL);
    set_text(L, "text", n->text);
    set_text(L, "key", n->key);
    lua_pushinteger(L, n->line);
    lua_setfield(L, -2, "line");
    lua_pushinteger(L, n->key_line);
    lua_setfield(L, -2, "key_line");
    for (const struct hw_yaml_node *c = hw_yaml_first(n); c; c = hw_yaml_next(c)) {
        push_node(L, c);
        lua_rawseti(L, -2, ++i);
    }
}

static int load(lua_State *L, struct hw_yaml **ret, struct hw_err *err)
{
    struct hw_str text;
    text.ptr = luaL_checklstring(L, 1, &text.len);
    return hw_yaml_load_text(text, luaL_optstring(L, 2, "in"), ret, err);
}

static int l_read(lua_State *L)
{
    struct hw_yaml *y = NULL;
    struct hw_err err;
    if (load(L, &y, &err) < 0)
        return fail(L, &err);
    lua_newtable(L);
    for (size_t i = 0; i < hw_yaml_count(y); i++) {
        push_node(L, hw_yaml_root(y, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    hw_yaml_free(y);
    return 1;
}

static int l_json(lua_State *L)
{
    struct hw_yaml *y = NULL;
    struct hw_err err;
    if (load(L, &y, &err) < 0)
        return fail(L, &err);
    json_t *value = hw_yaml_to_json(hw_yaml_root(y, 0), &err);
    hw_yaml_free(y);
    if (!value)
        return fail(L, &err);
    char *text = hw_json_dump(value);
    lua_pushstring(L, text);
    free(text);
    json_decref(value);
    return 1;
}

static int l_dump(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    size_t ceiling = (size_t)luaL_optinteger(L, 2, 1 << 20);
    json_error_t bad;
    struct hw_err err;
    struct hw_buf b;
    json_t *value = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &bad);
    if (!value)
        return luaL_argerror(L, 1, bad.text);
    hw_buf_init(&b, ceiling);
    int st = hw_yaml_dump(value, &b, &err);
    lua_pushlstring(L, b.ptr ? b.ptr : "", b.len);
    hw_buf_done(&b);
    json_decref(value);
    return st < 0 ? fail(L, &err) : 1;
}

static int l_canon(lua_State *L)
{
    json_error_t bad;
    json_t *value = json_loads(luaL_checkstring(L, 1), JSON_DECODE_ANY, &bad);
    if (!value)
        return luaL_argerror(L, 1, bad.text);
    char *text = hw_json_dump(value);
    lua_pushstring(L, text);
    free(text);
    json_decref(value);
    return 1;
}

static int l_bool(lua_State *L)
{
    struct hw_yaml *y = NULL;
    struct hw_err err;
    bool value = false;
    int st = load(L, &y, &err);
    if (st == 0)
        st = hw_yaml_bool(hw_yaml_root(y, 0), &value, &err);
    hw_yaml_free(y);
    lua_pushboolean(L, value);
    return st < 0 ? fail(L, &err) : 1;
}

static int l_int(lua_State *L)
{
    struct hw_yaml *y = NULL;
    struct hw_err err;
    int64_t value = 0;
    int st = load(L, &y, &err);
    if (st == 0)
        st = hw_yaml_int(hw_yaml_root(y, 0), &value, &err);
    hw_yaml_free(y);
    lua_pushinteger(L, value);
    return st < 0 ? fail(L, &err) : 1;
}

int hw_mod_yaml(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "read", l_read }, { "json", l_json }, { "dump", l_dump }, { "canon", l_canon },
        { "bool", l_bool }, { "int", l_int },   { NULL, NULL },
    };
    luaL_newlib(L, functions);
    return 1;
}
