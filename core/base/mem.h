/* mem.h - small allocations that can't fail, and scope-bound cleanup.
 * hw_x* abort when memory is out (a sidecar is restarted); they are for sizes of our own making.
 * What outside bytes size goes into an hw_buf, which has a ceiling. */
#ifndef HW_BASE_MEM_H
#define HW_BASE_MEM_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

#define HW_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define HW_LEN(array) (sizeof(array) / sizeof((array)[0]))

void *hw_xzalloc(size_t size);
void *hw_xmalloc(size_t size);
void *hw_xcalloc(size_t count, size_t size);
void *hw_xrealloc(void *ptr, size_t size);
char *hw_xstrdup(const char *s);              /* NULL stays NULL */
char *hw_xstrndup(const char *s, size_t len); /* copies len bytes, ends them */
char *hw_xasprintf(const char *fmt, ...) HW_PRINTF(1, 2);

/* Says on stderr that memory is out, and aborts. */
_Noreturn void hw_out_of_memory(void);
/* What is called before an abort, once, to take away what would be left half done: files, a child. May not allocate. NULL =
 * nothing. hw_last_act calls it. */
void hw_set_last_act(void (*fn)(void *ctx), void *ctx);
void hw_last_act(void);

/* Overwrites, so that the compiler can't leave it out; for tokens. */
void hw_wipe(void *ptr, size_t len);

/* Once the start is over: gives free heap back and lets go of the program's pages that only the start needed (they are
 * mapped again when they are used). A reporter idles for hours. */
void hw_settle(void);

static inline void hw_cleanup_free(void *p)
{
    free(*(void **)p);
}
static inline void hw_cleanup_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
static inline void hw_cleanup_file(FILE **f)
{
    if (*f)
        fclose(*f);
}

#define hw_auto_free __attribute__((cleanup(hw_cleanup_free)))
#define hw_auto_fd __attribute__((cleanup(hw_cleanup_fd))) int
#define hw_auto_file __attribute__((cleanup(hw_cleanup_file))) FILE *

static inline void *hw_steal(void *pp)
{
    void *p = *(void **)pp;
    *(void **)pp = NULL;
    return p;
}
static inline int hw_steal_fd(int *fd)
{
    int v = *fd;
    *fd = -1;
    return v;
}

#endif
