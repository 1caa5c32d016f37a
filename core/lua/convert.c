/* convert.c - a Lua value -> struct hw_sample. Fields are read raw, so that no metamethod of a parser runs here; only the keys of the
 * contract are taken, another one is a refusal that names it. */
#include <string.h>

#include "base/mem.h"
#include "lua/inner.h"

typedef int field_fn(lua_State *L, void *target, const char *key, struct hw_err *err);

struct field {
    const char *key;
    field_fn *fn;
    size_t at; /* offset in the target */
};

static int wrong_type(lua_State *L, const char *key, const char *expected, struct hw_err *err)
{
    return hw_fail(err, HW_ELUA, "sample.%s: expected %s, got %s", key, expected,
                   luaL_typename(L, -1));
}

static int take_integer(lua_State *L, const char *key, int64_t *ret, struct hw_err *err)
{
    int exact = 0;
    if (lua_type(L, -1) != LUA_TNUMBER)
        return wrong_type(L, key, "an integer", err);
    lua_Integer value = lua_tointegerx(L, -1, &exact); /* takes 3.0, not 3.5 */
    if (!exact)
        return hw_fail(err, HW_ELUA, "sample.%s: %f is no integer of 63 bits", key,
                       (double)lua_tonumber(L, -1));
    if (value < 0)
        return hw_fail(err, HW_ELUA, "sample.%s: is negative", key);
    *ret = value;
    return 0;
}

static int take_number(lua_State *L, const char *key, double *ret, struct hw_err *err)
{
    if (lua_type(L, -1) != LUA_TNUMBER)
        return wrong_type(L, key, "a number", err);
    double value = lua_tonumber(L, -1);
    if (!(value >= 0 && value <= 1))
        return hw_fail(err, HW_ELUA, "sample.%s: must be 0 to 1", key);
    *ret = value;
    return 0;
}

static int take_text(lua_State *L, const char *key, char *dst, size_t size, bool cut,
                     struct hw_err *err)
{
    size_t len;
    if (lua_type(L, -1) != LUA_TSTRING)
        return wrong_type(L, key, "a string", err);
    const char *text = lua_tolstring(L, -1, &len);
    if (len >= size && !cut)
        return hw_fail(err, HW_ELUA, "sample.%s: is longer than %zu bytes", key, size - 1);
    if (cut) /* and cleaned: a cut at any byte would leave half a character */
        hw_clean_text(dst, size - 1, (struct hw_str){ text, len });
    else {
        memcpy(dst, text, len);
        dst[len] = '\0';
    }
    return 0;
}

static int take_bool(lua_State *L, const char *key, bool *ret, struct hw_err *err)
{
    if (lua_type(L, -1) != LUA_TBOOLEAN)
        return wrong_type(L, key, "a boolean", err);
    *ret = lua_toboolean(L, -1);
    return 0;
}

static int no_such_key(lua_State *L, const char *where, const struct field *fields,
                       struct hw_err *err)
{
    const char *names[16] = { NULL };
    for (size_t i = 0; fields[i].key && i + 1 < HW_LEN(names); i++)
        names[i] = fields[i].key;
    if (lua_type(L, -2) != LUA_TSTRING)
        return hw_fail(err, HW_ELUA, "%s: a key is a %s", where, luaL_typename(L, -2));
    char key[41];
    size_t len;
    const char *text = lua_tolstring(L, -2, &len);
    hw_clean_text(key, sizeof key - 1, (struct hw_str){ text, len });
    const char *near = hw_nearest(key, names);
    return hw_fail(err, HW_ELUA, near ? "%s: no such key '%s', did you mean '%s'?" : "%s: no such key '%s'",
                   where, key, near);
}

/* The table at the top -> target, field by field. The stack is as before. */
static int take_fields(lua_State *L, const char *where, const struct field *fields, void *target,
                       struct hw_err *err)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        const struct field *f = fields;
        while (f->key && !hw_streq(f->key, key))
            f++;
        int st = f->key ? f->fn(L, (char *)target + f->at, f->key, err)
                        : no_such_key(L, where, fields, err);
        lua_pop(L, 1);
        if (st < 0) {
            lua_pop(L, 1);
            return -1;
        }
    }
    return 0;
}

/* ---- the keys of a count, a phase, a sample -------------------------------------------------------- */

static int count_number(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    return take_integer(L, key, target, err);
}

static int unit(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    return take_text(L, key, target, HW_UNIT_MAX + 1, false, err);
}

static const struct field count_fields[] = {
    { "done", count_number, offsetof(struct hw_count, done) },
    { "total", count_number, offsetof(struct hw_count, total) },
    { "unit", unit, offsetof(struct hw_count, unit) },
    { NULL, NULL, 0 },
};

static int phase_name(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    return take_text(L, key, target, sizeof((struct hw_phase *)0)->name, true, err);
}

static int phase_number(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    int64_t value;
    int *ret = target;
    if (take_integer(L, key, &value, err) < 0)
        return -1;
    *ret = value > HW_PHASE_MAX ? HW_PHASE_MAX + 1 : (int)value; /* hw_sample_check refuses it by name */
    return 0;
}

