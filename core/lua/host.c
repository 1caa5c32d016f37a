#include "lua/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/state.h"

/* The stack of the state between entries. */
enum { AT_TRACEBACK = 1, AT_SELF, AT_FEED, AT_FINISH };

enum {
    HOOK_STEP = 1000, /* instructions between two calls of the hook, in each coroutine */
};

/* What an entry hands to the protected function, which finds it as its only argument. */
struct entry {
    const struct hw_host_source *source;
    struct hw_str record;
    int code;
    struct hw_sample *sample;
    struct hw_err *err;
    int result;
};

/* ---- memory and instructions --------------------------------------------------------------------- */

/* osize is a type tag while ptr is NULL, the heap knows its own sizes. */
static void *lua_memory(void *heap, void *ptr, size_t osize, size_t nsize)
{
    (void)osize;
    return hw_heap_realloc(heap, ptr, nsize);
}

/* Once it has tripped it fires at each instruction, so that no pcall of the script's can swallow it. */
static void on_count(lua_State *L, lua_Debug *ar)
{
    struct hw_host *h = hw_host_of(L);
    (void)ar;
    h->spent += lua_gethookcount(L);
    if (h->spent > HW_HOST_BUDGET) {
        h->tripped = true;
        lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
        luaL_error(L, "instruction limit");
    }
    if (lua_gethookcount(L) != HOOK_STEP)
        lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_STEP);
}

static int on_panic(lua_State *L)
{
    (void)L; /* can't be: everything runs protected */
    abort();
}

/* ---- protected calls ----------------------------------------------------------------------------- */

static void keep_text(char *dst, size_t size, const char *text)
{
    snprintf(dst, size, "%s", text);
}

/* Message handler: keeps what was raised, of any type; no metamethod is asked. */
static int traceback(lua_State *L)
{
    struct hw_host *h = hw_host_of(L);
    if (lua_type(L, 1) == LUA_TSTRING)
        keep_text(h->why, sizeof h->why, lua_tostring(L, 1));
    else
        snprintf(h->why, sizeof h->why, "error value is a %s", luaL_typename(L, 1));
    luaL_traceback(L, L, NULL, 1);
    keep_text(h->trace, sizeof h->trace, lua_tostring(L, -1));
    /* What was raised goes on as it is: a chunk that can't be loaded comes by here twice. */
    lua_settop(L, 1);
    return 1;
}

static int explain(struct hw_host *h, int status, struct hw_err *err)
{
    if (h->tripped)
        return hw_fail(err, HW_ELIMIT, "instruction limit: more than %d million",
                       HW_HOST_BUDGET / 1000000);
    if (status == LUA_ERRMEM)
        return hw_fail(err, HW_ELIMIT, "out of memory: more than %d MiB",
                       HW_HOST_MEMORY_MAX / 1024 / 1024);
    if (status == LUA_ERRERR)
        return hw_fail(err, HW_ELUA, "error while an error was handled");
    return hw_fail(err, HW_ELUA, "%s", h->why);
}

/* Calls body(entry, function in slot fn, self) protected, fn 0: body(entry). The stack is as before, but for the nres
 * results of a success. */
static int enter(struct hw_host *h, lua_CFunction body, struct entry *e, int fn, int nres)
{
    lua_State *L = h->L;
    int top = lua_gettop(L);
    h->spent = 0;
    h->tripped = false;
    h->trace[0] = '\0';
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, e);
    if (fn) {
        lua_pushvalue(L, fn);
        lua_pushvalue(L, AT_SELF);
    }
    int st = lua_pcall(L, fn ? 3 : 1, nres, AT_TRACEBACK);
    if (st == LUA_OK && !h->tripped) /* a coroutine that tripped may have been closed without a word */
        return e->result;
    lua_settop(L, top);
    if (st == LUA_ERRMEM)
        lua_gc(L, LUA_GCCOLLECT); /* there are no finalizers that could raise */
    return explain(h, st, e->err);
}

