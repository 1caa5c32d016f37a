#include "source/reader.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>

#include "base/mem.h"

enum {
    STACK_SIZE = 256 * 1024, /* address space; what is touched is a few KiB */
    /* A task that writes without pause costs four wakeups a second, after a burst that is read at once. One rename makes up to four
     * events (the temporary file's, too), each of which may be a wakeup of its own. */
    BURST = 16,
    REFILL_MS = 250,
    LEAVE_MS = 500, /* more than a turn that does not hang takes */
};

/* The loop's end of it, which the loop frees. */
struct bell {
    uv_async_t async;
    struct hw_reader_ops ops;
    void *ctx;
};

/* Shared by the loop and the thread; the last one to leave frees it. */
struct hw_reader {
    char *dir, *name; /* own; never change */
    int64_t tick_ms;
    bool events;
    struct hw_reader_ops ops;
    void *state; /* owns */
    int wake;    /* eventfd: a word from the loop */
    pthread_mutex_t lock;
    pthread_cond_t left;                      /* the thread is gone */
    bool asked, stop, thread_gone, loop_gone; /* under lock */
    struct bell *bell;                        /* borrows; used under lock while !loop_gone */
    atomic_llong busy_since_ms;               /* 0 = no turn under way */
};

/* The thread's own things. */
struct sleeper {
    struct hw_reader *r;
    int inotify, watch; /* -1 = none */
    int tokens;         /* turns by event that may come at once */
    int64_t tokens_at_ms, next_tick_ms;
};

int64_t hw_reader_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void free_reader(struct hw_reader *r)
{
    if (r->wake >= 0)
        close(r->wake);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->left);
    r->ops.free_state(r->state);
    free(r->dir);
    free(r->name);
    free(r);
}

/* ---- the thread ------------------------------------------------------------------------------------ */

/* Watches the directory: a file that is renamed in, deleted or made anew keeps being seen. Tried again at each
 * tick, since the directory may come later or be made anew; adding the same one twice gives the same watch. */
static void watch_dir(struct sleeper *s)
{
    if (s->inotify < 0)
        return;
    int wd = inotify_add_watch(s->inotify, s->r->dir,
                               IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    if (wd == s->watch)
        return;
    if (s->watch >= 0)
        inotify_rm_watch(s->inotify, s->watch);
    s->watch = wd;
}

/* Takes what events there are; true when one of them may be about the file. */
static bool drain_events(struct sleeper *s)
{
    union {
        struct inotify_event event;
        char bytes[4096];
    } buf;
    bool ours = false;
    for (;;) {
        ssize_t n = read(s->inotify, &buf, sizeof buf);
        if (n <= 0)
            return ours;
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(buf.bytes + at);
            ours |=
                !e->len || strcmp(e->name, s->r->name) == 0; /* no name: overflow, directory gone */
            at += (ssize_t)(sizeof *e + e->len);
        }
    }
}

static void refill(struct sleeper *s, int64_t now)
{
    int64_t more = (now - s->tokens_at_ms) / REFILL_MS;
    if (more <= 0)
        return;
    s->tokens_at_ms += more * REFILL_MS;
    s->tokens = more > BURST - s->tokens ? BURST : s->tokens + (int)more;
}

/* Sleeps until the tick, an event about the file (true), or a word from the loop. */
static bool wait_for_cause(struct sleeper *s, bool deaf)
{
    for (;;) {
        int64_t now = hw_reader_now_ms();
        refill(s, now);
        int64_t wait = s->next_tick_ms - now;
        if (!deaf && s->tokens == 0 && wait > s->tokens_at_ms + REFILL_MS - now)
            wait = s->tokens_at_ms + REFILL_MS - now;
        struct pollfd fds[2] = { { .fd = s->r->wake, .events = POLLIN },
                                 { .fd = s->tokens && !deaf ? s->inotify : -1, .events = POLLIN } };
        int n = poll(fds, 2, wait > 0 ? (int)wait : 0);
        if (n > 0 && fds[1].revents) {
            s->tokens--;
            if (drain_events(s))
                return true;
        }
        if (n > 0 && fds[0].revents) {
            uint64_t count;
            if (read(s->r->wake, &count, sizeof count) == (ssize_t)sizeof count)
                return false;
        }
        if (hw_reader_now_ms() >= s->next_tick_ms)
            return false;
    }
}

/* What the loop wants; false = to end. */
static bool take_question(struct hw_reader *r, bool *ret_asked)
{
    hw_reader_lock(r);
    *ret_asked = r->asked;
    r->asked = false;
    bool go_on = !r->stop;
    hw_reader_unlock(r);
    return go_on;
}

static void leave(struct sleeper *s)
{
    struct hw_reader *r = s->r;
    if (s->inotify >= 0)
        close(s->inotify);
    hw_reader_lock(r);
    r->thread_gone = true;
    bool last = r->loop_gone;
    pthread_cond_signal(&r->left);
    hw_reader_unlock(r);
    if (last)
        free_reader(r);
}

