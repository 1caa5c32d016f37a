#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* What a message quotes may come from anywhere, and a cut may fall into the middle of a character. */
static void clean(struct hw_err *err)
{
    char raw[sizeof err->msg];
    size_t len = strnlen(err->msg, sizeof raw - 1);
    memcpy(raw, err->msg, len);
    hw_clean_text(err->msg, sizeof err->msg - 1, (struct hw_str){ raw, len });
}

__attribute__((format(printf, 4, 0))) static void put(struct hw_err *err, enum hw_code code,
                                                      int sys, const char *fmt, va_list ap)
{
    err->code = code;
    err->sys = sys;
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    if (sys && n >= 0 && (size_t)n < sizeof err->msg)
        snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s", strerror(sys));
    clean(err);
}

void hw_err_set(struct hw_err *err, enum hw_code code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        put(err, code, 0, fmt, ap);
        va_end(ap);
    }
}

void hw_err_set_sys(struct hw_err *err, const char *fmt, ...)
{
    int sys = errno;
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        put(err, HW_ESYS, sys, fmt, ap);
        va_end(ap);
    }
}

void hw_err_wrap(struct hw_err *err, const char *fmt, ...)
{
    if (!err)
        return;
    char head[sizeof err->msg];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(head, sizeof head - 2, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof head - 3 ? (size_t)n : sizeof head - 3;
    memcpy(head + len, ": ", 2);
    len += 2;
    size_t tail = strnlen(err->msg, sizeof err->msg - 1);
    if (tail > sizeof err->msg - 1 - len)
        tail = sizeof err->msg - 1 - len;
    memmove(err->msg + len, err->msg, tail);
    memcpy(err->msg, head, len);
    err->msg[len + tail] = '\0';
    clean(err);
}

int hw_exit_status(enum hw_code code)
{
    switch (code) {
    case HW_OK:
        return 0;
    case HW_ECONFIG:
        return 2;
    case HW_EINPUT:
    case HW_ESYS:
    case HW_ELIMIT:
        return 3;
    case HW_EKUBE:
        return 4;
    case HW_ELUA:
        break;
    }
    return 1;
}
