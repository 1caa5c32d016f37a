/* main.c - from argv to a command's run() and its exit status. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "cmd/usage.h"
#include "lua/worker_main.h"

const struct hw_cmd *const hw_cmds[] = {
    &hw_cmd_run, &hw_cmd_set, &hw_cmd_local, &hw_cmd_check, &hw_cmd_help, &hw_cmd_version, NULL,
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
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            _exit(3);
}

/* A full disk or a reader that is gone shows only now. */
static int check_stdout(int status)
{
    errno = 0;
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    if (!failed)
        return status;
    fprintf(stderr, "headway: write standard output: %s\n", errno ? strerror(errno) : "failed");
    return status ? status : hw_exit_status(HW_ESYS);
}

/* Without -o: a table, else YAML, else JSON, as the command can. With it: one that the command can. */
static int choose_output(const struct hw_cmd *cmd, struct hw_config *c)
{
    static const enum hw_output order[] = { HW_OUTPUT_TABLE, HW_OUTPUT_YAML, HW_OUTPUT_JSON };
    const struct hw_option *o = hw_option_named("output");
    if (!cmd->outputs)
        return 0;
    if (hw_config_value(c, o)->from == HW_FROM_FLAG && !(cmd->outputs >> c->output & 1)) {
        hw_auto_free char *text = hw_xasprintf("does not print -o %s", o->words[c->output]);
        return misuse(cmd->name, text);
    }
    for (size_t i = 0; i < HW_LEN(order); i++)
        if (hw_config_value(c, o)->from == HW_FROM_DEFAULT && (cmd->outputs >> order[i] & 1)) {
            c->output = (int)order[i];
            break;
        }
    return 0;
}

static int run_with(const struct hw_cmd *cmd, const struct hw_args *args, struct hw_config *config,
                    const struct hw_problems *problems)
{
    struct hw_err err;
    if (problems->errors && !cmd->lenient) {
        hw_cmd_report_problems(cmd, problems);
        return 2;
    }
    int status = choose_output(cmd, config);
    if (status)
        return status;
    if (hw_log_configure(config->log, &err) < 0)
        return misuse(cmd->name, err.msg);
    struct hw_cmd_ctx ctx = { .cmd = cmd,
                              .config = config,
                              .problems = problems,
                              .argc = args->rest_count,
                              .argv = args->rest,
                              .own = args->own };
    return cmd->run(&ctx);
}

static int run_command(const struct hw_cmd *cmd, char **argv)
{
    struct hw_err err;
    struct hw_args args;
    struct hw_problems problems = { 0 };
    if (hw_args_parse(cmd, argv, &args, &err) < 0)
        return misuse(cmd->name, err.msg);
    if (args.help) {
        hw_usage_of(cmd);
        hw_args_done(&args);
        return 0;
    }
    struct hw_config *config = hw_config_load(args.flags, args.flag_count, environ, &problems);
    int status = run_with(cmd, &args, config, &problems);
    hw_config_free(config);
    hw_problems_done(&problems);
    hw_args_done(&args);
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
    hold_standard_files();
    signal(SIGPIPE,
           SIG_IGN); /* a closed pipe is an error with a text; libuv gives children the default back */
    return check_stdout(dispatch(argv));
}
