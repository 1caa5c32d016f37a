/* cmd.h - what a command is: a const record beside its code. main.c only lists the records; usage, `help` and
 * completion are printed from them.
 *
 * A command's run() gets everything parsed: settings (flags included) in ctx->config, its own flags by hw_cmd_flag, the
 * other arguments in argc, argv. It returns the exit status: 0 fine, 1 check or expectation failed, 2 wrong use,
 * 3 input can't be read, 4 API server. It prints results by stdio on stdout, and its errors by hw_cmd_fail or hw_log.
 * stdout is flushed and checked by main when run() has returned. SIGPIPE is ignored: who starts a program other than
 * by libuv gives it the default back. */
#ifndef HW_CMD_CMD_H
#define HW_CMD_CMD_H

#include <stdbool.h>

#include "base/err.h"
#include "config/config.h"
#include "exec/command.h"

struct hw_cmd;

struct hw_cmd_ctx {
    const struct hw_cmd *cmd;
    const struct hw_config *config; /* never NULL */
    const struct hw_problems *problems; /* of the settings; holds errors only where the command is lenient */
    int argc;    /* arguments that are no flags; without the command's name */
    char **argv; /* ended by NULL */
    const struct hw_inherited *inherited; /* signals as the program was given them */
    const char *const *own;               /* values of cmd->flags, in their order: hw_cmd_flag */
};

/* A flag of one command that is no setting. */
struct hw_cmd_flag {
    const char *name; /* long flag without its dashes */
    char letter;      /* short flag; 0 = none */
    const char *arg;  /* what stands behind it ("FILE"); NULL = nothing, it is a switch */
    const char *help; /* NULL = not shown */
};

struct hw_cmd {
    const char *name;
    const char *args;        /* "N/M [MESSAGE...]"; "" = none */
    const char *summary;     /* one line, lower case, no full stop */
    const char *description; /* for --help, lines of at most 90 columns; NULL = none */
    unsigned takes;          /* which settings it takes as flags: HW_FOR_... */
    unsigned outputs; /* bits 1 << HW_OUTPUT_...: what -o may be; without it table, else YAML, else JSON */
    const struct hw_cmd_flag *flags; /* ended by a NULL name; NULL = none of its own */
    int args_min, args_max;          /* how many arguments; args_max < 0: any number */
    bool stop_early; /* flags end at the first argument: what follows is another command line */
    bool lenient;    /* runs although settings are wrong: it looks at ctx->problems itself */
    bool always_runs; /* lenient, and a wrong command line is but a problem too: for what must not stop a pod. argv then
                       * holds what stands behind "--" */
    bool hidden; /* not in the list of commands */
    int (*run)(struct hw_cmd_ctx *ctx);
};

/* All commands in the order of help; ended by NULL. In main.c. */
extern const struct hw_cmd *const hw_cmds[];
const struct hw_cmd *hw_cmd_named(const char *name);

/* The value of one of the command's own flags: NULL = not given, "" for a switch that was. The last one wins. */
const char *hw_cmd_flag(const struct hw_cmd_ctx *ctx, const char *name);

/* "headway CMD: message" and, for wrong use, "see `headway CMD --help`" on stderr; returns the exit status that goes
 * with err->code (base/err.h). */
int hw_cmd_fail(const struct hw_cmd_ctx *ctx, const struct hw_err *err);
/* Wrong use: the same from a format; returns 2. */
int hw_cmd_misuse(const struct hw_cmd_ctx *ctx, const char *fmt, ...) HW_PRINTF(2, 3);
/* Each problem on a line of stderr; returns how many are errors. */
size_t hw_cmd_report_problems(const struct hw_cmd *cmd, const struct hw_problems *problems);

extern const struct hw_cmd hw_cmd_run, hw_cmd_exec, hw_cmd_set, hw_cmd_local, hw_cmd_replay,
    hw_cmd_record, hw_cmd_parsers, hw_cmd_suggest, hw_cmd_check, hw_cmd_hub, hw_cmd_version,
    hw_cmd_help;

#endif
