/* mod_progress.c - headway_core.progress: tracker and pace for specs, on times that the spec hands in.
 * tracker(rules?) -> t; t:sample(fields, now, own_word?) t:refused(why, now) t:silent(now) t:source(why)
 *   t:attempt(n, now) t:finish(ok, reason, now) t:view(now) -> table, t:detail(now) t:json(now) t:line(now)
 *   t:next(now), t:counters() -> held, corrected
 * pace(kind) -> p; p:due(t, now, last?) -> ms or -1, p:wrote(t, now, last?), p:feedback(ok, ms), p:writes()
 * All times are milliseconds; the wall clock stands at `now` + epoch, a fixed moment. */
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

#include "progress/detail.h"
#include "progress/nm.h"
#include "progress/pace.h"
#include "progress/tracker.h"

#define TRACKER "headway.spec.tracker"
#define PACE "headway.spec.pace"

int hw_mod_progress(lua_State *L);

static const int64_t epoch_ms = INT64_C(1767225600000); /* 2026-01-01T00:00:00Z */

static struct hw_moment moment(lua_State *L, int arg)
{
    int64_t ms = (int64_t)luaL_checknumber(L, arg);
    return (struct hw_moment){ .mono_ms = ms, .unix_ms = epoch_ms + ms };
}

static int64_t int_field(lua_State *L, int table, const char *key, int64_t dflt)
{
    lua_getfield(L, table, key);
    int64_t value = lua_isnil(L, -1) ? dflt : (int64_t)luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return value;
}

static double number_field(lua_State *L, int table, const char *key, double dflt)
{
    lua_getfield(L, table, key);
    double value = luaL_optnumber(L, -1, dflt);
    lua_pop(L, 1);
    return value;
}

