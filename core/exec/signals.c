#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/impl.h"

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int hw_wrapper_signals_open(struct hw_wrapper *w, struct hw_err *err)
{
    /* Even SIGSEGV and its kin: those of our own the kernel lets through, those of others are the command's. */
    sigfillset(&w->caught);
    sigprocmask(SIG_BLOCK, &w->caught, NULL);
    signal(SIGCHLD, SIG_DFL); /* ignored ones would be reaped by the kernel, their status lost */
    w->signals = signalfd(-1, &w->caught, SFD_CLOEXEC | SFD_NONBLOCK);
    w->shared_group = has_terminal();
    return w->signals < 0 ? hw_fail_sys(err, "make a signalfd") : 0;
}

/* Stops us as the terminal would: not where no shell could ever continue us (an orphaned process group), which the kernel
 * knows best. Returns when we go on. */
static void stop_self(void)
{
    sigset_t one, old;
    sigemptyset(&one);
    sigaddset(&one, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &one, &old);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

void hw_wrapper_signals_suspend(struct hw_wrapper *w)
{
    pid_t group = tcgetpgrp(w->master);
    if (!w->command)
        return;
    if (group <= 0)
        group = w->command;
    /* The key itself stops nothing: a session without a shell in it is an orphaned group. */
    kill(-group, SIGSTOP);
    hw_keyboard_restore(&w->keyboard);
    kill(0, SIGTSTP); /* the whole job; blocked here, so we come last */
    stop_self();
    hw_keyboard_raw(&w->keyboard);
    kill(-group, SIGCONT);
}

/* ---- children ------------------------------------------------------------------------------------ */

static void command_ended(struct hw_wrapper *w, int status)
{
    w->command = 0;
    w->ended = true;
    w->ended_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    w->status = w->ended_by ? 128 + w->ended_by : WEXITSTATUS(status);
}

/* A job of a shell that stops its command has stopped. SIGSTOP is somebody's own doing, and undone by him. */
static void command_stopped(const struct hw_wrapper *w, int number)
{
    if (w->shared_group && !w->session && number != SIGSTOP)
        stop_self();
}

/* Orphans too: as process 1, or where somebody made us a subreaper. */
static void reap(struct hw_wrapper *w)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (pid == w->command && WIFSTOPPED(status))
            command_stopped(w, WSTOPSIG(status));
        else if (pid == w->command)
            command_ended(w, status);
        else if (pid == w->reporter && !WIFSTOPPED(status))
            hw_wrapper_reporter_ended(w);
    }
}

/* ---- signals ------------------------------------------------------------------------------------- */

/* The kernel sends the terminal's own signals to the whole process group: the command has them already. */
static bool is_of_terminal(int number)
{
    return number == SIGINT || number == SIGQUIT || number == SIGTSTP || number == SIGHUP ||
           number == SIGCONT || number == SIGWINCH || number == SIGTTIN || number == SIGTTOU;
}

/* What it sends itself reaches us by its `kill 0` or `kill -1` (process 1 is spared that: there it is meant). Our own come of
 * a write that failed. */
static bool has_it(const struct hw_wrapper *w, const struct signalfd_siginfo *si)
{
    pid_t sender = (pid_t)si->ssi_pid;
    if (si->ssi_code == SI_KERNEL)
        return w->shared_group && !w->session && is_of_terminal((int)si->ssi_signo);
    return sender == getpid() || (sender && sender == w->command && getpid() != 1);
}

/* With its value, if it has one. */
static void forward(const struct hw_wrapper *w, const struct signalfd_siginfo *si)
{
    int number = (int)si->ssi_signo;
    union sigval value = { .sival_ptr = (void *)(uintptr_t)si->ssi_ptr };
    if (si->ssi_code != SI_QUEUE || sigqueue(w->command, number, value) < 0)
        kill(w->command, number);
}

static void go_on(struct hw_wrapper *w)
{
    hw_keyboard_raw(&w->keyboard);
    if (w->keyboard.fd >= 0 && w->master >= 0)
        hw_pty_resize(w->master, w->keyboard.fd);
}

/* After the command's end nothing is left to forward to: a reader who does not read is left, and a person who presses the key
 * is not kept waiting by the reporter either. */
static void after_end(struct hw_wrapper *w, int number)
{
    if (number == SIGINT || number == SIGQUIT)
        w->leave = HW_LEAVE_ALL;
    else if ((number == SIGTERM || number == SIGHUP) && w->leave == HW_STAY)
        w->leave = HW_LEAVE_READER;
}

static void take(struct hw_wrapper *w, const struct signalfd_siginfo *si)
{
    int number = (int)si->ssi_signo;
    if (number == SIGCHLD) {
        reap(w);
        if (si->ssi_code > 0) /* of the kernel */
            return;
    }
    if (number == SIGCONT)
        go_on(w);
    if (number == SIGWINCH && w->session && w->keyboard.fd >= 0) {
        hw_pty_resize(w->master, w->keyboard.fd);
        return;
    }
    if (has_it(w, si))
        return;
    if (w->command)
        forward(w, si);
    else
        after_end(w, number);
}

void hw_wrapper_signals_take(struct hw_wrapper *w)
{
    struct signalfd_siginfo si;
    while (read(w->signals, &si, sizeof si) == (ssize_t)sizeof si)
        take(w, &si);
}
