#include "yaml/convert.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "yaml/scalar.h"

static json_t *number(const struct hw_yaml_node *node, struct hw_err *err)
{
    int64_t n;
    if (node->type == HW_YAML_INT && hw_yaml_parse_int(node->text, &n))
        return json_integer(n);
    double d = strtod(node->text, NULL); /* ".inf" gives 0 with nothing read */
    const char *last = node->text + strlen(node->text) - 1;
    bool word = *last == 'f' || *last == 'F' || *last == 'n' || *last == 'N';
    if (node->type == HW_YAML_INT || word || !isfinite(d)) {
        hw_yaml_fail(node, err, HW_EINPUT, "a number that JSON can't hold");
        return NULL;
    }
    return json_real(d);
}

static json_t *scalar(const struct hw_yaml_node *node, struct hw_err *err)
{
    bool yes;
    json_t *v;
    switch (node->type) {
    case HW_YAML_NULL:
        return json_null();
    case HW_YAML_BOOL:
        return hw_yaml_bool(node, &yes, err) < 0 ? NULL : json_boolean(yes);
    case HW_YAML_INT:
    case HW_YAML_REAL:
        return number(node, err);
    case HW_YAML_TEXT:
        break;
    }
    v = json_string(node->text);
    if (!v)
        hw_yaml_fail(node, err, HW_EINPUT, "no valid UTF-8");
    return v;
}

/* Recursion is bounded by HW_YAML_DEPTH. */
json_t *hw_yaml_to_json(const struct hw_yaml_node *node, struct hw_err *err)
{
    if (!node)
        return json_null();
    if (node->kind == HW_YAML_SCALAR)
        return scalar(node, err);
    json_t *all = node->kind == HW_YAML_MAP ? json_object() : json_array();
    for (const struct hw_yaml_node *n = node->child; n; n = n->next) {
        json_t *one = hw_yaml_to_json(n, err);
        int st = !one                        ? -1
                 : node->kind == HW_YAML_MAP ? json_object_set_new(all, n->key, one)
                                             : json_array_append_new(all, one);
        if (st < 0) {
            if (one)
                hw_yaml_fail(n, err, HW_EINPUT, "no valid UTF-8");
            json_decref(all);
            return NULL;
        }
    }
    return all;
}
