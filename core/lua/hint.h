/* hint.h - a few bytes that a record must hold, and the search for them. */
#ifndef HW_LUA_HINT_H
#define HW_LUA_HINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { HW_HINT_MAX = 47 }; /* bytes of one */

struct hw_hint {
    char bytes[HW_HINT_MAX + 1];
    size_t len;    /* 1 .. HW_HINT_MAX */
    size_t rare;   /* index of the byte that logs have the fewest of: what is searched for */
    size_t second; /* of the next one; the same when there is only one */
};

/* False: not of 1 to HW_HINT_MAX bytes. */
bool hw_hint_set(struct hw_hint *ret, struct hw_str bytes);
/* The first place in [p, end) where all of it stands, or NULL. Over a long piece some bytes a cycle. */
const char *hw_hint_find(const struct hw_hint *h, const char *p, const char *end);

#endif
