/* mod_host.c - headway_core.host: a parser in this process, without the worker around it.
 * new(text, name, options?, strict?, user_dir?) -> h | nil, why, code
 * h:feed(record), h:finish(code?) -> sample | nil | nil, why, code; h:meta() h:trace() h:memory() h:printed()
 * .parsers: find(what, dir?) -> { name, where, chunk, text, user }, list(dir?) -> { { name, where, user, hides } },
 *   choose(argv or line, dir?) -> name */
#include "base/mem.h"
#include "core_module.h"
#include "lua/choose.h"
#include "lua/host.h"
#include "lua/parsers.h"

#define HOST "headway.spec.host"

struct host {
    struct hw_arena arena;
    struct hw_host *host;
    struct hw_parser_source module; /* held between asking and release */
    const char *user_dir;           /* borrowed from the uservalue */
    lua_State *L;                   /* the caller, during a call */
    int printed;                    /* its slot there */
};

static int ask_module(void *ctx, const char *name, struct hw_str *ret_text)
{
    struct host *h = ctx;
    struct hw_err err;
    int found = hw_parsers_module(name, h->user_dir, &h->module, &err);
    *ret_text = h->module.text;
    return found > 0;
}

static void release_module(void *ctx)
{
    hw_parser_source_done(&((struct host *)ctx)->module);
}

static void on_print(void *ctx, struct hw_str text)
{
    struct host *h = ctx;
    lua_getiuservalue(h->L, h->printed, 1);
    lua_pushlstring(h->L, text.ptr, text.len);
    lua_rawseti(h->L, -2, (lua_Integer)lua_rawlen(h->L, -2) + 1);
    lua_pop(h->L, 1);
}

static struct host *new_userdata(lua_State *L)
{
    struct host *h = lua_newuserdatauv(L, sizeof *h, 2);
    *h = (struct host){ .L = L, .printed = lua_gettop(L) };
    luaL_setmetatable(L, HOST);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    return h;
}

static int host_new(lua_State *L)
{
    struct hw_mod_options options;
    struct hw_err err;
    char chunk[80];
    lua_settop(L, 5);
    hw_mod_read_options(L, 3, &options);
    struct hw_host_source s = { .name = luaL_checkstring(L, 2), .strict = lua_toboolean(L, 4) };
    s.options = options.list;
    s.option_count = options.count;
    s.text.ptr = luaL_checklstring(L, 1, &s.text.len);
    snprintf(chunk, sizeof chunk, "@%.64s.lua", s.name);
    s.chunk = chunk;
    struct host *h = new_userdata(L);
    h->user_dir = luaL_optstring(L, 5, NULL);
    lua_pushvalue(L, 5);
    lua_setiuservalue(L, -2, 2);
    struct hw_host_hooks hooks = {
        .ctx = h, .module = ask_module, .release = release_module, .print = on_print
    };
    if (hw_arena_init(&h->arena, 16 * 1024 * 1024, &err) < 0 ||
        hw_host_new(&h->host, &h->arena, &s, &hooks, &err) < 0)
        return hw_mod_fail(L, &err);
    return 1;
}

static struct host *check(lua_State *L)
{
    struct host *h = luaL_checkudata(L, 1, HOST);
    h->L = L;
    h->printed = 1;
    return h;
}

static int push_outcome(lua_State *L, int st, const struct hw_sample *s, const struct hw_err *err)
{
    if (st < 0)
        return hw_mod_fail(L, err);
    if (st == 0)
        lua_pushnil(L);
    else
        hw_mod_push_sample(L, s);
    return 1;
}

static int host_feed(lua_State *L)
{
    struct host *h = check(L);
    struct hw_str record;
    struct hw_sample s;
    struct hw_err err;
    record.ptr = luaL_checklstring(L, 2, &record.len);
    return push_outcome(L, hw_host_feed(h->host, record, &s, &err), &s, &err);
}

static int host_finish(lua_State *L)
{
    struct host *h = check(L);
    struct hw_sample s;
    struct hw_err err;
    int code = (int)luaL_optinteger(L, 2, -1);
    return push_outcome(L, hw_host_finish(h->host, code, &s, &err), &s, &err);
}

static int host_meta(lua_State *L)
{
    hw_mod_push_meta(L, hw_host_meta(check(L)->host));
    return 1;
}

static int host_trace(lua_State *L)
{
    lua_pushstring(L, hw_host_trace(check(L)->host));
    return 1;
}

static int host_memory(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)hw_host_memory(check(L)->host));
    return 1;
}

