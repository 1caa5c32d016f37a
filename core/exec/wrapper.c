#include "exec/wrapper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "exec/impl.h"

enum {
    QUIET_MS = 100, /* a terminal without bytes for so long after the command's end has given all */
    FRONT_MS = 500,
    FDS = 2 * HW_WRAPPED_STREAMS + 3,
};

/* ---- one turn ------------------------------------------------------------------------------------ */

static void pass_keys(struct hw_wrapper *w)
{
    bool suspend;
    if (!hw_keyboard_pass(&w->keyboard, w->master, &suspend))
        w->keyboard.fd = -1;
    if (suspend)
        hw_wrapper_signals_suspend(w);
}

/* Who reads us is gone, or has no room left. The command must feel that at its next write, so nobody may hold the other end
 * of its pipe any more, not even the reporter: a new one has never had it. */
static void broke(struct hw_wrapper *w, const struct hw_copy *c)
{
    if (c->error != EPIPE) {
        char text[160];
        snprintf(text, sizeof text, "write standard %s: %s",
                 c->dst == STDERR_FILENO ? "error" : "output", strerror(c->error));
        w->o->say(text);
    }
    if (w->reporter)
        kill(w->reporter, SIGKILL);
}

/* fds: of the streams, then of their readers. */
static void copy(struct hw_wrapper *w, const struct pollfd *fds)
{
    for (size_t i = 0; i < w->count; i++) {
        struct hw_copy *c = &w->copies[i];
        if (hw_copy_is_over(c))
            continue;
        if (fds[w->count + i].revents)
            hw_copy_lose_reader(c);
        else if (fds[i].revents)
            hw_copy_step(c);
        if (!hw_copy_is_over(c))
            continue;
        if (c->error)
            broke(w, c);
        if (c->dst == STDOUT_FILENO)
            hw_empty_fd(STDOUT_FILENO, O_WRONLY);
    }
}

/* A job in the background leaves the keys alone; a shell that brings a running one to the front does not tell it. */
static int64_t sooner(const struct hw_wrapper *w, int64_t wait_ms)
{
    bool watching = w->keyboard.fd >= 0 && !w->keyboard.raw && w->command;
    return watching && (wait_ms < 0 || wait_ms > FRONT_MS) ? FRONT_MS : wait_ms;
}

/* The newest bytes of a stream wait for room in the reporter's pipe. */
static struct pollfd newest(const struct hw_wrapper *w)
{
    for (size_t i = 0; w->reporter && i < w->count; i++)
        if (w->copies[i].tail_len && !w->copies[i].gap)
            return (struct pollfd){ .fd = w->copies[i].feed, .events = POLLOUT };
    return (struct pollfd){ .fd = -1 };
}

/* Waits for something to do, at most wait_ms (-1: for ever), and does it. False: nothing came. */
static bool turn(struct hw_wrapper *w, int64_t wait_ms)
{
    struct pollfd fds[FDS];
    hw_keyboard_raw(&w->keyboard);
    bool keys = w->keyboard.raw && w->command;
    for (size_t i = 0; i < w->count; i++) {
        fds[i] = hw_copy_poll(&w->copies[i]);
        fds[w->count + i] = hw_copy_poll_reader(&w->copies[i]);
    }
    struct pollfd *signals = &fds[2 * w->count], *keyboard = signals + 1, *feed = signals + 2;
    *signals = (struct pollfd){ .fd = w->signals, .events = POLLIN };
    *keyboard = (struct pollfd){ .fd = keys ? w->keyboard.fd : -1, .events = POLLIN };
    *feed = newest(w);
    int n = poll(fds, 2 * w->count + 3, (int)sooner(w, wait_ms));
    if (n <= 0)
        return n < 0 && errno == EINTR;
    if (signals->revents)
        hw_wrapper_signals_take(w);
    if (keyboard->revents && w->keyboard.raw)
        pass_keys(w);
    copy(w, fds);
    for (size_t i = 0; i < w->count; i++)
        hw_copy_flush(&w->copies[i]);
    hw_wrapper_reporter_gaps(w);
    hw_wrapper_reporter_overs(w);
    return true;
}

/* ---- the end ------------------------------------------------------------------------------------- */

/* goals: how far each stream must come. Somebody who was left behind may write for ever. */
static bool is_drained(const struct hw_wrapper *w, const uint64_t *goals)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct hw_copy *c = &w->copies[i];
        if (!hw_copy_is_over(c) && (w->is_pty[i] || c->passed < goals[i]))
            return false;
    }
    return true;
}

static bool awaits_reader(const struct hw_wrapper *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (!hw_copy_is_over(&w->copies[i]) && w->copies[i].dst_full)
            return true;
    return false;
}

