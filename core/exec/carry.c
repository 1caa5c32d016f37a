#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec/wrapper.h"

/* The wrapper's own, which we never had. And whoever reads feed may die unseen: he is not waited for. */
static void forget_spool(struct hw_copy *c)
{
    c->side[0] = c->side[1] = -1;
    c->spool = (struct hw_spool){ 0 };
    c->lost = 0;
    c->exact = c->feed_full = false;
}

void hw_wrapped_let_go(const struct hw_wrapped *w, int32_t number)
{
    if (number < 0 || (size_t)number >= w->count)
        return;
    struct hw_copy *c = &w->copies[number];
    hw_copy_close(c);
    if (c->dst == STDOUT_FILENO)
        hw_empty_fd(STDOUT_FILENO, O_WRONLY);
}

int hw_wrapped_carry_on(const struct hw_wrapped *w)
{
    int ended = (int)syscall(SYS_pidfd_open, w->command, 0);
    pid_t pid = w->count ? fork() : -1;
    if (pid == 0) {
        prctl(PR_SET_NAME, "headway-copy");
        close(w->control);
        for (size_t i = 0; i < w->count; i++)
            forget_spool(&w->copies[i]);
        hw_copy_run(w->copies, w->count);
        _exit(0);
    }
    for (size_t i = 0; i < w->count; i++) /* so that they end with who copies */
        if (w->copies[i].feed >= 0)
            close(w->copies[i].feed);
    return ended;
}
