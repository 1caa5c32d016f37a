/* fuzz_file.c - any bytes as the end of a progress file: the line that is taken is the one that a slower and simpler
 * reader finds, and one without its line end is never believed at first sight. */
#include "fuzz.h"
#include "progress/nm.h"
#include "source/file.h"

enum { NOW = 5000, SETTLE = 1000, PART = 1, LONG = 2, BLANK = 4 };

/* The last line that holds more than blanks; ended: a line end stands behind it. */
struct found {
    struct hw_str line;
    bool any, ended, first;
};

static bool is_blank(struct hw_str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (!line.ptr[i] || !strchr(" \t\v\f", line.ptr[i]))
            return false;
    return true;
}

/* Line by line from the front, which is what hw_file_judge does not do. */
static struct found find(const char *text, size_t len)
{
    struct found f = { .any = false };
    for (size_t from = 0; from < len;) {
        size_t to = from;
        while (to < len && text[to] != '\n' && text[to] != '\r')
            to++;
        struct hw_str line = { text + from, to - from };
        if (!is_blank(line))
            f = (struct found){ line, true, to < len, from == 0 };
        from = to + 1;
    }
    while (f.any && is_blank((struct hw_str){ f.line.ptr + f.line.len - 1, 1 }))
        f.line.len--;
    return f;
}

static void check_line(const struct hw_file_read *r, const struct found *f)
{
    struct hw_nm nm;
    struct hw_err err = { 0 };
    fuzz_check(r->len == f->line.len && memcmp(r->line, f->line.ptr, r->len) == 0, "another line",
               r->line);
    fuzz_check(r->len && r->len <= HW_RECORD_MAX && r->line[r->len] == '\0', "no end", r->line);
    if (hw_nm_parse((struct hw_str){ r->line, r->len }, &nm, &err) == 0)
        fuzz_check(nm.done >= 0 && nm.done <= nm.total, "N over M", r->line);
    else
        fuzz_check_err(&err);
}

static void check_first(const struct hw_file_read *r, const struct found *f, bool cut)
{
    bool too_long = f->any && (f->line.len > HW_RECORD_MAX || (cut && f->first));
    fuzz_check((r->kind == HW_FILE_EMPTY) == !f->any, "empty or not", r->line);
    fuzz_check(r->kind != HW_FILE_MISSING, "missing", NULL);
    if (r->kind == HW_FILE_REFUSED)
        fuzz_check(too_long && r->why[0] && fuzz_is_clean(r->why), "refused", r->why);
    if (r->kind == HW_FILE_LINE)
        fuzz_check(!too_long && f->ended, "believed at first sight", r->line);
    if (r->kind == HW_FILE_UNSURE && r->len)
        fuzz_check(!too_long && !f->ended, "in doubt of", r->line);
    if (r->kind == HW_FILE_LINE || (r->kind == HW_FILE_UNSURE && r->len))
        check_line(r, f);
}

/* A second look at the same bytes, then at others. */
static void check_memory(struct hw_str tail, bool whole, struct hw_file_memory *m,
                         const struct hw_file_read *first)
{
    struct hw_file_read r;
    bool torn = first->kind == HW_FILE_UNSURE && first->len;
    hw_file_judge(tail, whole, m, NOW + SETTLE - 1, SETTLE, &r);
    fuzz_check(r.kind == first->kind, "too early", r.line);
    hw_file_judge(tail, whole, m, NOW + SETTLE, SETTLE, &r);
    fuzz_check(r.kind == (torn ? HW_FILE_LINE : first->kind), "settled or not", r.line);
    if (!torn || tail.len < 2)
        return;
    tail.len--; /* another line, or the same one with another blank behind it */
    hw_file_judge(tail, whole, m, NOW + SETTLE, SETTLE, &r);
    struct found f = find(tail.ptr, tail.len);
    if (r.kind == HW_FILE_LINE)
        fuzz_check(f.ended || (r.len == first->len && memcmp(r.line, first->line, r.len) == 0),
                   "believed at first sight", r.line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[HW_FILE_TAIL];
    struct hw_file_memory memory = { .held = false };
    struct hw_file_read r;
    if (size < 1 || size > 2 * HW_RECORD_MAX)
        return 0;
    bool whole = !(data[0] & PART);
    struct hw_str tail = { text, data[0] & LONG ? sizeof text : size - 1 };
    memset(text, data[0] & BLANK ? ' ' : 'x', tail.len - (size - 1)); /* as long as one look is */
    text[0] = 'x';
    memcpy(text + tail.len - (size - 1), data + 1, size - 1);
    hw_file_judge(tail, whole, &memory, NOW, SETTLE, &r);
    struct found f = find(tail.ptr, tail.len);
    check_first(&r, &f, !whole);
    check_memory(tail, whole, &memory, &r);
    return 0;
}
