/* convert.c - a parser's table -> struct hw_sample. Every field is a row: key, where it goes, how it is read. Tables
 * are read raw, so no code of the parser's runs here. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "lua/state.h"

enum { TOP, COUNT, PHASE };

struct target {
    struct hw_sample *sample;
    struct hw_count *count;  /* done, total and unit go here */
    const char *where;       /* "", "also.", "phase." in front of the field's name */
    bool done, total, index; /* these were given */
};

typedef int read_fn(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err);

static int wrong_type(lua_State *L, int idx, const char *key, const struct target *t,
                      const char *expected, struct hw_err *err)
{
    return hw_fail(err, HW_ELUA, "sample: %s%s is a %s, expected %s", t->where, key,
                   luaL_typename(L, idx), expected);
}

/* ---- values -------------------------------------------------------------------------------------- */

/* 3 and 3.0 are integers, 3.5, "3" and 1e300 are none. */
static int read_integer(lua_State *L, int idx, const char *key, const struct target *t, int64_t min,
                        int64_t max, int64_t *ret, struct hw_err *err)
{
    int exact = 0;
    if (lua_type(L, idx) != LUA_TNUMBER)
        return wrong_type(L, idx, key, t, "an integer", err);
    lua_Integer v = lua_tointegerx(L, idx, &exact);
    if (!exact)
        return hw_fail(err, HW_ELUA, "sample: %s%s is %.14g, expected an integer", t->where, key,
                       lua_tonumber(L, idx));
    if (v < min || v > max)
        return hw_fail(err, HW_ELUA, "sample: %s%s is %lld, out of range", t->where, key,
                       (long long)v);
    *ret = v;
    return 0;
}

/* A share of the whole; low: the least that is taken is above 0. */
static int read_share(lua_State *L, int idx, const char *key, const struct target *t, bool low,
                      double *ret, struct hw_err *err)
{
    if (lua_type(L, idx) != LUA_TNUMBER)
        return wrong_type(L, idx, key, t, "a number", err);
    double v = lua_tonumber(L, idx);
    if (!(v >= 0 && v <= 1) || (low && v == 0))
        return hw_fail(err, HW_ELUA, "sample: %s%s is %.14g, expected %s", t->where, key, v,
                       low ? "above 0, at most 1" : "0 to 1");
    *ret = v;
    return 0;
}

static int read_flag(lua_State *L, int idx, const char *key, const struct target *t, bool *ret,
                     struct hw_err *err)
{
    if (!lua_isboolean(L, idx))
        return wrong_type(L, idx, key, t, "a boolean", err);
    *ret = lua_toboolean(L, idx);
    return 0;
}

/* lua_tolstring would turn a number into text in its place: strings only. */
static int read_string(lua_State *L, int idx, const char *key, const struct target *t,
                       struct hw_str *ret, struct hw_err *err)
{
    if (lua_type(L, idx) != LUA_TSTRING)
        return wrong_type(L, idx, key, t, "a string", err);
    ret->ptr = lua_tolstring(L, idx, &ret->len);
    return 0;
}

/* ---- fields -------------------------------------------------------------------------------------- */

static int read_done(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    t->done = true;
    return read_integer(L, idx, key, t, 0, INT64_MAX, &t->count->done, err);
}

static int read_total(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    t->total = true;
    return read_integer(L, idx, key, t, 0, INT64_MAX, &t->count->total, err);
}

static int read_unit(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    struct hw_str text;
    if (read_string(L, idx, key, t, &text, err) < 0)
        return -1;
    if (text.len > HW_UNIT_MAX || memchr(text.ptr, '\0', text.len))
        return hw_fail(err, HW_ELUA, "sample: %sunit is no unit, expected at most %d letters",
                       t->where, HW_UNIT_MAX);
    memcpy(t->count->unit, text.ptr, text.len + 1);
    return 0;
}

static int read_fraction(lua_State *L, int idx, const char *key, struct target *t,
                         struct hw_err *err)
{
    return read_share(L, idx, key, t, false, &t->sample->fraction, err);
}

static int read_message(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    struct hw_str text;
    if (read_string(L, idx, key, t, &text, err) < 0)
        return -1;
    hw_clean_private(t->sample->message, HW_TEXT_MAX, text);
    return 0;
}

static int read_scanning(lua_State *L, int idx, const char *key, struct target *t,
                         struct hw_err *err)
{
    return read_flag(L, idx, key, t, &t->sample->scanning, err);
}

static int read_restart(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    return read_flag(L, idx, key, t, &t->sample->restart, err);
}

static int read_newest(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    bool newest = true;
    int st = read_flag(L, idx, key, t, &newest, err);
    t->sample->each = !newest;
    return st;
}

static int read_ended(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    struct hw_str text;
    if (read_string(L, idx, key, t, &text, err) < 0)
        return -1;
    for (int i = HW_ENDED_COMPLETE; i <= HW_ENDED_FAILED; i++)
        if (strcmp(hw_ended_name((enum hw_ended)i), text.ptr) == 0) {
            t->sample->ended = (enum hw_ended)i;
            return 0;
        }
    return hw_fail(err, HW_ELUA, "sample: ended must be 'complete', 'partial' or 'failed'");
}

static int read_name(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    struct hw_str text;
    if (read_string(L, idx, key, t, &text, err) < 0)
        return -1;
    hw_clean_text(t->sample->phase.name, sizeof t->sample->phase.name - 1, text);
    return 0;
}

