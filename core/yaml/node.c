#include "yaml/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "yaml/scalar.h"

const struct hw_yaml_node *hw_yaml_get(const struct hw_yaml_node *map, const char *key)
{
    if (!hw_yaml_is_map(map))
        return NULL;
    const struct hw_yaml_node *n = map->child;
    while (n && strcmp(n->key, key) != 0)
        n = n->next;
    return n;
}

const struct hw_yaml_node *hw_yaml_at(const struct hw_yaml_node *map, ...)
{
    va_list ap;
    va_start(ap, map);
    const char *key;
    while (map && (key = va_arg(ap, const char *)))
        map = hw_yaml_get(map, key);
    va_end(ap);
    return map;
}

size_t hw_yaml_len(const struct hw_yaml_node *list)
{
    size_t len = 0;
    for (const struct hw_yaml_node *n = hw_yaml_first(list); n; n = n->next)
        len++;
    return len;
}

const char *hw_yaml_describe(const struct hw_yaml_node *node)
{
    static const char *const types[] = {
        [HW_YAML_TEXT] = "text",      [HW_YAML_NULL] = "nothing",  [HW_YAML_BOOL] = "true or false",
        [HW_YAML_INT] = "an integer", [HW_YAML_REAL] = "a number",
    };
    if (!node)
        return "nothing";
    return node->kind == HW_YAML_MAP    ? "a map"
           : node->kind == HW_YAML_LIST ? "a list"
                                        : types[node->type];
}

int hw_yaml_fail(const struct hw_yaml_node *node, struct hw_err *err, enum hw_code code,
                 const char *fmt, ...)
{
    char cause[sizeof err->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cause, sizeof cause, fmt, ap);
    va_end(ap);
    hw_fail(err, code, "%s", cause);
    return hw_wrap(err, "%s:%d", hw_yaml_name(node->file), node->line);
}

/* "expected an integer, not 'abc'", with the key in front. */
static int fail_type(const struct hw_yaml_node *node, struct hw_err *err, const char *expected)
{
    char shown[41], key[65] = "value";
    const char *quote = node->key ? "'" : "";
    if (node->key)
        hw_clean_text(key, sizeof key - 1, hw_str(node->key));
    if (node->kind != HW_YAML_SCALAR || node->type == HW_YAML_NULL)
        return hw_yaml_fail(node, err, HW_EINPUT, "%s%s%s: expected %s, not %s", quote, key, quote,
                            expected, hw_yaml_describe(node));
    hw_clean_text(shown, sizeof shown - 1, hw_str(node->text));
    return hw_yaml_fail(node, err, HW_EINPUT, "%s%s%s: expected %s, not '%s'", quote, key, quote,
                        expected, shown);
}

static bool is_scalar(const struct hw_yaml_node *node, enum hw_yaml_type type)
{
    return node->kind == HW_YAML_SCALAR && node->type == type;
}

int hw_yaml_string(const struct hw_yaml_node *node, const char **ret, struct hw_err *err)
{
    if (!is_scalar(node, HW_YAML_TEXT))
        return fail_type(node, err, "text");
    *ret = node->text;
    return 0;
}

int hw_yaml_bool(const struct hw_yaml_node *node, bool *ret, struct hw_err *err)
{
    if (!is_scalar(node, HW_YAML_BOOL))
        return fail_type(node, err, "true or false");
    *ret = node->text[0] == 't' || node->text[0] == 'T';
    return 0;
}

int hw_yaml_int(const struct hw_yaml_node *node, int64_t *ret, struct hw_err *err)
{
    if (!is_scalar(node, HW_YAML_INT))
        return fail_type(node, err, "an integer");
    if (!hw_yaml_parse_int(node->text, ret))
        return fail_type(node, err, "an integer of at most 63 bits");
    return 0;
}
