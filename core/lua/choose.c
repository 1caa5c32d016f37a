#include "lua/choose.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "lua/choose_impl.h"
#include "lua/meta.h"

/* ---- the list in a module's text ----------------------------------------------------------------- */

struct scan {
    const char *p, *end;
};

static void skip_blank(struct scan *s)
{
    for (;;) {
        while (s->p < s->end && isspace((unsigned char)*s->p))
            s->p++;
        if (s->end - s->p < 2 || s->p[0] != '-' || s->p[1] != '-')
            return;
        while (s->p < s->end && *s->p != '\n') /* a comment to the line's end */
            s->p++;
    }
}

static bool skip_char(struct scan *s, char c)
{
    skip_blank(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

/* Whether "--" stands before it in its line. */
static bool is_in_comment(const char *begin, const char *at)
{
    const char *line = at;
    while (line > begin && line[-1] != '\n')
        line--;
    return memmem(line, (size_t)(at - line), "--", 2);
}

/* To behind "NAME = {"; false: there is none. The word must stand alone. */
static bool find_list(struct scan *s, const char *name)
{
    const char *begin = s->p;
    size_t len = strlen(name);
    while (s->p < s->end) {
        const char *at = memmem(s->p, (size_t)(s->end - s->p), name, len);
        if (!at)
            return false;
        bool alone = at > s->p && !isalnum((unsigned char)at[-1]) && at[-1] != '_' &&
                     !is_in_comment(begin, at);
        s->p = at + len;
        if (alone && skip_char(s, '=') && skip_char(s, '{'))
            return true;
    }
    return false;
}

/* The next plain string of the list; false: it is over. */
static bool next_string(struct scan *s, struct hw_str *ret)
{
    skip_blank(s);
    if (s->p == s->end || (*s->p != '"' && *s->p != '\''))
        return false;
    const char *begin = s->p + 1, *quote = memchr(begin, *s->p, (size_t)(s->end - begin));
    if (!quote)
        return false;
    *ret = (struct hw_str){ begin, (size_t)(quote - begin) };
    s->p = quote + 1;
    if (!skip_char(s, ','))
        skip_char(s, ';');
    return true;
}

/* ---- matching ------------------------------------------------------------------------------------ */

/* "/usr/bin/python3.11" -> "python", "rclone" -> "rclone" */
static struct hw_str program_of(const char *word)
{
    const char *slash = strrchr(word, '/');
    struct hw_str name = hw_str(slash ? slash + 1 : word);
    size_t len = name.len;
    while (len > 1 && (isdigit((unsigned char)name.ptr[len - 1]) || name.ptr[len - 1] == '.'))
        len--;
    return (struct hw_str){ name.ptr, len };
}

static bool is_program(const char *word, struct hw_str wanted)
{
    const char *slash = strrchr(word, '/');
    struct hw_str bare = program_of(word);
    return hw_str_is(wanted, slash ? slash + 1 : word) ||
           (bare.len == wanted.len && memcmp(bare.ptr, wanted.ptr, bare.len) == 0);
}

static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1];
}

/* "-avn", "-9v": no name or path is glued on. */
static bool is_bundle(const char *flag)
{
    size_t n = 1;
    while (isalnum((unsigned char)flag[n]))
        n++;
    return n > 1 && !flag[n];
}

/* "-n" is "-n", and one of "-avn"; "--checkpoint" is "--checkpoint=100", too. */
static bool is_argument(const char *word, struct hw_str wanted)
{
    if (hw_str_is(wanted, word))
        return true;
    if (!is_flag(word) || wanted.len < 2 || wanted.ptr[0] != '-')
        return false;
    if (wanted.ptr[1] == '-')
        return strncmp(word, wanted.ptr, wanted.len) == 0 && word[wanted.len] == '=';
    return wanted.len == 2 && is_bundle(word) && strchr(word + 1, wanted.ptr[1]);
}

/* Index behind the word, looking from `from` on; 0 = it is not there. A word that follows a flag may be its value, so the
 * search for a sub-command goes on until one that can't be. */
static size_t find_word(const struct hw_command *c, size_t from, struct hw_str wanted)
{
    bool flag = wanted.ptr[0] == '-';
    for (size_t i = from; i < c->count; i++) {
        if (is_argument(c->words[i], wanted))
            return i + 1;
        bool certain = !is_flag(c->words[i]) && !is_flag(c->words[i - 1]);
        if (!flag && certain)
            return 0;
    }
    return 0;
}

static bool next_word(struct hw_str *pattern, struct hw_str *ret)
{
    while (pattern->len && *pattern->ptr == ' ')
        *pattern = (struct hw_str){ pattern->ptr + 1, pattern->len - 1 };
    const char *space = pattern->len ? memchr(pattern->ptr, ' ', pattern->len) : NULL;
    size_t len = space ? (size_t)(space - pattern->ptr) : pattern->len;
    *ret = (struct hw_str){ pattern->ptr, len };
    *pattern = (struct hw_str){ pattern->ptr + len, pattern->len - len };
    return len > 0;
}

/* How many words of the pattern were found, all of them; 0 = it does not fit. */
static int fits(const struct hw_command *c, struct hw_str pattern)
{
    struct hw_str word;
    if (!next_word(&pattern, &word) || !is_program(c->words[0], word))
        return 0;
    int words = 1;
    for (size_t at = 1; next_word(&pattern, &word); words++)
        if ((at = find_word(c, at, word)) == 0)
            return 0;
    return words;
}

