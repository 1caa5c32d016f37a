#include "source/watch.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>

#include "base/mem.h"

enum {
    STACK_SIZE = 256 * 1024, /* address space; what is touched is a few KiB */
    FINAL_SETTLE_MS = 100,
    FINAL_TRIES = 4,
    /* A task that writes without pause costs four wakeups a second, after a burst that is read at once. One rename makes up to four
     * events (the temporary file's, too), each of which may be a wakeup of its own. */
    BURST = 16,
    REFILL_MS = 250,
};

/* Shared by the loop and the thread; the last one to leave frees it. */
struct shared {
    char *path, *dir, *name; /* own; never change */
    int64_t tick_ms;
    bool events;
    int wake; /* eventfd: a question, or the end */
    pthread_mutex_t lock;
    pthread_cond_t left;                      /* the thread is gone */
    bool asked, stop, thread_gone, loop_gone; /* under lock */
    struct hw_file_read latest;               /* under lock */
    bool latest_asked, latest_new;            /* under lock */
    atomic_llong busy_since_ms;               /* 0 = no read under way */
    uv_async_t *async;                        /* borrows; sent to under lock while !loop_gone */
};

struct hw_watch {
    uv_async_t async;
    struct shared *shared;
    hw_watch_fn *fn;
    void *ctx;
    struct hw_file_read read; /* the copy that callbacks borrow */
};

/* The thread's own things. */
struct reader {
    struct shared *s;
    int inotify, watch; /* -1 = none */
    int tokens;         /* reads by event that may come at once */
    int64_t tokens_at_ms, next_tick_ms;
    struct hw_file_memory memory;
    struct hw_file_read last, now;
    bool any;      /* last holds something */
    bool had_line; /* the file has held something once */
    bool hung;     /* a read since the last word took too long */
    char scratch[HW_FILE_TAIL];
};

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void free_shared(struct shared *s)
{
    close(s->wake);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->left);
    free(s->path);
    free(s->dir);
    free(s->name);
    free(s);
}

/* Watches the directory: a file that is renamed in, deleted or made anew keeps being seen. Tried again at each
 * tick, since the directory may come later or be made anew; adding the same one twice gives the same watch. */
static void watch_dir(struct reader *r)
{
    if (r->inotify < 0)
        return;
    int wd = inotify_add_watch(r->inotify, r->s->dir,
                               IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    if (wd == r->watch)
        return;
    if (r->watch >= 0)
        inotify_rm_watch(r->inotify, r->watch);
    r->watch = wd;
}

/* Takes what events there are; true when one of them may be about the file. */
static bool drain_events(struct reader *r)
{
    union {
        struct inotify_event event;
        char bytes[4096];
    } buf;
    bool ours = false;
    for (;;) {
        ssize_t n = read(r->inotify, &buf, sizeof buf);
        if (n <= 0)
            return ours;
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(buf.bytes + at);
            ours |=
                !e->len || strcmp(e->name, r->s->name) == 0; /* no name: overflow, directory gone */
            at += (ssize_t)(sizeof *e + e->len);
        }
    }
}

static void refill(struct reader *r, int64_t now)
{
    int64_t more = (now - r->tokens_at_ms) / REFILL_MS;
    if (more <= 0)
        return;
    r->tokens_at_ms += more * REFILL_MS;
    r->tokens = more > BURST - r->tokens ? BURST : r->tokens + (int)more;
}

/* Sleeps until the tick, an event about the file, or a word from the loop. */
static void wait_for_cause(struct reader *r)
{
    for (;;) {
        int64_t now = now_ms();
        refill(r, now);
        int64_t wait = r->next_tick_ms - now;
        if (r->tokens == 0 && wait > r->tokens_at_ms + REFILL_MS - now)
            wait = r->tokens_at_ms + REFILL_MS - now;
        struct pollfd fds[2] = { { .fd = r->s->wake, .events = POLLIN },
                                 { .fd = r->tokens ? r->inotify : -1, .events = POLLIN } };
        int n = poll(fds, 2, wait > 0 ? (int)wait : 0);
        if (n > 0 && fds[1].revents) {
            r->tokens--;
            if (drain_events(r))
                return;
        }
        if (n > 0 && fds[0].revents) {
            uint64_t count;
            if (read(r->s->wake, &count, sizeof count) == (ssize_t)sizeof count)
                return;
        }
        if (now_ms() >= r->next_tick_ms)
            return;
    }
}

