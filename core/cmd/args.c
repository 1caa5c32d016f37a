#include "cmd/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { NAMES_MAX = 128, SHOWN = 40 };

struct parser {
    const struct hw_cmd *cmd;
    struct hw_args *a;
    char **next; /* the argument after the one at hand */
    struct hw_err *err;
};

static const struct hw_cmd_flag *own_flag(const struct hw_cmd *cmd, const char *name, char letter)
{
    for (const struct hw_cmd_flag *f = cmd->flags; f && f->name; f++)
        if (name ? strcmp(f->name, name) == 0 : f->letter == letter)
            return f;
    return NULL;
}

/* "unknown flag '--pol', did you mean '--poll'?" */
static int unknown(struct parser *p, const char *name)
{
    const char *names[NAMES_MAX + 1];
    size_t n = 0;
    for (const struct hw_cmd_flag *f = p->cmd->flags; f && f->name && n < NAMES_MAX; f++)
        names[n++] = f->name;
    for (const struct hw_option *o = hw_options; o->name && n < NAMES_MAX; o++)
        if (o->takes & p->cmd->takes)
            names[n++] = o->flag;
    names[n] = NULL;
    const char *near = hw_nearest(name, names);
    if (hw_option_flag(name, ~0u))
        return hw_fail(p->err, HW_ECONFIG, "this command takes no flag '--%.40s'", name);
    if (near)
        return hw_fail(p->err, HW_ECONFIG, "unknown flag '--%.40s', did you mean '--%s'?", name,
                       near);
    return hw_fail(p->err, HW_ECONFIG, "unknown flag '--%.40s'", name);
}

/* The text behind a flag: glued to it, or the next argument. written: the flag, for the message. */
static int value_of(struct parser *p, const char *glued, const char *written, const char *arg,
                    const char **ret)
{
    if (!glued && !*p->next)
        return hw_fail(p->err, HW_ECONFIG, "flag '%.*s' wants %s behind it", SHOWN, written, arg);
    *ret = glued ? glued : *p->next++;
    return 0;
}

static int take_own(struct parser *p, const struct hw_cmd_flag *f, const char *glued,
                    const char *written)
{
    const char *value = "";
    if (f->arg && value_of(p, glued, written, f->arg, &value) < 0)
        return -1;
    if (!f->arg && glued)
        return hw_fail(p->err, HW_ECONFIG, "flag '--%s' takes no value", f->name);
    p->a->own[f - p->cmd->flags] = value;
    return 0;
}

/* A switch takes its value behind "=" only, so that `--status-direct FILE` means what it seems to. */
static int take_option(struct parser *p, const struct hw_option *o, const char *glued,
                       const char *written, char letter)
{
    char arg[160];
    const char *bare = o->type == HW_T_BOOL ? "on" : o->bare;
    const char *value = glued ? glued : bare;
    if (!bare && value_of(p, glued, written, hw_option_arg(o, arg, sizeof arg), &value) < 0)
        return -1;
    p->a->flags[p->a->flag_count++] =
        (struct hw_flag){ .option = o, .value = value, .letter = letter };
    return 0;
}

static int take_long(struct parser *p, const char *written)
{
    const char *eq = strchr(written, '=');
    hw_auto_free char *name =
        hw_xstrndup(written + 2, eq ? (size_t)(eq - written - 2) : strlen(written + 2));
    const char *glued = eq ? eq + 1 : NULL;
    const struct hw_cmd_flag *own = own_flag(p->cmd, name, 0);
    if (own)
        return take_own(p, own, glued, written);
    const struct hw_option *o = hw_option_flag(name, p->cmd->takes);
    if (o)
        return take_option(p, o, glued, written, 0);
    if (strcmp(name, "help") != 0)
        return unknown(p, name);
    p->a->help = true;
    return 0;
}

/* -n VALUE, -nVALUE, -n=VALUE; letters of switches can't be put together. */
static int take_short(struct parser *p, const char *written)
{
    char letter = written[1];
    const char *glued = written[2] == '=' ? written + 3 : written[2] ? written + 2 : NULL;
    const struct hw_cmd_flag *own = own_flag(p->cmd, NULL, letter);
    if (own)
        return take_own(p, own, glued, written);
    const struct hw_option *o = hw_option_letter(letter, p->cmd->takes);
    if (o)
        return take_option(p, o, glued, written, letter);
    if (letter != 'h' || glued)
        return hw_fail(p->err, HW_ECONFIG, "unknown flag '%.*s'", SHOWN, written);
    p->a->help = true;
    return 0;
}

/* Goes on behind what is wrong; p->err keeps the first. */
static int take_all(struct parser *p)
{
    bool flags = true;
    int st = 0;
    while (*p->next) {
        char *arg = *p->next++;
        bool dash = flags && arg[0] == '-' && arg[1];
        if (dash && strcmp(arg, "--") == 0) {
            flags = false;
        } else if (!dash) {
            p->a->rest[p->a->rest_count++] = arg;
            flags = flags && !p->cmd->stop_early;
        } else if ((arg[1] == '-' ? take_long(p, arg) : take_short(p, arg)) < 0) {
            st = -1;
            p->err = NULL;
        }
    }
    return st;
}

/* A wrong flag leaves open whether the word behind it is its value or another command line's first: what stands behind
 * "--" is that command line for sure. */
static void find_command_line(struct hw_args *a, char **argv)
{
    while (*argv && strcmp(*argv, "--") != 0)
        argv++;
    if (!*argv)
        return;
    a->rest_count = 0;
    for (argv++; *argv; argv++)
        a->rest[a->rest_count++] = *argv;
    a->rest[a->rest_count] = NULL;
}

static int check_count(const struct hw_cmd *cmd, const struct hw_args *a, struct hw_err *err)
{
    if (a->rest_count < cmd->args_min)
        return hw_fail(err, HW_ECONFIG, "expected %s", cmd->args);
    if (cmd->args_max >= 0 && a->rest_count > cmd->args_max)
        return hw_fail(err, HW_ECONFIG, "unexpected argument '%.*s'", SHOWN, a->rest[cmd->args_max]);
    return 0;
}

int hw_args_parse(const struct hw_cmd *cmd, char **argv, struct hw_args *ret, struct hw_err *err)
{
    size_t count = 0, own = 0;
    while (argv[count])
        count++;
    while (cmd->flags && cmd->flags[own].name)
        own++;
    struct hw_args a = {
        .flags = hw_xzalloc((count + 1) * sizeof *a.flags),
        .own = hw_xzalloc((own + 1) * sizeof *a.own),
        .rest = hw_xzalloc((count + 1) * sizeof *a.rest),
    };
    struct parser p = { .cmd = cmd, .a = &a, .next = argv, .err = err };
    int st = take_all(&p);
    if (st < 0 && cmd->stop_early)
        find_command_line(&a, argv);
    if (st == 0 && !a.help)
        st = check_count(cmd, &a, err);
    *ret = a;
    return st;
}

void hw_args_done(struct hw_args *a)
{
    free(a->flags);
    free(a->own);
    free(a->rest);
    *a = (struct hw_args){ 0 };
}
