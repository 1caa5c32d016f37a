/* mod_source.c - headway_core.source: what lies between a tool's bytes and the parser.
 * records(record_max?) -> framer; framer:feed(bytes), :pause(), :finish(whole?) -> list of records
 *   { text=, offset=, ends="line"|"pause"|"last", cut=true? }; framer:seam() -> list; framer:gap(lost?); framer:pending() -> boolean;
 *   framer:counts() -> records, cut, gaps
 * PAUSE_MS, TRUST
 * tail, reply: mod_tail.c */
#include "core_module.h"
#include "source/records.h"

#define RECORDS "headway.records"

static struct hw_records *check(lua_State *L)
{
    return *(struct hw_records **)luaL_checkudata(L, 1, RECORDS);
}

static int l_new(lua_State *L)
{
    lua_Integer max = luaL_optinteger(L, 1, 4096);
    struct hw_records **r = lua_newuserdatauv(L, sizeof *r, 0);
    *r = NULL;
    luaL_setmetatable(L, RECORDS);
    *r = hw_records_new((size_t)max);
    return 1;
}

/* The list is on top of the stack. */
static void on_record(void *ctx, const struct hw_record *record)
{
    static const char *const ends[] = { "line", "pause", "last" };
    lua_State *L = ctx;
    lua_createtable(L, 0, 4);
    lua_pushlstring(L, record->text.ptr, record->text.len);
    lua_setfield(L, -2, "text");
    lua_pushinteger(L, (lua_Integer)record->offset);
    lua_setfield(L, -2, "offset");
    lua_pushstring(L, ends[record->end]);
    lua_setfield(L, -2, "ends");
    if (record->cut) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "cut");
    }
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int l_feed(lua_State *L)
{
    struct hw_records *r = check(L);
    struct hw_str bytes;
    bytes.ptr = luaL_checklstring(L, 2, &bytes.len);
    lua_newtable(L);
    hw_records_feed(r, bytes, on_record, L);
    return 1;
}

static int l_pause(lua_State *L)
{
    struct hw_records *r = check(L);
    lua_newtable(L);
    hw_records_pause(r, on_record, L);
    return 1;
}

static int l_finish(lua_State *L)
{
    struct hw_records *r = check(L);
    bool whole = lua_isnoneornil(L, 2) || lua_toboolean(L, 2);
    lua_newtable(L);
    hw_records_end(r, whole, on_record, L);
    return 1;
}

static int l_seam(lua_State *L)
{
    struct hw_records *r = check(L);
    lua_newtable(L);
    hw_records_seam(r, on_record, L);
    return 1;
}

static int l_gap(lua_State *L)
{
    hw_records_gap(check(L), (uint64_t)luaL_optinteger(L, 2, 0));
    return 0;
}

static int l_pending(lua_State *L)
{
    lua_pushboolean(L, hw_records_pending(check(L)));
    return 1;
}

static int l_counts(lua_State *L)
{
    struct hw_records_counts counts = hw_records_counts(check(L));
    lua_pushinteger(L, (lua_Integer)counts.records);
    lua_pushinteger(L, (lua_Integer)counts.cut);
    lua_pushinteger(L, (lua_Integer)counts.gaps);
    return 3;
}

static int l_gc(lua_State *L)
{
    struct hw_records **r = luaL_checkudata(L, 1, RECORDS);
    hw_records_free(*r);
    *r = NULL;
    return 0;
}

int hw_mod_source(lua_State *L)
{
    static const luaL_Reg methods[] = { { "feed", l_feed },     { "pause", l_pause },
                                        { "finish", l_finish }, { "gap", l_gap },
                                        { "seam", l_seam },     { "pending", l_pending },
                                        { "counts", l_counts }, { "__gc", l_gc },
                                        { NULL, NULL } };
    static const luaL_Reg functions[] = { { "records", l_new }, { NULL, NULL } };
    hw_mod_add_type(L, RECORDS, methods);
    luaL_newlib(L, functions);
    lua_pushinteger(L, HW_RECORDS_PAUSE_MS);
    lua_setfield(L, -2, "PAUSE_MS");
    lua_pushinteger(L, HW_RECORDS_TRUST);
    lua_setfield(L, -2, "TRUST");
    hw_mod_add_tail(L);
    return 1;
}
