/* exec.c - the wrapper: runs a command and publishes how far it is. What the command does, prints and returns is what it would be
 * without us (exec/wrapper.h); whatever is wrong with us is a line on stderr, and the command runs all the same. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/publishing.h"
#include "cmd/reporting.h"
#include "cmd/wrapped.h"
#include "exec/place.h"
#include "exec/wrapper.h"

enum { FINISH_MS = 5000 };

extern char **environ;

static void say(const char *text)
{
    char clean[500], line[600];
    hw_clean_text(clean, sizeof clean - 1, hw_str(text));
    int n = snprintf(line, sizeof line, "headway exec: %s\n", clean);
    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        return; /* nobody can be told */
}

static void warn(const char *text)
{
    if (hw_log_shows(HW_WARN, "exec"))
        say(text);
}

/* ---- the progress file --------------------------------------------------------------------------- */

/* The one that was named, else one of our own. What the settings name is made absolute: the command may go elsewhere. */
static int choose_file(const struct hw_config *c, struct hw_place *place, struct hw_err *err)
{
    const char *named = c->source.file;
    char here[4096];
    *place = (struct hw_place){ .memory = -1 };
    if (!named)
        return hw_place_make(place, hw_is_in_pod() && geteuid() == 0, err);
    place->path = named[0] == '/' || !getcwd(here, sizeof here) ? hw_xstrdup(named)
                                                                : hw_xasprintf("%s/%s", here, named);
    place->seen = hw_xstrdup(place->path);
    return 0;
}

/* Ours, but for FLUID_PROGRESS_FILE. free() it and its last text. */
static char **make_env(const char *path, char **ret_own)
{
    static const char name[] = "FLUID_PROGRESS_FILE=";
    size_t count = 0, n = 0;
    while (environ[count])
        count++;
    char **env = hw_xzalloc((count + 2) * sizeof *env);
    for (char **e = environ; *e; e++)
        if (!path || strncmp(*e, name, sizeof name - 1) != 0)
            env[n++] = *e;
    *ret_own = path ? hw_xasprintf("%s%s", name, path) : NULL;
    env[n] = *ret_own;
    return env;
}

/* -------------------------------------------------------------------------------------------------- */

struct task {
    const struct hw_config *config;
    char *const *argv;
    struct hw_place place;
};

/* Memory is out: nothing of ours stays behind. */
static void on_abort(void *ctx)
{
    struct task *t = ctx;
    hw_place_remove(&t->place);
}

/* In a process of its own. */
static int report(void *ctx, const struct hw_wrapped *w)
{
    struct task *t = ctx;
    hw_set_last_act(NULL, NULL); /* the command goes on with its file */
    char parser[HW_REPORTING_PARSER] = "";
    struct hw_reporting_why why = { "" };
    if (w->count) /* here, and not before the command starts: it reads the directory of parsers */
        why = hw_reporting_parser(t->config, (const char *const *)t->argv, NULL, parser);
    bool orphaned = hw_wrapped_report(w, t->config, t->place.seen, parser, why.text);
    if (orphaned) /* nobody else is left to do it */
        hw_place_remove(&t->place);
    return 0;
}

static int run_command(struct hw_cmd_ctx *ctx, struct task *t, bool watched)
{
    hw_auto_free char *own = NULL;
    hw_auto_free char **env = make_env(t->place.path, &own);
    const int keep[] = { t->place.memory, -1 };
    struct hw_wrapper_options o = { .argv = ctx->argv,
                                    .env = env,
                                    .inherited = ctx->inherited,
                                    .pty = (enum hw_pty)ctx->config->exec.pty,
                                    .watch = ctx->config->exec.watch == HW_WATCH_BOTH,
                                    .report = watched ? report : NULL,
                                    .say = say,
                                    .warn = warn,
                                    .ctx = t,
                                    .keep = keep,
                                    .finish_ms = FINISH_MS };
    return hw_wrapper_run(&o);
}

static int exec_main(struct hw_cmd_ctx *ctx)
{
    struct task t = { .config = ctx->config, .argv = ctx->argv };
    struct hw_err err;
    bool watched = true;
    if (ctx->argc == 0)
        return hw_cmd_misuse(ctx, "which command? expected %s", ctx->cmd->args);
    if (ctx->problems->errors) {
        hw_cmd_report_problems(ctx->cmd, ctx->problems);
        watched = false;
    }
    if (hw_config_value(ctx->config, hw_option_named("log"))->from == HW_FROM_DEFAULT &&
        hw_log_configure("warn", &err) < 0)
        say(err.msg);
    if (choose_file(ctx->config, &t.place, &err) < 0)
        say(err.msg);
    hw_set_last_act(on_abort, &t);
    int status = run_command(ctx, &t, watched);
    hw_set_last_act(NULL, NULL);
    hw_place_remove(&t.place);
    return status;
}

const struct hw_cmd hw_cmd_exec = {
    .name = "exec",
    .args = "[--] COMMAND [ARGUMENT...]",
    .summary = "run a command and publish how far it is, by its progress file or its output",
    .description =
        "The command runs as it would without us: same output, signals, terminal and exit status (126 when it\n"
        "can't be run, 127 when there is none, 128 + the signal that ended it). FLUID_PROGRESS_FILE names a\n"
        "file for it, unless it is set already. Its output is read too; once the file held a valid N/M, the\n"
        "file alone counts. Whatever is wrong with the reporting is a line on stderr.",
    .takes = HW_FOR_EXEC,
    .args_min = 0, /* what is missing is said by us: there is nothing to run then */
    .args_max = -1,
    .stop_early = true,
    .always_runs = true,
    .run = exec_main,
};
