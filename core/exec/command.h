/* command.h - starts the command, so that it finds what it would have found without us: its standard files, signals,
 * limits, process group; but for the streams that are watched. */
#ifndef HW_EXEC_COMMAND_H
#define HW_EXEC_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Signals as they were when the program began: the command inherits them. Taken before anything else changes them. */
struct hw_inherited {
    sigset_t mask;
    bool ignored[NSIG]; /* by number */
};
void hw_inherited_take(struct hw_inherited *in);

struct hw_command {
    char *const *argv; /* ended by NULL; argv[0] is looked up in PATH */
    char *const *env;  /* "NAME=value", ended by NULL */
    int fds[3]; /* borrows: what it gets as 0, 1, 2; all above 2, or the same descriptor as it replaces */
    bool group; /* a process group of its own, in our session */
    int front;  /* borrows: the terminal whose foreground that group becomes; -1 = none */
    const struct hw_inherited *inherited; /* borrows */
};

enum { HW_CANT_RUN = 126, HW_NO_COMMAND = 127 };

/* The process id. -1: it could not be started, err says why, *ret_status is 127 when there is no such command, else 126. */
HW_MUST_USE pid_t hw_command_start(const struct hw_command *c, int *ret_status, struct hw_err *err);

/* Closes what a fork must not hold: everything above 2 but these, which it sorts. Negative ones are skipped. */
void hw_close_others(int *keep, size_t count);

#endif
