/* mod_tail.c - a part of headway_core.source: a log that is followed, on a loop of its own; an HTTP reply.
 * tail(path, tick_ms, events?) -> t
 * t:run(ms, want?) -> list of { bytes=, seam="on"|"next"|"seam"|"gap", lost=, caught_up=true?, asked=true?, why= }: until there is one with that
 *   member (any, when none is wanted), or ms have passed. t:drain(ms, want) -> bytes, calls: the same, only counted
 * t:room(yes): whether the consumer has room; t:go_on(); t:ask(); t:close(); CHUNK, LAST
 * reply(pieces, reset?) -> body | nil, why: feeds the strings, then the connection's end (clean, unless reset) */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core_module.h"
#include "source/reply.h"
#include "source/tail.h"

#define TAIL "headway.tail"

struct driver {
    uv_loop_t loop;
    uv_timer_t limit;
    struct hw_tail *tail; /* owns */
    lua_State *L;         /* while the loop runs; the list is on top, unless only counted */
    const char *want;     /* NULL = any */
    bool counting, room, stop, open;
    lua_Integer bytes, calls;
};

static void set_flag(lua_State *L, const char *key, bool v)
{
    if (!v)
        return;
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, key);
}

static void push_news(lua_State *L, const struct hw_tail_news *news)
{
    static const char *const seams[] = { "on", "next", "seam", "gap" };
    lua_createtable(L, 0, 5);
    if (news->bytes.len) {
        lua_pushlstring(L, news->bytes.ptr, news->bytes.len);
        lua_setfield(L, -2, "bytes");
        lua_pushstring(L, seams[news->seam]);
        lua_setfield(L, -2, "seam");
        lua_pushinteger(L, (lua_Integer)news->lost);
        lua_setfield(L, -2, "lost");
    }
    set_flag(L, "caught_up", news->caught_up);
    set_flag(L, "asked", news->asked);
    if (news->why) {
        lua_pushstring(L, news->why);
        lua_setfield(L, -2, "why");
    }
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static bool is_wanted(const struct driver *d, const struct hw_tail_news *news)
{
    const char *want = d->want ? d->want : "";
    return !d->want || (strcmp(want, "bytes") == 0 && news->bytes.len) ||
           (strcmp(want, "caught_up") == 0 && news->caught_up) ||
           (strcmp(want, "asked") == 0 && news->asked) || (strcmp(want, "why") == 0 && news->why);
}

static bool on_news(void *ctx, const struct hw_tail_news *news)
{
    struct driver *d = ctx;
    d->bytes += (lua_Integer)news->bytes.len;
    d->calls++;
    if (!d->counting)
        push_news(d->L, news);
    if (is_wanted(d, news)) {
        d->stop = true;
        uv_stop(&d->loop);
    }
    return d->room;
}

static void on_limit(uv_timer_t *timer)
{
    struct driver *d = HW_CONTAINER(timer, struct driver, limit);
    d->stop = true;
    uv_stop(&d->loop);
}

static struct driver *check(lua_State *L)
{
    struct driver *d = *(struct driver **)luaL_checkudata(L, 1, TAIL);
    luaL_argcheck(L, d && d->open, 1, "closed");
    return d;
}

static void spin(lua_State *L, struct driver *d, bool counting)
{
    lua_Integer ms = luaL_checkinteger(L, 2);
    d->L = L;
    d->want = luaL_optstring(L, 3, NULL);
    d->counting = counting;
    d->stop = false;
    uv_update_time(&d->loop);
    uv_timer_start(&d->limit, on_limit, (uint64_t)ms, 0);
    while (!d->stop)
        uv_run(&d->loop, UV_RUN_ONCE);
    uv_timer_stop(&d->limit);
}

static int l_run(lua_State *L)
{
    struct driver *d = check(L);
    lua_settop(L, 3);
    luaL_checkinteger(L, 2);
    lua_newtable(L);
    spin(L, d, false);
    return 1;
}

static int l_drain(lua_State *L)
{
    struct driver *d = check(L);
    d->bytes = d->calls = 0;
    spin(L, d, true);
    lua_pushinteger(L, d->bytes);
    lua_pushinteger(L, d->calls);
    return 2;
}

static int l_room(lua_State *L)
{
    check(L)->room = lua_toboolean(L, 2);
    return 0;
}

static int l_go_on(lua_State *L)
{
    hw_tail_go_on(check(L)->tail);
    return 0;
}

static int l_ask(lua_State *L)
{
    hw_tail_ask(check(L)->tail);
    return 0;
}

static int l_close(lua_State *L)
{
    struct driver **d = luaL_checkudata(L, 1, TAIL);
    if (!*d)
        return 0;
    if ((*d)->open) {
        hw_tail_free((*d)->tail);
        uv_close((uv_handle_t *)&(*d)->limit, NULL);
        uv_run(&(*d)->loop, UV_RUN_DEFAULT);
        uv_loop_close(&(*d)->loop);
    }
    free(*d);
    *d = NULL;
    return 0;
}

static int l_tail(lua_State *L)
{
    struct hw_tail_options options = { .path = luaL_checkstring(L, 1),
                                       .tick_ms = luaL_checkinteger(L, 2),
                                       .events = lua_toboolean(L, 3) };
    struct hw_err err;
    struct driver **d = lua_newuserdatauv(L, sizeof *d, 0);
    *d = hw_xzalloc(sizeof **d);
    luaL_setmetatable(L, TAIL);
    (*d)->room = true;
    if (uv_loop_init(&(*d)->loop) < 0)
        return luaL_error(L, "no loop");
    uv_timer_init(&(*d)->loop, &(*d)->limit);
    if (hw_tail_new(&(*d)->tail, &(*d)->loop, &options, on_news, *d, &err) < 0)
        return luaL_error(L, "%s", err.msg);
    (*d)->open = true;
    return 1;
}

static bool feed_piece(lua_State *L, struct hw_reply *reply, lua_Integer i)
{
    struct hw_str piece;
    lua_rawgeti(L, 1, i);
    piece.ptr = lua_tolstring(L, -1, &piece.len);
    bool more = piece.ptr && hw_reply_feed(reply, piece);
    lua_pop(L, 1);
    return more;
}

static int l_reply(lua_State *L)
{
    struct hw_reply reply;
    luaL_checktype(L, 1, LUA_TTABLE);
    hw_reply_init(&reply);
    lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, 1);
    while (i <= n && feed_piece(L, &reply, i))
        i++;
    hw_reply_end(&reply, !lua_toboolean(L, 2));
    int results = 1;
    if (reply.state == HW_REPLY_WHOLE)
        lua_pushlstring(L, reply.bytes.ptr ? reply.bytes.ptr : "", reply.bytes.len);
    else {
        lua_pushnil(L);
        lua_pushstring(L, reply.why);
        results = 2;
    }
    hw_reply_done(&reply);
    return results;
}

void hw_mod_add_tail(lua_State *L)
{
    static const luaL_Reg methods[] = { { "run", l_run },    { "drain", l_drain },
                                        { "room", l_room },  { "go_on", l_go_on },
                                        { "ask", l_ask },    { "close", l_close },
                                        { "__gc", l_close }, { NULL, NULL } };
    hw_mod_add_type(L, TAIL, methods);
    lua_pushcfunction(L, l_tail);
    lua_setfield(L, -2, "tail");
    lua_pushcfunction(L, l_reply);
    lua_setfield(L, -2, "reply");
    lua_pushinteger(L, HW_TAIL_CHUNK);
    lua_setfield(L, -2, "CHUNK");
    lua_pushinteger(L, HW_TAIL_LAST);
    lua_setfield(L, -2, "LAST");
}
