/* host.h - one parser in one Lua state: sandboxed, with ceilings for memory and instructions. Knows nothing of processes:
 * the worker runs hosts, specs run them in their own process.
 *
 * The sandbox is a list of what is allowed (sandbox.c). The instruction budget slows an attacker down, it does not stop one: the
 * hook that counts never runs inside C functions. What stops is the worker's process (worker.h).
 * open -> feed... -> [finish] -> reset the arena. A state is never closed: that would run its finalizers. */
#ifndef HW_LUA_HOST_H
#define HW_LUA_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "lua/arena.h"
#include "progress/sample.h"

struct lua_State;

enum {
    HW_HOST_API = 1,                     /* the version of the contract, `api` of a parser */
    HW_HOST_INSTRUCTIONS = 20 * 1000000, /* for one record, and for loading */
    HW_HOST_NAME_MAX = 63,
};

struct hw_host_option {
    struct hw_str key, value;
};

/* Borrowed until open returns. */
struct hw_host_source {
    struct hw_str name;  /* "rsync" */
    struct hw_str chunk; /* "@parsers/rsync.lua": in messages and tracebacks */
    struct hw_str text;
    const struct hw_host_option *options; /* given to new(opts) as texts */
    size_t option_count;
    bool strict; /* opts.strict: the record is a progress file, so what is no N/M is refused */
};

/* The source of the module `name` ("headway.units"): from the user's directory. Borrowed until the next call. len 0
 * and ptr NULL: there is none. May be NULL in hw_host_open. */
typedef struct hw_str hw_host_module_fn(void *ctx, const char *name);

struct hw_host {
    struct lua_State *L; /* NULL = not open */
    struct hw_arena arena;
    int64_t left;        /* instructions */
    bool tripped;        /* the budget is used up: every further instruction raises */
    bool loading;        /* require is allowed */
    hw_host_module_fn *module;
    void *module_ctx;
    char unit[HW_UNIT_MAX + 1]; /* of the parser, for samples that say none */
};

/* arena was reset before. HW_ELUA with what is wrong: syntax, contract, memory. */
HW_MUST_USE int hw_host_open(struct hw_host *h, const struct hw_host_source *source,
                             hw_host_module_fn *module, void *ctx, struct hw_err *err);
/* 1: *ret is a checked sample; 0: the record says nothing; -1: refused, err says why (HW_EINPUT: the parser's own words;
 * HW_ELUA: the parser failed). */
HW_MUST_USE int hw_host_feed(struct hw_host *h, struct hw_str record, struct hw_sample *ret,
                             struct hw_err *err);
/* The tool has ended with that exit status; the same outcomes. A parser without finish says nothing. */
HW_MUST_USE int hw_host_finish(struct hw_host *h, int code, struct hw_sample *ret, struct hw_err *err);

#endif