/* ---- loading ------------------------------------------------------------------------------------- */

static void step(struct hw_host *h)
{
    if (h->hooks.step)
        h->hooks.step(h->hooks.ctx);
}

static void push_options(lua_State *L, const struct hw_host_source *source)
{
    lua_createtable(L, 0, (int)source->option_count + 1);
    for (size_t i = 0; i < source->option_count; i++) {
        lua_pushstring(L, source->options[i].value);
        lua_setfield(L, -2, source->options[i].key);
    }
    lua_pushboolean(L, source->strict);
    lua_setfield(L, -2, "strict");
}

/* A function of the table on top, or nil when it is optional; pushed. */
static void push_function(lua_State *L, const char *key, bool optional)
{
    int is = lua_getfield(L, -1, key);
    if (is != LUA_TFUNCTION && !(optional && is == LUA_TNIL))
        luaL_error(L, "module: %s is a %s, expected a function", key, lua_typename(L, is));
}

/* Leaves the module above the options. */
static void run_chunk(lua_State *L, struct hw_host *h, const struct hw_host_source *source)
{
    if (luaL_loadbufferx(L, source->text.ptr, source->text.len, source->chunk, "t") != LUA_OK)
        lua_error(L);
    hw_sandbox_enclose(L);
    step(h);
    lua_call(L, 0, 1);
    step(h);
    if (!lua_istable(L, -1))
        luaL_error(L, "chunk returns a %s, expected the module", luaL_typename(L, -1));
}

/* Nothing of the source is touched once the chunk runs: `require` reads into the same buffer. */
static int load_body(lua_State *L)
{
    struct entry *e = lua_touserdata(L, 1);
    struct hw_host *h = hw_host_of(L);
    hw_meta_init(&h->meta);
    keep_text(h->meta.name, sizeof h->meta.name, e->source->name);
    bool strict = e->source->strict;
    hw_sandbox_open(L);
    push_options(L, e->source); /* options */
    run_chunk(L, h, e->source); /* options module */
    hw_contract_read(L, &h->meta);
    hw_contract_options(L, lua_gettop(L) - 1, lua_gettop(L), &h->meta);
    h->hinted = !strict && h->meta.hint_count > 0;
    push_function(L, "new", false); /* options module new */
    lua_pushvalue(L, -3);           /* options module new options */
    lua_call(L, 1, 1);              /* options module self */
    step(h);
    if (!lua_istable(L, -1))
        return luaL_error(L, "new returns a %s, expected a table", luaL_typename(L, -1));
    push_function(L, "feed", false);  /* ... self feed */
    lua_pushvalue(L, -2);             /* ... self feed self */
    push_function(L, "finish", true); /* ... self feed self finish */
    lua_remove(L, -2);                /* ... self feed finish */
    e->result = 0;
    return 3;
}

/* A state with its stack laid out, but for the parser's functions. */
static struct hw_host *bare_host(struct hw_arena *arena, struct hw_err *err)
{
    struct hw_heap *heap = hw_heap_new(arena, HW_HOST_MEMORY_MAX);
    struct hw_host *h = heap ? hw_heap_realloc(heap, NULL, sizeof *h) : NULL;
    lua_State *L = h ? lua_newstate(lua_memory, heap) : NULL;
    if (!L) {
        hw_heap_free(heap);
        hw_fail(err, HW_ELIMIT, "no memory for another parser");
        return NULL;
    }
    *h = (struct hw_host){ .heap = heap, .L = L };
    *(struct hw_host **)lua_getextraspace(L) = h;
    lua_atpanic(L, on_panic);
    lua_pushcfunction(L, traceback);
    return h;
}

