/* main.c - from argv to a command's run() and its exit status. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "cmd/usage.h"
#include "loop/loop.h"
#include "lua/worker_main.h"

/* From here on a block is a mapping of its own and given back when it is freed. By default glibc moves this up to the
 * largest block that was ever freed, so one answer of 4 MiB would stay with us for good. */
enum { LARGE_BLOCK = 128 * 1024 };

const struct hw_cmd *const hw_cmds[] = {
    &hw_cmd_run,    &hw_cmd_exec,   &hw_cmd_set,     &hw_cmd_local,
    &hw_cmd_replay, &hw_cmd_record, &hw_cmd_parsers, &hw_cmd_suggest,
    &hw_cmd_check,  &hw_cmd_hub,    &hw_cmd_help,    &hw_cmd_version,
    NULL,
};

extern char **environ;

static int misuse(const char *cmd, const char *text)
{
    char clean[400];
    hw_clean_text(clean, sizeof clean - 1, hw_str(text));
    fprintf(stderr, "headway%s%s: %s\nsee `headway%s%s --help`\n", cmd ? " " : "", cmd ? cmd : "",
            clean, cmd ? " " : "", cmd ? cmd : "");
    return 2;
}

/* A closed standard descriptor would be the next file that we open. What stands in for it gives an error when it is
 * used, all but stderr. */
static void hold_standard_files(void)
{
    static const int modes[] = { O_WRONLY, O_RDONLY, O_WRONLY };
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[fd]) != fd) {
            fprintf(stderr, "headway: open /dev/null for descriptor %d: %s\n", fd, strerror(errno));
            _exit(3);
        }
}

/* Our own end for lack of memory says so (base/mem.h). Any other is a library's, which gives up without a word where it
 * knows no way out: libuv does so when it can't make the pipe for signals. */
/* NOLINTBEGIN(bugprone-signal-handler): abort() raises it in the middle of a plain call, nothing is interrupted. */
static void on_abort(int number)
{
    const char *error = strerrordesc_np(errno);
    const char *parts[] = { "headway: a library gave up: ", error ? error : "no reason known",
                            "\n" };
    (void)number;
    for (size_t i = 0; i < HW_LEN(parts); i++)
        if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
            break;
    hw_last_act();
}
/* NOLINTEND(bugprone-signal-handler) */

/* Nothing of the libraries' may fail silently. */
static void guard(void)
{
    signal(SIGABRT, on_abort);
    hw_json_guard();
    hw_loop_guard();
    hw_output_open();
}

/* Without -o: a table, else YAML, else JSON, as the command can. With it: one that the command can, or -1. */
static int choose_output(const struct hw_cmd *cmd, struct hw_config *c, struct hw_err *err)
{
    static const enum hw_output order[] = { HW_OUTPUT_TABLE, HW_OUTPUT_YAML, HW_OUTPUT_JSON };
    const struct hw_option *o = hw_option_named("output");
    bool given = hw_config_value(c, o)->from != HW_FROM_DEFAULT;
    if (given && !(cmd->outputs >> c->output & 1))
        return hw_fail(err, HW_ECONFIG, "does not print -o %s", o->words[c->output]);
    for (size_t i = 0; !given && i < HW_LEN(order); i++)
        if (cmd->outputs >> order[i] & 1) {
            c->output = (int)order[i];
            break;
        }
    return 0;
}

struct call {
    const struct hw_cmd *cmd;
    struct hw_args args;
    struct hw_config *config;
    struct hw_problems problems;
};

/* 0: goes on, with a problem more. */
static int object(struct call *call, const struct hw_err *err)
{
    if (!call->cmd->always_runs)
        return misuse(call->cmd->name, err->msg);
    hw_problems_add(&call->problems, NULL, NULL, false, err->msg);
    return 0;
}

static int prepare(struct call *call, char **argv)
{
    struct hw_err err;
    int status = 0;
    int parsed = hw_args_parse(call->cmd, argv, &call->args, &err);
    if (call->args.help)
        return 0;
    if (parsed < 0 && (status = object(call, &err)))
        return status;
    call->config = hw_config_load(call->args.flags, call->args.flag_count, environ, &call->problems);
    if (call->problems.errors && !call->cmd->lenient && !call->cmd->always_runs) {
        hw_cmd_report_problems(call->cmd, &call->problems);
        return 2;
    }
    if (call->cmd->outputs && choose_output(call->cmd, call->config, &err) < 0 &&
        (status = object(call, &err)))
        return status;
    return hw_log_configure(call->config->log, &err) < 0 ? object(call, &err) : 0;
}

/* What the program was given, before it changed any of it: for the command of `exec`. */
static struct hw_inherited inherited;

static int run_call(struct call *call)
{
    struct hw_cmd_ctx ctx = { .cmd = call->cmd,
                              .config = call->config,
                              .problems = &call->problems,
                              .argc = call->args.rest_count,
                              .argv = call->args.rest,
                              .inherited = &inherited,
                              .own = call->args.own };
    if (!call->args.help)
        return call->cmd->run(&ctx);
    hw_usage_of(call->cmd);
    return 0;
}

static int run_command(const struct hw_cmd *cmd, char **argv)
{
    struct call call = { .cmd = cmd };
    int status = prepare(&call, argv);
    if (status == 0)
        status = run_call(&call);
    hw_config_free(call.config);
    hw_problems_done(&call.problems);
    hw_args_done(&call.args);
    return status;
}

static int unknown_command(const char *name)
{
    const char *near = hw_usage_nearest(name);
    hw_auto_free char *text =
        near             ? hw_xasprintf("unknown command '%.40s', did you mean '%s'?", name, near)
        : name[0] == '-' ? hw_xasprintf("unknown flag '%.40s': flags stand behind the command", name)
                         : hw_xasprintf("unknown command '%.40s'", name);
    return misuse(NULL, text);
}

static int dispatch(char **argv)
{
    const char *name = argv[0] ? argv[1] : NULL;
    if (!name) {
        hw_usage(stderr);
        return 2;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        hw_usage(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0)
        name = "version";
    const struct hw_cmd *cmd = hw_cmd_named(name);
    return cmd ? run_command(cmd, argv + 2) : unknown_command(name);
}

int main(int argc, char **argv)
{
    /* First of all: the worker of a parser, which must own nothing but its pipes. */
    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return hw_worker_main();
    hw_inherited_take(&inherited);
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    hold_standard_files();
    /* A closed pipe and a full file are errors with a text; libuv gives children the defaults back. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    guard();
    return hw_output_close(dispatch(argv));
}
