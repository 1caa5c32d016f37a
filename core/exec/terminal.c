#include "exec/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What the command writes must come out as it is: no CR before LF, no echo of what nobody typed. */
static void plain_modes(struct termios *t)
{
    t->c_oflag &= ~(tcflag_t)OPOST;
    t->c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
}

int hw_pty_open(int like, int *ret_master, int *ret_slave, struct hw_err *err)
{
    struct termios modes;
    struct winsize size = { .ws_row = 24, .ws_col = 80 };
    int master, slave;
    bool has_like = like >= 0 && tcgetattr(like, &modes) == 0;
    if (has_like)
        ioctl(like, TIOCGWINSZ, &size);
    if (openpty(&master, &slave, NULL, has_like ? &modes : NULL, &size) < 0)
        return hw_fail_sys(err, "make a terminal (pty)");
    fcntl(master, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    if (!has_like && tcgetattr(slave, &modes) == 0) {
        plain_modes(&modes);
        tcsetattr(slave, TCSANOW, &modes);
    }
    *ret_master = master;
    *ret_slave = slave;
    return 0;
}

void hw_pty_resize(int master, int like)
{
    struct winsize size;
    if (ioctl(like, TIOCGWINSZ, &size) == 0)
        ioctl(master, TIOCSWINSZ, &size);
}

void hw_keyboard_init(struct hw_keyboard *k, int fd)
{
    *k = (struct hw_keyboard){ .fd = -1 };
    if (fd >= 0 && tcgetattr(fd, &k->kept) == 0)
        k->fd = fd;
}

/* SIGTTOU is blocked, so a call from the background would go through: it is ours only in the foreground. */
static bool is_foreground(const struct hw_keyboard *k)
{
    return k->fd >= 0 && tcgetpgrp(k->fd) == getpgrp();
}

void hw_keyboard_raw(struct hw_keyboard *k)
{
    if (k->raw || !is_foreground(k))
        return;
    struct termios raw = k->kept;
    cfmakeraw(&raw);
    /* Reads give what is there, so that none blocks when another process took the key first. */
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    k->raw = tcsetattr(k->fd, TCSANOW, &raw) == 0;
}

void hw_keyboard_restore(struct hw_keyboard *k)
{
    if (!k->raw)
        return;
    k->raw = false;
    tcsetattr(k->fd, TCSADRAIN, &k->kept);
}

static bool suspends(int master, const char *keys, size_t len)
{
    struct termios modes;
    if (tcgetattr(master, &modes) < 0 || !(modes.c_lflag & ISIG))
        return false;
    cc_t key = modes.c_cc[VSUSP];
    return key != _POSIX_VDISABLE && memchr(keys, key, len);
}

bool hw_keyboard_pass(struct hw_keyboard *k, int master, bool *ret_suspend)
{
    char keys[512];
    *ret_suspend = false;
    ssize_t n = read(k->fd, keys, sizeof keys);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (n == 0) { /* nothing, or the end: a terminal that hung up says so */
        struct pollfd p = { .fd = k->fd };
        return poll(&p, 1, 0) == 0;
    }
    *ret_suspend = suspends(master, keys, (size_t)n);
    /* A terminal that takes no more drops what is typed, as any does. */
    return write(master, keys, (size_t)n) >= 0 || errno == EAGAIN || errno == EINTR;
}