/* What the command has written before its end goes out, however slowly it is read. Who else holds the other end of a pipe is
 * not waited for. */
static void drain(struct hw_wrapper *w)
{
    uint64_t goals[HW_WRAPPED_STREAMS] = { 0 };
    for (size_t i = 0; i < w->count; i++)
        goals[i] = w->copies[i].passed + hw_copy_waiting(&w->copies[i]);
    while (!is_drained(w, goals) && w->leave == HW_STAY)
        if (!turn(w, awaits_reader(w) ? -1 : QUIET_MS) && !awaits_reader(w))
            break;
}

/* The reporter's last word. When it dies over it, another one has a try. */
static void wait_for_reporter(struct hw_wrapper *w)
{
    int64_t until = hw_wrapper_now() + w->o->finish_ms, left;
    int starts = 0;
    if (!w->o->report)
        return;
    while ((left = until - hw_wrapper_now()) > 0 && w->leave != HW_LEAVE_ALL) {
        if (!w->reporter && (w->told_end || ++starts > 2))
            break;
        if (!w->reporter) {
            w->retry_at_ms = 0;
            hw_wrapper_reporter_start(w);
        }
        hw_wrapper_reporter_end(w);
        turn(w, left);
    }
    if (w->reporter)
        kill(w->reporter, SIGKILL);
}

/* The command left somebody behind who still writes: a copier stays with him, as long as process 1 lives. */
static void leave_copier(struct hw_wrapper *w)
{
    bool open = false;
    for (size_t i = 0; i < w->count; i++) {
        if (w->leave == HW_STAY)
            hw_copy_step(&w->copies[i]); /* sees the end of one that has no bytes left */
        open |= !hw_copy_is_over(&w->copies[i]);
    }
    if (!open || getpid() == 1 || fork() != 0)
        return;
    prctl(PR_SET_NAME, "headway-copy");
    hw_wrapper_streams_keep(w, -1);
    for (size_t i = 0; i < w->count; i++)
        w->copies[i].feed = -1;
    hw_copy_run(w->copies, w->count);
    _exit(0);
}

/* -------------------------------------------------------------------------------------------------- */

/* No process to be had: the command takes this one, and goes unwatched. Returns when there is no command to become. */
static int become_command(struct hw_wrapper *w, const struct hw_err *why)
{
    struct hw_err err;
    struct hw_command c = { .argv = w->o->argv, .env = w->o->env, .inherited = w->o->inherited };
    w->o->say(why->msg);
    w->o->say("nothing is published, the command runs without us");
    hw_wrapper_streams_done(w);
    for (int i = 0; i < 3; i++)
        c.fds[i] = c.inherited->closed[i] ? -1 : i;
    int status = hw_command_become(&c, &err);
    w->o->say(err.msg);
    return status;
}

static void start_command(struct hw_wrapper *w)
{
    struct hw_err err;
    struct hw_command c = { .argv = w->o->argv,
                            .env = w->o->env,
                            .fds = { w->given[0], w->given[1], w->given[2] },
                            .session = w->session,
                            .group = !w->shared_group,
                            .inherited = w->o->inherited };
    pid_t pid = hw_command_start(&c, &w->status, &err);
    int error = pid > 0 ? 0 : err.sys;
    hw_wrapper_streams_started(w);
    if (pid > 0) {
        w->command = pid;
        hw_wrapper_streams_let_go(w);
        return;
    }
    if (w->status == 0)
        w->status = become_command(w, &err);
    else
        w->o->say(err.msg);
    w->ended = true;
    w->start_errno = error ? error : EINVAL;
}

static void serve(struct hw_wrapper *w)
{
    while (!w->ended) {
        hw_wrapper_reporter_start(w);
        turn(w, hw_wrapper_reporter_wait(w));
    }
    hw_keyboard_restore(&w->keyboard);
    w->keyboard.fd = -1;
    drain(w);
}

int hw_wrapper_run(const struct hw_wrapper_options *o)
{
    struct hw_wrapper w = { .o = o, .signals = -1, .control = -1, .status = HW_CANT_RUN };
    struct hw_err err;
    for (size_t i = 0; i < HW_WRAPPED_STREAMS; i++)
        w.feeds[i][0] = w.feeds[i][1] = -1;
    if (hw_wrapper_signals_open(&w, &err) < 0)
        return become_command(&w, &err);
    hw_wrapper_streams_open(&w);
    start_command(&w);
    serve(&w);
    wait_for_reporter(&w);
    leave_copier(&w);
    hw_wrapper_streams_done(&w);
    close(w.signals);
    if (w.control >= 0)
        close(w.control);
    return w.status;
}
