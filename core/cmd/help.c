/* help.c - the commands, or one of them. */
#include "cmd/cmd.h"
#include "cmd/usage.h"

static int help_main(struct hw_cmd_ctx *ctx)
{
    if (ctx->argc == 0) {
        hw_usage(stdout);
        return 0;
    }
    const struct hw_cmd *cmd = hw_cmd_named(ctx->argv[0]);
    if (cmd) {
        hw_usage_of(cmd);
        return 0;
    }
    const char *near = hw_usage_nearest(ctx->argv[0]);
    if (near)
        return hw_cmd_misuse(ctx, "unknown command '%.40s', did you mean '%s'?", ctx->argv[0], near);
    return hw_cmd_misuse(ctx, "unknown command '%.40s'", ctx->argv[0]);
}

const struct hw_cmd hw_cmd_help = {
    .name = "help",
    .args = "[COMMAND]",
    .summary = "list the commands, or tell about one",
    .args_max = 1,
    .lenient = true,
    .run = help_main,
};