static int phase_weight(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    return take_number(L, key, target, err);
}

static const struct field phase_fields[] = {
    { "name", phase_name, offsetof(struct hw_phase, name) },
    { "index", phase_number, offsetof(struct hw_phase, index) },
    { "count", phase_number, offsetof(struct hw_phase, count) },
    { "weight", phase_weight, offsetof(struct hw_phase, weight) },
    { NULL, NULL, 0 },
};

/* "no such field" is said of sample.phase, sample.also: the caller's table is at the top. */
static int phase(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    if (!lua_istable(L, -1))
        return wrong_type(L, key, "a table", err);
    struct hw_phase *p = target;
    if (take_fields(L, "sample.phase", phase_fields, p, err) < 0)
        return -1;
    return p->index ? 0 : hw_fail(err, HW_ELUA, "sample.phase: index is missing");
}

static int also(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    struct hw_sample *s = target;
    if (!lua_istable(L, -1))
        return wrong_type(L, key, "a list", err);
    size_t len = lua_rawlen(L, -1);
    if (len > HW_ALSO_MAX)
        return hw_fail(err, HW_ELUA, "sample.also: at most %d counts", HW_ALSO_MAX);
    for (size_t i = 0; i < len; i++) {
        s->also[i] = (struct hw_count){ .done = -1, .total = -1 };
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        int st = !lua_istable(L, -1) ? wrong_type(L, key, "a list of tables", err)
                 : take_fields(L, "sample.also", count_fields, &s->also[i], err) < 0 ? -1
                 : s->also[i].done < 0 ? hw_fail(err, HW_ELUA, "sample.also: done is missing")
                                       : 0;
        lua_pop(L, 1);
        if (st < 0)
            return -1;
    }
    s->also_count = (int)len;
    return 0;
}

static int fraction(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    return take_number(L, key, target, err);
}

static int flag(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    return take_bool(L, key, target, err);
}

static int message(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    return take_text(L, key, target, HW_TEXT_MAX + 1, true, err);
}

static int ended(lua_State *L, void *target, const char *key, struct hw_err *err)
{
    static const char *const words[] = { "", "complete", "partial", "failed" };
    enum hw_ended *ret = target;
    if (lua_type(L, -1) != LUA_TSTRING)
        return wrong_type(L, key, "a string", err);
    for (unsigned i = 1; i < HW_LEN(words); i++)
        if (strcmp(words[i], lua_tostring(L, -1)) == 0) {
            *ret = (enum hw_ended)i;
            return 0;
        }
    return hw_fail(err, HW_ELUA, "sample.ended: expected complete, partial or failed");
}

static const struct field sample_fields[] = {
    { "done", count_number, offsetof(struct hw_sample, main.done) },
    { "total", count_number, offsetof(struct hw_sample, main.total) },
    { "unit", unit, offsetof(struct hw_sample, main.unit) },
    { "fraction", fraction, offsetof(struct hw_sample, fraction) },
    { "message", message, offsetof(struct hw_sample, message) },
    { "phase", phase, offsetof(struct hw_sample, phase) },
    { "scanning", flag, offsetof(struct hw_sample, scanning) },
    { "restart", flag, offsetof(struct hw_sample, restart) },
    { "also", also, 0 },
    { "ended", ended, offsetof(struct hw_sample, ended) },
    { NULL, NULL, 0 },
};

static int refusal(lua_State *L, struct hw_err *err)
{
    char clean[HW_TEXT_MAX + 1];
    size_t len;
    if (lua_type(L, -1) != LUA_TSTRING)
        return hw_fail(err, HW_ELUA, "returned nil and a %s: expected nil and the reason",
                       luaL_typename(L, -1));
    const char *text = lua_tolstring(L, -1, &len);
    hw_clean_text(clean, HW_TEXT_MAX, (struct hw_str){ text, len });
    return hw_fail(err, HW_EINPUT, "%s", clean);
}

int hw_convert(lua_State *L, const char *dflt_unit, struct hw_sample *ret, struct hw_err *err)
{
    struct hw_sample s = hw_sample_none();
    if (lua_isnil(L, -2))
        return lua_isnil(L, -1) ? 0 : refusal(L, err);
    if (!lua_istable(L, -2))
        return hw_fail(err, HW_ELUA, "returned a %s: expected a sample, nil, or nil and the reason",
                       luaL_typename(L, -2));
    if (!lua_isnil(L, -1))
        return hw_fail(err, HW_ELUA, "returned a sample and a %s: expected one of the two",
                       luaL_typename(L, -1));
    s.main.done = -1;
    lua_pushvalue(L, -2);
    int st = take_fields(L, "sample", sample_fields, &s, err);
    lua_pop(L, 1);
    if (st < 0)
        return -1;
    s.counted = s.main.done >= 0;
    if (!s.counted && s.main.total >= 0)
        return hw_fail(err, HW_ELUA, "sample.total: there is no done");
    if (s.counted && !s.main.unit[0])
        memcpy(s.main.unit, dflt_unit, strlen(dflt_unit) + 1);
    if (hw_sample_check(&s, err) < 0) {
        err->code = HW_ELUA;
        return -1;
    }
    *ret = s;
    return 1;
}
