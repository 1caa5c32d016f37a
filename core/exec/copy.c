#include "exec/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    CHUNK = 64 * 1024,
    PLAIN_CHUNK = 4096, /* what a pipe takes whole */
    TURN = 1024 * 1024, /* bytes of one step, so that signals and other streams have their turn */
};

int hw_copy_init(struct hw_copy *c, int src, bool pty, int dst, int feed, struct hw_err *err)
{
    *c = (struct hw_copy){ .src = src, .through = { -1, -1 }, .dst = dst, .feed = feed };
    if (pty && pipe2(c->through, O_CLOEXEC | O_NONBLOCK) < 0)
        return hw_fail_sys(err, "make a pipe");
    return 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void hw_copy_done(struct hw_copy *c)
{
    close_fd(&c->src);
    close_fd(&c->through[0]);
    close_fd(&c->through[1]);
    c->lost = false;
}

struct pollfd hw_copy_poll(const struct hw_copy *c)
{
    if (c->lost)
        return (struct pollfd){ .fd = -1 };
    if (c->src >= 0 && c->dst_full)
        return (struct pollfd){ .fd = c->dst, .events = POLLOUT };
    return (struct pollfd){ .fd = c->src, .events = POLLIN };
}

static bool is_readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    return fd >= 0 && poll(&p, 1, 0) > 0 && p.revents & POLLIN;
}

bool hw_copy_has_more(const struct hw_copy *c)
{
    return is_readable(c->through[0]) || is_readable(c->src);
}

static void end(struct hw_copy *c, int error)
{
    c->error = error;
    c->lost = error == EPIPE && c->through[0] >= 0;
    if (!c->lost)
        hw_copy_done(c);
}

/* Bytes that the kernel moved, 0 = none now, -1 = the stream is over. */
static ssize_t judge(struct hw_copy *c, ssize_t n)
{
    if (n > 0)
        return n;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    end(c, n < 0 ? errno : 0);
    return -1;
}

/* From a pty's master into our pipe, which is empty. EIO: nobody has the terminal open any more. */
static ssize_t pull(struct hw_copy *c)
{
    ssize_t n = splice(c->src, NULL, c->through[1], NULL, PLAIN_CHUNK, SPLICE_F_NONBLOCK);
    if (n < 0 && errno == EINVAL) { /* a kernel whose terminals can't be spliced from */
        char buf[PLAIN_CHUNK];
        n = read(c->src, buf, sizeof buf);
        if (n > 0)
            n = write(c->through[1], buf, (size_t)n);
    }
    if (n < 0 && errno == EIO)
        n = 0;
    return judge(c, n);
}

/* The reporter's copy of what stands in front. */
static void give_feed(struct hw_copy *c, int from)
{
    if (c->ahead || c->feed < 0 || c->gap)
        return;
    ssize_t n = tee(from, c->feed, CHUNK, SPLICE_F_NONBLOCK);
    if (n <= 0)
        return;
    c->gap = c->missing;
    c->gap_at = c->fed;
    c->missing = false;
    c->ahead = (size_t)n;
    c->fed += (uint64_t)n;
}

static ssize_t write_plain(struct hw_copy *c, int from, size_t max)
{
    char buf[PLAIN_CHUNK];
    ssize_t n = read(from, buf, max < sizeof buf ? max : sizeof buf);
    for (ssize_t at = 0; at < n;) {
        ssize_t m = write(c->dst, buf + at, (size_t)(n - at));
        if (m < 0 && errno == EAGAIN) {
            struct pollfd room = { .fd = c->dst, .events = POLLOUT };
            poll(&room, 1, -1);
        } else if (m < 0 && errno != EINTR)
            return -1;
        else if (m > 0)
            at += m;
    }
    return n;
}

static ssize_t push(struct hw_copy *c, int from)
{
    size_t max = c->ahead ? c->ahead : CHUNK;
    if (!c->plain) {
        ssize_t n = splice(from, NULL, c->dst, NULL, max, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
        if (n >= 0 || errno != EINVAL)
            return n;
        c->plain = true;
    }
    return write_plain(c, from, max);
}

/* One chunk. */
static ssize_t move(struct hw_copy *c)
{
    int from = c->through[0] >= 0 ? c->through[0] : c->src;
    if (from != c->src && !is_readable(from)) {
        ssize_t n = pull(c);
        if (n <= 0)
            return n;
    }
    give_feed(c, from);
    ssize_t n = judge(c, push(c, from));
    if (n == 0)
        c->dst_full = is_readable(from);
    if (n <= 0)
        return n;
    if (c->ahead)
        c->ahead -= (size_t)n;
    else
        c->missing = true;
    return n;
}

bool hw_copy_step(struct hw_copy *c)
{
    ssize_t moved = 0, n = 0;
    c->dst_full = false;
    while (!hw_copy_is_over(c) && moved < TURN && (n = move(c)) > 0)
        moved += n;
    return moved > 0;
}

void hw_copy_run(struct hw_copy *list, size_t count)
{
    struct pollfd fds[4];
    for (;;) {
        size_t open = 0;
        for (size_t i = 0; i < count; i++) {
            fds[i] = hw_copy_poll(&list[i]);
            open += !hw_copy_is_over(&list[i]);
        }
        if (!open)
            return;
        if (poll(fds, count, -1) < 0)
            continue;
        for (size_t i = 0; i < count; i++)
            if (fds[i].fd >= 0 && fds[i].revents)
                hw_copy_step(&list[i]);
        for (size_t i = 0; i < count; i++)
            if (list[i].lost)
                hw_copy_done(&list[i]);
    }
}
