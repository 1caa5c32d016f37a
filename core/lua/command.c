/* command.c - looks through what stands in front of a command: env, nice, timeout and their like, and `sh -c` of one
 * command. A table names the flags of each wrapper that take a value of their own. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "lua/choose_impl.h"

enum { DEPTH_MAX = 8 }; /* sh -c "sh -c ..." */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- wrappers ------------------------------------------------------------------------------------ */

/* valued: flags whose value is the next word when it is not glued on. operands: words between the flags and the command.
 * variables: NAME=value may stand before the command. */
static const struct wrapper {
    const char *name;
    const char *valued[12];
    int operands;
    bool variables;
} wrappers[] = {
    { .name = "env",
      .valued = { "-u", "--unset", "-C", "--chdir", "--argv0", "-a" },
      .variables = true },
    { .name = "nice", .valued = { "-n", "--adjustment" } },
    { .name = "ionice", .valued = { "-c", "--class", "-n", "--classdata", "-p", "-P", "-u" } },
    { .name = "nohup" },
    { .name = "time", .valued = { "-f", "--format", "-o", "--output" } },
    { .name = "stdbuf", .valued = { "-i", "--input", "-o", "--output", "-e", "--error" } },
    { .name = "timeout", .valued = { "-k", "--kill-after", "-s", "--signal" }, .operands = 1 },
    { .name = "sudo",
      .valued = { "-u", "--user", "-g", "--group", "-h", "--host", "-p", "--prompt", "-D", "-C" },
      .variables = true },
    { .name = "doas", .valued = { "-u", "-C" } },
    { .name = "setsid" },
    { .name = "unbuffer" },
    { .name = "chrt", .valued = { "-T", "-P", "-D" }, .operands = 1 },
    { .name = "taskset", .operands = 1 },
    { .name = "chronic" },
    { .name = "exec", .valued = { "-a" } },
    { .name = "command" },
    { .name = "tini", .valued = { "-p" } },
    { .name = "dumb-init" },
};

static const struct wrapper *wrapper_named(const char *name)
{
    for (size_t i = 0; i < HW_LEN(wrappers); i++)
        if (strcmp(wrappers[i].name, name) == 0)
            return &wrappers[i];
    return NULL;
}

static bool takes_value(const struct wrapper *w, const char *flag)
{
    for (size_t i = 0; i < HW_LEN(w->valued) && w->valued[i]; i++)
        if (strcmp(w->valued[i], flag) == 0)
            return true;
    return false;
}

/* "NAME=value" */
static bool is_assignment(const char *word)
{
    size_t n = 0;
    while (isalnum((unsigned char)word[n]) || word[n] == '_')
        n++;
    return n > 0 && word[n] == '=' && !isdigit((unsigned char)word[0]);
}

static void drop(struct hw_command *c, size_t count)
{
    count = count < c->count ? count : c->count;
    c->count -= count;
    memmove(c->words, c->words + count, c->count * sizeof c->words[0]);
}

/* How many words of c belong to the wrapper. */
static size_t words_of(const struct wrapper *w, const struct hw_command *c)
{
    size_t i = 1;
    for (; i < c->count && c->words[i][0] == '-' && c->words[i][1]; i++) {
        if (strcmp(c->words[i], "--") == 0) {
            i++;
            break;
        }
        if (takes_value(w, c->words[i]))
            i++;
    }
    while (w->variables && i < c->count && is_assignment(c->words[i]))
        i++;
    return i + (size_t)w->operands;
}

/* ---- command lines ------------------------------------------------------------------------------- */

/* What makes a line more than one command, or one that only a shell knows. Redirections end the words that count. */
static bool is_more_than_one(char c)
{
    return strchr(";|&\n`()", c) && c;
}

struct cutter {
    const char *p;
    char *dst, *end; /* of the text */
    bool bad;
};

static void add_char(struct cutter *k, char c)
{
    if (k->dst == k->end)
        k->bad = true;
    else
        *k->dst++ = c;
}