static int host_printed(lua_State *L)
{
    check(L);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static int host_gc(lua_State *L)
{
    struct host *h = luaL_checkudata(L, 1, HOST);
    hw_host_free(h->host);
    hw_arena_done(&h->arena);
    h->host = NULL;
    return 0;
}

int hw_mod_host(lua_State *L)
{
    static const luaL_Reg methods[] = { { "feed", host_feed },     { "finish", host_finish },
                                        { "meta", host_meta },     { "trace", host_trace },
                                        { "memory", host_memory }, { "printed", host_printed },
                                        { "__gc", host_gc },       { NULL, NULL } };
    static const luaL_Reg functions[] = { { "new", host_new }, { NULL, NULL } };
    hw_mod_add_type(L, HOST, methods);
    luaL_newlib(L, functions);
    return 1;
}

/* ---- parsers ------------------------------------------------------------------------------------- */

static void set_text(lua_State *L, const char *key, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void set_flag(lua_State *L, const char *key, bool v)
{
    lua_pushboolean(L, v);
    lua_setfield(L, -2, key);
}

static int parsers_find(lua_State *L)
{
    struct hw_parser_source s = { 0 };
    struct hw_err err;
    if (hw_parsers_find(luaL_checkstring(L, 1), luaL_optstring(L, 2, NULL), &s, &err) < 0)
        return hw_mod_fail(L, &err);
    lua_newtable(L);
    set_text(L, "name", s.name);
    set_text(L, "where", s.where);
    set_text(L, "chunk", s.chunk);
    set_flag(L, "user", s.user);
    lua_pushlstring(L, s.text.ptr, s.text.len);
    lua_setfield(L, -2, "text");
    hw_parser_source_done(&s);
    return 1;
}

static int parsers_list(lua_State *L)
{
    struct hw_parser_list list;
    struct hw_err err;
    if (hw_parsers_list(luaL_optstring(L, 1, NULL), &list, &err) < 0)
        return hw_mod_fail(L, &err);
    lua_newtable(L);
    for (size_t i = 0; i < list.count; i++) {
        lua_newtable(L);
        set_text(L, "name", list.entries[i].name);
        set_text(L, "where", list.entries[i].where);
        set_flag(L, "user", list.entries[i].user);
        set_flag(L, "hides", list.entries[i].hides);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    hw_parser_list_done(&list);
    return 1;
}

static int parsers_choose(lua_State *L)
{
    const char *argv[200] = { NULL }, *dir = luaL_optstring(L, 2, NULL);
    struct hw_choice chosen;
    struct hw_err err;
    int st;
    if (lua_isstring(L, 1))
        st = hw_parsers_choose_line(lua_tostring(L, 1), dir, &chosen, &err);
    else {
        size_t count = lua_rawlen(L, 1);
        luaL_argcheck(L, count < HW_LEN(argv), 1, "too many words");
        for (size_t i = 0; i < count; i++) { /* the table keeps the strings */
            lua_rawgeti(L, 1, (lua_Integer)i + 1);
            argv[i] = luaL_checkstring(L, -1);
            lua_pop(L, 1);
        }
        st = hw_parsers_choose(argv, dir, &chosen, &err);
    }
    if (st < 0)
        return hw_mod_fail(L, &err);
    lua_pushstring(L, chosen.name);
    lua_pushstring(L, chosen.among);
    return 2;
}

/* Where a hint first stands in a text, nil = nowhere. */
static int parsers_hint(lua_State *L)
{
    struct hw_str hint, text;
    struct hw_hint h;
    hint.ptr = luaL_checklstring(L, 1, &hint.len);
    text.ptr = luaL_checklstring(L, 2, &text.len);
    luaL_argcheck(L, hw_hint_set(&h, hint), 1, "no hint");
    const char *at = hw_hint_find(&h, text.ptr, text.ptr + text.len);
    if (!at)
        return 0;
    lua_pushinteger(L, at - text.ptr + 1);
    return 1;
}

/* Whether the second record follows the first by a form; nil = one of them has not the form; nil, why = it is no form. */
static int parsers_follows(lua_State *L)
{
    struct hw_form form;
    struct hw_form_values before, now;
    struct hw_err err;
    if (hw_form_set(&form, luaL_checkstring(L, 1), &err) < 0)
        return hw_mod_fail(L, &err);
    if (!hw_form_read(&form, hw_str(luaL_checkstring(L, 2)), &before) ||
        !hw_form_read(&form, hw_str(luaL_checkstring(L, 3)), &now))
        return 0;
    lua_pushboolean(L, hw_form_follows(&form, &before, &now));
    return 1;
}

int hw_mod_parsers(lua_State *L)
{
    static const luaL_Reg functions[] = { { "choose", parsers_choose },   { "find", parsers_find },
                                          { "follows", parsers_follows }, { "hint", parsers_hint },
                                          { "list", parsers_list },       { NULL, NULL } };
    luaL_newlib(L, functions);
    return 1;
}
