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
    FRONT_MS = 500,
    ROOM_MS = 1000,
    FDS = 2 * HW_WRAPPED_STREAMS + 4,
    PTY_BYTES = 128 * 1024, /* more than a terminal holds */
};

/* ---- one turn ------------------------------------------------------------------------------------ */

/* Who reads us is gone, or has no room left. The command must feel that at its next write, so nobody may hold the other end
 * of its pipe any more, not even the reporter: a new one has never had it. */
static void broke(struct hw_wrapper *w, struct hw_copy *c)
{
    if (c->error != EPIPE) {
        char text[160];
        snprintf(text, sizeof text, "write standard %s: %s",
                 c->dst == STDERR_FILENO ? "error" : "output", strerror(c->error));
        w->o->say(text);
    }
    /* Who writes to a pty would only see it hang up; so we are the first, and not by way of the leader. */
    if (c->reader_gone && w->command)
        kill(-w->command, SIGPIPE);
    if (c->src == w->master)
        w->master = -1;
    hw_copy_close(c);
    if (w->reporter && !w->o->exact) /* one that must have every byte is told, and lets go */
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
    bool watching = w->keyboard.fd >= 0 && !w->keyboard.raw && w->command && !w->lazy;
    return watching && (wait_ms < 0 || wait_ms > FRONT_MS) ? FRONT_MS : wait_ms;
}

/* Bytes wait for room in the reporter's pipe, or for it to be told of a gap before them. */
static struct pollfd spooled(const struct hw_wrapper *w)
{
    for (size_t i = 0; w->reporter && i < w->count; i++) {
        const struct hw_copy *c = &w->copies[i];
        if (c->lost || c->spool.len)
            return (struct pollfd){ .fd = c->lost ? w->control : c->feed, .events = POLLOUT };
    }
    return (struct pollfd){ .fd = -1 };
}

/* Keys that the pty has no room for stay where they are. */
static struct pollfd poll_keyboard(const struct hw_wrapper *w)
{
    if (!w->keyboard.raw || !w->command || w->keyboard.fd < 0 || w->master < 0)
        return (struct pollfd){ .fd = -1 };
    if (hw_keyboard_is_full(&w->keyboard))
        return (struct pollfd){ .fd = w->master, .events = POLLOUT };
    return (struct pollfd){ .fd = w->keyboard.fd, .events = POLLIN };
}

/* Waits for something to do, at most wait_ms (-1: for ever), and does it. False: nothing came. */
static bool turn(struct hw_wrapper *w, int64_t wait_ms)
{
    struct pollfd fds[FDS];
    hw_wrapper_job_settle(w);
    for (size_t i = 0; i < w->count; i++) {
        fds[i] = hw_copy_poll(&w->copies[i]);
        fds[w->count + i] = hw_copy_poll_reader(&w->copies[i]);
    }
    struct pollfd *signals = &fds[2 * w->count], *keyboard = signals + 1, *leader = signals + 2;
    *signals = (struct pollfd){ .fd = w->signals, .events = POLLIN };
    *keyboard = poll_keyboard(w);
    *leader = (struct pollfd){ .fd = w->session.channel, .events = POLLIN };
    signals[3] = spooled(w);
    int n = poll(fds, 2 * w->count + 4, (int)sooner(w, wait_ms));
    if (n <= 0)
        return n < 0 && errno == EINTR;
    if (signals->revents)
        hw_wrapper_signals_take(w);
    if (leader->revents)
        hw_wrapper_job_hear(w);
    if (keyboard->revents && w->keyboard.raw)
        hw_wrapper_job_keys(w);
    copy(w, fds);
    hw_wrapper_reporter_gaps(w);
    for (size_t i = 0; i < w->count; i++)
        hw_copy_flush(&w->copies[i]);
    hw_wrapper_reporter_overs(w);
    return true;
}

/* ---- the end ------------------------------------------------------------------------------------- */

/* goals: how far each stream must come. Somebody who was left behind may write for ever. */
static bool is_drained(const struct hw_wrapper *w, const uint64_t *goals)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct hw_copy *c = &w->copies[i];
        bool waits = w->is_pty[i] ? hw_copy_has_more(c) : true;
        if (!hw_copy_is_over(c) && waits && c->passed < goals[i])
            return false;
    }
    return true;
}

