/* file.c - the settings file: one YAML document, a map of maps that spell out the rows' dotted names. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/load.h"
#include "config/value.h"
#include "yaml/yaml.h"

enum { VALUE_MAX = 16 * 1024 };

struct reader {
    struct hw_config *c;
    struct hw_problems *problems;
};

static char *where(const struct hw_yaml_node *n)
{
    return hw_xasprintf("%s:%d", hw_yaml_name(n->file), n->key_line);
}

static void complain(struct reader *r, const struct hw_yaml_node *n, const char *name,
                     const char *message)
{
    hw_auto_free char *at = where(n);
    hw_problems_add(r->problems, at, name, false, message);
}

/* A list or map as the text that a variable or flag would hold. */
static int spell(const struct hw_option *o, const struct hw_yaml_node *n, struct hw_buf *b,
                 struct hw_err *err)
{
    for (const struct hw_yaml_node *c = n->child; c; c = c->next) {
        const char *text = c->kind == HW_YAML_SCALAR ? c->text : NULL;
        if (!text)
            return hw_fail(err, HW_ECONFIG, "expected plain values in it, found %s",
                           hw_yaml_describe(c));
        if (b->len && hw_buf_add(b, ",", 1, err) < 0)
            return -1;
        if (o->type == HW_T_PAIRS &&
            (hw_value_escape(b, c->key, err) < 0 || hw_buf_add(b, "=", 1, err) < 0 ||
             hw_value_escape(b, text, err) < 0))
            return -1;
        if (o->type == HW_T_WORDS && hw_buf_add(b, text, strlen(text), err) < 0)
            return -1;
    }
    return 0;
}

static void set(struct reader *r, const struct hw_option *o, const struct hw_yaml_node *n)
{
    struct hw_err err;
    hw_auto_buf b;
    hw_buf_init(&b, VALUE_MAX);
    bool fits = n->kind == HW_YAML_SCALAR || (n->kind == HW_YAML_MAP && o->type == HW_T_PAIRS) ||
                (n->kind == HW_YAML_LIST && o->type == HW_T_WORDS);
    if (!fits) {
        hw_fail(&err, HW_ECONFIG, "expected one value, found %s", hw_yaml_describe(n));
        complain(r, n, o->name, err.msg);
        return;
    }
    if (hw_yaml_is_null(n) || (n->kind != HW_YAML_SCALAR && !n->child))
        return; /* nothing is written there: as if the key were not */
    if (n->kind != HW_YAML_SCALAR && spell(o, n, &b, &err) < 0) {
        complain(r, n, o->name, err.msg);
        return;
    }
    hw_auto_free char *at = where(n);
    hw_config_set(r->c, o, b.ptr ? b.ptr : n->text, HW_FROM_FILE, at, r->problems);
}

static bool is_group(const char *name)
{
    size_t len = strlen(name);
    for (const struct hw_option *o = hw_options; o->name; o++)
        if (strncmp(o->name, name, len) == 0 && o->name[len] == '.')
            return true;
    return false;
}

static void unknown(struct reader *r, const struct hw_yaml_node *n, const char *name)
{
    const struct hw_option *near = hw_option_near(name);
    if (!near)
        near = hw_option_near(n->key);
    hw_auto_free char *message =
        near ? hw_xasprintf("unknown setting '%.100s', did you mean '%s'?", name, near->name)
             : hw_xasprintf("unknown setting '%.100s'", name);
    complain(r, n, NULL, message);
}

static void entry(struct reader *r, const struct hw_yaml_node *n, const char *prefix);

static void walk(struct reader *r, const struct hw_yaml_node *map, const char *prefix)
{
    for (const struct hw_yaml_node *n = map->child; n; n = n->next)
        entry(r, n, prefix);
}

/* Recursion is as deep as the dots in a row's name. */
static void entry(struct reader *r, const struct hw_yaml_node *n, const char *prefix)
{
    hw_auto_free char *name = hw_xasprintf("%s%s%.100s", prefix, prefix[0] ? "." : "", n->key);
    const struct hw_option *o = hw_option_named(name);
    if (o && o->no_file)
        complain(r, n, o->name, "concerns one call: a flag, no key of the settings file");
    else if (o && hw_config_value(r->c, o)->from == HW_FROM_FILE)
        complain(r, n, o->name, "is set a second time in this file");
    else if (o)
        set(r, o, n);
    else if (!is_group(name))
        unknown(r, n, name);
    else if (n->kind == HW_YAML_MAP)
        walk(r, n, name);
    else if (!hw_yaml_is_null(n)) {
        hw_auto_free char *message =
            hw_xasprintf("expected a map of settings, found %s", hw_yaml_describe(n));
        complain(r, n, name, message);
    }
}

void hw_config_read_file(struct hw_config *c, const char *path, struct hw_problems *problems)
{
    struct reader r = { .c = c, .problems = problems };
    struct hw_err err;
    hw_auto_yaml *y = NULL;
    if (hw_yaml_load_file(path, 0, &y, &err) < 0) {
        hw_problems_add(problems, NULL, NULL, false, err.msg);
        return;
    }
    const struct hw_yaml_node *root = hw_yaml_root(y, 0);
    if (hw_yaml_count(y) > 1)
        complain(&r, hw_yaml_root(y, 1), NULL, "a second document: a settings file holds one");
    if (hw_yaml_is_map(root))
        walk(&r, root, "");
    else if (!hw_yaml_is_null(root))
        complain(&r, root, NULL, "expected a map of settings");
}
