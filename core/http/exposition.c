#include "http/exposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { VALUE_MAX = 256 /* names of Kubernetes have at most 253 */ };

int hw_expo_family(struct hw_buf *b, const char *name, const char *type, const char *help)
{
    return hw_buf_addf(b, NULL, "# HELP %s %s.\n# TYPE %s %s\n", name, help, name, type);
}

static int add_escaped(struct hw_buf *b, const char *value)
{
    char clean[VALUE_MAX + 1];
    const char *at = clean;
    hw_clean_text(clean, VALUE_MAX, hw_str(value));
    while (*at) {
        size_t plain = strcspn(at, "\\\"");
        if (hw_buf_add(b, at, plain, NULL) < 0)
            return -1;
        at += plain;
        if (*at && hw_buf_addf(b, NULL, "\\%c", *at++) < 0)
            return -1;
    }
    return 0;
}

int hw_expo_labels(struct hw_buf *b, const struct hw_label *labels)
{
    for (const struct hw_label *l = labels; l->name; l++)
        if (hw_buf_addf(b, NULL, "%s%s=\"", l == labels ? "" : ",", l->name) < 0 ||
            add_escaped(b, l->value) < 0 || hw_buf_add(b, "\"", 1, NULL) < 0)
            return -1;
    return 0;
}

static int add_sample(struct hw_buf *b, const char *name, const char *labels, const char *value)
{
    if (!labels || !labels[0])
        return hw_buf_addf(b, NULL, "%s %s\n", name, value);
    return hw_buf_addf(b, NULL, "%s{%s} %s\n", name, labels, value);
}

int hw_expo_int(struct hw_buf *b, const char *name, const char *labels, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return add_sample(b, name, labels, text);
}

int hw_expo_double(struct hw_buf *b, const char *name, const char *labels, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.10g", value);
    return add_sample(b, name, labels, text);
}
