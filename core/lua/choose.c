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

/* To behind "commands = {"; false: there is none. The word must stand alone. */
static bool find_list(struct scan *s)
{
    static const char word[] = "commands";
    const char *begin = s->p;
    while (s->p < s->end) {
        const char *at = memmem(s->p, (size_t)(s->end - s->p), word, sizeof word - 1);
        if (!at)
            return false;
        bool alone = at > s->p && !isalnum((unsigned char)at[-1]) && at[-1] != '_' &&
                     !is_in_comment(begin, at);
        s->p = at + sizeof word - 1;
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

static bool is_word(const char *word, struct hw_str wanted)
{
    return strlen(word) == wanted.len && memcmp(word, wanted.ptr, wanted.len) == 0;
}

static bool is_program(const char *word, struct hw_str wanted)
{
    const char *slash = strrchr(word, '/');
    struct hw_str bare = program_of(word);
    return is_word(slash ? slash + 1 : word, wanted) ||
           (bare.len == wanted.len && memcmp(bare.ptr, wanted.ptr, bare.len) == 0);
}

static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1];
}

/* Index behind the word, looking from `from` on; 0 = it is not there. A word that follows a flag may be its value, so the
 * search for a sub-command goes on until one that can't be. */
static size_t find_word(const struct hw_command *c, size_t from, struct hw_str wanted)
{
    bool flag = wanted.ptr[0] == '-';
    for (size_t i = from; i < c->count; i++) {
        if (is_word(c->words[i], wanted))
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
    if (!find_list(&s))
        return 0;
    while (next_string(&s, &pattern)) {
        int words = fits(c, pattern);
        best = words > best ? words : best;
    }
    return best;
}

static int choose(const struct hw_command *c, const char *user_dir,
                  char ret[HW_PARSER_NAME_MAX + 1], struct hw_err *err)
{
    struct hw_parser_list list;
    snprintf(ret, HW_PARSER_NAME_MAX + 1, "%s", HW_PARSER_UNKNOWN);
    if (c->count == 0)
        return 0;
    if (hw_parsers_list(user_dir, &list, err) < 0)
        return -1;
    int best = 0;
    for (size_t i = 0; i < list.count; i++) {
        struct hw_parser_source source = { 0 };
        struct hw_err ignored;
        if (hw_parsers_find(list.entries[i].name, user_dir, &source, &ignored) < 0)
            continue;
        int rank = 2 * best_fit(c, source.text); /* words first, then whose it is */
        if (rank && source.user)
            rank++;
        if (rank > best) {
            best = rank;
            snprintf(ret, HW_PARSER_NAME_MAX + 1, "%s", source.name);
        }
        hw_parser_source_done(&source);
    }
    hw_parser_list_done(&list);
    return 0;
}

int hw_parsers_choose(const char *const *argv, const char *user_dir,
                      char ret[HW_PARSER_NAME_MAX + 1], struct hw_err *err)
{
    struct hw_command c;
    hw_command_of(argv, &c);
    return choose(&c, user_dir, ret, err);
}

int hw_parsers_choose_line(const char *line, const char *user_dir, char ret[HW_PARSER_NAME_MAX + 1],
                           struct hw_err *err)
{
    struct hw_command c;
    hw_command_of_line(line, &c);
    return choose(&c, user_dir, ret, err);
}

void hw_parsers_program(const char *line, char program[HW_PARSER_NAME_MAX + 1],
                        char argument[HW_PARSER_NAME_MAX + 1])
{
    struct hw_command c;
    program[0] = argument[0] = '\0';
    hw_command_of_line(line, &c);
    if (c.count == 0)
        return;
    struct hw_str name = program_of(c.words[0]);
    hw_clean_text(program, HW_PARSER_NAME_MAX, name);
    if (c.count > 1)
        hw_clean_text(argument, HW_PARSER_NAME_MAX, hw_str(c.words[1]));
}
