#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec/impl.h"

enum {
    FEED_BYTES = 1024 * 1024
}; /* what a busy reporter may lag behind; the kernel may allow less */

enum { KEPT_MAX = 32 };

/* Each writes at a place of its own: a regular file that was opened twice, and not to append. */
static bool have_two_places(int a, int b, const struct stat *st)
{
    pid_t self = getpid();
    return S_ISREG(st->st_mode) && syscall(SYS_kcmp, self, self, KCMP_FILE, a, b) > 0 &&
           !(fcntl(a, F_GETFL) & fcntl(b, F_GETFL) & O_APPEND);
}

/* The same file twice needs one stream, or the order of its bytes would be lost. */
static bool are_one(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino &&
           !have_two_places(a, b, &x);
}

/* A socket that keeps each write apart, which a pipe does not. */
static bool is_of_messages(int fd)
{
    int type;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type != SOCK_STREAM;
}

static bool wants_pty(const struct hw_wrapper *w, int fd)
{
    return w->o->pty == HW_PTY_ON || (w->o->pty == HW_PTY_AUTO && isatty(fd));
}

/* Its other end may be a pager's. */
static bool is_pipe(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* A terminal whose modes ours shall have; -1 = none. */
static int like(int fd)
{
    return isatty(fd) ? fd : isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
}

static int open_feed(struct hw_wrapper *w, size_t i, struct hw_err *err)
{
    w->feeds[i][0] = w->feeds[i][1] = -1;
    if (!w->o->report || !w->o->watch)
        return 0;
    if (pipe2(w->feeds[i], O_CLOEXEC | O_NONBLOCK) < 0)
        return hw_fail_sys(err, "make a pipe");
    fcntl(w->feeds[i][1], F_SETPIPE_SZ, FEED_BYTES);
    return 0;
}

/* One stream for what we have as dst. The command's end is *ret_fd. */
static int open_stream(struct hw_wrapper *w, int dst, bool pty, int *ret_fd, struct hw_err *err)
{
    size_t i = w->count;
    int ends[2];
    if (open_feed(w, i, err) < 0)
        return -1;
    if (pty ? hw_pty_open(like(dst), &ends[0], &ends[1], err) < 0 : pipe2(ends, O_CLOEXEC) < 0)
        return pty ? -1 : hw_fail_sys(err, "make a pipe");
    w->count++;
    w->is_pty[i] = pty;
    *ret_fd = ends[1];
    if (hw_copy_init(&w->copies[i], ends[0], pty, dst, w->feeds[i][1], err) < 0)
        return -1;
    w->copies[i].exact = w->o->exact;
    return 0;
}

/* Where the output is not watched only a terminal that was asked for needs us in between. */
static int open_output(struct hw_wrapper *w, int dst, struct hw_err *err)
{
    bool pty = wants_pty(w, dst);
    bool watched = w->o->report && w->o->watch;
    if (w->given[dst] < 0 || (!pty && is_of_messages(dst)) ||
        (!watched && !(w->o->pty == HW_PTY_ON)))
        return 0;
    if (open_stream(w, dst, pty, &w->given[dst], err) < 0)
        return -1;
    if (pty && !w->has_pty) {
        w->has_pty = true;
        w->slave = w->given[dst];
        w->master = w->copies[w->count - 1].src;
    }
    return 0;
}

/* Opened again, so that a key which another process took first is not waited for. */
static void open_keyboard(struct hw_wrapper *w)
{
    int again = hw_terminal_reopen(STDIN_FILENO, O_RDWR);
    if (again >= 0) {
        if (w->tty >= 0)
            close(w->tty);
        w->tty = again;
    }
    hw_keyboard_init(&w->keyboard, w->tty);
}

static int open_all(struct hw_wrapper *w, struct hw_err *err)
{
    if (open_output(w, STDOUT_FILENO, err) < 0)
        return -1;
    bool both = w->given[1] > STDERR_FILENO && w->given[2] == STDERR_FILENO;
    if (both && are_one(STDOUT_FILENO, STDERR_FILENO))
        w->given[2] = w->given[1];
    else if (open_output(w, STDERR_FILENO, err) < 0)
        return -1;
    if (!w->has_pty)
        return 0;
    /* Only keys go through us; any other input is the command's own. */
    if (isatty(STDIN_FILENO))
        w->given[0] = w->slave;
    open_keyboard(w);
    w->lazy = !isatty(STDIN_FILENO) || is_pipe(STDOUT_FILENO);
    return 0;
}

static void give_ours(struct hw_wrapper *w)
{
    for (int i = 0; i < 3; i++)
        w->given[i] = w->o->inherited->closed[i] ? -1 : i;
    w->has_pty = false;
    w->master = w->slave = -1;
    w->keyboard.fd = -1;
}

void hw_wrapper_streams_open(struct hw_wrapper *w)
{
    struct hw_err err;
    struct hw_wrapper_options without = *w->o;
    give_ours(w);
    if (open_all(w, &err) == 0)
        return;
    w->o->say(err.msg);
    hw_wrapper_streams_started(w);
    hw_wrapper_streams_done(w);
    give_ours(w);
    if (without.pty == HW_PTY_OFF)
        return;
    /* No terminal to be had: pipes will do. */
    const struct hw_wrapper_options *kept = w->o;
    without.pty = HW_PTY_OFF;
    w->o = &without;
    if (open_all(w, &err) < 0) {
        hw_wrapper_streams_started(w);
        hw_wrapper_streams_done(w);
        give_ours(w);
    }
    w->o = kept;
}

void hw_wrapper_streams_started(struct hw_wrapper *w)
{
    if (w->given[2] > 2 && w->given[2] != w->given[1])
        close(w->given[2]);
    if (w->given[1] > 2)
        close(w->given[1]);
    w->given[0] = 0;
    w->given[1] = 1;
    w->given[2] = 2;
}

static bool is_written_by_us(const struct hw_wrapper *w, int fd)
{
    for (size_t i = 0; i < w->count; i++)
        if (!hw_copy_is_over(&w->copies[i]) && w->copies[i].dst == fd)
            return true;
    return false;
}

/* stderr stays: what is amiss is said there. */
void hw_wrapper_streams_let_go(const struct hw_wrapper *w)
{
    const int more[] = { w->signals, w->session.channel, w->tty };
    hw_empty_fd(STDIN_FILENO, O_RDONLY);
    if (!is_written_by_us(w, STDOUT_FILENO))
        hw_empty_fd(STDOUT_FILENO, O_WRONLY);
    hw_wrapper_streams_keep(w, more, sizeof more / sizeof more[0]);
}

void hw_wrapper_streams_keep(const struct hw_wrapper *w, const int *more, size_t count)
{
    int keep[KEPT_MAX], n = 0;
    for (size_t i = 0; i < count; i++)
        keep[n++] = more[i];
    for (size_t i = 0; i < w->count; i++) {
        const struct hw_copy *c = &w->copies[i];
        const int fds[] = { c->src,     c->through[0], c->through[1],  c->anew,
                            c->side[0], c->side[1],    w->feeds[i][0], w->feeds[i][1] };
        for (size_t k = 0; k < sizeof fds / sizeof fds[0]; k++)
            keep[n++] = fds[k];
    }
    for (size_t i = 0; w->o->keep && w->o->keep[i] >= 0 && n < KEPT_MAX; i++)
        keep[n++] = w->o->keep[i];
    hw_close_others(keep, (size_t)n);
}

void hw_wrapper_streams_done(struct hw_wrapper *w)
{
    for (size_t i = 0; i < w->count; i++)
        hw_copy_done(&w->copies[i]);
    for (size_t i = 0; i < HW_WRAPPED_STREAMS; i++)
        for (int end = 0; end < 2; end++) {
            if (w->feeds[i][end] >= 0)
                close(w->feeds[i][end]);
            w->feeds[i][end] = -1;
        }
    w->count = 0;
}
