#include "cmd/usage.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

const struct hw_cmd *hw_cmd_named(const char *name)
{
    for (const struct hw_cmd *const *c = hw_cmds; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

const char *hw_usage_nearest(const char *name)
{
    const char *names[32];
    size_t n = 0;
    for (const struct hw_cmd *const *c = hw_cmds; *c && n < HW_LEN(names) - 1; c++)
        if (!(*c)->hidden)
            names[n++] = (*c)->name;
    names[n] = NULL;
    return hw_nearest(name, names);
}

void hw_usage(FILE *out)
{
    fputs("headway tells Kubernetes how far a data operation is\n\n"
          "usage: headway COMMAND [FLAGS] [ARGUMENTS]\n\n",
          out);
    for (const struct hw_cmd *const *c = hw_cmds; *c; c++)
        if (!(*c)->hidden)
            fprintf(out, "  %-10s %s\n", (*c)->name, (*c)->summary);
    fputs("\nheadway COMMAND --help tells more. Settings come from flags, HEADWAY_* variables and\n" HW_CONFIG_FILE
          ", in that order; headway check shows them all.\n",
          out);
}

/* "  -n, --namespace TEXT" and the help below it. glue: what stands before the argument, " " or "[=". */
static void print_flag(char letter, const char *name, const char *glue, const char *arg,
                       const char *help)
{
    const char *end = glue[0] == '[' ? "]" : "";
    char letters[8] = "    ";
    if (letter)
        snprintf(letters, sizeof letters, "-%c, ", letter);
    printf("  %s--%s%s%s%s\n          %s\n", letters, name, glue, arg, end, help);
}

/* Whether the command prints in that form; for -o, which takes a part of its words. */
static const char *output_words(const struct hw_cmd *cmd, const struct hw_option *o, char *buf,
                                size_t size)
{
    size_t n = 0;
    buf[0] = '\0';
    for (unsigned i = 0; o->words[i]; i++)
        if (cmd->outputs >> i & 1)
            n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? "|" : "", o->words[i]);
    return buf;
}

static void print_option(const struct hw_cmd *cmd, const struct hw_option *o)
{
    char arg[160], range[96];
    bool output = strcmp(o->name, "output") == 0;
    const char *shown =
        output ? output_words(cmd, o, arg, sizeof arg) : hw_option_arg(o, arg, sizeof arg);
    bool is_switch = o->type == HW_T_BOOL || o->bare;
    print_flag(o->letter, o->flag, is_switch ? "[=" : " ", shown, o->help);
    if (output)
        return;
    printf("          (%s", o->env ? o->env : "");
    if (!o->no_file)
        printf(", in the file %s", o->name);
    if (hw_option_range(o, range, sizeof range)[0])
        printf(", %s", range);
    if (o->dflt)
        printf(", default %s", o->dflt);
    printf(")\n");
}

void hw_usage_of(const struct hw_cmd *cmd)
{
    bool settings = cmd->takes != 0;
    printf("usage: headway %s%s%s%s\n\n%s\n", cmd->name, settings || cmd->flags ? " [FLAGS]" : "",
           cmd->args && cmd->args[0] ? " " : "", cmd->args ? cmd->args : "", cmd->summary);
    if (cmd->description)
        printf("\n%s\n", cmd->description);
    printf("\nflags:\n");
    for (const struct hw_cmd_flag *f = cmd->flags; f && f->name; f++)
        if (f->help)
            print_flag(f->letter, f->name, f->arg ? " " : "", f->arg ? f->arg : "", f->help);
    print_flag('h', "help", "", "", "this text");
    for (const struct hw_option *o = hw_options; o->name; o++)
        if (o->takes & cmd->takes)
            print_option(cmd, o);
}
