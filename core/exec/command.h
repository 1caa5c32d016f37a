/* command.h - starts the command, so that it finds what it would have found without us: its standard files, signals,
 * limits, process group; but for the streams that are watched. */
#ifndef HW_EXEC_COMMAND_H
#define HW_EXEC_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* What the program was given and can't keep as it is: the command inherits it. Taken before anything else changes it. */
struct hw_inherited {
    sigset_t mask;
    bool ignored[NSIG]; /* by number */
    bool closed[3];     /* of 0, 1, 2 */
    int parent_death;   /* the signal for it, 0 = none: a fork loses it */
};
void hw_inherited_take(struct hw_inherited *in);

struct hw_command {
    char *const *argv; /* ended by NULL; argv[0] is looked up in PATH */
    char *const *env;  /* "NAME=value", ended by NULL */
    int fds[3]; /* borrows: what it gets as 0, 1, 2; each above 2, or the descriptor that it replaces; -1 = closed */
    bool session; /* a session of its own, with fds[1] (else fds[2]) as its terminal */
    bool group;   /* a process group of its own, in our session */
    const struct hw_inherited *inherited; /* borrows */
};

enum { HW_CANT_RUN = 126, HW_NO_COMMAND = 127 };

/* The process id. -1: it could not be started, err says why, *ret_status is 127 when there is no such command, 126 when it can't
 * be run, 0 when it was not even tried: a process can't be had. */
HW_MUST_USE pid_t hw_command_start(const struct hw_command *c, int *ret_status, struct hw_err *err);
/* Becomes the command, in this process. Returns only when that fails, the status as above. */
HW_MUST_USE int hw_command_become(const struct hw_command *c, struct hw_err *err);

#endif
