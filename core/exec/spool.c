#include "exec/spool.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

static bool has_memory(struct hw_spool *s)
{
    if (s->ring)
        return true;
    void *p = mmap(NULL, HW_SPOOL_MAX, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return false;
    madvise(p, HW_SPOOL_MAX, MADV_DONTFORK);
    madvise(p, HW_SPOOL_MAX, MADV_NOHUGEPAGE); /* they would make a few pages many */
    *s = (struct hw_spool){ .ring = p };
    return true;
}

void hw_spool_done(struct hw_spool *s)
{
    if (s->ring)
        munmap(s->ring, HW_SPOOL_MAX);
    *s = (struct hw_spool){ 0 };
}

static void drop(struct hw_spool *s, size_t n)
{
    s->from = (s->from + n) % HW_SPOOL_MAX;
    s->len -= n;
    if (!s->len)
        hw_spool_done(s);
}

size_t hw_spool_keep(struct hw_spool *s, size_t newest)
{
    size_t lost = s->len > newest ? s->len - newest : 0;
    drop(s, lost);
    return lost;
}

/* Reads n bytes and forgets them. */
static size_t forget(int fd, size_t n)
{
    char buf[4096];
    size_t left = n;
    while (left) {
        ssize_t got = read(fd, buf, left < sizeof buf ? left : sizeof buf);
        if (got <= 0)
            break;
        left -= (size_t)got;
    }
    return n;
}

size_t hw_spool_take(struct hw_spool *s, int fd, size_t n)
{
    if (!has_memory(s))
        return forget(fd, n);
    size_t lost = s->len + n > HW_SPOOL_MAX ? hw_spool_keep(s, s->len - HW_SPOOL_PART) : 0;
    while (n) {
        size_t at = (s->from + s->len) % HW_SPOOL_MAX, room = HW_SPOOL_MAX - at;
        ssize_t got = read(fd, s->ring + at, n < room ? n : room);
        if (got <= 0) /* never: it has them */
            break;
        s->len += (size_t)got;
        n -= (size_t)got;
    }
    return lost;
}

ssize_t hw_spool_give(struct hw_spool *s, int fd)
{
    size_t straight = HW_SPOOL_MAX - s->from;
    ssize_t n = write(fd, s->ring + s->from, s->len < straight ? s->len : straight);
    if (n > 0)
        drop(s, (size_t)n);
    return n;
}
