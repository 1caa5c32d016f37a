/* heap.c - one parser's blocks: boundary tags, bins of free blocks by size, and an untouched rest at the end.
 *
 *   chunk: | struct chunk | block | block | ... | rest (never touched) |      the newest chunk
 *   chunk: | struct chunk | block | block | ... | block | end mark     |      all others
 *
 * A block is its tag and then the bytes handed out; a free one holds its links in a bin there. Sizes count the tag
 * and are multiples of 8. Two free blocks are never neighbours, and none stands before the rest. */
#include <string.h>

#include "base/mem.h"
#include "lua/arena.h"
#include "lua/grains.h"

enum {
    SMALL_MAX = 512, /* up to here one bin for each size */
    BINS = 128,
    BLOCK_MIN = 24,
    USED = 1,       /* this block is handed out */
    AFTER_FREE = 2, /* the block before it is free, and before_size is valid */
    FLAGS = USED | AFTER_FREE,
    WALK_MAX = 16, /* blocks looked at in a bin of several sizes, before a bigger one */
};

struct block {
    uint32_t before_size;
    uint32_t size_flags;
    struct block *next, *before; /* only while free: in its bin */
};

enum { TAG = offsetof(struct block, next) };

struct chunk {
    struct chunk *next;
    size_t size;
};

struct hw_heap {
    struct hw_arena *arena;     /* borrows */
    struct chunk *chunks;       /* the newest first */
    unsigned char *rest, *end;  /* of the newest chunk */
    size_t held, max;           /* bytes of the arena */
    uint64_t filled[BINS / 64]; /* bins that hold something */
    struct block *bins[BINS];
};

static size_t size_of(const struct block *b)
{
    return b->size_flags & ~(uint32_t)FLAGS;
}

static struct block *after(struct block *b)
{
    return (struct block *)(void *)((unsigned char *)b + size_of(b));
}

static bool is_free(const struct block *b)
{
    return !(b->size_flags & USED);
}

static bool at_rest(const struct hw_heap *h, const struct block *b)
{
    return (const unsigned char *)b == h->rest;
}

/* ---- bins ---------------------------------------------------------------------------------------- */

static unsigned bin_of(size_t size)
{
    if (size <= SMALL_MAX)
        return (unsigned)(size / 8);
    unsigned log = 63u - (unsigned)__builtin_clzll(size); /* 9 and up */
    unsigned i = SMALL_MAX / 8 + 1 + (log - 9) * 4 + (unsigned)(size >> (log - 2) & 3);
    return i < BINS ? i : BINS - 1;
}

static void bin_add(struct hw_heap *h, struct block *b)
{
    unsigned i = bin_of(size_of(b));
    b->before = NULL;
    b->next = h->bins[i];
    if (b->next)
        b->next->before = b;
    h->bins[i] = b;
    h->filled[i / 64] |= UINT64_C(1) << i % 64;
}

static void bin_remove(struct hw_heap *h, struct block *b)
{
    unsigned i = bin_of(size_of(b));
    if (b->next)
        b->next->before = b->before;
    if (b->before)
        b->before->next = b->next;
    else
        h->bins[i] = b->next;
    if (!h->bins[i])
        h->filled[i / 64] &= ~(UINT64_C(1) << i % 64);
}

