/* contract.c - what a module says of itself, read and checked; the options that the user gave it, checked and typed.
 * Declared for authors in scripts/headway/meta/core.lua. Everything here may raise; tables are read raw where they could
 * be the parser's, so none of its code runs. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "lua/meta.h"
#include "lua/state.h"

/* Pushes a field of the table at idx that must be of that type, or nil when it is optional. */
static bool push_field(lua_State *L, int idx, const char *key, int type, bool optional)
{
    idx = lua_absindex(L, idx);
    int is = lua_getfield(L, idx, key);
    if (is != type && !(optional && is == LUA_TNIL))
        luaL_error(L, "module: %s is a %s, expected a %s", key, lua_typename(L, is),
                   lua_typename(L, type));
    return is != LUA_TNIL;
}

static void clean_text(lua_State *L, const char *what, char *dst, size_t size) /* string on top */
{
    if (lua_rawlen(L, -1) >= size)
        luaL_error(L, "module: %s is longer than %d bytes", what, (int)size - 1);
    hw_clean_text(dst, size - 1, hw_str(lua_tostring(L, -1)));
}

static void text_field(lua_State *L, const char *key, char *dst, size_t size)
{
    if (push_field(L, -1, key, LUA_TSTRING, true))
        clean_text(L, key, dst, size);
    lua_pop(L, 1);
}

static lua_Integer integer_field(lua_State *L, const char *key, lua_Integer dflt, lua_Integer max)
{
    lua_Integer v = dflt;
    if (push_field(L, -1, key, LUA_TNUMBER, dflt != 0)) {
        int exact;
        v = lua_tointegerx(L, -1, &exact);
        if (!exact || v < 1 || v > max)
            luaL_error(L, "module: %s must be an integer from 1 to %d", key, (int)max);
    }
    lua_pop(L, 1);
    return v;
}

