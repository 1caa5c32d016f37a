#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/impl.h"

int hw_wrapper_signals_open(struct hw_wrapper *w, struct hw_err *err)
{
    /* Even SIGSEGV and its kin: those of our own the kernel lets through, those of others are the command's. */
    sigfillset(&w->caught);
    sigprocmask(SIG_BLOCK, &w->caught, NULL);
    signal(SIGCHLD, SIG_DFL); /* ignored ones would be reaped by the kernel, their status lost */
    w->signals = signalfd(-1, &w->caught, SFD_CLOEXEC | SFD_NONBLOCK);
    w->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    w->shared_group = w->tty >= 0;
    return w->signals < 0 ? hw_fail_sys(err, "make a signalfd") : 0;
}

/* ---- children ------------------------------------------------------------------------------------ */

void hw_wrapper_command_ended(struct hw_wrapper *w, int status)
{
    w->command = 0;
    w->ended = true;
    w->ended_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    w->status = w->ended_by ? 128 + w->ended_by : WEXITSTATUS(status);
}

static pid_t wait_for_any(int *ret_status)
{
    pid_t pid;
    do
        pid = waitpid(-1, ret_status, WNOHANG | WUNTRACED | WCONTINUED);
    while (pid < 0 && errno == EINTR);
    return pid;
}

/* Orphans too: as process 1, or where somebody made us a subreaper. */
static void reap(struct hw_wrapper *w)
{
    int status;
    pid_t pid;
    while ((pid = wait_for_any(&status)) > 0) {
        if (pid == w->reporter && (WIFEXITED(status) || WIFSIGNALED(status)))
            hw_wrapper_reporter_ended(w);
        if (pid != w->command || w->session.leader) /* then its leader says what becomes of it */
            continue;
        if (WIFSTOPPED(status))
            hw_wrapper_job_stopped(w, WSTOPSIG(status));
        else if (WIFCONTINUED(status))
            w->stopped = false;
        else
            hw_wrapper_command_ended(w, status);
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
        return w->shared_group && !w->has_pty && is_of_terminal((int)si->ssi_signo);
    return sender == getpid() || (sender && sender == w->command && getpid() != 1);
}

/* With its value, if it has one. A shell's signals are for the whole job, of which a session of its own is no part. */
static void forward(struct hw_wrapper *w, const struct signalfd_siginfo *si)
{
    int number = (int)si->ssi_signo;
    union sigval value = { .sival_ptr = (void *)(uintptr_t)si->ssi_ptr };
    w->told_stop = number == SIGTSTP;
    if (w->session.leader || si->ssi_code != SI_QUEUE || sigqueue(w->command, number, value) < 0)
        hw_wrapper_job_send(w, number, w->shared_group);
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
    if (number == SIGCONT) {
        hw_wrapper_job_go_on(w, w->session.leader && (pid_t)si->ssi_pid == w->session.leader);
        return;
    }
    if (number == SIGHUP)
        hw_wrapper_job_check_hangup(w);
    if (number == SIGWINCH && w->has_pty && w->keyboard.fd >= 0) {
        hw_wrapper_job_resize(w);
        return;
    }
    /* Stopped by hand before: it can't be stopped once more, but the shell wants its terminal. */
    if (number == SIGTSTP && w->stopped && has_it(w, si))
        hw_wrapper_job_stopped(w, SIGTSTP);
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
