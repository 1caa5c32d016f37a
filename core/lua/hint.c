#include "lua/hint.h"

#include <stdint.h>
#include <string.h>

/* How common a byte is in logs, by its place in a list; those that are not in it are rare. */
static size_t commonness(char c)
{
    static const char common[] = "kvwzbyUPCLRBADNOSTIEghmpf[]=_,()\"ucd9lr8s7n6i5o4a3t2e1:.-/0 ";
    const char *at = c ? strchr(common, c) : NULL;
    return at ? (size_t)(at - common) + 1 : 0;
}

/* Index of the rarest byte but for the one at `but`. */
static size_t rarest(const char *bytes, size_t len, size_t but)
{
    size_t best = but == 0 && len > 1 ? 1 : 0;
    for (size_t i = best + 1; i < len; i++)
        if (i != but && commonness(bytes[i]) < commonness(bytes[best]))
            best = i;
    return best;
}

bool hw_hint_set(struct hw_hint *ret, struct hw_str bytes)
{
    *ret = (struct hw_hint){ .len = bytes.len };
    if (bytes.len == 0 || bytes.len > HW_HINT_MAX)
        return false;
    memcpy(ret->bytes, bytes.ptr, bytes.len);
    ret->rare = rarest(ret->bytes, ret->len, ret->len);
    ret->second = rarest(ret->bytes, ret->len, ret->rare);
    return true;
}

/* ---- the search ---------------------------------------------------------------------------------- */

/* What every machine that we are built for does at once; the compiler makes two halves of it elsewhere. */
typedef unsigned char block __attribute__((vector_size(16)));
enum { BLOCK = sizeof(block) };

static block load(const char *p)
{
    block b;
    memcpy(&b, p, sizeof b);
    return b;
}

static bool any(block b)
{
    uint64_t half[2];
    memcpy(half, &b, sizeof half);
    return half[0] | half[1];
}

/* Among the starts [p, last). */
static const char *look_at_each(const struct hw_hint *h, const char *p, const char *last)
{
    for (; p < last; p++)
        if (p[h->rare] == h->bytes[h->rare] && memcmp(p, h->bytes, h->len) == 0)
            return p;
    return NULL;
}

const char *hw_hint_find(const struct hw_hint *h, const char *p, const char *end)
{
    if ((size_t)(end - p) < h->len)
        return NULL;
    if (h->len == 1)
        return memchr(p, h->bytes[0], (size_t)(end - p));
    const char *last = end - h->len + 1, *found;
    block rare = (block){ 0 } + (unsigned char)h->bytes[h->rare];
    block second = (block){ 0 } + (unsigned char)h->bytes[h->second];
    for (; last - p >= BLOCK; p += BLOCK) {
        block hits = (block)(load(p + h->rare) == rare) & (block)(load(p + h->second) == second);
        if (any(hits) && (found = look_at_each(h, p, p + BLOCK)))
            return found;
    }
    return look_at_each(h, p, last);
}