static int read_index(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    int64_t v;
    if (read_integer(L, idx, key, t, 1, HW_PHASE_MAX, &v, err) < 0)
        return -1;
    t->index = true;
    t->sample->phase.index = (int)v;
    return 0;
}

static int read_count(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    int64_t v;
    if (read_integer(L, idx, key, t, 1, HW_PHASE_MAX, &v, err) < 0)
        return -1;
    t->sample->phase.count = (int)v;
    return 0;
}

static int read_weight(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    return read_share(L, idx, key, t, true, &t->sample->phase.weight, err);
}

static read_fn read_phase, read_also;

static const struct field {
    const char *key;
    read_fn *read;
} fields[][12] = {
    [TOP] = { { "done", read_done },
              { "total", read_total },
              { "unit", read_unit },
              { "message", read_message },
              { "fraction", read_fraction },
              { "phase", read_phase },
              { "scanning", read_scanning },
              { "restart", read_restart },
              { "also", read_also },
              { "ended", read_ended },
              { "newest", read_newest } },
    [COUNT] = { { "done", read_done }, { "total", read_total }, { "unit", read_unit } },
    [PHASE] = { { "name", read_name },
                { "index", read_index },
                { "count", read_count },
                { "weight", read_weight } },
};

/* ---- tables -------------------------------------------------------------------------------------- */

static int unknown_key(lua_State *L, int level, int key, const struct target *t, struct hw_err *err)
{
    const char *names[HW_LEN(fields[0]) + 1] = { NULL };
    if (lua_type(L, key) != LUA_TSTRING)
        return hw_fail(err, HW_ELUA, "sample: %skey is a %s, expected the name of a field",
                       t->where, luaL_typename(L, key));
    for (size_t i = 0; fields[level][i].key; i++)
        names[i] = fields[level][i].key;
    const char *word = lua_tostring(L, key), *near = hw_nearest(word, names);
    if (near)
        return hw_fail(err, HW_ELUA, "sample: no field '%s%.40s', did you mean '%s'", t->where,
                       word, near);
    return hw_fail(err, HW_ELUA, "sample: no field '%s%.40s'", t->where, word);
}

static const struct field *field_named(int level, const char *name)
{
    for (const struct field *f = fields[level]; f->key; f++)
        if (f->key[0] == name[0] && strcmp(f->key, name) == 0)
            return f;
    return NULL;
}

static int read_table(lua_State *L, int idx, int level, struct target *t, struct hw_err *err)
{
    int top = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, idx)) { /* key value */
        const struct field *f = lua_type(L, top + 1) == LUA_TSTRING
                                    ? field_named(level, lua_tostring(L, top + 1))
                                    : NULL;
        int st = f ? f->read(L, top + 2, f->key, t, err) : unknown_key(L, level, top + 1, t, err);
        if (st < 0) {
            lua_settop(L, top);
            return -1;
        }
        lua_pop(L, 1);
    }
    return 0;
}

static int read_phase(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    struct target inner = { .sample = t->sample, .where = "phase." };
    if (!lua_istable(L, idx))
        return wrong_type(L, idx, key, t, "a table", err);
    if (read_table(L, idx, PHASE, &inner, err) < 0)
        return -1;
    return inner.index ? 0 : hw_fail(err, HW_ELUA, "sample: phase without index");
}

static int read_pair(lua_State *L, int idx, struct target *t, struct hw_count *count,
                     struct hw_err *err)
{
    struct target inner = { .sample = t->sample, .count = count, .where = "also." };
    *count = hw_sample_none().main;
    if (!lua_istable(L, idx))
        return wrong_type(L, idx, "element", &inner, "a table", err);
    if (read_table(L, idx, COUNT, &inner, err) < 0)
        return -1;
    return inner.done ? 0 : hw_fail(err, HW_ELUA, "sample: also without done");
}

static int read_also(lua_State *L, int idx, const char *key, struct target *t, struct hw_err *err)
{
    if (!lua_istable(L, idx))
        return wrong_type(L, idx, key, t, "a table", err);
    lua_Unsigned count = lua_rawlen(L, idx);
    if (count > HW_ALSO_MAX)
        return hw_fail(err, HW_ELUA, "sample: also has %llu counts, at most %d are taken",
                       (unsigned long long)count, HW_ALSO_MAX);
    for (lua_Unsigned i = 1; i <= count; i++) {
        lua_rawgeti(L, idx, (lua_Integer)i);
        int st = read_pair(L, lua_gettop(L), t, &t->sample->also[i - 1], err);
        lua_pop(L, 1);
        if (st < 0)
            return -1;
    }
    t->sample->also_count = (int)count;
    return 0;
}

int hw_convert_sample(lua_State *L, int idx, struct hw_sample *ret, struct hw_err *err)
{
    *ret = hw_sample_none();
    struct target t = { .sample = ret, .count = &ret->main, .where = "" };
    if (read_table(L, idx, TOP, &t, err) < 0)
        return -1;
    ret->counted = t.done;
    if (t.total && !t.done)
        return hw_fail(err, HW_ELUA, "sample: total without done");
    if (hw_sample_check(ret, err) < 0) {
        err->code = HW_ELUA;
        return -1;
    }
    return 0;
}