/* What the command has written before its end goes out, however slowly it is read. Who else holds the other end is not waited
 * for; that nobody does is noticed by one more step. */
static void drain(struct hw_wrapper *w)
{
    uint64_t goals[HW_WRAPPED_STREAMS] = { 0 };
    for (size_t i = 0; i < w->count; i++)
        goals[i] = w->copies[i].passed + (w->is_pty[i] ? PTY_BYTES : hw_copy_waiting(&w->copies[i]));
    while (!is_drained(w, goals) && w->leave == HW_STAY)
        turn(w, -1);
}

/* The reporter's last word. When it dies over it, another one has a try. One that is so far behind that the last bytes find no
 * room in its pipe shall at least say how the command ended. */
static void wait_for_reporter(struct hw_wrapper *w)
{
    int64_t begin = hw_wrapper_now(), until = begin + w->o->finish_ms, now;
    int starts = 0;
    if (!w->o->report)
        return;
    while ((now = hw_wrapper_now()) < until && w->leave != HW_LEAVE_ALL) {
        if (!w->reporter && (w->told_end || w->o->exact || ++starts > 2))
            break;
        if (!w->reporter) {
            w->retry_at_ms = 0;
            hw_wrapper_reporter_start(w);
        }
        hw_wrapper_reporter_end(w, now - begin >= ROOM_MS);
        turn(w, w->told_end             ? until - now
                : begin + ROOM_MS > now ? begin + ROOM_MS - now
                                        : until - now);
    }
    if (!w->reporter)
        return;
    if (w->leave != HW_LEAVE_ALL)
        w->o->warn(w->o->exact
                       ? "the recorder did not end in time: the end may be missing"
                       : "the reporter did not end in time: the last value may not be published");
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
    hw_wrapper_streams_keep(w, NULL, 0);
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
    struct hw_command c = {
        .argv = w->o->argv, .env = w->o->env, .front = -1, .inherited = w->o->inherited
    };
    w->o->say(why->msg);
    w->o->say("nothing is published, the command runs without us");
    hw_wrapper_streams_done(w);
    for (int i = 0; i < 3; i++)
        c.fds[i] = c.inherited->closed[i] ? -1 : i;
    int status = hw_command_become(&c, &err);
    w->o->say(err.msg);
    return status;
}

/* Where keys come, it is the child of who leads its session. Elsewhere its pty is a terminal to write to, and no more: no key,
 * no job, no hang-up when somebody ends or is killed. */
static pid_t start(struct hw_wrapper *w, const struct hw_command *c, struct hw_err *err)
{
    if (!w->has_pty || w->keyboard.fd < 0)
        return hw_command_start(c, &w->status, err);
    hw_wrapper_job_begin(w);
    if (hw_session_open(&w->session, c, w->slave, w->keyboard.fd, w->front, &w->status, err) < 0)
        return -1;
    hw_wrapper_job_begun(w);
    return w->session.command;
}

static void start_command(struct hw_wrapper *w)
{
    struct hw_err err;
    struct hw_command c = { .argv = w->o->argv,
                            .env = w->o->env,
                            .fds = { w->given[0], w->given[1], w->given[2] },
                            .group = !w->shared_group,
                            .front = -1,
                            .inherited = w->o->inherited };
    pid_t pid = start(w, &c, &err);
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

/* The last bytes still want the modes of the command's terminal. */
static void serve(struct hw_wrapper *w)
{
    while (!w->ended) {
        hw_wrapper_reporter_start(w);
        turn(w, hw_wrapper_reporter_wait(w));
    }
    drain(w);
    hw_wrapper_job_restore(w);
    w->keyboard.fd = -1;
}

int hw_wrapper_run(const struct hw_wrapper_options *o)
{
    struct hw_wrapper w = { .o = o,
                            .tty = -1,
                            .keyboard = { .fd = -1 },
                            .session = { .channel = -1 },
                            .signals = -1,
                            .control = -1,
                            .status = HW_CANT_RUN };
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
    hw_session_close(&w.session);
    if (w.tty >= 0)
        close(w.tty);
    close(w.signals);
    if (w.control >= 0)
        close(w.control);
    return w.status;
}
