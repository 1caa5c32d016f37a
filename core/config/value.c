#include "config/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { SHOWN = 60, TEXT_MAX = 1000, PATH_BYTES = 4095, PAIRS_MAX = 64 };

static void *member(struct hw_config *c, const struct hw_option *o)
{
    return (char *)c + o->at;
}

/* "'text': expected what (range)". */
static int refuse(const struct hw_option *o, const char *text, const char *expected,
                  struct hw_err *err)
{
    char shown[SHOWN + 1], range[96];
    hw_clean_text(shown, SHOWN, hw_str(text));
    hw_option_range(o, range, sizeof range);
    return hw_fail(err, HW_ECONFIG, "'%s': expected %s%s%s", shown, expected, range[0] ? ", " : "",
                   range);
}

static int set_text(struct hw_config *c, const struct hw_option *o, const char *text,
                    struct hw_err *err)
{
    size_t max = o->max ? (size_t)o->max : o->type == HW_T_PATH ? PATH_BYTES : TEXT_MAX;
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return refuse(o, text, "text without control characters", err);
    if (!text[0])
        return refuse(o, text, o->type == HW_T_PATH ? "a path" : "text", err);
    if (strlen(text) > max)
        return hw_fail(err, HW_ECONFIG, "expected at most %zu bytes, got %zu", max, strlen(text));
    *(const char **)member(c, o) = text;
    return 0;
}

static bool in_range(const struct hw_option *o, int64_t n)
{
    return (o->min == 0 && o->max == 0) || (n >= o->min && n <= o->max);
}

static int set_duration(struct hw_config *c, const struct hw_option *o, const char *text,
                        struct hw_err *err)
{
    int64_t ms;
    if (hw_parse_duration(text, &ms, NULL) < 0 || !in_range(o, ms))
        return refuse(o, text, "a duration such as 3s, 250ms or 1h30m", err);
    *(int64_t *)member(c, o) = ms;
    return 0;
}

/* Decimal digits, and for sizes a factor behind them; -1: neither, or over 2^63-1. A leading zero is refused: half of
 * the world reads it as octal. */
static int64_t parse_number(const char *text, bool size)
{
    static const struct {
        const char *suffix;
        int64_t factor;
    } rows[] = {
        { "", 1 },
        { "Ki", INT64_C(1) << 10 },
        { "Mi", INT64_C(1) << 20 },
        { "Gi", INT64_C(1) << 30 },
        { "Ti", INT64_C(1) << 40 },
        { "Pi", INT64_C(1) << 50 },
        { "k", 1000 },
        { "K", 1000 },
        { "M", 1000000 },
        { "G", 1000000000 },
        { "T", INT64_C(1000000000000) },
    };
    int64_t n = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
            return -1;
    if (p == text || (text[0] == '0' && p - text > 1))
        return -1;
    size_t len = strlen(p);
    if (size && len > 1 && p[len - 1] == 'B')
        len--; /* GiB as well as Gi */
    for (size_t i = 0; i < (size ? HW_LEN(rows) : 1); i++)
        if (strlen(rows[i].suffix) == len && strncmp(rows[i].suffix, p, len) == 0)
            return __builtin_mul_overflow(n, rows[i].factor, &n) ? -1 : n;
    return -1;
}

static int set_number(struct hw_config *c, const struct hw_option *o, const char *text,
                      struct hw_err *err)
{
    bool size = o->type == HW_T_SIZE;
    int64_t n = parse_number(text, size);
    if (n < 0 || !in_range(o, n))
        return refuse(o, text, size ? "a number such as 1000, or bytes such as 10GiB" : "a number",
                      err);
    *(int64_t *)member(c, o) = n;
    return 0;
}

static int set_bool(struct hw_config *c, const struct hw_option *o, const char *text,
                    struct hw_err *err)
{
    bool yes = strcmp(text, "on") == 0 || strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "off") != 0 && strcmp(text, "false") != 0)
        return refuse(o, text, "on or off (true or false)", err);
    *(bool *)member(c, o) = yes;
    return 0;
}

static int index_of(const struct hw_option *o, const char *word, size_t len)
{
    for (int i = 0; o->words[i]; i++)
        if (strlen(o->words[i]) == len && memcmp(o->words[i], word, len) == 0)
            return i;
    return -1;
}

static int refuse_word(const struct hw_option *o, const char *word, size_t len, struct hw_err *err)
{
    char arg[160], expected[260];
    hw_auto_free char *copy = hw_xstrndup(word, len);
    const char *near = hw_nearest(copy, o->words);
    snprintf(expected, sizeof expected, "%s%s%s%s%s", hw_option_arg(o, arg, sizeof arg),
             o->type == HW_T_WORDS ? " (one or several)" : "", near ? "; did you mean '" : "",
             near ? near : "", near ? "'?" : "");
    return refuse(o, copy, expected, err);
}

