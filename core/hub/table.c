#include "hub/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SIZE_FIRST = 64 };

static uint64_t hash_of(const struct hw_table *t, const char *key)
{
    uint64_t h = t->seed ^ UINT64_C(0xcbf29ce484222325);
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

static struct hw_entry **slot(const struct hw_table *t, uint64_t hash)
{
    return &t->slots[hash & (t->size - 1)];
}

void hw_table_init(struct hw_table *t, uint64_t seed)
{
    *t = (struct hw_table){ .size = SIZE_FIRST, .seed = seed };
    t->slots = hw_xcalloc(t->size, sizeof(struct hw_entry *));
}

void hw_table_done(struct hw_table *t)
{
    free(t->slots);
    t->slots = NULL;
}

struct hw_entry *hw_table_find(const struct hw_table *t, const char *key)
{
    uint64_t hash = hash_of(t, key);
    for (struct hw_entry *e = *slot(t, hash); e; e = e->next)
        if (e->hash == hash && strcmp(e->key, key) == 0)
            return e;
    return NULL;
}

static void put(struct hw_table *t, struct hw_entry *e)
{
    struct hw_entry **at = slot(t, e->hash);
    e->next = *at;
    *at = e;
}

static void grow(struct hw_table *t)
{
    struct hw_table bigger = *t;
    bigger.size *= 2;
    bigger.slots = hw_xcalloc(bigger.size, sizeof(struct hw_entry *));
    for (size_t i = 0; i < t->size; i++)
        for (struct hw_entry *e = t->slots[i], *next; e; e = next) {
            next = e->next;
            put(&bigger, e);
        }
    free(t->slots);
    *t = bigger;
}

void hw_table_add(struct hw_table *t, struct hw_entry *e, const char *key)
{
    if (t->count >= t->size)
        grow(t);
    e->key = key;
    e->hash = hash_of(t, key);
    put(t, e);
    t->count++;
}

void hw_table_del(struct hw_table *t, struct hw_entry *e)
{
    struct hw_entry **at = slot(t, e->hash);
    while (*at && *at != e)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = e->next;
    t->count--;
}
