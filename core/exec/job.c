#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "exec/impl.h"

/* ---- the terminal -------------------------------------------------------------------------------- */

static void order(const struct hw_wrapper *w, enum hw_session_order_kind kind)
{
    hw_session_order(&w->session, kind, 0, NULL);
}

void hw_wrapper_job_resize(struct hw_wrapper *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->is_pty[i] && w->copies[i].src >= 0 && w->keyboard.fd >= 0)
            hw_pty_resize(w->copies[i].src, w->keyboard.fd);
}

/* What the person has set meanwhile is what the command would find. */
static void take_keyboard(struct hw_wrapper *w)
{
    if (!hw_keyboard_raw(&w->keyboard))
        return;
    for (size_t i = 0; i < w->count; i++)
        if (w->is_pty[i] && w->copies[i].src >= 0)
            tcsetattr(w->copies[i].src, TCSANOW, &w->keyboard.kept);
    hw_wrapper_job_resize(w);
    hw_session_order(&w->session, HW_SESSION_MODES, 1, &w->keyboard.kept);
}

void hw_wrapper_job_restore(struct hw_wrapper *w)
{
    if (!w->keyboard.raw)
        return;
    hw_keyboard_restore(&w->keyboard);
    hw_session_order(&w->session, HW_SESSION_MODES, 0, NULL);
}

static void hang_up(struct hw_wrapper *w)
{
    w->keyboard.fd = -1;
    w->keyboard.raw = false;
    for (size_t i = 0; i < w->count; i++) {
        struct pollfd p = { .fd = w->copies[i].dst };
        if (w->is_pty[i] && poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR))
            hw_copy_close(&w->copies[i]);
    }
}

void hw_wrapper_job_check_hangup(struct hw_wrapper *w)
{
    if (w->has_pty && w->keyboard.fd >= 0 && hw_keyboard_place(&w->keyboard) == HW_HUNG_UP)
        hang_up(w);
}

void hw_wrapper_job_settle(struct hw_wrapper *w)
{
    if (!w->has_pty || !w->command || w->keyboard.fd < 0 || w->stopped)
        return;
    enum hw_place_of_job place = hw_keyboard_place(&w->keyboard);
    if (place == HW_HUNG_UP) {
        hang_up(w);
        return;
    }
    bool front = place == HW_FOREGROUND && !w->lazy;
    if (!front && w->keyboard.raw) { /* the shell has set other modes, and will when we come back */
        w->keyboard.raw = false;
        hw_session_order(&w->session, HW_SESSION_MODES, 0, NULL);
    }
    if (front && !w->keyboard.raw)
        take_keyboard(w);
    if (front != w->front)
        order(w, front ? HW_SESSION_FRONT : HW_SESSION_BACK);
    w->front = front;
}

void hw_wrapper_job_begin(struct hw_wrapper *w)
{
    bool foreground = w->keyboard.fd >= 0 && hw_keyboard_place(&w->keyboard) == HW_FOREGROUND;
    w->front = w->keyboard.fd < 0 || (foreground && !w->lazy);
    if (w->front && foreground)
        take_keyboard(w);
}

void hw_wrapper_job_begun(struct hw_wrapper *w)
{
    if (w->keyboard.raw)
        hw_session_order(&w->session, HW_SESSION_MODES, 1, &w->keyboard.kept);
}

/* ---- keys ---------------------------------------------------------------------------------------- */

/* The command's group is sent the signal by its pty. Who else belongs to our job, the other end of a pipeline or the script that
 * runs us, would have got it as well. */
static void tell_job(const struct hw_wrapper *w, unsigned keys)
{
    if (w->shared_group && keys & HW_KEY_INTERRUPT)
        kill(0, SIGINT);
    if (w->shared_group && keys & HW_KEY_QUIT)
        kill(0, SIGQUIT);
}

void hw_wrapper_job_keys(struct hw_wrapper *w)
{
    unsigned keys;
    if (hw_keyboard_pass(&w->keyboard, w->master, &keys))
        tell_job(w, keys);
    else
        hang_up(w);
}

/* ---- stopped and continued ----------------------------------------------------------------------- */

/* What the command has written before, its farewell to the screen say, belongs in front of the shell's prompt. */
static void flush(struct hw_wrapper *w)
{
    for (size_t i = 0; i < w->count; i++)
        while (w->is_pty[i] && !hw_copy_is_over(&w->copies[i]) && hw_copy_step(&w->copies[i]))
            ;
}

static bool take_pending(int number)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    return sigtimedwait(&one, NULL, &(struct timespec){ 0 }) == number;
}

/* Somebody continued the command while we were about to stop: his SIGCONT for us comes after the word. */
static bool is_overtaken(struct hw_wrapper *w)
{
    if (!w->has_pty)
        return false;
    hw_wrapper_job_hear(w);
    return !w->stopped || w->ended;
}

