#include "exec/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"

enum { FILES_OLD = 4096 };

void hw_inherited_take(struct hw_inherited *in)
{
    sigprocmask(SIG_SETMASK, NULL, &in->mask);
    for (int i = 1; i < NSIG; i++) {
        struct sigaction now;
        in->ignored[i] = sigaction(i, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
    }
    for (int fd = 0; fd < 3; fd++)
        in->closed[fd] = fcntl(fd, F_GETFD) < 0 && errno == EBADF;
    in->parent_death = 0;
    prctl(PR_GET_PDEATHSIG, &in->parent_death);
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
    for (int i = 0; i < 3; i++) {
        if (fds[i] < 0)
            close(i);
        else if (fds[i] != i && dup2(fds[i], i) < 0)
            return -1;
    }
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

/* Returns when there is no other program to become. */
static void become(const struct hw_command *c)
{
    if (place_files(c->fds) < 0)
        return;
    settle(c);
    if (c->inherited->parent_death)
        prctl(PR_SET_PDEATHSIG, c->inherited->parent_death);
    give_signals_back(c->inherited);
    execvpe(c->argv[0], c->argv, c->env);
}

/* In the new process. Gives errno to the old one. */
static _Noreturn void become_or_tell(const struct hw_command *c, int report)
{
    become(c);
    int error = errno;
    if (write(report, &error, sizeof error) < 0)
        _exit(HW_CANT_RUN);
    _exit(HW_CANT_RUN);
}

static int judge(const struct hw_command *c, int error, struct hw_err *err)
{
    errno = error;
    hw_fail_sys(err, "start '%s'", c->argv[0]);
    return error == ENOENT ? HW_NO_COMMAND : HW_CANT_RUN;
}

int hw_command_become(const struct hw_command *c, struct hw_err *err)
{
    become(c);
    return judge(c, errno, err);
}

pid_t hw_command_start(const struct hw_command *c, int *ret_status, struct hw_err *err)
{
    int report[2], error = 0;
    *ret_status = 0;
    if (pipe2(report, O_CLOEXEC) < 0)
        return hw_fail_sys(err, "start '%s': make a pipe", c->argv[0]);
    pid_t pid = fork();
    if (pid == 0)
        become_or_tell(c, report[1]);
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
    *ret_status = judge(c, error, err);
    return -1;
}

/* ---- forks of ours ------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void close_from_to(int first, int last)
{
    if (first > last || close_range((unsigned)first, (unsigned)last, 0) == 0)
        return;
    for (int fd = first; fd <= last && fd < FILES_OLD; fd++) /* before Linux 5.9 */
        close(fd);
}

void hw_close_others(int *keep, size_t count)
{
    int from = 3;
    qsort(keep, count, sizeof *keep, by_number);
    for (size_t i = 0; i < count; i++) {
        if (keep[i] < from)
            continue;
        close_from_to(from, keep[i] - 1);
        from = keep[i] + 1;
    }
    close_from_to(from, INT_MAX);
}