static bool same(const struct hw_file_read *a, const struct hw_file_read *b)
{
    return a->kind == b->kind && a->len == b->len && memcmp(a->line, b->line, a->len) == 0 &&
           strcmp(a->why, b->why) == 0;
}

static void copy_read(struct hw_file_read *dst, const struct hw_file_read *src)
{
    dst->kind = src->kind;
    dst->len = src->len;
    memcpy(dst->line, src->line, src->len + 1);
    memcpy(dst->why, src->why, sizeof dst->why);
}

static void read_once(struct reader *r, int64_t settle_ms)
{
    int64_t begin = now_ms();
    atomic_store(&r->s->busy_since_ms, begin);
    hw_file_read(r->s->path, &r->memory, begin, settle_ms, r->scratch, &r->now);
    atomic_store(&r->s->busy_since_ms, 0);
    r->hung |= now_ms() - begin > HW_WATCH_HUNG_MS;
}

/* The last look. A line without its end gets its second read at once instead of a tick later, a file that was just emptied
 * by `echo N/M > file` gets the time to be filled, and what could not be read gets another try. */
static void read_settled(struct reader *r)
{
    struct timespec pause = { .tv_nsec = (FINAL_SETTLE_MS + 5) * 1000000L };
    read_once(r, FINAL_SETTLE_MS);
    for (int i = 0; i < FINAL_TRIES; i++) {
        bool vanished =
            r->had_line && (r->now.kind == HW_FILE_EMPTY || r->now.kind == HW_FILE_MISSING);
        if (r->now.kind != HW_FILE_UNSURE && !vanished && !r->now.failed)
            return;
        nanosleep(&pause, NULL);
        read_once(r, FINAL_SETTLE_MS);
    }
}

static void hand_over(struct reader *r, bool asked)
{
    struct shared *s = r->s;
    bool news = r->now.kind != HW_FILE_UNSURE && (!r->any || r->hung || !same(&r->now, &r->last));
    r->hung = false;
    r->had_line |= r->now.kind == HW_FILE_LINE;
    if (news) {
        copy_read(&r->last, &r->now);
        r->any = true;
    }
    if (!news && !asked)
        return;
    pthread_mutex_lock(&s->lock);
    if (r->any)
        copy_read(&s->latest, &r->last);
    s->latest_new |= news;
    s->latest_asked |= asked;
    if (!s->loop_gone)
        uv_async_send(s->async);
    pthread_mutex_unlock(&s->lock);
}

/* What the loop wants; false = to end. */
static bool take_question(struct shared *s, bool *ret_asked)
{
    pthread_mutex_lock(&s->lock);
    *ret_asked = s->asked;
    s->asked = false;
    bool go_on = !s->stop;
    pthread_mutex_unlock(&s->lock);
    return go_on;
}

static void leave(struct reader *r)
{
    struct shared *s = r->s;
    if (r->inotify >= 0)
        close(r->inotify);
    free(r);
    pthread_mutex_lock(&s->lock);
    s->thread_gone = true;
    bool last = s->loop_gone;
    pthread_cond_signal(&s->left);
    pthread_mutex_unlock(&s->lock);
    if (last)
        free_shared(s);
}

