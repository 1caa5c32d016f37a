#include "exec/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct order {
    int kind, number;
    struct termios modes;
};

/* ---- in the leader ------------------------------------------------------------------------------- */

struct leader {
    int channel, terminal, keyboard, signals;
    pid_t wrapper; /* 0 = it was killed */
    pid_t command; /* its group has the same number */
    pid_t kept;    /* the foreground group before BACK; 0 = none */
    bool ordered;  /* to go on: no news for the wrapper */
    bool stopped;  /* the command is, and the wrapper may be, too */
    bool raw;
    struct termios modes;
};

static void tell(const struct leader *l, int kind, int number, int error)
{
    struct hw_session_word word = { .kind = kind, .number = number, .error = error };
    if (send(l->channel, &word, sizeof word, MSG_NOSIGNAL) < 0)
        return; /* the wrapper was killed: its end of the channel tells */
}

static void to_front(struct leader *l, bool take)
{
    pid_t group = l->kept && !take ? l->kept : l->command;
    l->kept = 0;
    if (tcsetpgrp(l->terminal, group) < 0)
        tcsetpgrp(l->terminal, l->command);
}

static void to_back(struct leader *l)
{
    pid_t now = tcgetpgrp(l->terminal);
    if (now > 0 && now != getpgrp())
        l->kept = now;
    tcsetpgrp(l->terminal, getpgrp());
}

static void obey(struct leader *l, const struct order *o)
{
    switch (o->kind) {
    case HW_SESSION_FRONT:
    case HW_SESSION_TAKE:
        to_front(l, o->kind == HW_SESSION_TAKE);
        break;
    case HW_SESSION_BACK:
        to_back(l);
        break;
    case HW_SESSION_GO_ON:
        l->ordered = true;
        kill(-l->command, SIGCONT);
        break;
    case HW_SESSION_ONE:
        kill(l->command, o->number);
        break;
    case HW_SESSION_GROUP:
        kill(-l->command, o->number);
        break;
    default:
        l->raw = o->number;
        l->modes = o->modes;
    }
}

/* Nobody else can give the person's terminal its modes back; we are not of its session, so that we may at any time. */
static void on_wrapper_killed(struct leader *l)
{
    if (l->raw && l->keyboard >= 0)
        tcsetattr(l->keyboard, TCSANOW, &l->modes);
    l->wrapper = 0;
    close(l->channel);
    l->channel = -1;
}

static void take_orders(struct leader *l)
{
    struct order o;
    ssize_t n;
    while ((n = recv(l->channel, &o, sizeof o, MSG_DONTWAIT)) == (ssize_t)sizeof o)
        obey(l, &o);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        on_wrapper_killed(l);
}

/* Who is left of the session loses its terminal, but must not be hung up on: so the foreground is ours when we end. */
static _Noreturn void leave(const struct leader *l, int status)
{
    tcsetpgrp(l->terminal, getpgrp());
    close(l->terminal);
    tell(l, HW_SESSION_ENDED, status, 0);
    if (l->stopped && l->wrapper)
        kill(l->wrapper, SIGCONT);
    _exit(0);
}

static void on_child(struct leader *l)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(l->command, &status, WNOHANG | WUNTRACED | WCONTINUED)) != 0) {
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            return;
        if (WIFSTOPPED(status))
            tell(l, HW_SESSION_STOPPED, WSTOPSIG(status), 0);
        else if (!WIFCONTINUED(status))
            leave(l, status);
        else if (!l->ordered && l->wrapper) {
            tell(l, HW_SESSION_CONTINUED, 0, 0);
            kill(l->wrapper, SIGCONT);
        }
        l->ordered = false;
        l->stopped = WIFSTOPPED(status);
    }
}

/* The master is closed. The wrapper knows why, and has told the command; without it we must. */
static void on_hangup(const struct leader *l)
{
    if (l->wrapper)
        return;
    kill(-l->command, SIGHUP);
    kill(-l->command, SIGCONT);
}

