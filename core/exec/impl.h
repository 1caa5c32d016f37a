/* impl.h - the wrapper, shared by its files:
 * wrapper.c   the loop: copies, the command's end, what is left then
 * streams.c   pipes and terminals for the command, and the feeds of the reporter
 * signals.c   signals in, children reaped, jobs stopped and continued
 * reporter.c  the reporter's process: start, words, restart, end */
#ifndef HW_EXEC_IMPL_H
#define HW_EXEC_IMPL_H

#include "exec/terminal.h"
#include "exec/wrapper.h"

struct hw_wrapper {
    const struct hw_wrapper_options *o;

    /* streams.c */
    struct hw_copy copies[HW_WRAPPED_STREAMS];
    bool is_pty[HW_WRAPPED_STREAMS];
    size_t count;
    int feeds[HW_WRAPPED_STREAMS][2]; /* own; -1 = none */
    int given[3]; /* what the command gets as 0, 1, 2; those above 2 are owned until it runs */
    bool session; /* it has a pty */
    int master;   /* borrows: the pty that the keyboard drives; -1 = none */
    struct hw_keyboard keyboard;

    /* signals.c */
    int signals; /* owns: a signalfd */
    sigset_t caught;
    bool shared_group; /* command and wrapper are one job of a shell */
    pid_t command;     /* 0 = it does not run */
    bool ended;
    int status, ended_by; /* exit status as we give it on, and the signal or 0 */
    enum hw_leave {
        HW_STAY,
        HW_LEAVE_READER,
        HW_LEAVE_ALL
    } leave; /* by signals after the command's end */

    /* reporter.c */
    pid_t reporter;                            /* 0 = none runs */
    bool was_started;                          /* one ran before */
    int control;                               /* owns: write end; -1 = none */
    int64_t started_ms, retry_ms, retry_at_ms; /* monotonic; retry_at_ms 0 = no retry is due */
    bool told_end, told_over[HW_WRAPPED_STREAMS];
    int start_errno; /* why the command could not be started */
};

int64_t hw_wrapper_now(void); /* monotonic, ms */

/* ---- streams.c: on failure of any kind the command gets our own files, and a line says why. */
void hw_wrapper_streams_open(struct hw_wrapper *w);
/* Closes what only the command needs. */
void hw_wrapper_streams_started(struct hw_wrapper *w);
/* It runs: what else it was given is its own, somebody may wait for the end of that. */
void hw_wrapper_streams_let_go(const struct hw_wrapper *w);
/* Closes all above 2 but the streams and what the reporter needs, and this one. */
void hw_wrapper_streams_keep(const struct hw_wrapper *w, int more);
void hw_wrapper_streams_done(struct hw_wrapper *w);

/* ---- signals.c */
HW_MUST_USE int hw_wrapper_signals_open(struct hw_wrapper *w, struct hw_err *err);
void hw_wrapper_signals_take(struct hw_wrapper *w);
/* The key that stops a job was pressed on the command's pty. */
void hw_wrapper_signals_suspend(struct hw_wrapper *w);

/* ---- reporter.c */
/* Starts it when it is due; never fails: it is tried again later. */
void hw_wrapper_reporter_start(struct hw_wrapper *w);
/* Milliseconds until a restart is due, -1 = none is. */
int64_t hw_wrapper_reporter_wait(const struct hw_wrapper *w);
void hw_wrapper_reporter_ended(struct hw_wrapper *w);
/* Tells which streams are over. */
void hw_wrapper_reporter_overs(struct hw_wrapper *w);
/* Tells of gaps in the feeds. */
void hw_wrapper_reporter_gaps(struct hw_wrapper *w);
/* Tells how the command ended; again after a restart. */
void hw_wrapper_reporter_end(struct hw_wrapper *w);

#endif