static void *reader_main(void *arg)
{
    struct reader *r = hw_xzalloc(sizeof *r);
    r->s = arg;
    r->watch = -1;
    r->inotify = r->s->events ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
    r->tokens = BURST;
    r->tokens_at_ms = r->next_tick_ms = now_ms();
    bool asked = false;
    while (take_question(r->s, &asked)) {
        int64_t now = now_ms();
        if (now >= r->next_tick_ms) {
            watch_dir(r); /* before the read, so that no change falls between */
            r->next_tick_ms = now + r->s->tick_ms;
        }
        if (asked)
            read_settled(r);
        else
            read_once(r, r->s->tick_ms * 9 / 10); /* two ticks apart, less the timer's jitter */
        hand_over(r, asked);
        wait_for_cause(r);
    }
    leave(r);
    return NULL;
}

static void on_async(uv_async_t *async)
{
    struct hw_watch *w = HW_CONTAINER(async, struct hw_watch, async);
    struct shared *s = w->shared;
    pthread_mutex_lock(&s->lock);
    bool news = s->latest_new, asked = s->latest_asked;
    s->latest_new = s->latest_asked = false;
    copy_read(&w->read, &s->latest);
    pthread_mutex_unlock(&s->lock);
    if (news || asked)
        w->fn(w->ctx, &w->read, news, asked);
}

static struct shared *new_shared(const struct hw_watch_options *options)
{
    struct shared *s = hw_xzalloc(sizeof *s);
    hw_auto_free char *for_dir = hw_xstrdup(options->path);
    hw_auto_free char *for_name = hw_xstrdup(options->path);
    s->path = hw_xstrdup(options->path);
    s->dir = hw_xstrdup(dirname(for_dir));
    s->name = hw_xstrdup(basename(for_name));
    s->tick_ms = options->tick_ms;
    s->events = options->events;
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->left, &attr);
    pthread_condattr_destroy(&attr);
    return s;
}

static int start_thread(struct shared *s, struct hw_err *err)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the loop's */
    int error = pthread_create(&thread, &attr, reader_main, s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    errno = error;
    return error ? hw_fail_sys(err, "start the reader thread") : 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct hw_watch, async));
}

int hw_watch_new(struct hw_watch **ret, uv_loop_t *loop, const struct hw_watch_options *options,
                 hw_watch_fn *fn, void *ctx, struct hw_err *err)
{
    struct shared *s = new_shared(options);
    if (s->wake < 0) {
        hw_fail_sys(err, "make an eventfd");
        free_shared(s);
        return -1;
    }
    struct hw_watch *w = hw_xzalloc(sizeof *w);
    w->shared = s;
    w->fn = fn;
    w->ctx = ctx;
    s->async = &w->async;
    int st = uv_async_init(loop, &w->async, on_async);
    if (st < 0) {
        free_shared(s);
        free(w);
        return hw_fail(err, HW_ESYS, "make an async handle: %s", uv_strerror(st));
    }
    if (start_thread(s, err) < 0) {
        free_shared(s);
        uv_close((uv_handle_t *)&w->async, on_closed);
        return -1;
    }
    *ret = w;
    return 0;
}

static void wake(struct shared *s)
{
    uint64_t one = 1;
    while (write(s->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue; /* EAGAIN: the counter is full, it is awake */
}

void hw_watch_ask(struct hw_watch *w)
{
    struct shared *s = w->shared;
    pthread_mutex_lock(&s->lock);
    s->asked = true;
    pthread_mutex_unlock(&s->lock);
    wake(s);
}

int64_t hw_watch_busy_ms(const struct hw_watch *w)
{
    int64_t since = atomic_load(&w->shared->busy_since_ms);
    return since ? now_ms() - since : 0;
}

void hw_watch_free(struct hw_watch *w)
{
    if (!w)
        return;
    struct shared *s = w->shared;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 200 * 1000000L; /* more than a read that does not hang takes */
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    wake(s);
    int st = 0;
    while (!s->thread_gone && st == 0)
        st = pthread_cond_timedwait(&s->left, &s->lock, &until);
    s->loop_gone = true;
    bool last = s->thread_gone;
    pthread_mutex_unlock(&s->lock);
    if (last)
        free_shared(s);
    uv_close((uv_handle_t *)&w->async, on_closed);
}
