#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

static void out_of_memory(void)
{
    static const char msg[] = "headway: out of memory\n";
    if (write(STDERR_FILENO, msg, sizeof msg - 1) < 0)
        abort();
    abort();
}

void *hw_xzalloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
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
        out_of_memory();
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
