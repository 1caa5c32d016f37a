#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void hw_buf_init(struct hw_buf *b, size_t max)
{
    *b = (struct hw_buf){ .max = max };
}

void hw_buf_done(struct hw_buf *b)
{
    free(b->ptr);
    hw_buf_init(b, b->max);
}

void hw_buf_clear(struct hw_buf *b)
{
    b->len = 0;
    if (b->ptr)
        b->ptr[0] = '\0';
}

static int reserve(struct hw_buf *b, size_t more, struct hw_err *err)
{
    if (more > b->max - b->len)
        return hw_fail(err, HW_ELIMIT, "more than %zu bytes", b->max);
    size_t need = b->len + more + 1;
    if (need <= b->size)
        return 0;
    size_t size = b->size ? b->size * 2 : 256;
    if (size < need)
        size = need;
    if (size > b->max + 1)
        size = b->max + 1;
    char *ptr = realloc(b->ptr, size);
    if (!ptr)
        return hw_fail(err, HW_ELIMIT, "no memory for %zu bytes", size);
    b->ptr = ptr;
    b->size = size;
    return 0;
}

int hw_buf_add(struct hw_buf *b, const void *data, size_t len, struct hw_err *err)
{
    if (reserve(b, len, err) < 0)
        return -1;
    if (len)
        memcpy(b->ptr + b->len, data, len);
    b->len += len;
    b->ptr[b->len] = '\0';
    return 0;
}

int hw_buf_addf(struct hw_buf *b, struct hw_err *err, const char *fmt, ...)
{
    char small[512];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    int st = -1;
    if (n < 0)
        hw_fail(err, HW_EINPUT, "can't format");
    else if ((size_t)n < sizeof small)
        st = hw_buf_add(b, small, (size_t)n, err);
    else if (reserve(b, (size_t)n, err) == 0) {
        vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
        st = 0;
    }
    va_end(again);
    return st;
}

void hw_buf_drop(struct hw_buf *b, size_t len)
{
    if (len >= b->len) {
        hw_buf_clear(b);
        return;
    }
    memmove(b->ptr, b->ptr + len, b->len - len + 1);
    b->len -= len;
}

char *hw_buf_take(struct hw_buf *b)
{
    char *ptr = b->ptr ? b->ptr : hw_xstrdup("");
    b->ptr = NULL;
    hw_buf_done(b);
    return ptr;
}
