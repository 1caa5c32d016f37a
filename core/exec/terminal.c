#include "exec/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
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

int hw_terminal_reopen(int fd, int flags)
{
    char path[40];
    if (!isatty(fd))
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

/* ---- the person's ------------------------------------------------------------------------------- */

void hw_keyboard_init(struct hw_keyboard *k, int fd)
{
    *k = (struct hw_keyboard){ .fd = isatty(fd) ? fd : -1 };
}

enum hw_place_of_job hw_keyboard_place(const struct hw_keyboard *k)
{
    pid_t group = tcgetpgrp(k->fd);
    if (group >= 0)
        return group == getpgrp() ? HW_FOREGROUND : HW_BACKGROUND;
    return errno == ENOTTY && isatty(k->fd) ? HW_FOREGROUND : HW_HUNG_UP;
}

static bool same_modes(const struct termios *a, const struct termios *b)
{
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_lflag == b->c_lflag &&
           memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

/* SIGTTOU is blocked, so a call from the background would go through: it is ours only in the foreground. */
bool hw_keyboard_raw(struct hw_keyboard *k)
{
    struct termios now;
    if (k->fd < 0 || hw_keyboard_place(k) != HW_FOREGROUND || tcgetattr(k->fd, &now) < 0)
        return false;
    if (k->raw && same_modes(&now, &k->set))
        return false;
    k->kept = now;
    cfmakeraw(&now);
    k->raw = tcsetattr(k->fd, TCSANOW, &now) == 0;
    if (tcgetattr(k->fd, &k->set) < 0)
        k->set = now;
    return k->raw;
}

void hw_keyboard_restore(struct hw_keyboard *k)
{
    if (k->raw && k->fd >= 0 && hw_keyboard_place(k) == HW_FOREGROUND)
        tcsetattr(k->fd, TCSANOW, &k->kept);
    k->raw = false;
}

static unsigned meaning(int master, const char *keys, size_t len)
{
    struct termios modes;
    unsigned found = 0;
    if (tcgetattr(master, &modes) < 0 || !(modes.c_lflag & ISIG))
        return 0;
    const struct {
        cc_t key;
        unsigned means;
    } rows[] = { { modes.c_cc[VINTR], HW_KEY_INTERRUPT }, { modes.c_cc[VQUIT], HW_KEY_QUIT } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].key != _POSIX_VDISABLE && memchr(keys, rows[i].key, len))
            found |= rows[i].means;
    return found;
}

/* False: the keyboard is gone. */
static bool fill(struct hw_keyboard *k)
{
    ssize_t n = read(k->fd, k->keys, sizeof k->keys);
    k->from = 0;
    k->to = n > 0 ? (size_t)n : 0;
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

bool hw_keyboard_pass(struct hw_keyboard *k, int master, unsigned *ret_keys)
{
    *ret_keys = 0;
    if (!hw_keyboard_is_full(k) && !fill(k))
        return false;
    if (!hw_keyboard_is_full(k))
        return true;
    /* Before they are passed: the modes that judge them are those of now. */
    unsigned keys = meaning(master, k->keys + k->from, k->to - k->from);
    ssize_t n = write(master, k->keys + k->from, k->to - k->from);
    if (n > 0) {
        k->from += (size_t)n;
        *ret_keys = keys;
    } else if (errno != EAGAIN && errno != EINTR)
        k->from = k->to; /* nobody has the pty any more */
    return true;
}