/* The inside of "..." or '...'; p stands behind the quote. */
static void cut_quoted(struct cutter *k, char quote)
{
    while (*k->p && *k->p != quote) {
        if (quote == '"' && *k->p == '\\' && k->p[1] && strchr("\"\\$`", k->p[1]))
            k->p++;
        else if (quote == '"' && (*k->p == '`' || (*k->p == '$' && k->p[1] == '(')))
            k->bad = true;
        add_char(k, *k->p++);
    }
    if (*k->p)
        k->p++;
    else
        k->bad = true;
}

/* One word, ended; NULL = there is none any more. */
static const char *cut_word(struct cutter *k)
{
    while (*k->p == ' ' || *k->p == '\t')
        k->p++;
    if (!*k->p || *k->p == '#' || *k->p == '<' || *k->p == '>')
        return NULL;
    const char *word = k->dst;
    while (*k->p && !strchr(" \t<>", *k->p) && !k->bad) {
        char c = *k->p++;
        if (c == '\'' || c == '"')
            cut_quoted(k, c);
        else if (c == '\\' && *k->p)
            add_char(k, *k->p++);
        else if (is_more_than_one(c))
            k->bad = true;
        else
            add_char(k, c);
    }
    add_char(k, '\0');
    return word;
}

/* Cuts it into words of c; false: it is no one command. */
static bool cut_line(const char *line, struct hw_command *c)
{
    char copy[HW_COMMAND_TEXT_MAX];
    size_t len = strnlen(line, sizeof copy);
    if (len == sizeof copy)
        return false;
    while (len && isspace((unsigned char)line[len - 1]))
        len--;
    memcpy(copy, line, len); /* the line may lie in the text that is written */
    copy[len] = '\0';
    struct cutter k = { .p = copy, .dst = c->text, .end = c->text + sizeof c->text };
    const char *word;
    c->count = 0;
    while (!k.bad && c->count < HW_COMMAND_WORDS_MAX && (word = cut_word(&k)))
        c->words[c->count++] = word;
    /* Behind a redirection may still come a pipe. */
    for (; *k.p && *k.p != '#' && !k.bad && c->count < HW_COMMAND_WORDS_MAX; k.p++)
        k.bad = is_more_than_one(*k.p) && !(*k.p == '&' && k.p[-1] == '>');
    return !k.bad;
}

/* The script of `sh -c script`; NULL = it is none. */
static const char *shell_script(const struct hw_command *c)
{
    static const char *const shells[] = { "sh", "bash", "dash", "ash", "zsh", "busybox" };
    const char *name = base_name(c->words[0]);
    bool shell = false;
    for (size_t i = 0; i < HW_LEN(shells); i++)
        shell |= strcmp(shells[i], name) == 0;
    for (size_t i = 1; shell && i + 1 < c->count && strchr("-+", c->words[i][0]); i++) {
        const char *flag = c->words[i];
        if (flag[0] == '-' && flag[1] != '-' && strchr(flag, 'c'))
            return c->words[i + 1];
        if (strcmp(flag, "-o") == 0 || strcmp(flag, "+o") == 0)
            i++;
    }
    return NULL;
}

/* ---- both ---------------------------------------------------------------------------------------- */

static void look_through(struct hw_command *c)
{
    for (int depth = 0; c->count > 0 && depth < DEPTH_MAX; depth++) {
        size_t variables = 0;
        while (variables < c->count && is_assignment(c->words[variables]))
            variables++;
        drop(c, variables);
        if (c->count == 0)
            return;
        const struct wrapper *w = wrapper_named(base_name(c->words[0]));
        const char *script = w ? NULL : shell_script(c);
        if (w)
            drop(c, words_of(w, c));
        else if (!script)
            return;
        else if (!cut_line(script, c))
            break;
    }
    c->count = 0;
}

void hw_command_of(const char *const *argv, struct hw_command *ret)
{
    ret->count = 0;
    while (argv[ret->count] && ret->count < HW_COMMAND_WORDS_MAX) {
        ret->words[ret->count] = argv[ret->count];
        ret->count++;
    }
    look_through(ret);
}

void hw_command_of_line(const char *line, struct hw_command *ret)
{
    if (cut_line(line, ret))
        look_through(ret);
    else
        ret->count = 0;
}