int hw_host_new(struct hw_host **ret, struct hw_arena *arena, const struct hw_host_source *source,
                const struct hw_host_hooks *hooks, struct hw_err *err)
{
    struct hw_host *h = bare_host(arena, err);
    if (!h)
        return -1;
    struct entry e = { .source = source, .err = err };
    h->hooks = *hooks;
    h->tool = strncmp(source->chunk, HW_PARSER_TOOL, sizeof HW_PARSER_TOOL - 1) == 0;
    h->loading = true;
    lua_sethook(h->L, on_count, LUA_MASKCOUNT, HOOK_STEP); /* first of all: coroutines inherit it */
    if (enter(h, load_body, &e, 0, AT_FINISH - AT_TRACEBACK) < 0) {
        hw_heap_free(h->heap);
        return -1;
    }
    h->loading = false;
    lua_gc(h->L, LUA_GCCOLLECT);
    *ret = h;
    return 0;
}

void hw_host_free(struct hw_host *h)
{
    if (h)
        hw_heap_free(h->heap);
}

/* ---- records ------------------------------------------------------------------------------------- */

/* A reason is the parser's text about the record: cleaned, and without credentials. */
static int refuse(lua_State *L, int idx, struct hw_err *err)
{
    char why[HW_HOST_WHY_MAX + 1];
    struct hw_str text;
    text.ptr = lua_tolstring(L, idx, &text.len);
    hw_clean_private(why, HW_HOST_WHY_MAX, text);
    return hw_fail(err, HW_EINPUT, "%s", why);
}

/* A count that names no unit has the module's. */
static int sample_of(lua_State *L, int idx, struct entry *e)
{
    struct hw_sample *s = e->sample;
    if (hw_convert_sample(L, idx, s, e->err) < 0)
        return -1;
    if (s->counted && !s->main.unit[0])
        memcpy(s->main.unit, hw_host_of(L)->meta.unit, sizeof s->main.unit);
    return 1;
}

/* The two results at idx: sample | nil | nil, reason; a fourth outcome is the parser's fault. */
static int judge(lua_State *L, int idx, struct entry *e)
{
    int first = lua_type(L, idx), second = lua_type(L, idx + 1);
    if (first == LUA_TTABLE && second == LUA_TNIL)
        return sample_of(L, idx, e);
    if (first == LUA_TNIL && second == LUA_TNIL)
        return 0;
    if (first == LUA_TNIL && second == LUA_TSTRING)
        return refuse(L, idx + 1, e->err);
    return hw_fail(e->err, HW_ELUA,
                   "feed returned %s and %s, expected a table, nothing, or nil and a string",
                   lua_typename(L, first), lua_typename(L, second));
}

static int feed_body(lua_State *L)
{
    struct entry *e = lua_touserdata(L, 1);
    size_t max = hw_host_of(L)->meta.record_max;
    lua_pushlstring(L, e->record.ptr,
                    e->record.len < max ? e->record.len : max); /* entry feed self record */
    lua_call(L, 2, 2);                                          /* entry result result */
    e->result = judge(L, 2, e);
    return 0;
}

static int finish_body(lua_State *L)
{
    struct entry *e = lua_touserdata(L, 1);
    if (e->code >= 0)
        lua_pushinteger(L, e->code);
    else
        lua_pushnil(L);
    lua_call(L, 2, 2);
    e->result = judge(L, 2, e);
    return 0;
}

int hw_host_feed(struct hw_host *h, struct hw_str record, struct hw_sample *ret, struct hw_err *err)
{
    struct entry e = { .record = record, .sample = ret, .err = err };
    if (h->hinted && !hw_meta_admits(&h->meta, record))
        return 0;
    return enter(h, feed_body, &e, AT_FEED, 0);
}

int hw_host_finish(struct hw_host *h, int code, struct hw_sample *ret, struct hw_err *err)
{
    struct entry e = { .code = code, .sample = ret, .err = err };
    return lua_isnil(h->L, AT_FINISH) ? 0 : enter(h, finish_body, &e, AT_FINISH, 0);
}

const struct hw_parser_meta *hw_host_meta(const struct hw_host *h)
{
    return &h->meta;
}

const char *hw_host_trace(const struct hw_host *h)
{
    return h->trace;
}

size_t hw_host_memory(const struct hw_host *h)
{
    return hw_heap_held(h->heap);
}
