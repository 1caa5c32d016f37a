#include "source/watch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum { FINAL_SETTLE_MS = 100, FINAL_TRIES = 4 };

/* The thread's, but for what is under the lock. */
struct look {
    char *path; /* owns */
    int64_t tick_ms;
    struct hw_file_memory memory;
    struct hw_file_read last, now;
    bool any;                      /* last holds something */
    bool had_line;                 /* the file has held something once */
    bool hung;                     /* a read since the last word took too long */
    struct hw_file_read latest;    /* under lock */
    bool latest_asked, latest_new; /* under lock */
    char scratch[HW_FILE_TAIL];
};

struct hw_watch {
    struct hw_reader *reader; /* owns */
    struct look *look;        /* borrows: the reader's */
    hw_watch_fn *fn;
    void *ctx;
    struct hw_file_read read; /* the copy that callbacks borrow */
    bool calling, gone;       /* inside of fn; free was called there */
};

/* ---- the thread ------------------------------------------------------------------------------------ */

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

static void read_once(struct look *l, int64_t settle_ms)
{
    int64_t begin = hw_reader_now_ms();
    hw_file_read(l->path, &l->memory, begin, settle_ms, l->scratch, &l->now);
    l->hung |= hw_reader_now_ms() - begin > HW_WATCH_HUNG_MS;
}

/* The last look. A line without its end gets its second read at once instead of a tick later, a file that was just emptied
 * by `echo N/M > file` gets the time to be filled, and what could not be read gets another try. */
static void read_settled(struct look *l)
{
    struct timespec pause = { .tv_nsec = (FINAL_SETTLE_MS + 5) * 1000000L };
    read_once(l, FINAL_SETTLE_MS);
    for (int i = 0; i < FINAL_TRIES; i++) {
        bool vanished =
            l->had_line && (l->now.kind == HW_FILE_EMPTY || l->now.kind == HW_FILE_MISSING);
        if (l->now.kind != HW_FILE_UNSURE && !vanished && !l->now.failed)
            return;
        nanosleep(&pause, NULL);
        read_once(l, FINAL_SETTLE_MS);
    }
}

static void hand_over(struct look *l, struct hw_reader *r, bool asked)
{
    bool news = l->now.kind != HW_FILE_UNSURE && (!l->any || l->hung || !same(&l->now, &l->last));
    l->hung = false;
    l->had_line |= l->now.kind == HW_FILE_LINE;
    if (news) {
        copy_read(&l->last, &l->now);
        l->any = true;
    }
    if (!news && !asked)
        return;
    hw_reader_lock(r);
    if (l->any)
        copy_read(&l->latest, &l->last);
    l->latest_new |= news;
    l->latest_asked |= asked;
    hw_reader_ring(r);
    hw_reader_unlock(r);
}

static enum hw_reader_next turn(void *state, struct hw_reader *r, struct hw_reader_cause cause)
{
    struct look *l = state;
    if (cause.asked)
        read_settled(l);
    else
        read_once(l, l->tick_ms * 9 / 10); /* two ticks apart, less the timer's jitter */
    hand_over(l, r, cause.asked);
    return HW_READER_LISTEN;
}

static void free_look(void *state)
{
    struct look *l = state;
    free(l->path);
    free(l);
}

/* ---- the loop -------------------------------------------------------------------------------------- */

static void on_ring(void *ctx)
{
    struct hw_watch *w = ctx;
    hw_reader_lock(w->reader);
    bool news = w->look->latest_new, asked = w->look->latest_asked;
    w->look->latest_new = w->look->latest_asked = false;
    copy_read(&w->read, &w->look->latest);
    hw_reader_unlock(w->reader);
    if (!news && !asked)
        return;
    w->calling = true;
    w->fn(w->ctx, &w->read, news, asked);
    w->calling = false;
    if (w->gone)
        free(w);
}

int hw_watch_new(struct hw_watch **ret, uv_loop_t *loop, const struct hw_watch_options *options,
                 hw_watch_fn *fn, void *ctx, struct hw_err *err)
{
    static const struct hw_reader_ops ops = { turn, on_ring, free_look };
    struct hw_reader_options where = { options->path, options->tick_ms, options->events };
    struct look *l = hw_xzalloc(sizeof *l);
    struct hw_watch *w = hw_xzalloc(sizeof *w);
    l->path = hw_xstrdup(options->path);
    l->tick_ms = options->tick_ms;
    w->look = l;
    w->fn = fn;
    w->ctx = ctx;
    if (hw_reader_new(&w->reader, loop, &where, &ops, l, w, err) < 0) {
        free(w);
        return -1;
    }
    *ret = w;
    return 0;
}

void hw_watch_ask(struct hw_watch *w)
{
    hw_reader_ask(w->reader);
}

int64_t hw_watch_busy_ms(const struct hw_watch *w)
{
    return hw_reader_busy_ms(w->reader);
}

void hw_watch_free(struct hw_watch *w)
{
    if (!w)
        return;
    hw_reader_free(w->reader);
    w->gone = true;
    if (!w->calling)
        free(w);
}
