#include "lua/host.h"

#include <string.h>

#include "lua/inner.h"

enum { HOOK_EVERY = 1000 };

static const char parser_key = 0, instance_key = 0; /* addresses in the registry */

static void on_count(lua_State *L, lua_Debug *ar)
{
    struct hw_host *h = hw_host_of(L);
    (void)ar;
    h->left -= h->tripped ? 1 : HOOK_EVERY;
    if (h->left > 0)
        return;
    h->tripped = true;
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1); /* pcall in the script must not swallow it */
    luaL_error(L, "more than %d instructions for one record", HW_HOST_INSTRUCTIONS);
}

static void arm(struct hw_host *h)
{
    h->left = HW_HOST_INSTRUCTIONS;
    h->tripped = false;
    lua_sethook(h->L, on_count, LUA_MASKCOUNT, HOOK_EVERY);
}

static int traceback(lua_State *L)
{
    const char *message = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;
    if (!message) /* no __tostring of a stranger runs here */
        message = lua_pushfstring(L, "(an error that is a %s)", luaL_typename(L, 1));
    luaL_traceback(L, L, message, 1);
    return 1;
}

/* fn args... -> results. On failure the stack is as before fn. */
static int call(struct hw_host *h, int nargs, int nres, struct hw_err *err)
{
    lua_State *L = h->L;
    int base = lua_gettop(L) - nargs;
    lua_pushcfunction(L, traceback);
    lua_insert(L, base);                  /* traceback fn args... */
    int st = lua_pcall(L, nargs, nres, base);
    lua_remove(L, base);
    if (st == LUA_OK)
        return 0;
    const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no message";
    hw_fail(err, HW_ELUA, "%s", st == LUA_ERRMEM ? "not enough memory" : message);
    lua_pop(L, 1);
    return -1;
}

/* ---- loading: runs inside a protected call, so that memory may run out at any line ------------------ */

static void push_options(lua_State *L, const struct hw_host_source *s)
{
    lua_createtable(L, 0, (int)s->option_count + 1);
    for (size_t i = 0; i < s->option_count; i++) {
        lua_pushlstring(L, s->options[i].key.ptr, s->options[i].key.len);
        lua_pushlstring(L, s->options[i].value.ptr, s->options[i].value.len);
        lua_rawset(L, -3);
    }
    lua_pushboolean(L, s->strict);
    lua_setfield(L, -2, "strict");
}

static void check_contract(lua_State *L, struct hw_host *h)
{
    if (!lua_istable(L, -1))
        luaL_error(L, "a parser returns its module, a table; this one returns a %s", luaL_typename(L, -1));
    if (lua_getfield(L, -1, "api") != LUA_TNUMBER || lua_tointeger(L, -1) != HW_HOST_API)
        luaL_error(L, "api: expected %d, the version of the contract", HW_HOST_API);
    if (lua_getfield(L, -2, "name") != LUA_TSTRING || lua_rawlen(L, -1) > HW_HOST_NAME_MAX)
        luaL_error(L, "name: expected a string of at most %d bytes", HW_HOST_NAME_MAX);
    if (lua_getfield(L, -3, "unit") != LUA_TNIL) {
        size_t len = 0;
        const char *unit = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
        if (!unit || len > HW_UNIT_MAX)
            luaL_error(L, "unit: expected a string of at most %d bytes", HW_UNIT_MAX);
        memcpy(h->unit, unit, len + 1);
    }
    static const char *const functions[] = { "new", "feed" };
    for (int i = 0; i < 2; i++)
        if (lua_getfield(L, -4 - i, functions[i]) != LUA_TFUNCTION)
            luaL_error(L, "%s: expected a function", functions[i]);
    lua_pop(L, 5);
}

/* source -> nothing; the parser and its instance are kept in the registry. */
static int load(lua_State *L)
{
    const struct hw_host_source *s = lua_touserdata(L, 1);
    struct hw_host *h = hw_host_of(L);
    lua_pushlstring(L, s->chunk.ptr, s->chunk.len);
    hw_sandbox_push(L);
    lua_pop(L, 1);
    if (hw_sandbox_load(L, s->text, lua_tostring(L, -1)) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 1);                    /* parser */
    check_contract(L, h);
    lua_getfield(L, -1, "new");
    push_options(L, s);
    lua_call(L, 1, 1);                    /* parser instance */
    if (lua_getfield(L, -1, "feed") != LUA_TFUNCTION) /* a method, by the instance's metatable */
        luaL_error(L, "new: what it returns has no method feed");
    lua_pop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &instance_key);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &parser_key);
    return 0;
}

int hw_host_open(struct hw_host *h, const struct hw_host_source *source, hw_host_module_fn *module,
                 void *ctx, struct hw_err *err)
{
    h->module = module;
    h->module_ctx = ctx;
    h->unit[0] = '\0';
    h->L = lua_newstate(hw_arena_alloc, &h->arena);
    if (!h->L)
        return hw_fail(err, HW_ELUA, "not enough memory");
    *(struct hw_host **)lua_getextraspace(h->L) = h;
    lua_gc(h->L, LUA_GCINC, 130, 200, 0); /* little garbage is kept: memory is what a sidecar has least of */
    arm(h); /* before the first chunk: a coroutine made earlier would have no hook */
    h->loading = true;
    lua_pushcfunction(h->L, load);
    lua_pushlightuserdata(h->L, (void *)(uintptr_t)source);
    int st = call(h, 1, 0, err);
    h->loading = false;
    if (st == 0)
        return 0;
    h->L = NULL;
    return -1;
}

/* ---- records ----------------------------------------------------------------------------------------- */

struct entry {
    const char *method;
    struct hw_str record; /* ptr NULL: the code instead */
    int code;
    const char *unit;
    struct hw_sample *ret;
    struct hw_err *err;
    int outcome;
};

/* entry -> nothing; entry->outcome is set. Pushing a record may raise, so all of it is protected. */
static int enter(lua_State *L)
{
    struct entry *e = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &instance_key);
    if (lua_getfield(L, -1, e->method) != LUA_TFUNCTION) {
        e->outcome = 0;
        return 0;
    }
    lua_insert(L, -2);                    /* method instance */
    if (e->record.ptr)
        lua_pushlstring(L, e->record.ptr, e->record.len);
    else
        lua_pushinteger(L, e->code);
    lua_call(L, 2, 2);                    /* sample why */
    e->outcome = hw_convert(L, e->unit, e->ret, e->err);
    return 0;
}

static int run(struct hw_host *h, struct entry *e)
{
    arm(h);
    lua_pushcfunction(h->L, enter);
    lua_pushlightuserdata(h->L, e);
    return call(h, 1, 0, e->err) < 0 ? -1 : e->outcome;
}

int hw_host_feed(struct hw_host *h, struct hw_str record, struct hw_sample *ret, struct hw_err *err)
{
    struct entry e = { .method = "feed", .record = record, .unit = h->unit, .ret = ret, .err = err };
    if (!e.record.ptr)
        e.record.ptr = "";
    return run(h, &e);
}

int hw_host_finish(struct hw_host *h, int code, struct hw_sample *ret, struct hw_err *err)
{
    struct entry e = { .method = "finish", .code = code, .unit = h->unit, .ret = ret, .err = err };
    return run(h, &e);
}
