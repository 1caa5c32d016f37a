#include "replay/cast_out.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

enum {
    CHAR_MAX_BYTES = 4,
    ESCAPED = 6, /* bytes that one becomes at the most: \u001b */
    AROUND = 64, /* of an event: [seconds, "o", ""] */
};

struct hw_cast_out {
    int fd;
    struct hw_buf line;
    struct hw_cast_out_counts counts;
    struct {
        char bytes[CHAR_MAX_BYTES]; /* the beginning of a character */
        size_t len;
    } held[HW_CAST_OUT_STREAMS];
};

void hw_cast_out_free(struct hw_cast_out *c)
{
    if (!c)
        return;
    hw_buf_done(&c->line);
    free(c);
}

struct hw_cast_out_counts hw_cast_out_counts(const struct hw_cast_out *c)
{
    return c->counts;
}

/* ---- lines --------------------------------------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t len, struct hw_err *err)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return hw_fail_sys(err, "write the recording");
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

static int write_line(struct hw_cast_out *c, struct hw_err *err)
{
    if (hw_buf_add(&c->line, "\n", 1, err) < 0)
        return -1;
    return write_all(c->fd, c->line.ptr, c->line.len, err);
}

/* code: "o" or "r". */
static int begin_event(struct hw_cast_out *c, int64_t us, const char *code, struct hw_err *err)
{
    hw_buf_clear(&c->line);
    c->counts.events++;
    return hw_buf_addf(&c->line, err, "[%lld.%06lld, \"%s\", \"", (long long)(us / 1000000),
                       (long long)(us % 1000000), code);
}

static int end_event(struct hw_cast_out *c, struct hw_err *err)
{
    return hw_buf_add(&c->line, "\"]", 2, err) < 0 ? -1 : write_line(c, err);
}

/* ---- characters ---------------------------------------------------------------------------------- */

/* How many bytes a character has that begins so, 0 = none begins so; *ret_least, *ret_most: what the second may be. */
static size_t length_of(unsigned char first, unsigned char *ret_least, unsigned char *ret_most)
{
    *ret_least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80; /* no longer than needed */
    *ret_most = first == 0xed   ? 0x9f
                : first == 0xf4 ? 0x8f
                                : 0xbf; /* no surrogates, nothing over U+10FFFF */
    return first < 0x80                     ? 1
           : first >= 0xc2 && first <= 0xdf ? 2
           : first >= 0xe0 && first <= 0xef ? 3
           : first >= 0xf0 && first <= 0xf4 ? 4
                                            : 0;
}

/* The length of the character at s; 0: its end is still to come; -1: the first byte begins none. */
static int character(const unsigned char *s, size_t len)
{
    unsigned char least, most;
    size_t n = length_of(s[0], &least, &most);
    if (n == 0)
        return -1;
    for (size_t i = 1; i < n; i++) {
        if (i == len)
            return 0;
        if (s[i] < (i == 1 ? least : 0x80) || s[i] > (i == 1 ? most : 0xbf))
            return -1;
    }
    return (int)n;
}

static int add_character(struct hw_cast_out *c, const char *s, size_t len, struct hw_err *err)
{
    unsigned char first = (unsigned char)s[0];
    if (first == '"' || first == '\\')
        return hw_buf_addf(&c->line, err, "\\%c", first);
    if (first < 0x20 || first == 0x7f)
        return hw_buf_addf(&c->line, err, "\\u%04x", first);
    return hw_buf_add(&c->line, s, len, err);
}

static int add_replacement(struct hw_cast_out *c, struct hw_err *err)
{
    c->counts.replaced++;
    return hw_buf_add(&c->line, "\xef\xbf\xbd", 3, err);
}

/* What is no whole character at the end is left: *ret_left bytes of it. */
static int add_text(struct hw_cast_out *c, struct hw_str text, size_t *ret_left, struct hw_err *err)
{
    size_t i = 0;
    *ret_left = 0;
    while (i < text.len) {
        int n = character((const unsigned char *)text.ptr + i, text.len - i);
        if (n == 0)
            break;
        if ((n < 0 ? add_replacement(c, err) : add_character(c, text.ptr + i, (size_t)n, err)) < 0)
            return -1;
        i += n < 0 ? 1 : (size_t)n;
    }
    *ret_left = text.len - i;
    return 0;
}

