/* command.c - the commands that really run: what stands in front of one (env, nice, timeout and their like) is looked
 * through, and the script of `sh -c` is cut where a shell would: at pipes, lists and lines. A table names the flags of
 * each wrapper that take a value of their own. */
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
    c->words += count;
    c->count -= count;
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

/* What a shell takes for the beginning of a command, and is none. */
static bool is_keyword(const char *word)
{
    static const char *const keywords[] = { "if",    "then", "elif", "else", "while",
                                            "until", "do",   "!",    "{" };
    bool found = false;
    for (size_t i = 0; i < HW_LEN(keywords); i++)
        found |= strcmp(keywords[i], word) == 0;
    return found;
}

/* Drops what stands in front of the command. */
static void look_through(struct hw_command *c)
{
    while (c->count > 0) {
        const struct wrapper *w = wrapper_named(base_name(c->words[0]));
        if (w)
            drop(c, words_of(w, c));
        else if (is_assignment(c->words[0]) || is_keyword(c->words[0]))
            drop(c, 1);
        else
            return;
    }
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

/* ---- scripts ------------------------------------------------------------------------------------- */

struct cutter {
    const char *p;
    struct hw_commands *c;
    bool bad; /* an end is missing, there is no room, or only a shell can tell */
};

static void add_char(struct cutter *k, char c)
{
    if (k->c->text_len == sizeof k->c->text)
        k->bad = true;
    else
        k->c->text[k->c->text_len++] = c;
}

/* Behind the next `end` that no backslash hides, where one may. */
static void skip_to(struct cutter *k, char end, bool escapes)
{
    while (*k->p && *k->p != end)
        k->p += escapes && *k->p == '\\' && k->p[1] ? 2 : 1;
    if (*k->p)
        k->p++;
    else
        k->bad = true;
}

/* p stands at a "(": behind the ")" that closes it. What a substitution runs is not looked at: its output is a word. */
static void skip_parens(struct cutter *k)
{
    int open = 0;
    do {
        char c = *k->p;
        if (!c) {
            k->bad = true;
            return;
        }
        k->p++;
        open += (c == '(') - (c == ')');
        if (c == '\\' && *k->p)
            k->p++;
        else if (c == '\'' || c == '"' || c == '`')
            skip_to(k, c, c != '\'');
    } while (open > 0);
}

/* "$(list)" and "`list`" become one character. False: none begins at p. */
static bool cut_substitution(struct cutter *k)
{
    if (k->p[0] == '`') {
        k->p++;
        skip_to(k, '`', true);
    } else if (k->p[0] == '$' && k->p[1] == '(') {
        k->p++;
        skip_parens(k);
    } else
        return false;
    add_char(k, '$');
    return true;
}

/* The inside of "..." or '...'; p stands behind the quote. */
static void cut_quoted(struct cutter *k, char quote)
{
    while (*k->p && *k->p != quote && !k->bad) {
        if (quote == '"' && cut_substitution(k))
            continue;
        if (quote == '"' && *k->p == '\\' && k->p[1] && strchr("\"\\$`", k->p[1]))
            k->p++;
        add_char(k, *k->p++);
    }
    if (*k->p)
        k->p++;
    else
        k->bad = true;
}

/* Whether it ends a word, or is one of its own. */
static bool is_special(char c)
{
    return c && strchr(" \t\n;|&()<>", c);
}

/* The next word goes to the command that begins at `first`, unless that has enough of them. "2" of "2>log" is none. */
static void cut_word(struct cutter *k, size_t first)
{
    struct hw_commands *c = k->c;
    const char *word = c->text + c->text_len;
    while (*k->p && !is_special(*k->p) && !k->bad) {
        char quote = *k->p;
        if (cut_substitution(k))
            continue;
        k->p++;
        if (quote == '\'' || quote == '"')
            cut_quoted(k, quote);
        else if (quote != '\\')
            add_char(k, quote);
        else if (*k->p)
            add_char(k, *k->p++);
    }
    add_char(k, '\0');
    if (k->bad || ((*k->p == '<' || *k->p == '>') && word[strspn(word, "0123456789")] == '\0'))
        return;
    if (c->word_count - first < HW_COMMAND_WORDS_MAX && c->word_count < HW_LEN(c->words))
        c->words[c->word_count++] = word;
    else if (c->word_count == first)
        k->bad = true;
}

/* p stands at "<" or ">": behind the file's name. A here-document is for a shell. */
static void skip_redirection(struct cutter *k)
{
    size_t words = k->c->word_count;
    k->bad |= k->p[0] == '<' && k->p[1] == '<' && k->p[2] != '<';
    k->p += strspn(k->p, "<>&|");
    if (*k->p == '(') {
        skip_parens(k);
        return;
    }
    k->p += strspn(k->p, " \t");
    cut_word(k, words);
    k->c->word_count = words;
}

/* Words up to where the next command begins. */
static void cut_command(struct cutter *k)
{
    size_t first = k->c->word_count;
    while (*k->p && !k->bad) {
        if (k->p[0] == '\\' && k->p[1] == '\n')
            k->p += 2;
        else if (*k->p == ' ' || *k->p == '\t')
            k->p++;
        else if (*k->p == '#')
            k->p += strcspn(k->p, "\n");
        else if (*k->p == '<' || *k->p == '>' || (k->p[0] == '&' && k->p[1] == '>'))
            skip_redirection(k);
        else if (is_special(*k->p)) {
            k->p++;
            return;
        } else
            cut_word(k, first);
    }
}

static bool add_command(struct hw_commands *c, size_t first, int depth);

static bool add_script(struct hw_commands *c, const char *script, int depth)
{
    struct cutter k = { .p = script, .c = c };
    while (*k.p && !k.bad) {
        size_t first = c->word_count;
        cut_command(&k);
        k.bad = k.bad || !add_command(c, first, depth);
    }
    return !k.bad;
}

/* The words from `first` on: one command, or the script that it has a shell run. False: not to be known. */
static bool add_command(struct hw_commands *c, size_t first, int depth)
{
    struct hw_command command = { c->words + first, c->word_count - first };
    look_through(&command);
    if (command.count == 0)
        return true;
    const char *script = shell_script(&command);
    if (script)
        return depth < DEPTH_MAX && add_script(c, script, depth + 1);
    if (c->count == HW_COMMANDS_MAX)
        return false;
    c->list[c->count++] = command;
    return true;
}

void hw_commands_of(const char *const *argv, struct hw_commands *ret)
{
    ret->count = ret->word_count = ret->text_len = 0;
    while (argv[ret->word_count] && ret->word_count < HW_COMMAND_WORDS_MAX) {
        ret->words[ret->word_count] = argv[ret->word_count];
        ret->word_count++;
    }
    if (!add_command(ret, 0, 0))
        ret->count = 0;
}

void hw_commands_of_line(const char *line, struct hw_commands *ret)
{
    ret->count = ret->word_count = ret->text_len = 0;
    if (!add_script(ret, line, 0))
        ret->count = 0;
}
