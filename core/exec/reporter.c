#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "exec/impl.h"

enum { RETRY_LEAST_MS = 1000, RETRY_MOST_MS = 60000 };

int64_t hw_wrapper_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- in the reporter's process ------------------------------------------------------------------- */

static void keep_files(const struct hw_wrapper *w, int control)
{
    hw_empty_fd(STDIN_FILENO, O_RDONLY);
    hw_wrapper_streams_keep(w, &control, 1);
}

/* Neither terminal nor job is ours, and it's the command that ends us. */
static void leave_job(const struct hw_wrapper *w)
{
    static const int ignored[] = { SIGTERM, SIGINT,  SIGHUP,  SIGQUIT, SIGTSTP,
                                   SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2 };
    setsid();
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
    sigprocmask(SIG_UNBLOCK, &w->caught, NULL);
    prctl(PR_SET_NAME, "headway-report");
}

/* When memory runs out in the container, we go before the command does. */
static void go_first(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "1000", 4) < 0)
        errno = 0; /* only a wish */
    close(fd);
}

static _Noreturn void report(struct hw_wrapper *w, const struct hw_wrapped *given)
{
    keep_files(w, given->control);
    leave_job(w);
    go_first();
    _exit(w->o->report(w->o->ctx, given));
}

/* ---- in the wrapper ------------------------------------------------------------------------------ */

static void retry_later(struct hw_wrapper *w)
{
    int64_t now = hw_wrapper_now();
    bool lived = w->started_ms && now - w->started_ms > RETRY_MOST_MS;
    w->retry_ms = !w->retry_ms || lived             ? RETRY_LEAST_MS
                  : w->retry_ms * 2 < RETRY_MOST_MS ? w->retry_ms * 2
                                                    : RETRY_MOST_MS;
    w->retry_at_ms = now + w->retry_ms;
}

static void close_control(struct hw_wrapper *w)
{
    if (w->control >= 0)
        close(w->control);
    w->control = -1;
}

/* Before the fork: afterwards more is fed. */
static struct hw_wrapped make_given(struct hw_wrapper *w, int control)
{
    struct hw_wrapped given = { .command = w->command,
                                .control = control,
                                .count = w->count,
                                .again = w->was_started,
                                .copies = w->copies };
    for (size_t i = 0; i < w->count; i++) {
        int waiting = 0;
        given.feeds[i] = w->feeds[i][0];
        if (given.feeds[i] >= 0 && ioctl(given.feeds[i], FIONREAD, &waiting) == 0)
            given.taken[i] = w->copies[i].fed - (uint64_t)waiting;
    }
    return given;
}

void hw_wrapper_reporter_start(struct hw_wrapper *w)
{
    int ends[2];
    bool once = w->o->exact && w->was_started;
    if (!w->o->report || once || w->reporter || hw_wrapper_now() < w->retry_at_ms)
        return;
    w->retry_at_ms = 0;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        retry_later(w);
        return;
    }
    w->started_ms = hw_wrapper_now();
    struct hw_wrapped given = make_given(w, ends[0]);
    pid_t pid = fork();
    if (pid == 0)
        report(w, &given);
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        retry_later(w);
        return;
    }
    close_control(w);
    w->control = ends[1];
    w->reporter = pid;
    w->was_started = true;
    w->told_end = false;
    for (size_t i = 0; i < w->count; i++)
        w->told_over[i] = hw_copy_is_over(&w->copies[i]);
}

int64_t hw_wrapper_reporter_wait(const struct hw_wrapper *w)
{
    if (!w->retry_at_ms)
        return -1;
    int64_t wait = w->retry_at_ms - hw_wrapper_now();
    return wait > 0 ? wait : 0;
}

void hw_wrapper_reporter_ended(struct hw_wrapper *w)
{
    w->reporter = 0;
    close_control(w);
    for (size_t i = 0; w->o->exact && i < w->count; i++) { /* nobody reads any more */
        w->copies[i].exact = w->copies[i].feed_full = false;
        w->copies[i].feed = -1;
    }
    if (!w->told_end && !w->o->exact)
        retry_later(w);
}

/* Whole or not at all: a word is shorter than PIPE_BUF. */
static bool tell(const struct hw_wrapper *w, const struct hw_word *word)
{
    return w->control >= 0 && write(w->control, word, sizeof *word) == (ssize_t)sizeof *word;
}

void hw_wrapper_reporter_overs(struct hw_wrapper *w)
{
    for (size_t i = 0; w->reporter && i < w->count; i++) {
        struct hw_word word = { .kind = HW_WORD_OVER, .number = (int32_t)i };
        if (!w->told_over[i] && hw_copy_is_over(&w->copies[i]))
            w->told_over[i] = tell(w, &word);
    }
}

void hw_wrapper_reporter_gaps(struct hw_wrapper *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct hw_copy *c = &w->copies[i];
        struct hw_word word = {
            .kind = HW_WORD_GAP, .number = (int32_t)i, .at = c->fed, .lost = c->lost
        };
        if (c->lost && (!w->reporter || tell(w, &word)))
            c->lost = 0;
    }
}

static void hurry(struct hw_wrapper *w)
{
    for (size_t i = 0; i < w->count; i++)
        hw_copy_hurry(&w->copies[i]);
    hw_wrapper_reporter_gaps(w);
}

void hw_wrapper_reporter_end(struct hw_wrapper *w, bool late)
{
    struct hw_word word = { .kind = w->start_errno ? HW_WORD_UNSTARTED : HW_WORD_ENDED,
                            .number = w->status,
                            .signal = w->start_errno ? w->start_errno : w->ended_by };
    if (w->told_end)
        return;
    if (late)
        hurry(w);
    for (size_t i = 0; i < w->count; i++) {
        if (!hw_copy_flush(&w->copies[i]) && !late)
            return;
        word.fed[i] = w->copies[i].fed + w->copies[i].spool.len;
    }
    w->told_end = tell(w, &word);
}