static _Noreturn void lead(struct leader *l)
{
    for (;;) {
        struct pollfd fds[] = { { .fd = l->signals, .events = POLLIN },
                                { .fd = l->channel, .events = POLLIN } };
        struct signalfd_siginfo si;
        if (poll(fds, 2, -1) < 0)
            continue;
        /* Orders first: what follows from them is no news. */
        if (fds[1].revents)
            take_orders(l);
        while (read(l->signals, &si, sizeof si) == (ssize_t)sizeof si)
            if (si.ssi_signo == SIGHUP)
                on_hangup(l);
        on_child(l);
    }
}

static void drop_files(struct leader *l)
{
    int keep[] = { l->channel, l->terminal, l->keyboard, l->signals };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; null >= 0 && i < 3; i++)
        if (i != l->keyboard)
            dup2(null, i);
    hw_close_others(keep, sizeof keep / sizeof keep[0]);
}

static _Noreturn void become_leader(struct leader *l, const struct hw_command *c)
{
    struct hw_err err;
    int status;
    sigset_t set;
    prctl(PR_SET_NAME, "headway-pty");
    setsid();
    ioctl(l->terminal, TIOCSCTTY, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGHUP);
    l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    l->command = hw_command_start(c, &status, &err);
    if (l->command < 0) {
        tell(l, HW_SESSION_UNSTARTED, status, err.sys);
        _exit(0);
    }
    tell(l, HW_SESSION_STARTED, l->command, 0);
    drop_files(l);
    lead(l);
}

/* ---- in the wrapper ------------------------------------------------------------------------------ */

static int hear_start(struct hw_session *s, const char *name, int *ret_status, struct hw_err *err)
{
    struct hw_session_word word;
    ssize_t n;
    do
        n = recv(s->channel, &word, sizeof word, 0);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)sizeof word && word.kind == HW_SESSION_STARTED) {
        s->command = word.number;
        return 0;
    }
    if (n == (ssize_t)sizeof word) {
        *ret_status = word.number;
        errno = word.error;
    } else
        errno = ECHILD;
    hw_fail_sys(err, "start '%s'", name);
    return -1;
}

int hw_session_open(struct hw_session *s, const struct hw_command *c, int terminal, int keyboard,
                    bool front, int *ret_status, struct hw_err *err)
{
    int ends[2];
    struct hw_command own = *c;
    *s = (struct hw_session){ .channel = -1 };
    *ret_status = 0;
    own.group = true;
    own.front = front ? terminal : -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return hw_fail_sys(err, "start '%s': make a socket", c->argv[0]);
    struct leader l = {
        .channel = ends[1], .terminal = terminal, .keyboard = keyboard, .wrapper = getpid()
    };
    s->leader = fork();
    if (s->leader == 0) {
        close(ends[0]);
        become_leader(&l, &own);
    }
    close(ends[1]);
    s->channel = ends[0];
    if (s->leader > 0 && hear_start(s, c->argv[0], ret_status, err) == 0)
        return 0;
    if (s->leader < 0)
        hw_fail_sys(err, "start '%s': make a process", c->argv[0]);
    hw_session_close(s);
    return -1;
}

struct hw_session_word hw_session_next(struct hw_session *s)
{
    struct hw_session_word word = { .kind = HW_SESSION_NONE };
    if (s->channel < 0)
        return word;
    ssize_t n = recv(s->channel, &word, sizeof word, MSG_DONTWAIT);
    if (n == (ssize_t)sizeof word)
        return word;
    bool gone = n == 0 || (errno != EAGAIN && errno != EINTR);
    return (struct hw_session_word){ .kind = gone ? HW_SESSION_GONE : HW_SESSION_NONE };
}

void hw_session_order(const struct hw_session *s, enum hw_session_order_kind kind, int number,
                      const struct termios *modes)
{
    struct order o = { .kind = (int)kind, .number = number };
    if (modes)
        o.modes = *modes;
    if (s->channel >= 0 && send(s->channel, &o, sizeof o, MSG_NOSIGNAL) < 0)
        return; /* the leader has gone: the next word says so */
}

void hw_session_close(struct hw_session *s)
{
    if (s->channel >= 0)
        close(s->channel);
    s->channel = -1;
}
