#include "source/reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void hw_reply_init(struct hw_reply *r)
{
    *r = (struct hw_reply){ .length = -1 };
    hw_buf_init(&r->bytes, HW_REPLY_HEAD_MAX + HW_REPLY_BODY_MAX);
}

void hw_reply_done(struct hw_reply *r)
{
    hw_buf_done(&r->bytes);
}

static bool refuse(struct hw_reply *r, const char *why)
{
    r->state = HW_REPLY_REFUSED;
    snprintf(r->why, sizeof r->why, "%s", why);
    return false;
}

/* ---- the head -------------------------------------------------------------------------------------- */

/* "HTTP/1.1 200 OK" */
static bool take_status(struct hw_reply *r, const char *line, size_t len)
{
    const char *digits = line + 9;
    if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
        return refuse(r, "the reply is no HTTP");
    for (int i = 0; i < 3; i++)
        if (digits[i] < '0' || digits[i] > '9')
            return refuse(r, "the reply is no HTTP");
    if (len > 12 && digits[3] != ' ')
        return refuse(r, "the reply is no HTTP");
    r->status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + digits[2] - '0';
    if (r->status == 200)
        return true;
    r->state = HW_REPLY_REFUSED;
    snprintf(r->why, sizeof r->why, "status %d", r->status);
    return false;
}

static bool take_length(struct hw_reply *r, const char *value, size_t len)
{
    int64_t n = 0;
    if (!len || r->length >= 0)
        return refuse(r, "Content-Length makes no sense");
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return refuse(r, "Content-Length makes no sense");
        n = n * 10 + (value[i] - '0');
        if (n > HW_REPLY_BODY_MAX)
            return refuse(r, "the body is longer than 1 MiB");
    }
    r->length = n;
    return true;
}

static bool is_named(const char *line, size_t len, const char *name)
{
    size_t n = strlen(name);
    return len == n && strncasecmp(line, name, n) == 0;
}

static bool take_field(struct hw_reply *r, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    if (!colon)
        return refuse(r, "the reply's head makes no sense");
    const char *value = colon + 1, *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (is_named(line, (size_t)(colon - line), "content-length"))
        return take_length(r, value, (size_t)(end - value));
    if (is_named(line, (size_t)(colon - line), "transfer-encoding"))
        return refuse(r, "the reply comes in chunks, unasked");
    if (is_named(line, (size_t)(colon - line), "content-encoding") &&
        !is_named(value, (size_t)(end - value), "identity"))
        return refuse(r, "the reply is compressed, unasked");
    return true;
}

static bool take_line(struct hw_reply *r, size_t len)
{
    const char *line = r->bytes.ptr + r->line;
    bool first = r->status == 0;
    r->line += len + 1;
    if (len && line[len - 1] == '\r')
        len--;
    if (first)
        return take_status(r, line, len);
    if (len)
        return take_field(r, line, len);
    hw_buf_drop(&r->bytes, r->line);
    r->state = HW_REPLY_BODY;
    return true;
}

static bool take_head(struct hw_reply *r)
{
    while (r->state == HW_REPLY_HEAD) {
        const char *from = r->bytes.ptr + r->line;
        const char *lf = memchr(from, '\n', r->bytes.len - r->line);
        size_t seen = lf ? (size_t)(lf - r->bytes.ptr) : r->bytes.len;
        if (seen > HW_REPLY_HEAD_MAX)
            return refuse(r, "the reply's head is longer than 16 KiB");
        if (!lf)
            return true;
        if (!take_line(r, (size_t)(lf - from)))
            return false;
    }
    return true;
}

/* ---- the body -------------------------------------------------------------------------------------- */

static bool take_body(struct hw_reply *r)
{
    if (r->bytes.len > HW_REPLY_BODY_MAX)
        return refuse(r, "the body is longer than 1 MiB");
    if (r->length < 0 || r->bytes.len < (size_t)r->length)
        return true;
    r->bytes.len = (size_t)r->length;
    r->state = HW_REPLY_WHOLE;
    return false;
}

bool hw_reply_feed(struct hw_reply *r, struct hw_str bytes)
{
    if (r->state > HW_REPLY_BODY)
        return false;
    if (hw_buf_add(&r->bytes, bytes.ptr, bytes.len, NULL) < 0)
        return refuse(r, "the body is longer than 1 MiB");
    if (r->state == HW_REPLY_HEAD && !take_head(r))
        return false;
    return r->state == HW_REPLY_HEAD || take_body(r);
}

void hw_reply_end(struct hw_reply *r, bool clean)
{
    if (clean && r->state == HW_REPLY_BODY && r->length < 0)
        r->state = HW_REPLY_WHOLE;
    else if (r->state <= HW_REPLY_BODY)
        refuse(r, r->bytes.len || r->status ? "the reply broke off" : "no reply");
}
