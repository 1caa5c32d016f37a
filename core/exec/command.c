#include "exec/command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

void hw_inherited_take(struct hw_inherited *in)
{
    sigprocmask(SIG_SETMASK, NULL, &in->mask);
    for (int i = 1; i < NSIG; i++) {
        struct sigaction now;
        in->ignored[i] = sigaction(i, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
    }
}

static void give_signals_back(const struct hw_inherited *in)
{
    for (int i = 1; i < NSIG; i++)
        signal(i, in->ignored[i] ? SIG_IGN : SIG_DFL);
    sigprocmask(SIG_SETMASK, &in->mask, NULL);
}

/* What is to become 0, 1 or 2 stands above 2, or is already there. */
static int place_files(const int fds[3])
{
    for (int i = 0; i < 3; i++)
        if (fds[i] != i && dup2(fds[i], i) < 0)
            return -1;
    return 0;
}

/* SIGTTOU is still blocked: a group may take the foreground by itself. */
static void settle(const struct hw_command *c)
{
    if (c->group)
        setpgid(0, 0);
    if (c->group && c->front >= 0)
        tcsetpgrp(c->front, getpgrp());
}

/* In the new process. Gives errno to the old one, when there is no other program to become. */
static _Noreturn void become(const struct hw_command *c, int report)
{
    int error;
    if (place_files(c->fds) == 0) {
        settle(c);
        give_signals_back(c->inherited);
        execvpe(c->argv[0], c->argv, c->env);
    }
    error = errno;
    if (write(report, &error, sizeof error) < 0)
        _exit(HW_CANT_RUN);
    _exit(HW_CANT_RUN);
}

pid_t hw_command_start(const struct hw_command *c, int *ret_status, struct hw_err *err)
{
    int report[2], error = 0;
    *ret_status = HW_CANT_RUN;
    if (pipe2(report, O_CLOEXEC) < 0)
        return hw_fail_sys(err, "start '%s': make a pipe", c->argv[0]);
    pid_t pid = fork();
    if (pid == 0)
        become(c, report[1]);
    close(report[1]);
    if (pid < 0) {
        hw_fail_sys(err, "start '%s': make a process", c->argv[0]);
        close(report[0]);
        return -1;
    }
    ssize_t n;
    do
        n = read(report[0], &error, sizeof error);
    while (n < 0 && errno == EINTR);
    close(report[0]);
    if (n != (ssize_t)sizeof error)
        return pid; /* closed by exec: it runs */
    *ret_status = error == ENOENT ? HW_NO_COMMAND : HW_CANT_RUN;
    errno = error;
    return hw_fail_sys(err, "start '%s'", c->argv[0]);
}

/* ---- forks of ours ------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void hw_close_others(int *keep, size_t count)
{
    int from = 3;
    qsort(keep, count, sizeof *keep, by_number);
    for (size_t i = 0; i < count; i++) {
        if (keep[i] < from)
            continue;
        if (keep[i] > from)
            close_range((unsigned)from, (unsigned)keep[i] - 1, 0);
        from = keep[i] + 1;
    }
    close_range((unsigned)from, ~0u, 0);
}
