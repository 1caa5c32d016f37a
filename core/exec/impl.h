/* impl.h - the wrapper, shared by its files:
 * wrapper.c   the loop: copies, the command's end, what is left then
 * streams.c   pipes and terminals for the command, and the feeds of the reporter
 * signals.c   signals in, children reaped
 * job.c       the job stopped and continued, foreground and background
 * reporter.c  the reporter's process: start, words, restart, end */
#ifndef HW_EXEC_IMPL_H
#define HW_EXEC_IMPL_H

#include "exec/session.h"
#include "exec/terminal.h"
#include "exec/wrapper.h"

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): one per process, in the order of the files
struct hw_wrapper {
    const struct hw_wrapper_options *o;

    /* streams.c */
    struct hw_copy copies[HW_WRAPPED_STREAMS];
    bool is_pty[HW_WRAPPED_STREAMS];
    size_t count;
    int feeds[HW_WRAPPED_STREAMS][2]; /* own; -1 = none */
    int given[3]; /* what the command gets as 0, 1, 2; those above 2 are owned until it runs */
    bool has_pty;
    int slave;  /* borrows: the command's end of the pty that its session has, until it runs */
    int master; /* borrows: ours; -1 = none */
    int tty; /* owns: the terminal of our session, where standard input is another thing; -1 = none */
    struct hw_keyboard keyboard;

    /* job.c */
    struct hw_session session; /* with a pty and a keyboard; else it has no leader */
    bool lazy; /* others may want the keyboard, a pager say: it is taken when the command asks for it */
    bool front;     /* the command has its pty's foreground */
    bool stopped;   /* the command is */
    bool told_stop; /* by a signal that the whole job was sent */

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
/* Closes all above 2 but the streams, what the reporter needs, and these. */
void hw_wrapper_streams_keep(const struct hw_wrapper *w, const int *more, size_t count);
void hw_wrapper_streams_done(struct hw_wrapper *w);

/* ---- signals.c */
HW_MUST_USE int hw_wrapper_signals_open(struct hw_wrapper *w, struct hw_err *err);
void hw_wrapper_signals_take(struct hw_wrapper *w);
/* The command's end, as waitpid tells it. */
void hw_wrapper_command_ended(struct hw_wrapper *w, int status);

/* ---- job.c */
/* Before a command with a pty starts, and after: it finds its terminal as it will be. */
void hw_wrapper_job_begin(struct hw_wrapper *w);
void hw_wrapper_job_begun(struct hw_wrapper *w);
/* Gives the command the foreground of its pty, and us the keys, when that is due; takes it back when a shell has taken ours. */
void hw_wrapper_job_settle(struct hw_wrapper *w);
/* Words of the session's leader. */
void hw_wrapper_job_hear(struct hw_wrapper *w);
/* The command was stopped by a signal. */
void hw_wrapper_job_stopped(struct hw_wrapper *w, int number);
/* We were sent SIGCONT; by_leader: because somebody continued the command. */
void hw_wrapper_job_go_on(struct hw_wrapper *w, bool by_leader);
void hw_wrapper_job_resize(struct hw_wrapper *w);
/* Keys are there, or room for them. */
void hw_wrapper_job_keys(struct hw_wrapper *w);
/* The person's terminal may have hung up: then the command's has, too. */
void hw_wrapper_job_check_hangup(struct hw_wrapper *w);
void hw_wrapper_job_send(const struct hw_wrapper *w, int number, bool group);
/* The terminal is the person's again. */
void hw_wrapper_job_restore(struct hw_wrapper *w);

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
/* Tells how the command ended, once its last bytes are in the reporter's pipe; late: the newest of them must do, when there
 * is room. Again after a restart. */
void hw_wrapper_reporter_end(struct hw_wrapper *w, bool late);

#endif
