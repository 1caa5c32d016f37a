/* mod_hub.c - headway_core.hub: the hub's model for specs, on a virtual wall clock.
 * new(jobs?, { [name] = text }?) -> model | nil, message. Its methods; objects are JSON texts:
 *   listing(watch), object(watch, kind, json), gone(watch, json), listed(watch), clock(unix_ms)
 *   view(kind, name) -> { n, m, state, reason?, message?, line, attempt?, unit?, rate?, need } | nil: nothing is known
 *   wrote(kind, name): the view was written
 *   changed() -> list of "Kind/name" since the last call, each once; forgotten() alike
 *   counts() -> { objects, tasks, operations, refused } */
#include <stdio.h>
#include <string.h>

#include "core_module.h"

#include "base/json.h"
#include "base/mem.h"
#include "hub/model.h"
#include "progress/detail.h"

#define TYPE "headway_core.hub"

struct hub {
    struct hw_hub_kinds kinds;
    struct hw_clock clock;
    struct hw_hub_model *model;
    lua_State *L;
    int changed, forgotten; /* references of sets */
};

static struct hub *check(lua_State *L)
{
    struct hub *h = luaL_checkudata(L, 1, TYPE);
    h->L = L;
    return h;
}

static void note(struct hub *h, int ref, const struct hw_hub_operation *op)
{
    lua_State *L = h->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
    lua_pushfstring(L, "%s/%s", op->kind->kind, op->name);
    lua_pushboolean(L, 1);
    lua_settable(L, -3);
    lua_pop(L, 1);
}

static void on_changed(void *ctx, struct hw_hub_operation *op)
{
    struct hub *h = ctx;
    if (h->L)
        note(h, h->changed, op);
}

static void on_forgotten(void *ctx, struct hw_hub_operation *op)
{
    struct hub *h = ctx;
    if (h->L)
        note(h, h->forgotten, op);
}

static int new_set(lua_State *L)
{
    lua_newtable(L);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static int l_new(lua_State *L)
{
    lua_settop(L, 2);
    struct hub *h = lua_newuserdatauv(L, sizeof *h, 0);
    struct hw_hub_model_events events = { .ctx = h,
                                          .changed = on_changed,
                                          .forgotten = on_forgotten };
    struct hw_err err;
    memset(h, 0, sizeof *h);
    h->changed = h->forgotten = LUA_NOREF;
    hw_hub_kinds_init(&h->kinds, lua_toboolean(L, 1));
    h->clock = (struct hw_clock){ .virtual_time = 1, .unix_ms = 1767225600000 };
    h->model = hw_hub_model_new(&h->kinds, &h->clock, &events);
    luaL_setmetatable(L, TYPE);
    h->changed = new_set(L);
    h->forgotten = new_set(L);
    if (lua_isnoneornil(L, 2))
        return 1;
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1))
        if (hw_hub_kinds_add(&h->kinds, luaL_checkstring(L, -2), luaL_checkstring(L, -1), &err) < 0)
            return hw_mod_fail(L, &err);
    return 1;
}

static int l_gc(lua_State *L)
{
    struct hub *h = luaL_checkudata(L, 1, TYPE);
    h->L = NULL;
    hw_hub_model_free(h->model);
    h->model = NULL;
    hw_hub_kinds_done(&h->kinds);
    luaL_unref(L, LUA_REGISTRYINDEX, h->changed);
    luaL_unref(L, LUA_REGISTRYINDEX, h->forgotten);
    h->changed = h->forgotten = LUA_NOREF;
    return 0;
}