static int set_word(struct hw_config *c, const struct hw_option *o, const char *text,
                    struct hw_err *err)
{
    int i = index_of(o, text, strlen(text));
    if (i < 0)
        return refuse_word(o, text, strlen(text), err);
    *(int *)member(c, o) = i;
    return 0;
}

static int set_words(struct hw_config *c, const struct hw_option *o, const char *text,
                     struct hw_err *err)
{
    unsigned bits = 0;
    for (const char *p = text;; p++) {
        size_t len = strcspn(p, ",");
        int i = index_of(o, p, len);
        if (i < 0)
            return refuse_word(o, p, len, err);
        bits |= 1u << i;
        p += len;
        if (!*p)
            break;
    }
    *(unsigned *)member(c, o) = bits;
    return 0;
}

/* "info,annotation=debug": the same grammar as hw_log_configure, which would take effect at once. */
static int set_log(struct hw_config *c, const struct hw_option *o, const char *text,
                   struct hw_err *err)
{
    static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
    const struct hw_option words = { .words = levels };
    for (const char *p = text;; p++) {
        size_t len = strcspn(p, ",");
        const char *eq = memchr(p, '=', len);
        const char *level = eq ? eq + 1 : p;
        if (eq == p || index_of(&words, level, len - (size_t)(level - p)) < 0)
            return refuse(o, text, "error, warn, info or debug, as in info,annotation=debug", err);
        p += len;
        if (!*p)
            break;
    }
    *(const char **)member(c, o) = text;
    return 0;
}

/* ---- pairs --------------------------------------------------------------------------------------- */

static void free_pairs(struct hw_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->list[i].key);
        free(pairs->list[i].value);
    }
    free(pairs->list);
    *pairs = (struct hw_pairs){ 0 };
}

/* Up to one of stop or the end, without its backslashes; *p stands on what ended it. */
static char *take_part(const char **p, const char *stop)
{
    char *part = hw_xzalloc(strlen(*p) + 1);
    for (size_t n = 0; **p && !strchr(stop, **p); (*p)++) {
        if (**p == '\\' && (*p)[1])
            (*p)++;
        part[n++] = **p;
    }
    return part;
}

static int parse_pairs(const char *text, struct hw_pairs *pairs)
{
    pairs->list = hw_xzalloc(PAIRS_MAX * sizeof *pairs->list);
    for (const char *p = text;; p++) {
        if (pairs->count == PAIRS_MAX)
            return -1;
        struct hw_pair *pair = &pairs->list[pairs->count++];
        pair->key = take_part(&p, "=,");
        if (*p != '=' || !pair->key[0])
            return -1;
        p++;
        pair->value = take_part(&p, ",");
        for (size_t i = 0; i + 1 < pairs->count; i++)
            if (strcmp(pairs->list[i].key, pair->key) == 0)
                return -1;
        if (!*p)
            return 0;
    }
}

static int set_pairs(struct hw_config *c, const struct hw_option *o, const char *text,
                     struct hw_err *err)
{
    struct hw_pairs pairs = { 0 };
    if (parse_pairs(text, &pairs) < 0) {
        free_pairs(&pairs);
        return refuse(o, text, "name=value,name=value, each name once, at most 64", err);
    }
    free_pairs(member(c, o));
    *(struct hw_pairs *)member(c, o) = pairs;
    return 0;
}

int hw_value_escape(struct hw_buf *b, const char *text, struct hw_err *err)
{
    for (; *text; text++)
        if ((strchr(",=\\", *text) && hw_buf_add(b, "\\", 1, err) < 0) ||
            hw_buf_add(b, text, 1, err) < 0)
            return -1;
    return 0;
}

/* -------------------------------------------------------------------------------------------------- */

int hw_value_set(struct hw_config *c, const struct hw_option *o, const char *text,
                 struct hw_err *err)
{
    switch (o->type) {
    case HW_T_TEXT:
    case HW_T_PATH:
        return set_text(c, o, text, err);
    case HW_T_DURATION:
        return set_duration(c, o, text, err);
    case HW_T_INT:
    case HW_T_SIZE:
        return set_number(c, o, text, err);
    case HW_T_BOOL:
        return set_bool(c, o, text, err);
    case HW_T_WORD:
        return set_word(c, o, text, err);
    case HW_T_WORDS:
        return set_words(c, o, text, err);
    case HW_T_LOG:
        return set_log(c, o, text, err);
    case HW_T_PAIRS:
        return set_pairs(c, o, text, err);
    }
    return hw_fail(err, HW_ECONFIG, "no such type");
}

void hw_value_done(struct hw_config *c, const struct hw_option *o)
{
    if (o->type == HW_T_PAIRS)
        free_pairs(member(c, o));
}
