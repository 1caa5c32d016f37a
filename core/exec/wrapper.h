/* wrapper.h - runs a command as if we were not there: its bytes, signals, terminal, job control and exit status are what they
 * would have been, and a reporter in a process of its own looks on. This process holds nothing but the streams: no credential, no
 * network, no Lua, no threads.
 *
 * Processes: the wrapper (copies, forwards signals, reaps), the command, the reporter. The reporter's death or slowness
 * never reaches the command: it is given a second copy of the bytes, is told of those that it missed because it lagged, and is
 * started again when it dies. Should the wrapper itself be killed, the reporter lets a fork of its own carry on with the copying.
 *
 * What the caller gave is the command's: once it runs, the wrapper keeps of it only what it copies to, and stderr, where it says
 * what is amiss. So whoever waits for the end of a pipe waits for the command alone; but where stdout and stderr are one pipe,
 * its end comes with ours. A reader who is gone is noticed at once, as long as he is there the command is held up as he is.
 * What stands in the pipe at the command's end is waited for; a second SIGTERM leaves it to a copier that stays behind.
 * Where no process or descriptor can be had, this one becomes the command, unwatched.
 *
 * Where we have a controlling terminal the command stays in our process group, so that a shell's job control sees one
 * job; elsewhere it gets its own group, so that a signal reaches it once. With a pty it has a session of its own, led by one more
 * process (session.h), which tells us when it stops, and we do the same to our job: what a shell sees and what a person types is
 * carried over. */
#ifndef HW_EXEC_WRAPPER_H
#define HW_EXEC_WRAPPER_H

#include "exec/command.h"
#include "exec/copy.h"

enum hw_pty {
    HW_PTY_OFF,
    HW_PTY_AUTO, /* a terminal for the command where we have one ourselves */
    HW_PTY_ON,
};

enum { HW_WRAPPED_STREAMS = 2 };

/* What the wrapper tells its reporter, by one write each. */
enum hw_word_kind {
    HW_WORD_OVER, /* stream `number` has ended: its reader waits until nobody holds the other end any more */
    HW_WORD_GAP, /* just before byte `at` of what stream `number` ever fed, `lost` are missing */
    HW_WORD_ENDED, /* the command ended with status `number`, by `signal` (0 = none); no more is fed than fed[] */
    HW_WORD_UNSTARTED, /* it could not be started: status `number`, errno in `signal` */
};
struct hw_word {
    uint32_t kind;
    int32_t number, signal;
    uint64_t at, lost;
    uint64_t fed[HW_WRAPPED_STREAMS];
};

/* What the reporter's process is given. Its standard input is empty, and it ignores the signals of a terminal and of a
 * shutdown: it ends when it was told ENDED and has done its last. */
struct hw_wrapped {
    pid_t command;
    int control; /* struct hw_word; end of file without ENDED: the wrapper was killed */
    size_t count;
    int feeds[HW_WRAPPED_STREAMS]; /* read ends, which don't block; no end of file before carry_on */
    uint64_t taken[HW_WRAPPED_STREAMS]; /* bytes that an earlier reporter took; the first record may be cut */
    bool again;                         /* there was an earlier one */
    struct hw_copy *copies;             /* for carry_on */
};
/* Returns the process's exit status. */
typedef int hw_wrapper_report_fn(void *ctx, const struct hw_wrapped *w);

struct hw_wrapper_options {
    char *const *argv; /* ended by NULL */
    char *const *env;  /* ended by NULL */
    const struct hw_inherited *inherited;
    enum hw_pty pty;
    bool watch; /* the output is watched; false: it goes by without us, but on a pty */
    hw_wrapper_report_fn *report; /* NULL: no reporter */
    bool exact; /* the reporter gets every byte: the command is held up while it lags, and no other one is started when it dies */
    void (*say)(
        const char *text); /* one line for a person: what is amiss, while the command runs all the same */
    void (*warn)(const char *text); /* the same, where a person may have switched warnings off */
    void *ctx;
    const int *keep; /* descriptors that the reporter needs, ended by -1; NULL = none. All others are closed there */
    int64_t finish_ms; /* how long the reporter may take for its last word */
};

/* Blocks until the command has ended. Returns its exit status, 128 + the signal that ended it, 127 when there is no such command,
 * 126 when it can't be run. */
int hw_wrapper_run(const struct hw_wrapper_options *o);

/* In the reporter, when the wrapper was killed: forks off who copies the streams to their ends; the feeds end with him. Returns a
 * descriptor that becomes readable when the command has ended, or -1 when that can't be known. */
int hw_wrapped_carry_on(const struct hw_wrapped *w);

/* In the reporter, at the word that this stream is over. */
void hw_wrapped_let_go(const struct hw_wrapped *w, int32_t number);

#endif