/* The first filled bin from i on; BINS = none. */
static unsigned bin_filled(const struct hw_heap *h, unsigned i)
{
    for (unsigned word = i / 64; word < BINS / 64; word++) {
        uint64_t bits = h->filled[word];
        if (word == i / 64)
            bits &= ~UINT64_C(0) << i % 64;
        if (bits)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return BINS;
}

static struct block *bin_find(const struct hw_heap *h, size_t size)
{
    unsigned i = bin_of(size);
    if (size > SMALL_MAX) { /* its own bin holds smaller ones too */
        struct block *b = h->bins[i++];
        for (int n = 0; b && n < WALK_MAX; n++, b = b->next)
            if (size_of(b) >= size)
                return b;
    }
    i = i < BINS ? bin_filled(h, i) : BINS;
    return i < BINS ? h->bins[i] : NULL;
}

/* ---- blocks -------------------------------------------------------------------------------------- */

/* Makes the bytes from b on a free block, and tells the one behind. */
static void put_free(struct hw_heap *h, struct block *b, size_t size)
{
    b->size_flags = (uint32_t)size;
    bin_add(h, b);
    struct block *next = after(b);
    next->before_size = (uint32_t)size;
    next->size_flags |= AFTER_FREE;
}

/* Takes size bytes of a free block that stands in its bin; what is left over is a free block again. */
static void take_free(struct hw_heap *h, struct block *b, size_t size)
{
    size_t whole = size_of(b);
    bin_remove(h, b);
    struct block *next = after(b);
    next->size_flags &= ~(uint32_t)AFTER_FREE;
    if (whole - size < BLOCK_MIN)
        size = whole;
    b->size_flags = (uint32_t)size | USED;
    if (size < whole)
        put_free(h, after(b), whole - size);
}

static struct block *take_rest(struct hw_heap *h, size_t size)
{
    struct block *b = (struct block *)(void *)h->rest;
    b->size_flags = (uint32_t)size | USED;
    h->rest += size;
    return b;
}

static struct block *first_block(struct chunk *c)
{
    return (struct block *)(void *)(c + 1);
}

/* Gives back a chunk that is one free block from end to end. The newest has the rest, it stays. */
static bool give_chunk(struct hw_heap *h, const struct block *b, size_t size)
{
    for (struct chunk **p = &h->chunks->next; *p; p = &(*p)->next) {
        struct chunk *c = *p;
        if (first_block(c) != b || size != c->size - sizeof *c - TAG)
            continue;
        *p = c->next;
        h->held -= c->size;
        hw_grains_give(h->arena, c, c->size);
        return true;
    }
    return false;
}

static void give(struct hw_heap *h, struct block *b)
{
    size_t size = size_of(b);
    struct block *next = after(b);
    if (b->size_flags & AFTER_FREE) {
        size += b->before_size;
        b = (struct block *)(void *)((unsigned char *)b - b->before_size);
        bin_remove(h, b);
    }
    if (at_rest(h, next)) {
        h->rest = (unsigned char *)b;
        return;
    }
    if (is_free(next)) {
        size += size_of(next);
        bin_remove(h, next);
    }
    if (size < HW_ARENA_GRAIN - 64 || !give_chunk(h, b, size))
        put_free(h, b, size);
}

/* ---- chunks -------------------------------------------------------------------------------------- */

/* The rest becomes an ordinary block, so that another chunk can have it. */
static void close_rest(struct hw_heap *h)
{
    size_t size = (size_t)(h->end - h->rest) - TAG;
    struct block *b = (struct block *)(void *)h->rest;
    struct block *mark = (struct block *)(void *)(h->end - TAG);
    mark->size_flags = USED;
    if (size >= BLOCK_MIN)
        put_free(h, b, size);
    else if (size > 0) /* too small for links: lost until the heap is freed */
        b->size_flags = (uint32_t)size | USED;
}

static size_t rest_of(const struct hw_heap *h)
{
    return (size_t)(h->end - h->rest) - TAG; /* the end mark must still fit */
}

static size_t whole_grains(size_t size)
{
    return (size + HW_ARENA_GRAIN - 1) / HW_ARENA_GRAIN * HW_ARENA_GRAIN;
}

static bool grow_in_place(struct hw_heap *h, size_t lack)
{
    size_t more = whole_grains(lack);
    if (more > h->max - h->held || !hw_grains_take_at(h->arena, h->end, more))
        return false;
    h->chunks->size += more;
    h->end += more;
    h->held += more;
    return true;
}

/* Makes the rest at least size bytes: longer where it stands, else in a new chunk. */
static bool grow(struct hw_heap *h, size_t size)
{
    if (grow_in_place(h, size - rest_of(h)))
        return true;
    size_t more = whole_grains(size + TAG + sizeof(struct chunk)), room = h->max - h->held;
    if (more < 4 * (size_t)HW_ARENA_GRAIN && 4 * (size_t)HW_ARENA_GRAIN <= room)
        more = 4 * (size_t)HW_ARENA_GRAIN; /* fewer chunks, fewer seams */
    struct chunk *c = more <= room ? hw_grains_take(h->arena, more) : NULL;
    if (!c)
        return false;
    close_rest(h);
    *c = (struct chunk){ .next = h->chunks, .size = more };
    h->chunks = c;
    h->rest = (unsigned char *)(c + 1);
    h->end = (unsigned char *)c + more;
    h->held += more;
    return true;
}

/* ---- what the header promises -------------------------------------------------------------------- */

struct hw_heap *hw_heap_new(struct hw_arena *a, size_t max)
{
    size_t size = 4 * (size_t)HW_ARENA_GRAIN;
    struct chunk *c = max >= size ? hw_grains_take(a, size) : NULL;
    if (!c)
        return NULL;
    *c = (struct chunk){ .size = size };
    struct hw_heap *h = (struct hw_heap *)(void *)(c + 1);
    *h = (struct hw_heap){ .arena = a, .chunks = c, .held = size, .max = max };
    h->rest = (unsigned char *)(h + 1);
    h->end = (unsigned char *)c + size;
    return h;
}

static void *heap_alloc(struct hw_heap *h, size_t size)
{
    struct block *b = bin_find(h, size);
    if (b)
        take_free(h, b, size);
    else if (size <= rest_of(h) || grow(h, size))
        b = take_rest(h, size);
    return b ? (unsigned char *)b + TAG : NULL;
}

/* Longer where it stands: into the rest, or the free block behind it. */
static bool extend(struct hw_heap *h, struct block *b, size_t size)
{
    size_t more = size - size_of(b);
    struct block *next = after(b);
    if (at_rest(h, next)) {
        if (more > rest_of(h))
            return false;
        h->rest += more;
        b->size_flags += (uint32_t)more;
        return true;
    }
    if (!is_free(next) || size_of(next) < more)
        return false;
    take_free(h, next, more);
    b->size_flags += (uint32_t)size_of(next);
    return true;
}

static void shrink(struct hw_heap *h, struct block *b, size_t size)
{
    size_t less = size_of(b) - size;
    if (less < BLOCK_MIN)
        return;
    b->size_flags -= (uint32_t)less;
    struct block *tail = after(b);
    tail->size_flags = (uint32_t)less | USED;
    give(h, tail);
}

void *hw_heap_realloc(struct hw_heap *h, void *ptr, size_t size)
{
    struct block *b = ptr ? (struct block *)(void *)((unsigned char *)ptr - TAG) : NULL;
    if (size == 0) {
        if (b)
            give(h, b);
        return NULL;
    }
    if (size > HW_ARENA_MAX)
        return NULL;
    size_t need = (size + TAG + 7) & ~(size_t)7;
    if (need < BLOCK_MIN)
        need = BLOCK_MIN;
    if (!b)
        return heap_alloc(h, need);
    size_t had = size_of(b);
    if (need <= had) {
        shrink(h, b, need);
        return ptr;
    }
    if (extend(h, b, need))
        return ptr;
    void *copy = heap_alloc(h, need);
    if (!copy)
        return NULL;
    memcpy(copy, ptr, had - TAG);
    give(h, b);
    return copy;
}

size_t hw_heap_held(const struct hw_heap *h)
{
    return h->held;
}

void hw_heap_free(struct hw_heap *h)
{
    if (!h)
        return;
    struct hw_arena *a = h->arena;
    for (struct chunk *c = h->chunks, *next; c; c = next) {
        next = c->next; /* the last one holds the heap itself */
        hw_grains_give(a, c, c->size);
    }
}
