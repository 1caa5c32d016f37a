#include "exec/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/terminal.h"

enum {
    CHUNK = 64 * 1024,
    PLAIN_CHUNK = 4096, /* what a pipe takes whole */
    TURN = 1024 * 1024, /* bytes of one step, so that signals and other streams have their turn */
    RUN_MAX = 2,        /* streams of hw_copy_run */
};

/* What dst is decides how it can be written to without being held up: SPLICE_F_NONBLOCK counts for pipes only. */
static void look_at_dst(struct hw_copy *c)
{
    struct stat st;
    if (fstat(c->dst, &st) < 0)
        return;
    c->has_reader = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
    c->paced = S_ISSOCK(st.st_mode);
    if (!isatty(c->dst))
        return;
    c->anew = hw_terminal_reopen(c->dst, O_WRONLY);
    c->paced = c->anew < 0;
}

int hw_copy_init(struct hw_copy *c, int src, bool pty, int dst, int feed, struct hw_err *err)
{
    *c = (struct hw_copy){
        .src = src, .through = { -1, -1 }, .dst = dst, .anew = -1, .feed = feed, .side = { -1, -1 }
    };
    if (pty && pipe2(c->through, O_CLOEXEC | O_NONBLOCK) < 0)
        return hw_fail_sys(err, "make a pipe");
    look_at_dst(c);
    return 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void hw_copy_close(struct hw_copy *c)
{
    close_fd(&c->src);
    close_fd(&c->through[0]);
    close_fd(&c->through[1]);
    close_fd(&c->anew);
    c->reader_gone = false;
}

void hw_copy_done(struct hw_copy *c)
{
    hw_copy_close(c);
    close_fd(&c->side[0]);
    close_fd(&c->side[1]);
    hw_spool_done(&c->spool);
}

static int target(const struct hw_copy *c)
{
    return c->anew >= 0 ? c->anew : c->dst;
}

struct pollfd hw_copy_poll(const struct hw_copy *c)
{
    if (c->reader_gone)
        return (struct pollfd){ .fd = -1 };
    if (c->src >= 0 && c->feed_full)
        return (struct pollfd){ .fd = c->feed, .events = POLLOUT };
    if (c->src >= 0 && c->dst_full)
        return (struct pollfd){ .fd = target(c), .events = POLLOUT };
    return (struct pollfd){ .fd = c->src, .events = POLLIN };
}

struct pollfd hw_copy_poll_reader(const struct hw_copy *c)
{
    return (struct pollfd){ .fd = !hw_copy_is_over(c) && c->has_reader ? c->dst : -1 };
}

static bool is_readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    return fd >= 0 && poll(&p, 1, 0) > 0 && p.revents & POLLIN;
}

static bool is_hung_up(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    return poll(&p, 1, 0) > 0 && !(p.revents & POLLIN);
}

bool hw_copy_has_more(const struct hw_copy *c)
{
    return is_readable(c->through[0]) || is_readable(c->src);
}

uint64_t hw_copy_waiting(const struct hw_copy *c)
{
    int n = 0, m = 0;
    if (c->src < 0 || ioctl(c->src, FIONREAD, &n) < 0)
        n = 0;
    if (c->through[0] < 0 || ioctl(c->through[0], FIONREAD, &m) < 0)
        m = 0;
    return (uint64_t)n + (uint64_t)m;
}

static void end(struct hw_copy *c, int error)
{
    c->error = error;
    c->reader_gone = error == EPIPE && c->through[0] >= 0;
    if (!c->reader_gone)
        hw_copy_close(c);
}

