#include "base/mem.h"

#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

static struct {
    void (*fn)(void *ctx);
    void *ctx;
    pid_t pid; /* whose: a child that has executed nothing yet must not do it */
} last_act;

void hw_set_last_act(void (*fn)(void *ctx), void *ctx)
{
    last_act.fn = fn;
    last_act.ctx = ctx;
    last_act.pid = getpid();
}

void hw_last_act(void)
{
    void (*fn)(void *ctx) = last_act.fn;
    last_act.fn = NULL;
    if (fn && last_act.pid == getpid())
        fn(last_act.ctx);
}

_Noreturn void hw_out_of_memory(void)
{
    static const char msg[] = "headway: out of memory\n";
    ssize_t n = write(STDERR_FILENO, msg, sizeof msg - 1);
    (void)n; /* nobody can be told */
    hw_last_act();
    signal(SIGABRT, SIG_DFL); /* it was said */
    abort();
}

static void *checked(void *ptr)
{
    if (!ptr)
        hw_out_of_memory();
    return ptr;
}

void *hw_xzalloc(size_t size)
{
    return hw_xcalloc(1, size);
}

void *hw_xmalloc(size_t size)
{
    return checked(malloc(size ? size : 1));
}

void *hw_xcalloc(size_t count, size_t size)
{
    return checked(count && size ? calloc(count, size) : calloc(1, 1));
}

void *hw_xrealloc(void *ptr, size_t size)
{
    return checked(realloc(ptr, size ? size : 1));
}

char *hw_xstrndup(const char *s, size_t len)
{
    char *p = hw_xzalloc(len + 1);
    memcpy(p, s, len);
    return p;
}

char *hw_xstrdup(const char *s)
{
    return s ? hw_xstrndup(s, strlen(s)) : NULL;
}

char *hw_xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *p = NULL;
    va_start(ap, fmt);
    int n = vasprintf(&p, fmt, ap);
    va_end(ap);
    if (n < 0)
        hw_out_of_memory();
    return p;
}

void hw_wipe(void *ptr, size_t len)
{
    if (ptr)
        explicit_bzero(ptr, len);
}

void hw_settle(void)
{
    /* Made by the linker; weak, since a shared module (the specs load one) has none. */
    extern const char __executable_start __attribute__((weak)), etext __attribute__((weak));
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
    uintptr_t from = ((uintptr_t)&__executable_start + page) & ~page, to = (uintptr_t)&etext & ~page;
    malloc_trim(0);
    if (from && from < to)
        madvise((void *)from, to - from, MADV_DONTNEED); /* clean pages of a file: nothing is lost */
}
