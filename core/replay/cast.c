#include "replay/cast.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

struct hw_cast {
    struct hw_cast_about about;
    bool must, ended, failed;
    char *command;      /* owns */
    struct hw_str rest; /* borrows: added and not read yet */
    struct hw_buf line; /* owns: the beginning of a line, or a log's bytes that were looked at */
    bool taken;         /* line was given, and is cleared at the next call */
    json_t *event;      /* owns: what the last event's bytes lie in */
    uint64_t lines;     /* that are over */
    uint64_t number;    /* of the line at hand, from 1 */
    int64_t us;         /* of the last event */
};

struct hw_cast *hw_cast_new(bool must)
{
    struct hw_cast *c = hw_xzalloc(sizeof *c);
    c->must = must;
    hw_buf_init(&c->line, HW_CAST_LINE_MAX);
    return c;
}

void hw_cast_free(struct hw_cast *c)
{
    if (!c)
        return;
    json_decref(c->event);
    hw_buf_done(&c->line);
    free(c->command);
    free(c);
}

const struct hw_cast_about *hw_cast_about(const struct hw_cast *c)
{
    return &c->about;
}

void hw_cast_add(struct hw_cast *c, struct hw_str bytes)
{
    c->rest = bytes;
}

void hw_cast_end(struct hw_cast *c)
{
    c->ended = true;
}

/* ---- lines --------------------------------------------------------------------------------------- */

static int too_long(struct hw_cast *c, struct hw_err *err)
{
    return hw_fail(err, HW_EINPUT, "line %llu: longer than %d MiB", (unsigned long long)c->number,
                   HW_CAST_LINE_MAX / 1024 / 1024);
}

/* 1: a line, without its end. 0: only its beginning is there, and kept. */
static int take_line(struct hw_cast *c, struct hw_str *ret, struct hw_err *err)
{
    const char *lf = c->rest.len ? memchr(c->rest.ptr, '\n', c->rest.len) : NULL;
    size_t len = lf ? (size_t)(lf - c->rest.ptr) : c->rest.len;
    struct hw_str part = { c->rest.ptr, len };
    c->number = c->lines + 1;
    c->lines += lf != NULL;
    c->rest.ptr += lf ? len + 1 : len;
    c->rest.len -= lf ? len + 1 : len;
    if (lf && !c->line.len && len <= HW_CAST_LINE_MAX) {
        *ret = part;
        return 1;
    }
    if (len && hw_buf_add(&c->line, part.ptr, part.len, err) < 0)
        return too_long(c, err);
    *ret = (struct hw_str){ c->line.ptr, c->line.len };
    c->taken = lf;
    return lf ? 1 : 0;
}

static bool is_blank(struct hw_str text)
{
    size_t i = 0;
    while (i < text.len && strchr(" \t\r", text.ptr[i]) && text.ptr[i])
        i++;
    return i == text.len;
}

/* Forgets what the call before has given. */
static void let_go(struct hw_cast *c)
{
    json_decref(c->event);
    c->event = NULL;
    if (c->taken)
        hw_buf_clear(&c->line);
    c->taken = false;
}

/* ---- JSON that is a little wrong -------------------------------------------------------------------- */

/* The value of "\uXXXX" at p, -1 = that is not what stands there. */
static int escaped_unit(const char *p, const char *end)
{
    unsigned value = 0;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        const char *digits = "0123456789abcdef",
                   *at = p[i] ? strchr(digits, tolower((unsigned char)p[i])) : NULL;
        if (!at)
            return -1;
        value = value << 4 | (unsigned)(at - digits);
    }
    return (int)value;
}

/* Half a surrogate pair alone is no character: "\\ufffd" takes its place. Whether there was one. */
static bool mend_surrogates(char *p, const char *end)
{
    bool mended = false;
    while (p < end) {
        int unit = escaped_unit(p, end), next = unit < 0 ? -1 : escaped_unit(p + 6, end);
        bool half = unit >= 0xd800 && unit <= 0xdfff;
        bool pair = half && unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff;
        if (half && !pair) {
            memcpy(p, "\\ufffd", 6);
            mended = true;
        }
        p += pair ? 12 : unit >= 0 ? 6 : *p == '\\' ? 2 : 1;
    }
    return mended;
}

/* Python's json writes such halves for bytes that are no UTF-8. NULL: error says why. */
static json_t *load(struct hw_str line, size_t flags, json_error_t *error)
{
    json_t *value = json_loadb(line.ptr, line.len, flags, error);
    if (value)
        return value;
    hw_auto_free char *copy = hw_xzalloc(line.len + 1);
    if (line.len)
        memcpy(copy, line.ptr, line.len);
    return mend_surrogates(copy, copy + line.len) ? json_loadb(copy, line.len, flags, error) : NULL;
}