static bool take_turn(struct sleeper *s, struct hw_reader_cause cause)
{
    int64_t now = hw_reader_now_ms();
    cause.tick = now >= s->next_tick_ms;
    if (cause.tick) {
        watch_dir(s); /* before the read, so that no change falls between */
        s->next_tick_ms = now + s->r->tick_ms;
    }
    atomic_store(&s->r->busy_since_ms, now);
    enum hw_reader_next next = s->r->ops.turn(s->r->state, s->r, cause);
    atomic_store(&s->r->busy_since_ms, 0);
    return next == HW_READER_DEAF;
}

static void *thread_main(void *arg)
{
    struct sleeper s = { .r = arg, .watch = -1, .tokens = BURST };
    struct hw_reader_cause cause = { 0 };
    s.inotify = s.r->events ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
    s.tokens_at_ms = s.next_tick_ms = hw_reader_now_ms();
    while (take_question(s.r, &cause.asked)) {
        bool deaf = take_turn(&s, cause);
        cause.event = wait_for_cause(&s, deaf);
    }
    leave(&s);
    return NULL;
}

/* ---- the loop -------------------------------------------------------------------------------------- */

void hw_reader_lock(struct hw_reader *r)
{
    pthread_mutex_lock(&r->lock);
}

void hw_reader_unlock(struct hw_reader *r)
{
    pthread_mutex_unlock(&r->lock);
}

void hw_reader_ring(struct hw_reader *r)
{
    if (!r->loop_gone)
        uv_async_send(&r->bell->async);
}

static void on_async(uv_async_t *async)
{
    struct bell *b = HW_CONTAINER(async, struct bell, async);
    b->ops.on_ring(b->ctx);
}

static struct hw_reader *new_reader(const struct hw_reader_options *options,
                                    const struct hw_reader_ops *ops, void *state)
{
    struct hw_reader *r = hw_xzalloc(sizeof *r);
    hw_auto_free char *for_dir = hw_xstrdup(options->path);
    hw_auto_free char *for_name = hw_xstrdup(options->path);
    r->dir = hw_xstrdup(dirname(for_dir));
    r->name = hw_xstrdup(basename(for_name));
    r->tick_ms = options->tick_ms;
    r->events = options->events;
    r->ops = *ops;
    r->state = state;
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->left, &attr);
    pthread_condattr_destroy(&attr);
    return r;
}

static int start_thread(struct hw_reader *r, struct hw_err *err)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the loop's */
    int error = pthread_create(&thread, &attr, thread_main, r);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    errno = error;
    return error ? hw_fail_sys(err, "start the reader thread") : 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct bell, async));
}

static int hang_bell(struct hw_reader *r, uv_loop_t *loop, void *ctx, struct hw_err *err)
{
    struct bell *b = hw_xzalloc(sizeof *b);
    b->ops = r->ops;
    b->ctx = ctx;
    int st = uv_async_init(loop, &b->async, on_async);
    if (st < 0) {
        free(b);
        return hw_fail(err, HW_ESYS, "make an async handle: %s", uv_strerror(st));
    }
    r->bell = b;
    return 0;
}

int hw_reader_new(struct hw_reader **ret, uv_loop_t *loop, const struct hw_reader_options *options,
                  const struct hw_reader_ops *ops, void *state, void *ctx, struct hw_err *err)
{
    struct hw_reader *r = new_reader(options, ops, state);
    int st = r->wake < 0 ? hw_fail_sys(err, "make an eventfd") : hang_bell(r, loop, ctx, err);
    if (st == 0)
        st = start_thread(r, err);
    if (st == 0) {
        *ret = r;
        return 0;
    }
    if (r->bell)
        uv_close((uv_handle_t *)&r->bell->async, on_closed);
    free_reader(r);
    return -1;
}

void hw_reader_wake(struct hw_reader *r)
{
    uint64_t one = 1;
    while (write(r->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue; /* EAGAIN: the counter is full, it is awake */
}

void hw_reader_ask(struct hw_reader *r)
{
    hw_reader_lock(r);
    r->asked = true;
    hw_reader_unlock(r);
    hw_reader_wake(r);
}

int64_t hw_reader_busy_ms(const struct hw_reader *r)
{
    int64_t since = atomic_load(&r->busy_since_ms);
    return since ? hw_reader_now_ms() - since : 0;
}

void hw_reader_free(struct hw_reader *r)
{
    if (!r)
        return;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LEAVE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    hw_reader_lock(r);
    r->stop = true;
    hw_reader_wake(r);
    int st = 0;
    while (!r->thread_gone && st == 0)
        st = pthread_cond_timedwait(&r->left, &r->lock, &until);
    r->loop_gone = true;
    bool last = r->thread_gone;
    uv_close((uv_handle_t *)&r->bell->async, on_closed);
    hw_reader_unlock(r);
    if (last)
        free_reader(r);
}
