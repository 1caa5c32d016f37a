/* session.h - the command's own session on its pty, led by a process that does for it what a shell does for a job.
 *
 * Without a leader of its own the command's process group would be an orphaned one, in which the kernel ignores
 * what stops a job (SIGTSTP, SIGTTIN, SIGTTOU): a program that suspends itself, an editor say, never would. And the
 * kernel hangs up on everybody in the foreground when the leader ends: the command may leave someone behind.
 *
 * open -> word, order ... -> close. The leader ends after ENDED. When we are killed it stays until the command ends. */
#ifndef HW_EXEC_SESSION_H
#define HW_EXEC_SESSION_H

#include <termios.h>

#include "exec/command.h"

struct hw_session {
    pid_t leader;  /* 0 = there is none */
    pid_t command; /* not our child: only the leader may signal it without doubt */
    int channel;   /* owns: readable when there is a word; -1 = none */
};

enum hw_session_word_kind {
    HW_SESSION_NONE,      /* nothing new */
    HW_SESSION_STARTED,   /* number: the command's process id; only hw_session_open sees it */
    HW_SESSION_UNSTARTED, /* number: exit status; errno in `error` */
    HW_SESSION_STOPPED,   /* number: by this signal */
    HW_SESSION_CONTINUED, /* by somebody else; we were sent SIGCONT just after this */
    HW_SESSION_ENDED,     /* number: as waitpid says */
    HW_SESSION_GONE,      /* the leader was killed */
};
struct hw_session_word {
    int kind, number, error;
};

enum hw_session_order_kind {
    HW_SESSION_FRONT, /* the pty's foreground is the command's, or again of who had it before BACK */
    HW_SESSION_TAKE,  /* the same, but the command's group in any case */
    HW_SESSION_BACK,  /* nobody of the command's is in the foreground */
    HW_SESSION_GO_ON, /* SIGCONT for the group */
    HW_SESSION_ONE,   /* signal `number` for the command */
    HW_SESSION_GROUP, /* signal `number` for its group */
    HW_SESSION_MODES, /* number 1: when we are killed the keyboard's modes are to be these; 0: they are none of ours */
};

/* terminal: the pty's slave. keyboard: the terminal of the person, -1 = none. front: the command starts in the foreground.
 * -1: not started, *ret_status and err as of hw_command_start. */
HW_MUST_USE int hw_session_open(struct hw_session *s, const struct hw_command *c, int terminal,
                                int keyboard, bool front, int *ret_status, struct hw_err *err);
struct hw_session_word hw_session_next(struct hw_session *s);
void hw_session_order(const struct hw_session *s, enum hw_session_order_kind kind, int number,
                      const struct termios *modes);
void hw_session_close(struct hw_session *s);

#endif