/* ---- the header ---------------------------------------------------------------------------------- */

static const char bom[] = "\xEF\xBB\xBF";

/* Version 1 is one object with "stdout", 2 has width and height, 3 has "term". */
static bool is_asciicast(const json_t *o)
{
    bool sized =
        json_is_number(json_object_get(o, "width")) && json_is_number(json_object_get(o, "height"));
    return json_is_integer(json_object_get(o, "version")) &&
           (sized || json_is_object(json_object_get(o, "term")));
}

static void take_about(struct hw_cast *c, const json_t *o)
{
    const char *command = json_string_value(json_object_get(o, "command"));
    double began = json_number_value(json_object_get(o, "timestamp"));
    if (command && command[0]) {
        size_t size = strlen(command) + 1;
        c->command = hw_xzalloc(size);
        hw_clean_text(c->command, size - 1, hw_str(command));
        c->about.command = c->command[0] ? c->command : NULL;
    }
    if (began > 0 && began < 253402300800.0) /* the year 10000 */
        c->about.unix_ms = (int64_t)(began * 1000);
}

/* What is wrong with a first line that must be a header, by the name of the field. */
static int no_header(const json_t *o, const char *why, struct hw_err *err)
{
    static const char *const names[] = { "version", "width", "height" };
    if (!json_is_object(o))
        return hw_fail(err, HW_EINPUT, "line 1: no header of an asciicast v2 recording: %s",
                       o ? "not an object" : why);
    for (size_t i = 0; i < HW_LEN(names); i++) {
        const json_t *field = json_object_get(o, names[i]);
        if (!field || !(i ? json_is_number(field) : json_is_integer(field)))
            return hw_fail(err, HW_EINPUT, "line 1: header of an asciicast v2 recording: %s is %s",
                           names[i], field ? "no number" : "missing");
    }
    return hw_fail(err, HW_EINPUT, "line 1: no header of an asciicast v2 recording");
}

/* Whether a first line is a header; else it is a log's. */
static int judge_header(struct hw_cast *c, struct hw_str line, struct hw_err *err)
{
    json_error_t error;
    if (line.len >= 3 && memcmp(line.ptr, bom, 3) == 0)
        line = (struct hw_str){ line.ptr + 3, line.len - 3 };
    hw_auto_json o = load(line, 0, &error);
    if (!json_is_object(o) || !is_asciicast(o)) {
        c->about.kind = HW_CAST_LOG;
        return c->must ? no_header(o, line.len ? error.text : "not an object", err) : 0;
    }
    json_int_t version = json_integer_value(json_object_get(o, "version"));
    if (version != 2)
        return hw_fail(err, HW_EINPUT, "line 1: asciicast version %lld, only version 2 is read",
                       (long long)version);
    take_about(c, o);
    c->about.kind = HW_CAST_V2;
    return 0;
}

/* Whether what is there may still become a header. */
static bool may_be_header(struct hw_str text)
{
    if (text.len >= 3 && memcmp(text.ptr, bom, 3) == 0)
        text = (struct hw_str){ text.ptr + 3, text.len - 3 };
    else if (text.len < 3 && memcmp(text.ptr, bom, text.len) == 0)
        return true;
    while (text.len && (*text.ptr == ' ' || *text.ptr == '\t'))
        text = (struct hw_str){ text.ptr + 1, text.len - 1 };
    return text.len <= HW_CAST_HEADER_MAX && (!text.len || *text.ptr == '{');
}

/* The bytes seen so far are kept in line, with the end of the line when it came: a log gets them back. */
static int sniff(struct hw_cast *c, struct hw_err *err)
{
    const char *lf = c->rest.len ? memchr(c->rest.ptr, '\n', c->rest.len) : NULL;
    size_t len = lf ? (size_t)(lf - c->rest.ptr) + 1 : c->rest.len;
    c->number = 1;
    if (len > HW_CAST_HEADER_MAX)
        len = HW_CAST_HEADER_MAX + 1;
    if (len && hw_buf_add(&c->line, c->rest.ptr, len, err) < 0)
        return too_long(c, err);
    c->rest = (struct hw_str){ c->rest.ptr ? c->rest.ptr + len : NULL, c->rest.len - len };
    struct hw_str seen = { c->line.ptr, c->line.len };
    if (!seen.len && !c->ended)
        return 0;
    bool whole = c->ended || (seen.len && seen.ptr[seen.len - 1] == '\n');
    bool may = !seen.len || may_be_header(seen);
    if (!whole && may)
        return 0;
    if (!may)
        seen.len = 0; /* nothing of it is read */
    if (judge_header(c, seen, err) < 0)
        return -1;
    c->lines = 1;
    c->taken = c->about.kind == HW_CAST_V2;
    return 1;
}

