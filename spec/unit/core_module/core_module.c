/* core_module.c - `require "headway_core"`: the core as a Lua module, so that specs reach its parts.
 *   text functions at the top (mod_text.c), .host, .hub, .worker, .parsers, .progress, .source, .yaml: each in its own file */
#include "core_module.h"

#include "base/mem.h"

int luaopen_headway_core(lua_State *L);

void hw_mod_add_type(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int hw_mod_fail(lua_State *L, const struct hw_err *err)
{
    static const char *const codes[] = {
        [HW_OK] = "ok",    [HW_EINPUT] = "input", [HW_ECONFIG] = "config", [HW_ESYS] = "sys",
        [HW_ELUA] = "lua", [HW_EKUBE] = "kube",   [HW_ELIMIT] = "limit"
    };
    lua_pushnil(L);
    lua_pushstring(L, err->msg);
    lua_pushstring(L, codes[err->code]);
    return 3;
}

/* ---- values -------------------------------------------------------------------------------------- */

static void set_integer(lua_State *L, const char *key, int64_t v)
{
    lua_pushinteger(L, v);
    lua_setfield(L, -2, key);
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    if (!text[0])
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void set_flag(lua_State *L, const char *key, bool v)
{
    if (!v)
        return;
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, key);
}

static void set_count(lua_State *L, const struct hw_count *c)
{
    set_integer(L, "done", c->done);
    if (c->total >= 0)
        set_integer(L, "total", c->total);
    set_text(L, "unit", c->unit);
}

static void set_phase(lua_State *L, const struct hw_phase *p)
{
    lua_newtable(L);
    set_text(L, "name", p->name);
    set_integer(L, "index", p->index);
    if (p->count)
        set_integer(L, "count", p->count);
    if (p->weight > 0) {
        lua_pushnumber(L, p->weight);
        lua_setfield(L, -2, "weight");
    }
    lua_setfield(L, -2, "phase");
}

static void set_also(lua_State *L, const struct hw_sample *s)
{
    lua_newtable(L);
    for (int i = 0; i < s->also_count; i++) {
        lua_newtable(L);
        set_count(L, &s->also[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "also");
}

void hw_mod_push_sample(lua_State *L, const struct hw_sample *s)
{
    lua_newtable(L);
    if (s->counted)
        set_count(L, &s->main);
    if (s->fraction >= 0) {
        lua_pushnumber(L, s->fraction);
        lua_setfield(L, -2, "fraction");
    }
    if (s->also_count)
        set_also(L, s);
    if (s->phase.index)
        set_phase(L, &s->phase);
    set_flag(L, "scanning", s->scanning);
    set_flag(L, "restart", s->restart);
    set_text(L, "ended", hw_ended_name(s->ended));
    set_text(L, "message", s->message);
}

static void set_meta_options(lua_State *L, const struct hw_parser_meta *m)
{
    lua_newtable(L);
    for (size_t i = 0; i < m->option_count; i++) {
        const struct hw_meta_option *o = &m->options[i];
        lua_newtable(L);
        set_text(L, "name", o->name);
        set_text(L, "type", hw_meta_types[o->type]);
        set_text(L, "range", o->range);
        set_text(L, "default", o->dflt);
        set_text(L, "help", o->help);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "options");
}

void hw_mod_push_meta(lua_State *L, const struct hw_parser_meta *m)
{
    lua_newtable(L);
    set_text(L, "name", m->name);
    set_text(L, "unit", m->unit);
    set_integer(L, "api", m->api);
    set_integer(L, "record_max", (int64_t)m->record_max);
    if (m->form.count)
        set_text(L, "newest", m->form.text);
    else
        set_flag(L, "newest", m->newest);
    set_flag(L, "word", m->word);
    set_text(L, "tool", m->tool);
    set_text(L, "versions", m->versions);
    if (m->command_count) {
        lua_newtable(L);
        for (size_t i = 0; i < m->command_count; i++) {
            lua_pushstring(L, m->commands[i]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_setfield(L, -2, "commands");
    }
    if (m->hint_count) {
        lua_newtable(L);
        for (size_t i = 0; i < m->hint_count; i++) {
            lua_pushlstring(L, m->hints[i].bytes, m->hints[i].len);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_setfield(L, -2, "hints");
    }
    if (m->option_count)
        set_meta_options(L, m);
}

void hw_mod_read_options(lua_State *L, int arg, struct hw_mod_options *ret)
{
    ret->count = 0;
    if (lua_isnoneornil(L, arg))
        return;
    luaL_checktype(L, arg, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
        luaL_argcheck(L, ret->count < HW_LEN(ret->list), arg, "too many options");
        ret->list[ret->count++] = (struct hw_parser_option){ .key = luaL_checkstring(L, -2),
                                                             .value = luaL_checkstring(L, -1) };
    }
}

/* ---- the module ---------------------------------------------------------------------------------- */

int luaopen_headway_core(lua_State *L)
{
    static const luaL_Reg parts[] = {
        { "host", hw_mod_host },       { "hub", hw_mod_hub },
        { "parsers", hw_mod_parsers }, { "progress", hw_mod_progress },
        { "source", hw_mod_source },   { "worker", hw_mod_worker },
        { "yaml", hw_mod_yaml },       { NULL, NULL }
    };
    hw_mod_text(L);
    for (const luaL_Reg *part = parts; part->name; part++) {
        part->func(L);
        lua_setfield(L, -2, part->name);
    }
    return 1;
}
