/* host.h - one parser at work: a Lua state on its own heap, sandboxed and budgeted. Runs inside the worker; specs run
 * it in their own process.
 * new -> feed... -> finish -> free.
 *
 * Instructions per record are limited here, and memory is; time is not: C functions of Lua can run for
 * ever, and only the end of the process stops them (worker.h). */
#ifndef HW_LUA_HOST_H
#define HW_LUA_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "lua/arena.h"
#include "lua/worker.h"
#include "progress/sample.h"

struct hw_host;

enum {
    HW_HOST_MEMORY_MAX = 8 * 1024 * 1024, /* bytes of the arena, for one parser */
    HW_HOST_BUDGET = 20 * 1000 * 1000,    /* instructions for a record, and for loading */
    HW_HOST_WHY_MAX = 300,
    HW_HOST_TRACE_MAX = 1000,
};

/* What the host asks of its surroundings. */
struct hw_host_hooks {
    void *ctx;
    /* The user's own module: 1 = *ret_text is it (borrowed until release), 0 = none. NULL: there are none. Asked
     * only while the parser loads. */
    int (*module)(void *ctx, const char *name, struct hw_str *ret_text);
    void (*release)(void *ctx);                   /* that text was used; NULL = no need */
    void (*print)(void *ctx, struct hw_str text); /* NULL = dropped */
    void (*step)(void *ctx); /* one of several steps of a load is done; NULL = no need */
};

struct hw_host_source {
    const char *name;  /* borrowed for the call, as all of it */
    const char *chunk; /* name in messages: "@parsers/nm.lua" */
    struct hw_str text;
    bool strict;
    const struct hw_parser_option *options;
    size_t option_count;
};

/* hooks: copied. HW_ELUA: the parser's fault, with the place; HW_ELIMIT: a budget. */
HW_MUST_USE int hw_host_new(struct hw_host **ret, struct hw_arena *arena,
                            const struct hw_host_source *source, const struct hw_host_hooks *hooks,
                            struct hw_err *err);
/* 1 = *ret is a checked sample, 0 = the record says nothing, -1 = refused: HW_EINPUT is the parser's word on the record,
 * HW_ELUA and HW_ELIMIT its own fault. */
HW_MUST_USE int hw_host_feed(struct hw_host *h, struct hw_str record, struct hw_sample *ret,
                             struct hw_err *err);
/* code: exit status, -1 = none. 0 also when the parser has no finish. */
HW_MUST_USE int hw_host_finish(struct hw_host *h, int code, struct hw_sample *ret,
                               struct hw_err *err);
const struct hw_parser_meta *hw_host_meta(const struct hw_host *h);
/* Of the last HW_ELUA; "" = none. */
const char *hw_host_trace(const struct hw_host *h);
/* Bytes of the arena that it holds. */
size_t hw_host_memory(const struct hw_host *h);
/* Gives the memory back at once; no Lua code runs. */
void hw_host_free(struct hw_host *h);

#endif