static json_t *check_json(lua_State *L, int arg)
{
    size_t len;
    const char *text = luaL_checklstring(L, arg, &len);
    json_t *value = json_loadb(text, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    if (!value)
        luaL_argerror(L, arg, "no JSON");
    return value;
}

static int check_watch(lua_State *L)
{
    lua_Integer watch = luaL_checkinteger(L, 2);
    luaL_argcheck(L, watch >= 0 && watch < HW_HUB_WATCHES_MAX, 2, "no watch");
    return (int)watch;
}

static const struct hw_hub_kind *check_kind(lua_State *L, struct hub *h, int arg)
{
    const char *name = luaL_checkstring(L, arg);
    for (int i = 0; i < h->kinds.count; i++)
        if (strcmp(h->kinds.list[i].kind, name) == 0)
            return &h->kinds.list[i];
    luaL_argerror(L, arg, "no such kind");
    return NULL;
}

static int l_listing(lua_State *L)
{
    hw_hub_model_listing(check(L)->model, check_watch(L));
    return 0;
}

static int l_listed(lua_State *L)
{
    hw_hub_model_listed(check(L)->model, check_watch(L));
    return 0;
}

static int l_object(lua_State *L)
{
    struct hub *h = check(L);
    int watch = check_watch(L);
    const struct hw_hub_kind *kind = check_kind(L, h, 3);
    hw_auto_json object = check_json(L, 4);
    hw_hub_model_object(h->model, watch, kind, object);
    return 0;
}

static int l_gone(lua_State *L)
{
    struct hub *h = check(L);
    int watch = check_watch(L);
    hw_auto_json object = check_json(L, 3);
    hw_hub_model_gone(h->model, watch, object);
    return 0;
}

static int l_clock(lua_State *L)
{
    check(L)->clock.unix_ms = luaL_checkinteger(L, 2);
    return 0;
}

struct search {
    const struct hw_hub_kind *kind;
    const char *name;
    struct hw_hub_operation *found;
};

static void search(void *ctx, struct hw_hub_operation *op)
{
    struct search *s = ctx;
    if (op->kind == s->kind && strcmp(op->name, s->name) == 0)
        s->found = op;
}

static struct hw_hub_operation *find(lua_State *L, struct hub *h)
{
    struct search s = { .kind = check_kind(L, h, 2), .name = luaL_checkstring(L, 3) };
    hw_hub_model_each(h->model, search, &s);
    return s.found;
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    if (!text[0])
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, int64_t n)
{
    lua_pushinteger(L, n);
    lua_setfield(L, -2, key);
}

static int l_view(lua_State *L)
{
    static const char *const needs[] = { "fine", "percent", "state", "last" };
    struct hub *h = check(L);
    struct hw_hub_operation *op = find(L, h);
    struct hw_progress p;
    char line[HW_LINE_MAX];
    if (!op || !hw_hub_view(op, h->clock.unix_ms, &p))
        return 0;
    lua_newtable(L);
    set_integer(L, "n", p.n);
    set_integer(L, "m", p.m);
    set_text(L, "state", hw_state_name(p.state));
    set_text(L, "reason", p.reason);
    set_text(L, "message", p.message);
    set_text(L, "unit", p.counted ? p.count.unit : "");
    hw_progress_line(&p, h->clock.unix_ms, line, sizeof line);
    set_text(L, "line", line);
    if (p.attempt)
        set_integer(L, "attempt", p.attempt);
    if (p.rate >= 0) {
        lua_pushnumber(L, p.rate);
        lua_setfield(L, -2, "rate");
    }
    set_text(L, "need", needs[hw_hub_need(op, &p)]);
    return 1;
}

static int l_wrote(lua_State *L)
{
    struct hub *h = check(L);
    struct hw_hub_operation *op = find(L, h);
    struct hw_progress p;
    if (op && hw_hub_view(op, h->clock.unix_ms, &p))
        hw_hub_wrote(op, &p, NULL);
    return 0;
}

/* The set as a sorted list; it is empty afterwards. */
static int take_set(lua_State *L, int *ref)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, *ref);
    luaL_unref(L, LUA_REGISTRYINDEX, *ref);
    *ref = new_set(L);
    lua_newtable(L);
    lua_Integer n = 0;
    for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, -4, ++n);
    }
    return 1;
}

static int l_changed(lua_State *L)
{
    return take_set(L, &check(L)->changed);
}

static int l_forgotten(lua_State *L)
{
    return take_set(L, &check(L)->forgotten);
}

static int l_counts(lua_State *L)
{
    struct hw_hub_model_counts c = hw_hub_model_counts(check(L)->model);
    lua_newtable(L);
    set_integer(L, "objects", c.objects);
    set_integer(L, "tasks", c.tasks);
    set_integer(L, "operations", c.operations);
    set_integer(L, "refused", c.refused);
    return 1;
}

int hw_mod_hub(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "listing", l_listing }, { "object", l_object },   { "gone", l_gone },
        { "listed", l_listed },   { "clock", l_clock },     { "view", l_view },
        { "wrote", l_wrote },     { "changed", l_changed }, { "forgotten", l_forgotten },
        { "counts", l_counts },   { "__gc", l_gc },         { NULL, NULL }
    };
    static const luaL_Reg functions[] = { { "new", l_new }, { NULL, NULL } };
    hw_mod_add_type(L, TYPE, methods);
    luaL_newlib(L, functions);
    return 1;
}
