/* mod_text.c - headway_core: nm_parse(line) -> done, total, message | nil, why; clean_text(text, max?) -> text;
 * hide_credentials(text) -> text; parse_duration(text), parse_time(text) -> ms | nil, why; arena_torture(seed, steps) -> fails;
 * metric_of(label) -> text. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "core_module.h"
#include "http/exposition.h"
#include "lua/arena.h"
#include "progress/nm.h"

static int nm_parse(lua_State *L)
{
    struct hw_str line;
    struct hw_nm nm;
    struct hw_err err;
    line.ptr = luaL_checklstring(L, 1, &line.len);
    if (hw_nm_parse(line, &nm, &err) < 0)
        return hw_mod_fail(L, &err);
    lua_pushinteger(L, nm.done);
    lua_pushinteger(L, nm.total);
    lua_pushlstring(L, nm.message.ptr ? nm.message.ptr : "", nm.message.len);
    return 3;
}

static int clean_text(lua_State *L)
{
    struct hw_str text;
    char out[4096 + 1];
    text.ptr = luaL_checklstring(L, 1, &text.len);
    lua_Integer max = luaL_optinteger(L, 2, HW_TEXT_MAX);
    luaL_argcheck(L, max >= 0 && max < (lua_Integer)sizeof out, 2, "0 to 4096");
    lua_pushlstring(L, out, hw_clean_text(out, (size_t)max, text));
    return 1;
}

static int hide_credentials(lua_State *L)
{
    char *text = hw_xstrdup(luaL_checkstring(L, 1));
    size_t len = hw_hide_credentials(text);
    lua_pushlstring(L, text, len);
    free(text);
    return 1;
}

static int parse_duration(lua_State *L)
{
    int64_t ms;
    struct hw_err err;
    if (hw_parse_duration(luaL_checkstring(L, 1), &ms, &err) < 0)
        return hw_mod_fail(L, &err);
    lua_pushinteger(L, ms);
    return 1;
}

static int parse_time(lua_State *L)
{
    int64_t ms;
    struct hw_err err;
    if (hw_parse_time(luaL_checkstring(L, 1), &ms, &err) < 0)
        return hw_mod_fail(L, &err);
    lua_pushinteger(L, ms);
    return 1;
}

/* ---- the arena, used as a hostile parser would ------------------------------------------------------ */

enum { HEAPS = 3, BLOCKS = 300, HEAP_MAX = 4 * 1024 * 1024 };

struct torture {
    struct hw_arena arena;
    struct hw_heap *heaps[HEAPS];
    unsigned char *ptr[HEAPS][BLOCKS];
    size_t len[HEAPS][BLOCKS];
    lua_Integer fails;
};

static size_t some_size(void)
{
    long n = random();
    switch (random() % 20) {
    case 0:
        return (size_t)(n % (2 * 1024 * 1024));
    case 1:
        return (size_t)(n % 100000);
    default:
        return (size_t)(n % (random() % 2 ? 200 : 5000));
    }
}

/* Every block holds one byte value of its own; false: another one was found. */
static bool turn(struct torture *t)
{
    int h = (int)(random() % HEAPS), b = (int)(random() % BLOCKS), mark = (h * 7 + b) & 0xff;
    size_t size = random() % 3 ? some_size() : 0;
    for (size_t i = 0; i < t->len[h][b]; i += 1 + t->len[h][b] / 16)
        if (t->ptr[h][b][i] != mark)
            return false;
    unsigned char *p = hw_heap_realloc(t->heaps[h], t->ptr[h][b], size);
    if (size && !p) {
        t->fails++;
        return size > t->len[h][b];
    }
    t->ptr[h][b] = p;
    t->len[h][b] = size;
    if (size)
        memset(p, mark, size);
    return ((uintptr_t)p & 7) == 0 && hw_heap_held(t->heaps[h]) <= HEAP_MAX;
}

static bool is_empty(const struct hw_arena *a)
{
    for (size_t i = 0; i < HW_ARENA_WORDS; i++)
        if (a->taken[i])
            return false;
    return true;
}

static int arena_torture(lua_State *L)
{
    struct torture *t = lua_newuserdatauv(L, sizeof *t, 0);
    struct hw_err err;
    bool fine = true;
    memset(t, 0, sizeof *t);
    srandom((unsigned)luaL_checkinteger(L, 1));
    if (hw_arena_init(&t->arena, 16 * 1024 * 1024, &err) < 0)
        return hw_mod_fail(L, &err);
    for (int i = 0; i < HEAPS; i++)
        t->heaps[i] = hw_heap_new(&t->arena, HEAP_MAX);
    for (lua_Integer n = luaL_checkinteger(L, 2); n > 0 && fine; n--)
        fine = turn(t);
    for (int i = 0; i < HEAPS; i++)
        hw_heap_free(t->heaps[i]);
    fine = fine && is_empty(&t->arena);
    hw_arena_done(&t->arena);
    if (!fine)
        return luaL_error(L, "a block lost its content, its place or its ceiling");
    lua_pushinteger(L, t->fails);
    return 1;
}

/* (value) -> a gauge "x" of 1 with it as the label "name", as metrics are served */
static int metric_of(lua_State *L)
{
    struct hw_label labels[] = { { "name", luaL_checkstring(L, 1) }, { NULL, NULL } };
    struct hw_buf text, braces;
    hw_buf_init(&text, 4096);
    hw_buf_init(&braces, 4096);
    bool fine = hw_expo_family(&text, "x", "gauge", "Of a spec") == 0 &&
                hw_expo_labels(&braces, labels) == 0 && hw_expo_int(&text, "x", braces.ptr, 1) == 0;
    if (fine)
        lua_pushlstring(L, text.ptr, text.len);
    hw_buf_done(&text);
    hw_buf_done(&braces);
    return fine ? 1 : luaL_error(L, "no room");
}

int hw_mod_text(lua_State *L)
{
    static const luaL_Reg functions[] = { { "nm_parse", nm_parse },
                                          { "clean_text", clean_text },
                                          { "hide_credentials", hide_credentials },
                                          { "parse_duration", parse_duration },
                                          { "parse_time", parse_time },
                                          { "arena_torture", arena_torture },
                                          { "metric_of", metric_of },
                                          { NULL, NULL } };
    luaL_newlib(L, functions);
    return 1;
}
