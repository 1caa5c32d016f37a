#include "base/json.h"

#include <stdarg.h>

#include "base/mem.h"

void hw_json_guard(void)
{
    json_set_alloc_funcs(hw_xmalloc, free);
}

static json_t *at(json_t *root, va_list ap)
{
    const char *name;
    while (root && (name = va_arg(ap, const char *)))
        root = json_object_get(root, name);
    return root;
}

json_t *hw_json_at(json_t *root, ...)
{
    va_list ap;
    va_start(ap, root);
    json_t *found = at(root, ap);
    va_end(ap);
    return found;
}

const char *hw_json_text(json_t *root, ...)
{
    va_list ap;
    va_start(ap, root);
    json_t *found = at(root, ap);
    va_end(ap);
    return json_string_value(found);
}

char *hw_json_dump(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    return text ? text : hw_xstrdup("null"); /* only when value is NULL */
}