/* Stops us as the terminal would: not where no shell could ever continue us (an orphaned process group), which the kernel
 * knows best. Returns when we go on; false: nothing has stopped us. */
static bool stop_self(struct hw_wrapper *w, int number)
{
    sigset_t one, old;
    sigemptyset(&one);
    sigaddset(&one, number);
    if (w->has_pty && !w->told_stop)
        kill(0, number); /* the whole job; blocked here, so we come last */
    raise(number);
    w->told_stop = false;
    if (is_overtaken(w)) {
        take_pending(number);
        return true;
    }
    sigprocmask(SIG_UNBLOCK, &one, &old);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return !w->has_pty || take_pending(SIGCONT);
}

/* The person's terminal is again what we need, or the shell's: it has set other modes when we were stopped unwarned. */
static void return_to_terminal(struct hw_wrapper *w)
{
    if (w->keyboard.raw && hw_keyboard_place(&w->keyboard) == HW_FOREGROUND)
        take_keyboard(w);
    w->stopped = false;
    hw_wrapper_job_settle(w);
    hw_wrapper_job_resize(w);
}

/* A background job that asks for the terminal gets it when we are no background job (any more). */
static bool grant(struct hw_wrapper *w)
{
    if (w->keyboard.fd >= 0 && hw_keyboard_place(&w->keyboard) == HW_BACKGROUND)
        return false;
    if (w->keyboard.fd >= 0 && w->front && w->shared_group)
        return false; /* it has given it to somebody else */
    w->lazy = false;
    w->stopped = false;
    hw_wrapper_job_settle(w);
    order(w, HW_SESSION_TAKE);
    order(w, HW_SESSION_GO_ON);
    return true;
}

static void suspend(struct hw_wrapper *w, int number)
{
    flush(w);
    hw_wrapper_job_restore(w);
    /* Brought to the front just now? Then it need not stop. */
    if (number != SIGTSTP && w->has_pty && grant(w))
        return;
    bool back = stop_self(w, number);
    if (w->has_pty)
        hw_wrapper_job_hear(w);
    if (!w->has_pty || w->ended)
        return; /* the same signals continue all of a job that is one group */
    bool by_us = w->stopped;
    return_to_terminal(w);
    if (!back && number != SIGTSTP)
        order(w, HW_SESSION_TAKE); /* nobody will ever give it: it would ask without end */
    if (by_us)
        order(w, HW_SESSION_GO_ON);
}

void hw_wrapper_job_stopped(struct hw_wrapper *w, int number)
{
    bool asks = number == SIGTTIN || number == SIGTTOU;
    w->stopped = true;
    if (w->has_pty && asks && grant(w))
        return;
    /* SIGSTOP is somebody's own doing, and undone by him; whether we are stopped then he can't see. */
    if (number == SIGSTOP && !(w->has_pty && w->shared_group))
        return;
    if (w->shared_group)
        suspend(w, asks ? number : SIGTSTP);
    else if (w->has_pty) { /* no shell would ever continue it */
        w->stopped = false;
        hw_wrapper_job_send(w, SIGCONT, true);
    }
}

void hw_wrapper_job_go_on(struct hw_wrapper *w, bool by_leader)
{
    bool was_stopped = w->stopped;
    if (!w->command)
        return;
    if (w->has_pty)
        return_to_terminal(w);
    if (!by_leader && (w->has_pty || !w->shared_group || was_stopped))
        hw_wrapper_job_send(w, SIGCONT, true);
}

/* ---- the leader's words -------------------------------------------------------------------------- */

static void leader_gone(struct hw_wrapper *w)
{
    hw_session_close(&w->session);
    if (!w->ended)
        hw_wrapper_command_ended(w, SIGHUP); /* the kernel has hung up on it */
}

void hw_wrapper_job_hear(struct hw_wrapper *w)
{
    struct hw_session_word word;
    while ((word = hw_session_next(&w->session)).kind != HW_SESSION_NONE) {
        if (word.kind == HW_SESSION_STOPPED)
            hw_wrapper_job_stopped(w, word.number);
        else if (word.kind == HW_SESSION_CONTINUED)
            w->stopped = false;
        else if (word.kind == HW_SESSION_ENDED)
            hw_wrapper_command_ended(w, word.number);
        else
            leader_gone(w);
    }
}

void hw_wrapper_job_send(const struct hw_wrapper *w, int number, bool group)
{
    if (w->session.leader && number == SIGCONT)
        order(w, HW_SESSION_GO_ON);
    else if (w->session.leader)
        hw_session_order(&w->session, group ? HW_SESSION_GROUP : HW_SESSION_ONE, number, NULL);
    else
        kill(group && w->has_pty ? -w->command : w->command, number);
}
