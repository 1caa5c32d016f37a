/* child.h - a command started on the loop, its end reported once.
 * The child gets its own process group unless it shares the terminal; signals sent to it reach the group. */
#ifndef HW_LOOP_CHILD_H
#define HW_LOOP_CHILD_H

#include <stdbool.h>

#include <uv.h>

#include "base/err.h"

struct hw_child;

struct hw_child_options {
    char *const *argv; /* ended by NULL; argv[0] is looked up in PATH */
    char *const *env;  /* "NAME=value", ended by NULL; NULL = ours */
    const char *cwd;   /* NULL = ours */
    int stdin_fd;      /* borrowed; -1 = /dev/null */
    int stdout_fd;     /* borrowed; the child's own copy */
    int stderr_fd;
    bool own_group; /* a process group of its own */
};

/* code: exit status, or 128 + signal. */
typedef void hw_child_fn(void *ctx, int code, int signal);

HW_MUST_USE int hw_child_new(struct hw_child **ret, uv_loop_t *loop,
                             const struct hw_child_options *options, hw_child_fn *fn, void *ctx,
                             struct hw_err *err);
/* To the child, and its group when it has one. No effect once it has ended. */
void hw_child_kill(struct hw_child *c, int signal);
/* Kills it and waits, a second at most, until it has gone: for who removes what it uses and can't run the loop any more. */
void hw_child_destroy(struct hw_child *c);
/* Closes the handle; a child that still runs is left alone, and fn is not called any more. */
void hw_child_free(struct hw_child *c);

#endif
