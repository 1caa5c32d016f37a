#include "progress/nm.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct hw_str skip(struct hw_str s, size_t n)
{
    return (struct hw_str){ s.ptr + n, s.len - n };
}

static struct hw_str skip_blank(struct hw_str s)
{
    while (s.len && is_blank(s.ptr[0]))
        s = skip(s, 1);
    return s;
}

/* At most 32 printable bytes: a file that is no progress file may hold a secret. */
static int refuse(struct hw_str line, const char *why, struct hw_err *err)
{
    char text[512], shown[33];
    size_t n = 0, len = line.len < sizeof text - 1 ? line.len : sizeof text - 1;
    for (size_t i = 0; i < len; i++)
        text[i] = line.ptr[i] >= 0x20 && line.ptr[i] < 0x7f ? line.ptr[i] : '?';
    text[len] = '\0';
    len = hw_hide_credentials(text); /* before the cut, which may leave half a password */
    for (; n < len && n < sizeof shown - 1; n++)
        shown[n] = text[n];
    shown[n] = '\0';
    return hw_fail(err, HW_EINPUT, "%s: '%s%s'", why, shown, len > n ? "..." : "");
}

/* 1 = a count was read, 0 = no digit stands there, -1 = over 63 bits. */
static int count(struct hw_str *s, int64_t *ret)
{
    int64_t n = 0;
    size_t i = 0;
    for (; i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++)
        if (__builtin_mul_overflow(n, (int64_t)10, &n) ||
            __builtin_add_overflow(n, (int64_t)(s->ptr[i] - '0'), &n))
            return -1;
    *s = skip(*s, i);
    *ret = n;
    return i > 0;
}

int hw_nm_parse(struct hw_str line, struct hw_nm *ret, struct hw_err *err)
{
    static const char expected[] = "not N/M";
    struct hw_nm nm = { 0 };
    struct hw_str s = line;
    if (s.len >= 3 && memcmp(s.ptr, "\xef\xbb\xbf", 3) == 0)
        s = skip(s, 3);
    s = skip_blank(s);
    int have = count(&s, &nm.done);
    s = skip_blank(s);
    if (have == 0 || (have > 0 && (!s.len || s.ptr[0] != '/')))
        return refuse(line, expected, err);
    if (have > 0) {
        s = skip_blank(skip(s, 1));
        have = count(&s, &nm.total);
    }
    if (have == 0)
        return refuse(line, expected, err);
    if (have < 0)
        return refuse(line, "count over 2^63-1", err);
    if (s.len && !is_blank(s.ptr[0]) && s.ptr[0] != '\r')
        return refuse(line, expected, err);
    if (memchr(s.ptr, '\0', s.len))
        return refuse(line, "NUL byte", err);
    s = skip_blank(s);
    while (s.len && (is_blank(s.ptr[s.len - 1]) || s.ptr[s.len - 1] == '\r'))
        s.len--;
    if (nm.done > nm.total)
        return refuse(line, "N is over M", err);
    nm.message = s;
    *ret = nm;
    return 0;
}

void hw_nm_format(int64_t done, int64_t total, char buf[HW_NM_SIZE])
{
    snprintf(buf, HW_NM_SIZE, "%" PRId64 "/%" PRId64, done, total);
}
