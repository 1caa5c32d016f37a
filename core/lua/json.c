/* json.c - JSON text -> Lua values, for parsers whose tool logs JSON lines: no memory but the parser's own, no recursion
 * deeper than DEPTH_MAX, one pass. Integers are exact; whole floats under 2^53 become integers, numbers that fit neither
 * stay floats, which no count takes. Why it is written here: docs/decisions/0007-json-for-parsers.md. */
#include <stdlib.h>
#include <string.h>

#include "lua/state.h"

enum { DEPTH_MAX = 32, NUMBER_MAX = 60 };

struct reader {
    lua_State *L;
    const char *begin, *p, *end;
    const char *why; /* set by the first failure */
    int depth;
};

static bool fail(struct reader *r, const char *why)
{
    r->why = why;
    return false;
}

static void skip_space(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

static bool take(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

/* ---- strings ------------------------------------------------------------------------------------- */

/* Four digits behind "\u"; -1 = they are none. */
static long hex4(struct reader *r)
{
    long v = 0;
    if (r->end - r->p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hw_hex_digit(*r->p++);
        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

/* A code point, of two escapes when the first is half of a pair; half a pair alone is U+FFFD. */
static bool add_unicode(struct reader *r, luaL_Buffer *b)
{
    long c = hex4(r);
    if (c < 0)
        return fail(r, "bad \\u escape");
    if (c >= 0xD800 && c < 0xDC00 && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u') {
        const char *back = r->p;
        r->p += 2;
        long low = hex4(r);
        if (low >= 0xDC00 && low < 0xE000)
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        else
            r->p = back;
    }
    if (c >= 0xD800 && c < 0xE000)
        c = 0xFFFD;
    char *dst = luaL_prepbuffsize(b, 4);
    size_t n = 0;
    if (c < 0x80)
        dst[n++] = (char)c;
    else if (c < 0x800)
        dst[n++] = (char)(0xC0 | (c >> 6));
    else if (c < 0x10000)
        dst[n++] = (char)(0xE0 | (c >> 12));
    else
        dst[n++] = (char)(0xF0 | (c >> 18));
    for (int shift = c < 0x80 ? -1 : c < 0x800 ? 0 : c < 0x10000 ? 6 : 12; shift >= 0; shift -= 6)
        dst[n++] = (char)(0x80 | ((c >> shift) & 0x3F));
    luaL_addsize(b, n);
    return true;
}

static bool add_escape(struct reader *r, luaL_Buffer *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->p == r->end)
        return fail(r, "unfinished string");
    char c = *r->p++;
    const char *at = c ? strchr(from, c) : NULL;
    if (c == 'u')
        return add_unicode(r, b);
    if (!at)
        return fail(r, "bad escape");
    luaL_addchar(b, to[at - from]);
    return true;
}

/* Up to the next quote or escape. */
static bool plain_run(struct reader *r)
{
    while (r->p < r->end && *r->p != '"' && *r->p != '\\')
        if ((unsigned char)*r->p++ < 0x20)
            return fail(r, "control character in a string");
    return r->p < r->end || fail(r, "unfinished string");
}

/* Behind the quote; pushes it. Most hold no escape and are one run. On failure things of the buffer's may stay on
 * the stack: the entry clears it. */
static bool read_string(struct reader *r)
{
    const char *begin = r->p;
    if (!plain_run(r))
        return false;
    if (*r->p == '"') {
        lua_pushlstring(r->L, begin, (size_t)(r->p++ - begin));
        return true;
    }
    luaL_Buffer b;
    luaL_buffinit(r->L, &b);
    for (;;) {
        luaL_addlstring(&b, begin, (size_t)(r->p - begin));
        if (take(r, '"'))
            break;
        r->p++; /* the backslash */
        if (!add_escape(r, &b))
            return false;
        begin = r->p;
        if (!plain_run(r))
            return false;
    }
    luaL_pushresult(&b);
    return true;
}

/* ---- numbers and words --------------------------------------------------------------------------- */

static bool is_digit(const struct reader *r)
{
    return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

static bool skip_digits(struct reader *r)
{
    if (!is_digit(r))
        return false;
    while (is_digit(r))
        r->p++;
    return true;
}

static void push_number(lua_State *L, const char *text)
{
    if (lua_stringtonumber(L, text) == 0)
        lua_pushnumber(L, 0); /* can't be: the grammar was checked */
    lua_Number v = lua_tonumber(L, -1);
    if (lua_isinteger(L, -1) || !(v > -9007199254740992.0 && v < 9007199254740992.0))
        return;
    lua_Integer whole = (lua_Integer)v;
    if ((lua_Number)whole == v) {
        lua_pop(L, 1);
        lua_pushinteger(L, whole);
    }
}

static bool read_number(struct reader *r)
{
    char text[NUMBER_MAX + 1];
    const char *begin = r->p;
    take(r, '-');
    bool zero = r->p < r->end && *r->p == '0';
    const char *digits = r->p;
    if (!skip_digits(r) || (zero && r->p - digits > 1))
        return fail(r, "bad number");
    if (take(r, '.') && !skip_digits(r))
        return fail(r, "bad number");
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+'))
            take(r, '-');
        if (!skip_digits(r))
            return fail(r, "bad number");
    }
    size_t len = (size_t)(r->p - begin);
    if (len > NUMBER_MAX)
        return fail(r, "number of too many digits");
    memcpy(text, begin, len);
    text[len] = '\0';
    push_number(r->L, text);
    return true;
}

static bool read_word(struct reader *r)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = { { "true", true }, { "false", false }, { "null", false } };
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(words[i].word);
        if ((size_t)(r->end - r->p) >= len && memcmp(r->p, words[i].word, len) == 0) {
            r->p += len;
            lua_pushboolean(r->L, words[i].value);
            return true;
        }
    }
    return fail(r, "unexpected character");
}

/* ---- objects and arrays -------------------------------------------------------------------------- */

static bool read_value(struct reader *r);

static bool is_null(const struct reader *r)
{
    return r->p < r->end && *r->p == 'n';
}

static bool read_member(struct reader *r) /* table on top */
{
    skip_space(r);
    if (!take(r, '"'))
        return fail(r, "expected a name");
    if (!read_string(r)) /* table name */
        return false;
    skip_space(r);
    if (!take(r, ':'))
        return fail(r, "expected ':'");
    skip_space(r);
    bool null = is_null(r); /* a member that is null is left out */
    if (!read_value(r))     /* table name value */
        return false;
    if (null) {
        lua_pop(r->L, 1);
        lua_pushnil(r->L);
    }
    lua_rawset(r->L, -3);
    return true;
}

static bool read_object(struct reader *r)
{
    lua_newtable(r->L);
    skip_space(r);
    if (take(r, '}'))
        return true;
    do {
        if (!read_member(r))
            return false;
        skip_space(r);
    } while (take(r, ','));
    return take(r, '}') || fail(r, "expected ',' or '}'");
}

static bool read_array(struct reader *r)
{
    lua_newtable(r->L);
    skip_space(r);
    if (take(r, ']'))
        return true;
    lua_Integer n = 0;
    do {
        if (!read_value(r)) /* array value */
            return false;
        lua_rawseti(r->L, -2, ++n); /* null is false here: it leaves no hole */
        skip_space(r);
    } while (take(r, ','));
    return take(r, ']') || fail(r, "expected ',' or ']'");
}

static bool read_nested(struct reader *r, bool object)
{
    if (++r->depth > DEPTH_MAX)
        return fail(r, "nested too deep");
    bool ok = object ? read_object(r) : read_array(r);
    r->depth--;
    return ok;
}

/* Pushes it. */
static bool read_value(struct reader *r)
{
    skip_space(r);
    if (r->p == r->end)
        return fail(r, "unexpected end");
    switch (*r->p) {
    case '{':
    case '[':
        return read_nested(r, *r->p++ == '{');
    case '"':
        r->p++;
        return read_string(r);
    default:
        return *r->p == '-' || is_digit(r) ? read_number(r) : read_word(r);
    }
}

int hw_json_decode(lua_State *L)
{
    struct reader r = { .L = L };
    size_t len;
    r.begin = r.p = luaL_checklstring(L, 1, &len);
    r.end = r.p + len;
    luaL_checkstack(L, 4 * DEPTH_MAX + 8, NULL);
    bool ok = read_value(&r);
    skip_space(&r);
    if (ok && r.p < r.end)
        ok = fail(&r, "something follows the value");
    if (ok)
        return 1;
    lua_settop(L, 1);
    luaL_pushfail(L);
    lua_pushfstring(L, "not JSON: %s at byte %d", r.why, (int)(r.p - r.begin));
    return 2;
}