static bool flag_field(lua_State *L, const char *key)
{
    bool v = push_field(L, -1, key, LUA_TBOOLEAN, true) && lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

/* ---- lists --------------------------------------------------------------------------------------- */

/* Pushes element i of the list on top, which must be a string; false = the list is over. */
static bool push_element(lua_State *L, const char *key, lua_Integer i)
{
    int is = lua_rawgeti(L, -1, i);
    if (is == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    if (is != LUA_TSTRING)
        luaL_error(L, "module: %s[%d] is a %s, expected a string", key, (int)i, lua_typename(L, is));
    return true;
}

static void read_commands(lua_State *L, struct hw_parser_meta *m)
{
    if (push_field(L, -1, "commands", LUA_TTABLE, true))
        for (lua_Integer i = 1; push_element(L, "commands", i); i++) {
            if (m->command_count == HW_META_COMMANDS_MAX)
                luaL_error(L, "module: more than %d commands", HW_META_COMMANDS_MAX);
            clean_text(L, "commands", m->commands[m->command_count++], sizeof m->commands[0]);
            lua_pop(L, 1);
        }
    lua_pop(L, 1);
}

/* They are read from the module's text, like the commands (choose.h). */
static void check_shows(lua_State *L)
{
    if (push_field(L, -1, "shows", LUA_TTABLE, true))
        for (lua_Integer i = 1; push_element(L, "shows", i); i++) {
            if (i > HW_META_COMMANDS_MAX)
                luaL_error(L, "module: more than %d shows", HW_META_COMMANDS_MAX);
            lua_pop(L, 1);
        }
    lua_pop(L, 1);
}

static void read_hints(lua_State *L, struct hw_parser_meta *m)
{
    if (push_field(L, -1, "hints", LUA_TTABLE, true))
        for (lua_Integer i = 1; push_element(L, "hints", i); i++) {
            struct hw_str hint;
            hint.ptr = lua_tolstring(L, -1, &hint.len);
            if (m->hint_count == HW_META_HINTS_MAX)
                luaL_error(L, "module: more than %d hints", HW_META_HINTS_MAX);
            if (!hw_meta_add_hint(m, hint))
                luaL_error(L, "module: hints[%d] must be 1 to %d bytes", (int)i, HW_HINT_MAX);
            lua_pop(L, 1);
        }
    lua_pop(L, 1);
}

/* true, or the form of the records that it is true for. */
static void read_newest(lua_State *L, struct hw_parser_meta *m)
{
    struct hw_err err;
    if (lua_getfield(L, -1, "newest") == LUA_TSTRING) {
        if (hw_meta_set_form(m, lua_tostring(L, -1), &err) < 0)
            luaL_error(L, "module: newest is no form of a record: %s", err.msg);
    } else {
        lua_pop(L, 1);
        m->newest = push_field(L, -1, "newest", LUA_TBOOLEAN, true) && lua_toboolean(L, -1);
    }
    lua_pop(L, 1);
}

/* ---- declared options ---------------------------------------------------------------------------- */

static bool is_option_name(const char *name, size_t len)
{
    bool ok = len > 0 && len <= HW_META_OPTION_NAME_MAX && strlen(name) == len;
    for (size_t i = 0; i < len && ok; i++)
        ok = strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", name[i]);
    return ok;
}

static enum hw_meta_type read_type(lua_State *L, const char *name) /* declaration on top */
{
    lua_getfield(L, -1, "type");
    const char *word = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    int type = 0;
    while (type < (int)HW_LEN(hw_meta_types) && strcmp(hw_meta_types[type], word) != 0)
        type++;
    if (type == (int)HW_LEN(hw_meta_types))
        luaL_error(L, "module: option %s: type must be string, integer, number or boolean", name);
    lua_pop(L, 1);
    return (enum hw_meta_type)type;
}

static void add_word(char *dst, size_t size, const char *between, const char *word)
{
    size_t len = strlen(dst);
    snprintf(dst + len, size - len, "%s%s", len ? between : "", word);
}

/* choices, or min and max; what is shown for it */
static void read_range(lua_State *L, struct hw_meta_option *o) /* declaration on top */
{
    if (push_field(L, -1, "choices", LUA_TTABLE, true)) {
        if (o->type != HW_META_STRING)
            luaL_error(L, "module: option %s: choices are for strings", o->name);
        for (lua_Integer i = 1; push_element(L, "choices", i); i++) {
            add_word(o->range, sizeof o->range, ", ", lua_tostring(L, -1));
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    bool min = push_field(L, -1, "min", LUA_TNUMBER, true);
    bool max = push_field(L, -2, "max", LUA_TNUMBER, true); /* declaration min max */
    if ((min || max) && o->type != HW_META_INTEGER && o->type != HW_META_NUMBER)
        luaL_error(L, "module: option %s: min and max are for numbers", o->name);
    const char *low = min ? luaL_tolstring(L, -2, NULL) : (lua_pushliteral(L, ""), "");
    const char *high = max ? luaL_tolstring(L, -2, NULL) : (lua_pushliteral(L, ""), "");
    if (min || max)
        snprintf(o->range, sizeof o->range,
                 min && max ? "%s to %s"
                 : min      ? "%s or more%s"
                            : "%s%s or less",
                 low, high);
    lua_pop(L, 4);
}

static const char *const type_names[] = { [HW_META_STRING] = "a string",
                                          [HW_META_INTEGER] = "an integer",
                                          [HW_META_NUMBER] = "a number",
                                          [HW_META_BOOLEAN] = "true or false" };

static bool is_of_type(lua_State *L, int idx, enum hw_meta_type type)
{
    switch (type) {
    case HW_META_STRING:
        return lua_type(L, idx) == LUA_TSTRING;
    case HW_META_INTEGER:
        return lua_isinteger(L, idx);
    case HW_META_NUMBER:
        return lua_type(L, idx) == LUA_TNUMBER;
    case HW_META_BOOLEAN:
        return lua_isboolean(L, idx);
    }
    return false;
}

static void read_declaration(lua_State *L, struct hw_parser_meta *m) /* name declaration */
{
    size_t len;
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "module: options: a key is a %s, expected a name", luaL_typename(L, -2));
    const char *name = lua_tolstring(L, -2, &len);
    if (!is_option_name(name, len) || strcmp(name, "strict") == 0)
        luaL_error(L, "module: option '%s' is no name: small letters, digits, '_', '-'", name);
    if (!lua_istable(L, -1))
        luaL_error(L, "module: option %s is a %s, expected a table", name, luaL_typename(L, -1));
    struct hw_meta_option *o = hw_meta_add_option(m, name);
    if (!o) {
        luaL_error(L, "module: more than %d options", HW_META_OPTIONS_MAX);
        return; /* never: the analyzers don't know */
    }
    o->type = read_type(L, name);
    if (!push_field(L, -1, "help", LUA_TSTRING, true))
        luaL_error(L, "module: option %s has no help", name);
    clean_text(L, "help of an option", o->help, sizeof o->help);
    lua_pop(L, 1);
    read_range(L, o);
    lua_getfield(L, -1, "default");
    if (!lua_isnil(L, -1)) {
        if (!is_of_type(L, -1, o->type))
            luaL_error(L, "module: option %s: default is not %s", name, type_names[o->type]);
        luaL_tolstring(L, -1, NULL);
        clean_text(L, "default of an option", o->dflt, sizeof o->dflt);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_options(lua_State *L, struct hw_parser_meta *m)
{
    if (push_field(L, -1, "options", LUA_TTABLE, true))
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
            read_declaration(L, m);
    lua_pop(L, 1);
}

void hw_contract_read(lua_State *L, struct hw_parser_meta *m)
{
    luaL_checkstack(L, 20, NULL);
    text_field(L, "name", m->name, sizeof m->name);
    text_field(L, "unit", m->unit, sizeof m->unit);
    m->api = (int)integer_field(L, "api", 0, INT32_MAX);
    if (m->api != HW_META_API)
        luaL_error(L, "module: api is %d, this headway knows %d", m->api, HW_META_API);
    m->record_max =
        (size_t)integer_field(L, "record_max", (lua_Integer)m->record_max, HW_WORKER_RECORD_MAX);
    read_newest(L, m);
    m->word = flag_field(L, "word");
    text_field(L, "tool", m->tool, sizeof m->tool);
    text_field(L, "versions", m->versions, sizeof m->versions);
    read_commands(L, m);
    check_shows(L);
    read_hints(L, m);
    read_options(L, m);
}

/* ---- options of the user's ----------------------------------------------------------------------- */

static void refuse_unknown(lua_State *L, const struct hw_parser_meta *m, const char *name)
{
    const char *names[HW_META_OPTIONS_MAX + 1] = { NULL };
    for (size_t i = 0; i < m->option_count; i++)
        names[i] = m->options[i].name;
    const char *near = hw_nearest(name, names);
    if (near)
        luaL_error(L, "parser '%s' has no option '%s', did you mean '%s'", m->name, name, near);
    if (m->option_count == 0)
        luaL_error(L, "parser '%s' takes no options, '%s' was given", m->name, name);
    luaL_error(L, "parser '%s' has no option '%s'", m->name, name);
}

static void refuse_value(lua_State *L, const struct hw_parser_meta *m,
                         const struct hw_meta_option *o, const char *text)
{
    char shown[48];
    hw_clean_text(shown, sizeof shown - 1, hw_str(text));
    luaL_error(L, "option '%s' of parser '%s' is '%s', expected %s%s%s", o->name, m->name, shown,
               type_names[o->type], o->range[0] ? ": " : "", o->range);
}

/* Pushes the typed value of a text; false: it is none of that type, nil was pushed. */
static bool push_typed(lua_State *L, enum hw_meta_type type, const char *text)
{
    bool whole = lua_stringtonumber(L, text) == strlen(text) + 1;
    switch (type) {
    case HW_META_STRING:
        lua_pushstring(L, text);
        return true;
    case HW_META_INTEGER:
        return whole && lua_isinteger(L, -1) ? true : (lua_pushnil(L), false);
    case HW_META_NUMBER:
        return whole ? true : (lua_pushnil(L), false);
    case HW_META_BOOLEAN:
        lua_pushboolean(L, strcmp(text, "true") == 0);
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    }
    return false;
}

/* declaration and value at idx: whether the value is among the choices, not below min, not above max */
static bool is_in_range(lua_State *L, int declaration, int value)
{
    bool ok = true;
    if (lua_getfield(L, declaration, "choices") == LUA_TTABLE) {
        ok = false;
        for (lua_Integer i = 1; !ok && lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
            ok = lua_rawequal(L, -1, value);
            lua_pop(L, 1);
        }
    }
    if (lua_getfield(L, declaration, "min") == LUA_TNUMBER)
        ok = ok && lua_compare(L, -1, value, LUA_OPLE);
    if (lua_getfield(L, declaration, "max") == LUA_TNUMBER)
        ok = ok && lua_compare(L, value, -1, LUA_OPLE);
    return ok;
}

/* One declared option: the text that was given is replaced by its value, a missing one by the default. */
static void type_option(lua_State *L, int options, int declared, const struct hw_parser_meta *m,
                        const struct hw_meta_option *o)
{
    int top = lua_gettop(L);
    lua_getfield(L, declared, o->name);                     /* declaration */
    if (lua_getfield(L, options, o->name) != LUA_TSTRING) { /* declaration nil */
        lua_getfield(L, top + 1, "default");
        lua_setfield(L, options, o->name);
        lua_settop(L, top);
        return;
    }
    const char *text = lua_tostring(L, top + 2); /* declaration text */
    bool fits = push_typed(L, o->type, text);
    int value = lua_gettop(L);
    if (!fits || !is_in_range(L, top + 1, value))
        refuse_value(L, m, o, text);
    lua_pushvalue(L, value);
    lua_setfield(L, options, o->name);
    lua_settop(L, top);
}

void hw_contract_options(lua_State *L, int options, int module, const struct hw_parser_meta *m)
{
    int top = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, options); lua_pop(L, 1)) {
        const char *name = lua_tostring(L, -2); /* all keys are strings of ours */
        if (strcmp(name, "strict") != 0 && !hw_meta_option_named(m, name))
            refuse_unknown(L, m, name);
    }
    lua_getfield(L, module, "options");
    for (size_t i = 0; i < m->option_count; i++)
        type_option(L, options, top + 1, m, &m->options[i]);
    lua_settop(L, top);
}