void hw_copy_lose_reader(struct hw_copy *c)
{
    end(c, EPIPE);
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

/* ---- the reporter's copy ------------------------------------------------------------------------- */

bool hw_copy_flush(struct hw_copy *c)
{
    while (c->spool.len && !c->lost) {
        ssize_t n = hw_spool_give(&c->spool, c->feed);
        if (n <= 0)
            return false;
        c->fed += (uint64_t)n;
    }
    return !c->spool.len && !c->lost;
}

void hw_copy_hurry(struct hw_copy *c)
{
    c->lost += hw_spool_keep(&c->spool, CHUNK);
}

static bool has_side(struct hw_copy *c)
{
    if (c->side[0] < 0 && pipe2(c->side, O_CLOEXEC | O_NONBLOCK) < 0)
        c->side[0] = c->side[1] = -1;
    return c->side[0] >= 0;
}

static ssize_t give_spool(struct hw_copy *c, int from)
{
    ssize_t n = has_side(c) ? tee(from, c->side[1], CHUNK, SPLICE_F_NONBLOCK) : -1;
    if (n > 0)
        c->lost += hw_spool_take(&c->spool, c->side[0], (size_t)n);
    return n;
}

static int bytes_in(int fd)
{
    int n = 0;
    return ioctl(fd, FIONREAD, &n) < 0 ? 0 : n;
}

/* A piece that is shorter than a page, for a reporter that lags: teed, it would take a page of feed for itself, and a tool that writes
 * line by line fill that with a few KiB. What is written is packed. */
static ssize_t give_packed(struct hw_copy *c, int from)
{
    char buf[PLAIN_CHUNK];
    ssize_t n = has_side(c) ? tee(from, c->side[1], sizeof buf, SPLICE_F_NONBLOCK) : -1;
    if (n <= 0)
        return n;
    n = read(c->side[0], buf, sizeof buf);
    return n > 0 ? write(c->feed, buf, (size_t)n) : -1;
}

static ssize_t give_feed(struct hw_copy *c, int from)
{
    if (!hw_copy_flush(c))
        return -1;
    if (bytes_in(from) < PLAIN_CHUNK && bytes_in(c->feed) > 0)
        return give_packed(c, from);
    return tee(from, c->feed, CHUNK, SPLICE_F_NONBLOCK);
}

/* What stands in front, as much as is taken. False: nothing may be passed on yet. */
static bool give(struct hw_copy *c, int from)
{
    if (c->ahead || c->feed < 0)
        return true;
    ssize_t n = give_feed(c, from);
    if (n > 0)
        c->fed += (uint64_t)n;
    else if (n < 0 && !is_readable(from))
        return is_hung_up(
            from); /* what comes from now on would pass unseen: it waits for the next step */
    else if (n < 0 && c->exact) {
        c->feed_full = true;
        return false;
    } else if (n < 0)
        n = give_spool(c, from);
    if (n > 0)
        c->ahead = (size_t)n;
    return true;
}

/* -------------------------------------------------------------------------------------------------- */

static ssize_t write_plain(struct hw_copy *c, int from, size_t max)
{
    char buf[PLAIN_CHUNK];
    ssize_t n = read(from, buf, max < sizeof buf ? max : sizeof buf);
    for (ssize_t at = 0; at < n;) {
        ssize_t m = write(target(c), buf + at, (size_t)(n - at));
        if (m < 0 && errno == EAGAIN) {
            struct pollfd room = { .fd = target(c), .events = POLLOUT };
            poll(&room, 1, -1);
        } else if (m < 0 && errno != EINTR)
            return -1;
        else if (m > 0)
            at += m;
    }
    return n;
}

/* A socket or terminal that has room at all takes this much without waiting. */
static bool has_room(const struct hw_copy *c)
{
    struct pollfd p = { .fd = target(c), .events = POLLOUT };
    return poll(&p, 1, 0) > 0;
}

static ssize_t push(struct hw_copy *c, int from)
{
    size_t max = c->ahead ? c->ahead : CHUNK;
    if (c->paced) {
        max = max < PLAIN_CHUNK ? max : PLAIN_CHUNK;
        errno = EAGAIN;
        if (!has_room(c))
            return -1;
    }
    if (!c->plain) {
        ssize_t n = splice(from, NULL, target(c), NULL, max, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
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
    if (!give(c, from))
        return 0;
    ssize_t n = judge(c, push(c, from));
    if (n == 0)
        c->dst_full = is_readable(from);
    if (n <= 0)
        return n;
    if (c->ahead)
        c->ahead -= (size_t)n;
    else if (c->feed >= 0) /* unseen: neither pipe nor memory was to be had */
        c->lost += (uint64_t)n + hw_spool_keep(&c->spool, 0);
    c->passed += (uint64_t)n;
    return n;
}

bool hw_copy_step(struct hw_copy *c)
{
    ssize_t moved = 0, n = 0;
    c->dst_full = c->feed_full = false;
    while (!hw_copy_is_over(c) && moved < TURN && (n = move(c)) > 0)
        moved += n;
    return moved > 0;
}

void hw_copy_run(struct hw_copy *list, size_t count)
{
    struct pollfd fds[RUN_MAX * 2];
    for (;;) {
        size_t open = 0;
        for (size_t i = 0; i < count; i++) {
            fds[i] = hw_copy_poll(&list[i]);
            fds[count + i] = hw_copy_poll_reader(&list[i]);
            open += !hw_copy_is_over(&list[i]);
        }
        if (!open)
            return;
        if (poll(fds, count * 2, -1) < 0)
            continue;
        for (size_t i = 0; i < count; i++) {
            if (fds[count + i].revents)
                hw_copy_lose_reader(&list[i]);
            else if (fds[i].revents)
                hw_copy_step(&list[i]);
        }
        for (size_t i = 0; i < count; i++)
            if (list[i].reader_gone)
                hw_copy_close(&list[i]);
    }
}

void hw_empty_fd(int fd, int mode)
{
    int null = open("/dev/null", mode | O_CLOEXEC);
    if (null < 0)
        return;
    dup2(null, fd);
    close(null);
}