/* A byte more for the character that was held; *ret_done: it is whole, or none. */
static int complete(struct hw_cast_out *c, size_t stream, char byte, struct hw_err *err)
{
    char *held = c->held[stream].bytes;
    size_t left;
    held[c->held[stream].len++] = byte;
    struct hw_str text = { held, c->held[stream].len };
    if (add_text(c, text, &left, err) < 0)
        return -1;
    memmove(held, held + text.len - left, left);
    c->held[stream].len = left;
    return 0;
}

/* ---- events -------------------------------------------------------------------------------------- */

static int piece(struct hw_cast_out *c, int64_t us, size_t stream, struct hw_str bytes,
                 struct hw_err *err)
{
    size_t left;
    if (begin_event(c, us, "o", err) < 0)
        return -1;
    size_t begun = c->line.len;
    while (c->held[stream].len && bytes.len) {
        if (complete(c, stream, bytes.ptr[0], err) < 0)
            return -1;
        bytes = (struct hw_str){ bytes.ptr + 1, bytes.len - 1 };
    }
    if (add_text(c, bytes, &left, err) < 0)
        return -1;
    if (left) {
        memcpy(c->held[stream].bytes, bytes.ptr + bytes.len - left, left);
        c->held[stream].len = left;
    }
    if (c->line.len > begun)
        return end_event(c, err);
    c->counts.events--; /* nothing whole came */
    return 0;
}

int hw_cast_out_bytes(struct hw_cast_out *c, int64_t us, size_t stream, struct hw_str bytes,
                      struct hw_err *err)
{
    c->counts.bytes += bytes.len;
    while (bytes.len) {
        size_t n = bytes.len < HW_CAST_OUT_PIECE ? bytes.len : HW_CAST_OUT_PIECE;
        if (piece(c, us, stream, (struct hw_str){ bytes.ptr, n }, err) < 0)
            return -1;
        bytes = (struct hw_str){ bytes.ptr + n, bytes.len - n };
    }
    return 0;
}

int hw_cast_out_size(struct hw_cast_out *c, int64_t us, int width, int height, struct hw_err *err)
{
    if (begin_event(c, us, "r", err) < 0 || hw_buf_addf(&c->line, err, "%dx%d", width, height) < 0)
        return -1;
    return end_event(c, err);
}

int hw_cast_out_end(struct hw_cast_out *c, int64_t us, struct hw_err *err)
{
    for (size_t i = 0; i < HW_CAST_OUT_STREAMS; i++) {
        size_t len = c->held[i].len;
        c->held[i].len = 0;
        if (len && begin_event(c, us, "o", err) < 0)
            return -1;
        for (size_t k = 0; k < len; k++)
            if (add_replacement(c, err) < 0)
                return -1;
        if (len && end_event(c, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- the header ---------------------------------------------------------------------------------- */

/* Text of a person's, who may write any bytes. */
static void set_text(json_t *o, const char *key, const char *text)
{
    char clean[8192];
    if (!text || !text[0])
        return;
    json_t *value = strlen(text) < sizeof clean ? json_string(text) : NULL;
    if (!value) {
        hw_clean_text(clean, sizeof clean - 1, hw_str(text));
        value = json_string(clean);
    }
    json_object_set_new(o, key, value);
}

static int write_header(struct hw_cast_out *c, const struct hw_cast_header *h, struct hw_err *err)
{
    hw_auto_json o = json_pack("{s:i, s:i, s:i, s:I}", "version", 2, "width", h->width, "height",
                               h->height, "timestamp", (json_int_t)(h->unix_ms / 1000));
    set_text(o, "command", h->command);
    set_text(o, "title", h->title);
    json_t *env = json_object();
    set_text(env, "SHELL", h->shell);
    set_text(env, "TERM", h->term);
    json_object_set_new(o, "env", env);
    hw_auto_free char *text = hw_json_dump(o);
    hw_buf_clear(&c->line);
    return hw_buf_add(&c->line, text, strlen(text), err) < 0 ? -1 : write_line(c, err);
}

int hw_cast_out_new(struct hw_cast_out **ret, int fd, const struct hw_cast_header *header,
                    struct hw_err *err)
{
    struct hw_cast_out *c = hw_xzalloc(sizeof *c);
    c->fd = fd;
    hw_buf_init(&c->line, ESCAPED * (HW_CAST_OUT_PIECE + CHAR_MAX_BYTES) + AROUND);
    if (write_header(c, header, err) < 0) {
        hw_cast_out_free(c);
        return -1;
    }
    *ret = c;
    return 0;
}
