/* fuzz_config.c - a settings file and an environment (behind a NUL each: NAME=value) through the loader: every problem
 * says where and what, every value is in its range, and is taken again as it is shown. */
#include "config/config.h"
#include "fuzz.h"
#include "yaml/yaml.h"

enum { ENV_MAX = 16, FLAGS_MAX = 64 };

static void check_problems(const struct hw_problems *p, const char *path)
{
    size_t errors = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct hw_problem *one = &p->list[i];
        hw_auto_free char *text = hw_problem_text(one);
        errors += !one->warning;
        fuzz_check(one->message && one->message[0], "a problem without a message", text);
        fuzz_check_clean(text, "problem is not clean");
        fuzz_check(one->where || strstr(text, path), "a problem of nowhere", text);
    }
    fuzz_check(p->count < 100 ? errors == p->errors : errors <= p->errors, "errors miscounted",
               NULL);
}

static bool in_range(const struct hw_option *o, int64_t n)
{
    return (o->min == 0 && o->max == 0) || (n >= o->min && n <= o->max);
}

static size_t word_count(const struct hw_option *o)
{
    size_t n = 0;
    while (o->words[n])
        n++;
    return n;
}

static bool is_text_fine(const struct hw_option *o, const char *text)
{
    size_t max = o->max ? (size_t)o->max : 4095;
    if (!text || !text[0] || strlen(text) > max)
        return false;
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return true;
}

static bool are_pairs_fine(const struct hw_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (!pairs->list[i].key[0] ||
            hw_pairs_get(pairs, pairs->list[i].key) != pairs->list[i].value)
            return false;
    return pairs->count <= 64;
}

static void check_member(const struct hw_config *c, const struct hw_option *o)
{
    const void *at = (const char *)c + o->at;
    const char *text = hw_config_value(c, o)->text;
    bool ok = true;
    if (o->type == HW_T_WORD)
        ok = *(const int *)at >= 0 && (size_t) * (const int *)at < word_count(o);
    else if (o->type == HW_T_WORDS)
        ok = *(const unsigned *)at && *(const unsigned *)at >> word_count(o) == 0;
    else if (o->type == HW_T_PAIRS)
        ok = are_pairs_fine(at);
    else if (text && (o->type == HW_T_TEXT || o->type == HW_T_PATH))
        ok = *(const char *const *)at == text && is_text_fine(o, text);
    else if (text && (o->type == HW_T_DURATION || o->type == HW_T_INT || o->type == HW_T_SIZE))
        ok = in_range(o, *(const int64_t *)at);
    fuzz_check(ok, o->name, text);
}

static void check_equal(const struct hw_config *a, const struct hw_config *b,
                        const struct hw_option *o)
{
    const void *x = (const char *)a + o->at, *y = (const char *)b + o->at;
    const struct hw_pairs *p = x, *q = y;
    bool same = hw_streq(hw_config_value(a, o)->text, hw_config_value(b, o)->text);
    if (o->type == HW_T_PAIRS) {
        same = same && p->count == q->count;
        for (size_t i = 0; same && i < p->count; i++)
            same = hw_streq(p->list[i].value, hw_pairs_get(q, p->list[i].key));
    } else if (o->type == HW_T_DURATION || o->type == HW_T_INT || o->type == HW_T_SIZE)
        same = same && *(const int64_t *)x == *(const int64_t *)y;
    else if (o->type == HW_T_WORD || o->type == HW_T_WORDS)
        same = same && *(const int *)x == *(const int *)y;
    fuzz_check(same, o->name, hw_config_value(a, o)->text);
}

/* Options of the parser are what the map in the file says, whatever had to be escaped on the way. */
static void check_map(const struct hw_config *c, const char *path)
{
    hw_auto_yaml *y = NULL;
    struct hw_err err = { 0 };
    const struct hw_value *v = hw_config_value(c, hw_option_named("parser.options"));
    if (v->from != HW_FROM_FILE || hw_yaml_load_file(path, 0, &y, &err) < 0)
        return;
    const struct hw_yaml_node *map = hw_yaml_at(hw_yaml_root(y, 0), "parser", "options", NULL);
    if (!hw_yaml_is_map(map))
        return;
    fuzz_check(hw_yaml_len(map) == c->parser.options.count, "options", v->text);
    for (const struct hw_yaml_node *n = hw_yaml_first(map); n; n = hw_yaml_next(n))
        fuzz_check(hw_streq(n->text, hw_pairs_get(&c->parser.options, n->key)), n->key, v->text);
}

/* All that was taken, given as flags, must be the same settings. */
static void check_again(const struct hw_config *c)
{
    struct hw_flag flags[FLAGS_MAX];
    struct hw_problems problems = { 0 };
    char *env[] = { NULL };
    size_t n = 0;
    for (const struct hw_option *o = hw_options; o->name && n < FLAGS_MAX; o++)
        if (hw_config_value(c, o)->text)
            flags[n++] = (struct hw_flag){ .option = o, .value = hw_config_value(c, o)->text };
    for (size_t i = 0; i < n; i++)
        if (strcmp(flags[i].option->name, "config") == 0)
            flags[i].value = "/dev/null";
    struct hw_config *again = hw_config_load(flags, n, env, &problems);
    for (size_t i = 0; i < problems.count; i++)
        fuzz_check(hw_streq(problems.list[i].name, "sinks"), "refused", problems.list[i].message);
    for (const struct hw_option *o = hw_options; o->name; o++)
        if (strcmp(o->name, "config") != 0)
            check_equal(c, again, o);
    hw_config_free(again);
    hw_problems_done(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *env[ENV_MAX + 1] = { NULL };
    struct hw_str rest = { (const char *)data, size }, part, file = { "", 0 };
    struct hw_problems problems = { 0 };
    if (size > 32 * 1024)
        return 0;
    fuzz_next(&rest, '\0', &file);
    for (size_t i = 0; i < ENV_MAX && fuzz_next(&rest, '\0', &part); i++)
        env[i] = fuzz_text((const uint8_t *)part.ptr, part.len);
    const char *path = fuzz_file(0, file.ptr, file.len);
    struct hw_flag flag = { .option = hw_option_named("config"), .value = path };
    struct hw_config *c = hw_config_load(&flag, 1, env, &problems);
    fuzz_check(hw_streq(c->config, path), "another file", c->config);
    check_problems(&problems, path);
    for (const struct hw_option *o = hw_options; o->name; o++)
        check_member(c, o);
    check_map(c, path);
    check_again(c);
    hw_config_free(c);
    hw_problems_done(&problems);
    for (size_t i = 0; env[i]; i++)
        free(env[i]);
    return 0;
}
