/* mod_worker.c - headway_core.worker: the real worker process, on a loop of its own.
 * new{ exe =, user_dir = } -> w
 * w:load(text, name, options?, strict?) -> id | nil, why    w:load_named(name, strict?) -> id | nil, why
 * w:feed(id, records, seq?) -> true | false (busy) | nil, why    w:finish(id, code?, seq?)    w:unload(id)
 * w:run(ms, kind?) -> events: until nothing is awaited, or an event of that kind came, or ms have passed. Each is a
 *   table with kind = loaded, load_failed, sample, refused, silent, fed, set_aside, started, trouble
 * w:pid() -> the worker's, 0 = none     w:close() */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core_module.h"
#include "lua/worker.h"

#define WORKER "headway.spec.worker"

enum { IDS_MAX = 256 };

struct driver {
    uv_loop_t loop;
    uv_timer_t limit;
    struct hw_worker *worker; /* owns */
    bool open;
    char *user_dir;       /* owns */
    lua_State *L;         /* the caller, while the loop runs; its table of events is on top */
    int awaited[IDS_MAX]; /* answers that must come, by id */
    const char *until;    /* kind of event that ends the run; NULL = none */
    bool stop;
};

/* ---- events -------------------------------------------------------------------------------------- */

/* Pushes { kind =, id = }; end_event adds it to the list. */
static void begin_event(struct driver *d, const char *kind, unsigned id)
{
    lua_createtable(d->L, 0, 6);
    lua_pushstring(d->L, kind);
    lua_setfield(d->L, -2, "kind");
    lua_pushinteger(d->L, id);
    lua_setfield(d->L, -2, "id");
    if (d->until && strcmp(d->until, kind) == 0)
        d->stop = true;
}

static void set_integer(struct driver *d, const char *key, uint64_t v)
{
    lua_pushinteger(d->L, (lua_Integer)v);
    lua_setfield(d->L, -2, key);
}

static void set_text(struct driver *d, const char *key, const char *text)
{
    lua_pushstring(d->L, text);
    lua_setfield(d->L, -2, key);
}

static void end_event(struct driver *d)
{
    lua_rawseti(d->L, -2, (lua_Integer)lua_rawlen(d->L, -2) + 1);
}

static void on_loaded(void *ctx, unsigned id, const struct hw_parser_meta *meta)
{
    struct driver *d = ctx;
    d->awaited[id]--;
    begin_event(d, "loaded", id);
    hw_mod_push_meta(d->L, meta);
    lua_setfield(d->L, -2, "meta");
    end_event(d);
}

static void gone(struct driver *d, const char *kind, unsigned id, const char *why)
{
    d->awaited[id] = 0;
    begin_event(d, kind, id);
    set_text(d, "why", why);
    end_event(d);
}

static void on_load_failed(void *ctx, unsigned id, const char *why)
{
    gone(ctx, "load_failed", id, why);
}

static void on_set_aside(void *ctx, unsigned id, const char *why)
{
    gone(ctx, "set_aside", id, why);
}

static void on_sample(void *ctx, unsigned id, uint64_t seq, size_t index, const struct hw_sample *s)
{
    struct driver *d = ctx;
    begin_event(d, "sample", id);
    set_integer(d, "seq", seq);
    set_integer(d, "index", index);
    hw_mod_push_sample(d->L, s);
    lua_setfield(d->L, -2, "sample");
    end_event(d);
}

static void on_refused(void *ctx, unsigned id, uint64_t seq, size_t index, const char *why)
{
    struct driver *d = ctx;
    begin_event(d, "refused", id);
    set_integer(d, "seq", seq);
    set_integer(d, "index", index);
    set_text(d, "why", why);
    end_event(d);
}

static void on_silent(void *ctx, unsigned id, uint64_t seq, size_t count)
{
    struct driver *d = ctx;
    begin_event(d, "silent", id);
    set_integer(d, "seq", seq);
    set_integer(d, "count", count);
    end_event(d);
}

