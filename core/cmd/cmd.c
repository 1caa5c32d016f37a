#include "cmd/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { LINE_BYTES = 900 };

const char *hw_cmd_flag(const struct hw_cmd_ctx *ctx, const char *name)
{
    for (size_t i = 0; ctx->cmd->flags && ctx->cmd->flags[i].name; i++)
        if (strcmp(ctx->cmd->flags[i].name, name) == 0)
            return ctx->own[i];
    return NULL;
}

/* Messages may quote what came from outside: a path, a key. */
static void say(const struct hw_cmd *cmd, const char *kind, const char *text)
{
    char clean[LINE_BYTES + 1];
    hw_clean_text(clean, LINE_BYTES, hw_str(text));
    fflush(stdout);
    fprintf(stderr, "headway %s: %s%s\n", cmd->name, kind, clean);
}

int hw_cmd_fail(const struct hw_cmd_ctx *ctx, const struct hw_err *err)
{
    say(ctx->cmd, "", err->msg);
    if (err->code == HW_ECONFIG)
        fprintf(stderr, "see `headway %s --help`\n", ctx->cmd->name);
    return hw_exit_status(err->code);
}

int hw_cmd_misuse(const struct hw_cmd_ctx *ctx, const char *fmt, ...)
{
    struct hw_err err = { .code = HW_ECONFIG };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err.msg, sizeof err.msg, fmt, ap);
    va_end(ap);
    return hw_cmd_fail(ctx, &err);
}

size_t hw_cmd_report_problems(const struct hw_cmd *cmd, const struct hw_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        hw_auto_free char *text = hw_problem_text(&problems->list[i]);
        say(cmd, problems->list[i].warning ? "warning: " : "", text);
    }
    return problems->errors;
}