static int best_fit(const struct hw_command *c, struct hw_str text)
{
    struct scan s = { text.ptr, text.ptr + text.len };
    struct hw_str pattern;
    int best = 0;
    if (!find_list(&s, "commands"))
        return 0;
    while (next_string(&s, &pattern)) {
        int words = fits(c, pattern);
        best = words > best ? words : best;
    }
    return best;
}

static bool has_argument(const struct hw_command *c, struct hw_str wanted)
{
    bool found = false;
    for (size_t i = 1; i < c->count; i++)
        found |= is_argument(c->words[i], wanted);
    return found;
}

/* How likely a command prints progress, by what its parser's module says of its arguments. */
enum showing { SILENT, UNASKED, SHOWS };

static enum showing showing_of(const struct hw_command *c, struct hw_str text)
{
    struct scan s = { text.ptr, text.ptr + text.len };
    struct hw_str word;
    enum showing showing = SHOWS;
    bool asked = false;
    if (!find_list(&s, "shows"))
        return SHOWS;
    while (next_string(&s, &word))
        if (word.len && word.ptr[0] == '!') {
            if (has_argument(c, (struct hw_str){ word.ptr + 1, word.len - 1 }))
                return SILENT;
        } else if (!asked) {
            asked = has_argument(c, word);
            showing = asked ? SHOWS : UNASKED;
        }
    return showing;
}

/* ---- choosing ------------------------------------------------------------------------------------ */

/* The parser of one of the commands. */
struct candidate {
    char name[HW_PARSER_NAME_MAX + 1];
    int rank; /* 0 = none knows it */
    enum showing showing;
};

/* Words first, then whose the parser is. */
static void offer(struct candidate *best, const struct hw_command *c,
                  const struct hw_parser_source *source)
{
    int rank = 2 * best_fit(c, source->text);
    if (rank && source->user)
        rank++;
    if (rank <= best->rank)
        return;
    best->rank = rank;
    best->showing = showing_of(c, source->text);
    snprintf(best->name, sizeof best->name, "%s", source->name);
}

static int find_candidates(const struct hw_commands *c, const char *user_dir,
                           struct candidate best[HW_COMMANDS_MAX], struct hw_err *err)
{
    struct hw_parser_list list;
    if (hw_parsers_list(user_dir, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        struct hw_parser_source source = { 0 };
        struct hw_err ignored;
        if (hw_parsers_find(list.entries[i].name, user_dir, &source, &ignored) < 0)
            continue;
        for (size_t k = 0; k < c->count; k++)
            offer(&best[k], &c->list[k], &source);
        hw_parser_source_done(&source);
    }
    hw_parser_list_done(&list);
    return 0;
}

static bool is_named(const struct candidate *list, size_t count, const char *name,
                     enum showing showing)
{
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |= list[i].rank && list[i].showing == showing && strcmp(list[i].name, name) == 0;
    return found;
}

/* Among those that show as much: the one that there is, or the meter. Otherwise all are named. */
static void decide(const struct candidate *list, size_t count, enum showing showing,
                   struct hw_choice *ret)
{
    const struct candidate *first = NULL;
    bool several = false;
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        const struct candidate *c = &list[i];
        if (!c->rank || c->showing != showing || is_named(list, i, c->name, showing))
            continue;
        if (len < sizeof ret->among)
            len += (size_t)snprintf(ret->among + len, sizeof ret->among - len, "%s%s",
                                    first ? ", " : "", c->name);
        several |= first != NULL;
        first = first ? first : c;
    }
    if (several && !is_named(list, count, HW_PARSER_METER, showing))
        return;
    ret->among[0] = '\0';
    if (several)
        snprintf(ret->name, sizeof ret->name, "%s", HW_PARSER_METER);
    else if (first)
        memcpy(ret->name, first->name, sizeof ret->name);
}

static int choose(const struct hw_commands *c, const char *user_dir, struct hw_choice *ret,
                  struct hw_err *err)
{
    struct candidate best[HW_COMMANDS_MAX] = { 0 };
    *ret = (struct hw_choice){ .name = HW_PARSER_UNKNOWN };
    if (c->count == 0)
        return 0;
    if (find_candidates(c, user_dir, best, err) < 0)
        return -1;
    if (c->count == 1) /* nothing else can be meant */
        best[0].showing = SHOWS;
    for (int showing = SHOWS;
         showing > SILENT && !ret->among[0] && strcmp(ret->name, HW_PARSER_UNKNOWN) == 0; showing--)
        decide(best, c->count, (enum showing)showing, ret);
    return 0;
}

int hw_parsers_choose(const char *const *argv, const char *user_dir, struct hw_choice *ret,
                      struct hw_err *err)
{
    struct hw_commands c;
    hw_commands_of(argv, &c);
    return choose(&c, user_dir, ret, err);
}

int hw_parsers_choose_line(const char *line, const char *user_dir, struct hw_choice *ret,
                           struct hw_err *err)
{
    struct hw_commands c;
    hw_commands_of_line(line, &c);
    return choose(&c, user_dir, ret, err);
}

void hw_parsers_program(const char *line, char program[HW_PARSER_NAME_MAX + 1],
                        char argument[HW_PARSER_NAME_MAX + 1])
{
    struct hw_commands c;
    program[0] = argument[0] = '\0';
    hw_commands_of_line(line, &c);
    if (c.count != 1)
        return;
    const struct hw_command *only = &c.list[0];
    hw_clean_text(program, HW_PARSER_NAME_MAX, program_of(only->words[0]));
    if (only->count > 1)
        hw_clean_text(argument, HW_PARSER_NAME_MAX, hw_str(only->words[1]));
}
