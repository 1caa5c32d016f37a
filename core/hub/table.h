/* table.h - a hash table of entries that live in their owners; keys are texts of the owners'. Seeded, so that names which others
 * choose can't be made to fall into one place. */
#ifndef HW_HUB_TABLE_H
#define HW_HUB_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct hw_entry {
    struct hw_entry *next;
    uint64_t hash;
    const char *key; /* borrows while it is in the table */
};

struct hw_table {
    struct hw_entry **slots; /* owns */
    size_t size, count;      /* size: a power of two */
    uint64_t seed;
};

void hw_table_init(struct hw_table *t, uint64_t seed);
void hw_table_done(struct hw_table *t); /* the entries are their owners' */
struct hw_entry *hw_table_find(const struct hw_table *t, const char *key);
/* Its key is in the table no more than once: the caller has looked. */
void hw_table_add(struct hw_table *t, struct hw_entry *e, const char *key);
void hw_table_del(struct hw_table *t, struct hw_entry *e);

#endif