static void on_fed(void *ctx, unsigned id, uint64_t seq)
{
    struct driver *d = ctx;
    d->awaited[id]--;
    begin_event(d, "fed", id);
    set_integer(d, "seq", seq);
    end_event(d);
}

static void on_started(void *ctx, enum hw_confined confined)
{
    static const char *const names[] = { "none", "filter", "strict" };
    struct driver *d = ctx;
    begin_event(d, "started", 0);
    set_text(d, "confined", names[confined]);
    end_event(d);
}

static void on_trouble(void *ctx, const struct hw_err *why, int64_t retry_ms)
{
    struct driver *d = ctx;
    begin_event(d, "trouble", 0);
    set_text(d, "why", why->msg);
    set_integer(d, "retry_ms", (uint64_t)retry_ms);
    end_event(d);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static const char *option(lua_State *L, const char *key)
{
    lua_getfield(L, 1, key);
    const char *text = luaL_optstring(L, -1, NULL);
    lua_pop(L, 1); /* the caller's table keeps it */
    return text;
}

static int worker_new(lua_State *L)
{
    struct hw_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    struct driver *d = lua_newuserdatauv(L, sizeof *d, 0);
    memset(d, 0, sizeof *d);
    luaL_setmetatable(L, WORKER);
    uv_loop_init(&d->loop);
    uv_timer_init(&d->loop, &d->limit);
    d->open = true;
    d->user_dir = hw_xstrdup(option(L, "user_dir"));
    struct hw_worker_options options = { .exe = option(L, "exe"), .user_dir = d->user_dir };
    struct hw_worker_events events = { .ctx = d,
                                       .loaded = on_loaded,
                                       .load_failed = on_load_failed,
                                       .sample = on_sample,
                                       .refused = on_refused,
                                       .silent = on_silent,
                                       .fed = on_fed,
                                       .set_aside = on_set_aside,
                                       .started = on_started,
                                       .trouble = on_trouble };
    if (hw_worker_new(&d->worker, &d->loop, &options, &events, &err) < 0)
        return hw_mod_fail(L, &err);
    return 1;
}

static struct driver *check(lua_State *L)
{
    struct driver *d = luaL_checkudata(L, 1, WORKER);
    luaL_argcheck(L, d->open, 1, "closed");
    return d;
}

static int worker_close(lua_State *L)
{
    struct driver *d = luaL_checkudata(L, 1, WORKER);
    if (!d->open)
        return 0;
    d->open = false;
    hw_worker_free(d->worker);
    uv_close((uv_handle_t *)&d->limit, NULL);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    int st = uv_loop_close(&d->loop);
    free(d->user_dir);
    return st == 0 ? 0 : luaL_error(L, "the loop has handles left");
}

/* ---- asking -------------------------------------------------------------------------------------- */

static int load(lua_State *L, struct driver *d, const struct hw_parser_source *source,
                const struct hw_mod_options *options, bool strict)
{
    unsigned id;
    struct hw_err err;
    if (hw_worker_load(d->worker, source, options->list, options->count, strict, &id, &err) < 0)
        return hw_mod_fail(L, &err);
    luaL_argcheck(L, id < IDS_MAX, 1, "too many parsers");
    d->awaited[id]++;
    lua_pushinteger(L, id);
    return 1;
}

static int worker_load(lua_State *L)
{
    struct driver *d = check(L);
    struct hw_mod_options options;
    char name[64], chunk[72], where[] = "spec";
    hw_mod_read_options(L, 4, &options);
    snprintf(name, sizeof name, "%s", luaL_checkstring(L, 3));
    snprintf(chunk, sizeof chunk, "@%s.lua", name);
    struct hw_parser_source source = { .name = name, .where = where, .chunk = chunk, .user = true };
    source.text.ptr = luaL_checklstring(L, 2, &source.text.len);
    return load(L, d, &source, &options, lua_toboolean(L, 5));
}

static int worker_load_named(lua_State *L)
{
    struct driver *d = check(L);
    struct hw_mod_options none = { .count = 0 };
    struct hw_parser_source source = { 0 };
    struct hw_err err;
    if (hw_parsers_find(luaL_checkstring(L, 2), d->user_dir, &source, &err) < 0)
        return hw_mod_fail(L, &err);
    int n = load(L, d, &source, &none, lua_toboolean(L, 3));
    hw_parser_source_done(&source);
    return n;
}

static unsigned check_id(lua_State *L)
{
    lua_Integer id = luaL_checkinteger(L, 2);
    luaL_argcheck(L, id > 0 && id < IDS_MAX, 2, "no id");
    return (unsigned)id;
}

static int taken(lua_State *L, struct driver *d, unsigned id, int st, const struct hw_err *err)
{
    if (st < 0)
        return hw_mod_fail(L, err);
    d->awaited[id] += st == 0;
    lua_pushboolean(L, st == 0);
    return 1;
}

static int worker_feed(lua_State *L)
{
    struct driver *d = check(L);
    unsigned id = check_id(L);
    struct hw_err err;
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 4);
    size_t count = lua_rawlen(L, 3);
    struct hw_str *records = lua_newuserdatauv(L, (count + 1) * sizeof *records, 0);
    for (size_t i = 0; i < count; i++) { /* the table keeps the strings */
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        records[i].ptr = luaL_checklstring(L, -1, &records[i].len);
        lua_pop(L, 1);
    }
    uint64_t seq = (uint64_t)luaL_optinteger(L, 4, 1);
    return taken(L, d, id, hw_worker_feed(d->worker, id, records, count, seq, &err), &err);
}

