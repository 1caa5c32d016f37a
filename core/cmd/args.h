/* args.h - a command line taken apart: settings given as flags, the command's own flags, and the rest. */
#ifndef HW_CMD_ARGS_H
#define HW_CMD_ARGS_H

#include "cmd/cmd.h"

/* Owns its arrays; the texts are argv's own. */
struct hw_args {
    struct hw_flag *flags;
    size_t flag_count;
    const char **own; /* one for each of cmd->flags */
    char **rest;      /* arguments that are no flags; ended by NULL */
    int rest_count;
    bool help; /* --help or -h was among them: nothing else matters then */
};

/* argv begins behind the command's name and is ended by NULL. -1 with HW_ECONFIG for the first thing that is wrong; *ret
 * then holds what could be told apart all the same, for commands that run whatever happens: call hw_args_done in both
 * cases. */
HW_MUST_USE int hw_args_parse(const struct hw_cmd *cmd, char **argv, struct hw_args *ret,
                              struct hw_err *err);
void hw_args_done(struct hw_args *a);

#endif