static bool flag_field(lua_State *L, int table, const char *key)
{
    lua_getfield(L, table, key);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static void text_field(lua_State *L, int table, const char *key, char *dst, size_t size)
{
    lua_getfield(L, table, key);
    const char *text = luaL_optstring(L, -1, "");
    size_t len = strlen(text);
    luaL_argcheck(L, len < size, table, "text too long");
    memcpy(dst, text, len + 1);
    lua_pop(L, 1);
}

static struct hw_count count_fields(lua_State *L, int table)
{
    struct hw_count c = { .done = int_field(L, table, "done", 0),
                          .total = int_field(L, table, "total", -1) };
    text_field(L, table, "unit", c.unit, sizeof c.unit);
    return c;
}

static struct hw_phase phase_fields(lua_State *L, int table)
{
    struct hw_phase p = { .index = (int)int_field(L, table, "index", 0),
                          .count = (int)int_field(L, table, "count", 0),
                          .weight = number_field(L, table, "weight", 0) };
    text_field(L, table, "name", p.name, sizeof p.name);
    return p;
}

static void also_fields(lua_State *L, int table, struct hw_sample *s)
{
    lua_getfield(L, table, "also");
    if (lua_istable(L, -1))
        for (; s->also_count < HW_ALSO_MAX; s->also_count++) {
            if (lua_geti(L, -1, s->also_count + 1) == LUA_TNIL) {
                lua_pop(L, 1);
                break;
            }
            s->also[s->also_count] = count_fields(L, lua_gettop(L));
            lua_pop(L, 1);
        }
    lua_pop(L, 1);
}

static struct hw_sample sample_fields(lua_State *L, int table)
{
    struct hw_sample s = hw_sample_none();
    lua_getfield(L, table, "done");
    s.counted = !lua_isnil(L, -1);
    lua_pop(L, 1);
    s.main = count_fields(L, table);
    s.fraction = number_field(L, table, "fraction", -1);
    s.scanning = flag_field(L, table, "scanning");
    s.restart = flag_field(L, table, "restart");
    char ended[16];
    text_field(L, table, "ended", ended, sizeof ended);
    for (int i = HW_ENDED_NO; i <= HW_ENDED_FAILED; i++)
        if (strcmp(hw_ended_name((enum hw_ended)i), ended) == 0)
            s.ended = (enum hw_ended)i;
    text_field(L, table, "message", s.message, sizeof s.message);
    lua_getfield(L, table, "phase");
    if (lua_istable(L, -1))
        s.phase = phase_fields(L, lua_gettop(L));
    lua_pop(L, 1);
    also_fields(L, table, &s);
    return s;
}

static struct hw_tracker *tracker(lua_State *L, int arg)
{
    return luaL_checkudata(L, arg, TRACKER);
}

static int tracker_new(lua_State *L)
{
    struct hw_tracker_rules rules = hw_tracker_rules_default();
    if (lua_istable(L, 1)) {
        rules.stall_ms = int_field(L, 1, "stall_ms", rules.stall_ms);
        rules.no_match_ms = int_field(L, 1, "no_match_ms", rules.no_match_ms);
        rules.total = int_field(L, 1, "total", -1);
        rules.hide_message = flag_field(L, 1, "hide_message");
        text_field(L, 1, "unit", rules.unit, sizeof rules.unit);
        text_field(L, 1, "total_unit", rules.total_unit, sizeof rules.total_unit);
    }
    struct hw_tracker *t = lua_newuserdatauv(L, sizeof *t, 0);
    hw_tracker_init(t, &rules, (struct hw_moment){ 0, epoch_ms });
    luaL_setmetatable(L, TRACKER);
    return 1;
}

static int tracker_sample(lua_State *L)
{
    struct hw_tracker *t = tracker(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct hw_sample s = sample_fields(L, 2);
    struct hw_err err;
    if (hw_sample_check(&s, &err) < 0)
        return luaL_error(L, "%s", err.msg);
    lua_pushboolean(L, hw_tracker_sample(t, &s, lua_toboolean(L, 4), "spec", moment(L, 3)));
    return 1;
}

static int tracker_refused(lua_State *L)
{
    hw_tracker_refused(tracker(L, 1), luaL_checkstring(L, 2), moment(L, 3));
    return 0;
}

static int tracker_silent(lua_State *L)
{
    hw_tracker_silent(tracker(L, 1), "spec", moment(L, 2));
    return 0;
}

static int tracker_source(lua_State *L)
{
    hw_tracker_source(tracker(L, 1), luaL_checkstring(L, 2));
    return 0;
}

static int tracker_attempt(lua_State *L)
{
    hw_tracker_attempt(tracker(L, 1), (int)luaL_checkinteger(L, 2), moment(L, 3));
    return 0;
}

/* t:floor(n, m, { done, total, unit }?) */
static int tracker_floor(lua_State *L)
{
    struct hw_floor floor = { .n = luaL_checkinteger(L, 2), .m = luaL_checkinteger(L, 3) };
    floor.counted = lua_istable(L, 4);
    if (floor.counted)
        floor.count = count_fields(L, 4);
    hw_tracker_floor(tracker(L, 1), &floor);
    return 0;
}

/* true: success, false: failure, nil: unknown */
static int tracker_finish(lua_State *L)
{
    enum hw_outcome outcome = lua_isnil(L, 2)       ? HW_OUTCOME_UNKNOWN
                              : lua_toboolean(L, 2) ? HW_OUTCOME_SUCCESS
                                                    : HW_OUTCOME_FAILURE;
    hw_tracker_end(tracker(L, 1), outcome, luaL_optstring(L, 3, ""), moment(L, 4));
    return 0;
}

static struct hw_progress view(lua_State *L, int tracker_arg, int now_arg)
{
    struct hw_progress p;
    hw_tracker_view(tracker(L, tracker_arg), moment(L, now_arg), &p);
    return p;
}

static void set_number(lua_State *L, const char *key, double value)
{
    if (value < 0)
        return;
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static int tracker_view(lua_State *L)
{
    struct hw_progress p = view(L, 1, 2);
    char nm[HW_NM_SIZE];
    hw_nm_format(p.n, p.m, nm);
    lua_newtable(L);
    set_text(L, "progress", nm);
    set_text(L, "state", hw_state_name(p.state));
    set_text(L, "reason", p.reason);
    set_text(L, "message", p.message);
    set_text(L, "ended", hw_ended_name(p.said));
    set_text(L, "unit", p.count.unit);
    set_integer(L, "restarts", p.restarts);
    set_integer(L, "refused", p.refused);
    set_integer(L, "attempt", p.attempt);
    set_number(L, "fraction", p.fraction);
    set_number(L, "rate", p.rate);
    set_number(L, "eta", p.eta);
    if (p.counted)
        set_integer(L, "done", p.count.done);
    if (p.counted && p.count.total >= 0)
        set_integer(L, "total", p.count.total);
    return 1;
}

static int tracker_detail(lua_State *L)
{
    struct hw_progress p = view(L, 1, 2);
    char *text = hw_detail_json(&p, "sidecar");
    lua_pushstring(L, text);
    free(text);
    return 1;
}

static int tracker_json(lua_State *L)
{
    struct hw_progress p = view(L, 1, 2);
    char *text = hw_progress_json(&p, "sidecar", moment(L, 2).unix_ms);
    lua_pushstring(L, text);
    free(text);
    return 1;
}

static int tracker_line(lua_State *L)
{
    struct hw_progress p = view(L, 1, 2);
    char text[HW_LINE_MAX];
    hw_progress_line(&p, moment(L, 2).unix_ms, text, sizeof text);
    lua_pushstring(L, text);
    return 1;
}

static int tracker_next(lua_State *L)
{
    lua_pushinteger(L, hw_tracker_next(tracker(L, 1), moment(L, 2).mono_ms));
    return 1;
}

static int tracker_counters(lua_State *L)
{
    lua_pushinteger(L, tracker(L, 1)->held);
    lua_pushinteger(L, tracker(L, 1)->corrected);
    return 2;
}

static int pace_new(lua_State *L)
{
    const char *kind = luaL_checkstring(L, 1);
    struct hw_pace_rules rules =
        strcmp(kind, "status") == 0 ? hw_pace_status() : hw_pace_annotation();
    struct hw_pace *p = lua_newuserdatauv(L, sizeof *p, 0);
    hw_pace_init(p, &rules, 0);
    luaL_setmetatable(L, PACE);
    return 1;
}

static int pace_due(lua_State *L)
{
    struct hw_pace *p = luaL_checkudata(L, 1, PACE);
    struct hw_progress value = view(L, 2, 3);
    lua_pushinteger(L, hw_pace_due(p, &value, lua_toboolean(L, 4), moment(L, 3).mono_ms));
    return 1;
}

static int pace_wrote(lua_State *L)
{
    struct hw_pace *p = luaL_checkudata(L, 1, PACE);
    struct hw_progress value = view(L, 2, 3);
    hw_pace_wrote(p, &value, lua_toboolean(L, 4), moment(L, 3).mono_ms);
    return 0;
}

static int pace_feedback(lua_State *L)
{
    hw_pace_feedback(luaL_checkudata(L, 1, PACE), lua_toboolean(L, 2), luaL_checkinteger(L, 3));
    return 0;
}

static int pace_writes(lua_State *L)
{
    struct hw_pace *p = luaL_checkudata(L, 1, PACE);
    lua_pushinteger(L, p->writes);
    return 1;
}

static void add_type(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int hw_mod_progress(lua_State *L)
{
    static const luaL_Reg tracker_methods[] = {
        { "sample", tracker_sample },     { "refused", tracker_refused },
        { "silent", tracker_silent },     { "source", tracker_source },
        { "attempt", tracker_attempt },   { "finish", tracker_finish },
        { "floor", tracker_floor },       { "view", tracker_view },
        { "detail", tracker_detail },     { "json", tracker_json },
        { "line", tracker_line },         { "next", tracker_next },
        { "counters", tracker_counters }, { NULL, NULL }
    };
    static const luaL_Reg pace_methods[] = { { "due", pace_due },
                                             { "wrote", pace_wrote },
                                             { "feedback", pace_feedback },
                                             { "writes", pace_writes },
                                             { NULL, NULL } };
    static const luaL_Reg functions[] = { { "tracker", tracker_new },
                                          { "pace", pace_new },
                                          { NULL, NULL } };
    add_type(L, TRACKER, tracker_methods);
    add_type(L, PACE, pace_methods);
    luaL_newlib(L, functions);
    return 1;
}