static int worker_finish(lua_State *L)
{
    struct driver *d = check(L);
    unsigned id = check_id(L);
    struct hw_err err;
    int code = (int)luaL_optinteger(L, 3, -1);
    uint64_t seq = (uint64_t)luaL_optinteger(L, 4, 1);
    return taken(L, d, id, hw_worker_finish(d->worker, id, code, seq, &err), &err);
}

static int worker_unload(lua_State *L)
{
    struct driver *d = check(L);
    unsigned id = check_id(L);
    d->awaited[id] = 0;
    hw_worker_unload(d->worker, id);
    return 0;
}

static int worker_pid(lua_State *L)
{
    lua_pushinteger(L, hw_worker_pid(check(L)->worker));
    return 1;
}

/* ---- running ------------------------------------------------------------------------------------- */

static bool is_awaited(const struct driver *d)
{
    for (size_t i = 0; i < IDS_MAX; i++)
        if (d->awaited[i] > 0)
            return true;
    return false;
}

static void on_limit(uv_timer_t *timer)
{
    HW_CONTAINER(timer, struct driver, limit)->stop = true;
}

static int worker_run(lua_State *L)
{
    struct driver *d = check(L);
    lua_Integer ms = luaL_checkinteger(L, 2);
    d->until = luaL_optstring(L, 3, NULL);
    d->stop = false;
    d->L = L;
    lua_newtable(L);
    uv_update_time(&d->loop);
    uv_timer_start(&d->limit, on_limit, (uint64_t)ms, 0);
    while (!d->stop && (d->until || is_awaited(d)))
        uv_run(&d->loop, UV_RUN_ONCE);
    uv_timer_stop(&d->limit);
    return 1;
}

int hw_mod_worker(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "load", worker_load },     { "load_named", worker_load_named },
        { "feed", worker_feed },     { "finish", worker_finish },
        { "unload", worker_unload }, { "run", worker_run },
        { "pid", worker_pid },       { "close", worker_close },
        { "__gc", worker_close },    { NULL, NULL }
    };
    static const luaL_Reg functions[] = { { "new", worker_new }, { NULL, NULL } };
    hw_mod_add_type(L, WORKER, methods);
    luaL_newlib(L, functions);
    return 1;
}