int hw_cast_sniff(struct hw_cast *c, struct hw_err *err)
{
    if (c->failed)
        return hw_fail(err, HW_EINPUT, "can't be read any further");
    int st = c->about.kind == HW_CAST_UNKNOWN ? sniff(c, err) : 1;
    c->failed = st < 0;
    return st;
}

/* ---- events -------------------------------------------------------------------------------------- */

static int wrong(struct hw_cast *c, struct hw_err *err, const char *what)
{
    return hw_fail(err, HW_EINPUT, "line %llu: %s, expected [seconds, \"o\", text]",
                   (unsigned long long)c->number, what);
}

static int take_time(struct hw_cast *c, const json_t *time, struct hw_err *err)
{
    double s = json_number_value(time);
    if (!json_is_number(time))
        return wrong(c, err, "no time");
    if (!(s >= 0 && s <= HW_CAST_SECONDS_MAX))
        return hw_fail(err, HW_EINPUT, "line %llu: time %g is out of range",
                       (unsigned long long)c->number, s);
    int64_t us = (int64_t)round(s * 1e6);
    if (us < c->us && c->about.back++ == 0)
        c->about.back_line = c->number;
    c->us = us > c->us ? us : c->us;
    return 0;
}

/* c->event is the line's value. */
static int take_event(struct hw_cast *c, struct hw_cast_event *ret, struct hw_err *err)
{
    const json_t *code = json_array_get(c->event, 1), *text = json_array_get(c->event, 2);
    if (!json_is_array(c->event))
        return wrong(c, err, "no event");
    if (take_time(c, json_array_get(c->event, 0), err) < 0)
        return -1;
    if (!json_is_string(code))
        return wrong(c, err, "no kind");
    bool output = strcmp(json_string_value(code), "o") == 0;
    if (output && !json_is_string(text))
        return wrong(c, err, "no text");
    *ret = (struct hw_cast_event){ .us = c->us };
    if (output)
        ret->bytes = (struct hw_str){ json_string_value(text), json_string_length(text) };
    return 1;
}

/* The last line, which has no end. */
static bool is_torn(struct hw_str line)
{
    while (line.len && (*line.ptr == ' ' || *line.ptr == '\t'))
        line = (struct hw_str){ line.ptr + 1, line.len - 1 };
    return line.len && *line.ptr == '[';
}

static int parse_event(struct hw_cast *c, struct hw_str line, bool last, struct hw_cast_event *ret,
                       struct hw_err *err)
{
    json_error_t error;
    c->event = load(line, JSON_ALLOW_NUL, &error);
    if (c->event)
        return take_event(c, ret, err);
    if (last && is_torn(line)) {
        c->about.is_cut = true;
        return 0;
    }
    return hw_fail(err, HW_EINPUT, "line %llu: %s", (unsigned long long)c->number, error.text);
}

static int next_event(struct hw_cast *c, struct hw_cast_event *ret, struct hw_err *err)
{
    for (;;) {
        struct hw_str line;
        int st = take_line(c, &line, err);
        bool last = st == 0 && c->ended && line.len;
        if (st < 0)
            return -1;
        if (st == 0 && !last)
            return 0;
        c->taken = c->taken || last;
        if (!is_blank(line))
            return parse_event(c, line, last, ret, err);
        let_go(c);
    }
}

/* First what was looked at, then what was added. */
static int next_bytes(struct hw_cast *c, struct hw_cast_event *ret)
{
    *ret = (struct hw_cast_event){ 0 };
    if (c->line.len) {
        ret->bytes = (struct hw_str){ c->line.ptr, c->line.len };
        c->taken = true;
        return 1;
    }
    ret->bytes = c->rest;
    c->rest.len = 0;
    return ret->bytes.len ? 1 : 0;
}

int hw_cast_next(struct hw_cast *c, struct hw_cast_event *ret, struct hw_err *err)
{
    let_go(c);
    int st = hw_cast_sniff(c, err);
    if (st <= 0)
        return st;
    if (c->about.kind == HW_CAST_LOG)
        return next_bytes(c, ret);
    let_go(c); /* the header */
    st = next_event(c, ret, err);
    c->failed = st < 0;
    return st;
}
