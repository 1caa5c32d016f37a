#include "lua/form.h"

#include <string.h>

enum { DIGITS_MAX = 18 };

/* ---- reading the form ---------------------------------------------------------------------------- */

/* Text up to the next number or the end, with %% as %. Returns where it ends, NULL = it is too long. */
static const char *take_text(const char *p, const char *end, struct hw_hint *ret)
{
    char bytes[HW_HINT_MAX];
    size_t len = 0;
    *ret = (struct hw_hint){ .len = 0 };
    while (p < end && (*p != '%' || p[1] == '%')) {
        if (len == sizeof bytes)
            return NULL;
        p += *p == '%';
        bytes[len++] = *p++;
    }
    if (len)
        (void)hw_hint_set(ret, (struct hw_str){ bytes, len });
    return p;
}

static int take_number(struct hw_form *f, const char **p, const char *end, struct hw_err *err)
{
    if (f->count == HW_FORM_NUMBERS)
        return hw_fail(err, HW_ECONFIG, "more than %d numbers", HW_FORM_NUMBERS);
    struct hw_form_number *n = &f->numbers[f->count++];
    n->kind = (*p)[1];
    if (!n->kind || !strchr("+-=d", n->kind))
        return hw_fail(err, HW_ECONFIG, "behind %% stands none of + - = d %%");
    *p = take_text(*p + 2, end, &n->behind);
    if (!*p)
        return hw_fail(err, HW_ECONFIG, "a text of more than %d bytes", HW_HINT_MAX);
    if (*p < end && !n->behind.len)
        return hw_fail(err, HW_ECONFIG, "two numbers with nothing between");
    return 0;
}

static int parse(struct hw_form *f, struct hw_err *err)
{
    const char *p = f->text, *end = p + strlen(p);
    f->anchored = *p == '^';
    p += f->anchored;
    f->closed = end > p && end[-1] == '$';
    end -= f->closed;
    p = take_text(p, end, &f->head);
    if (!p)
        return hw_fail(err, HW_ECONFIG, "a text of more than %d bytes", HW_HINT_MAX);
    if (!f->anchored && !f->head.len)
        return hw_fail(err, HW_ECONFIG, "neither ^ nor a text in front");
    while (p < end)
        if (take_number(f, &p, end, err) < 0)
            return -1;
    for (size_t i = 0; i < f->count; i++)
        if (strchr("+-", f->numbers[i].kind))
            return 0;
    return hw_fail(err, HW_ECONFIG, "no number that grows or shrinks (%%+, %%-)");
}

int hw_form_set(struct hw_form *ret, const char *text, struct hw_err *err)
{
    *ret = (struct hw_form){ .count = 0 };
    if (strlen(text) > HW_FORM_MAX)
        return hw_fail(err, HW_ECONFIG, "more than %d bytes", HW_FORM_MAX);
    memcpy(ret->text, text, strlen(text) + 1);
    return parse(ret, err);
}

/* ---- reading a record ---------------------------------------------------------------------------- */

static const char *read_text(const struct hw_hint *text, const char *p, const char *end)
{
    bool there = (size_t)(end - p) >= text->len && memcmp(p, text->bytes, text->len) == 0;
    return there ? p + text->len : NULL;
}

static const char *read_number(const char *p, const char *end, int64_t *ret)
{
    const char *begin = p;
    int64_t n = 0;
    while (p < end && (unsigned char)(*p - '0') < 10 && p - begin < DIGITS_MAX)
        n = n * 10 + (*p++ - '0');
    *ret = n;
    return p == begin ? NULL : p;
}

static const char *find_head(const struct hw_form *f, const char *p, const char *end)
{
    if (f->anchored)
        return read_text(&f->head, p, end);
    const char *at = hw_hint_find(&f->head, p, end);
    return at ? at + f->head.len : NULL;
}

bool hw_form_read(const struct hw_form *f, struct hw_str record, struct hw_form_values *ret)
{
    const char *end = record.ptr + record.len, *p = find_head(f, record.ptr, end);
    for (size_t i = 0; p && i < f->count; i++) {
        p = read_number(p, end, &ret->at[i]);
        p = p ? read_text(&f->numbers[i].behind, p, end) : NULL;
    }
    while (p && f->closed && p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p && (!f->closed || p == end);
}

bool hw_form_follows(const struct hw_form *f, const struct hw_form_values *before,
                     const struct hw_form_values *now)
{
    for (size_t i = 0; i < f->count; i++) {
        int64_t step = now->at[i] - before->at[i];
        char kind = f->numbers[i].kind;
        if ((kind == '+' && step < 0) || (kind == '-' && step > 0) || (kind == '=' && step != 0))
            return false;
    }
    return true;
}
