#include "source/tail.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "source/follow.h"
#include "source/reader.h"

/* The thread's, but for what is under the lock. */
struct state {
    struct hw_follow follow;
    uint64_t goal; /* bytes that were there at the start and were not read yet; then 0 */
    uint64_t last; /* bytes that may still be read for the answer that is owed */
    uint64_t keep; /* of those that were not read yet, the most that are read for it */
    bool begun, caught_up, asked;
    char told[HW_TAIL_WHY]; /* the last why */

    /* Under the lock: what waits to be taken. */
    char *piece; /* owns; HW_TAIL_CHUNK bytes, of which len wait; 0 = it is free */
    size_t len;
    enum hw_tail_seam seam;
    uint64_t lost;
    bool waiting; /* the thread, for the piece to be taken */
    bool new_caught_up, new_asked, new_why;
    char why[HW_TAIL_WHY];
};

struct hw_tail {
    struct hw_reader *reader; /* owns */
    struct state *state;      /* borrows: the reader's */
    hw_tail_fn *fn;
    void *ctx;
    char *piece; /* owns; the one that callbacks borrow from */
    bool full;   /* the consumer has no room */
    bool calling, gone;
};

/* ---- the thread ------------------------------------------------------------------------------------ */

static bool is_free(struct state *s, struct hw_reader *r)
{
    hw_reader_lock(r);
    bool is = s->len == 0;
    s->waiting = !is;
    hw_reader_unlock(r);
    return is;
}

static void hand_over(struct state *s, struct hw_reader *r, struct hw_str bytes)
{
    hw_reader_lock(r);
    memcpy(s->piece, bytes.ptr, bytes.len);
    s->len = bytes.len;
    s->seam = s->follow.seam;
    s->lost = s->follow.lost;
    hw_reader_ring(r);
    hw_reader_unlock(r);
    s->follow.seam = HW_TAIL_ON;
    s->follow.lost = 0;
}

static void tell_why(struct state *s, struct hw_reader *r)
{
    if (s->begun && strcmp(s->told, s->follow.why) == 0)
        return;
    memcpy(s->told, s->follow.why, sizeof s->told);
    hw_reader_lock(r);
    memcpy(s->why, s->told, sizeof s->why);
    s->new_why = true;
    hw_reader_ring(r);
    hw_reader_unlock(r);
}

static void tell(struct state *s, struct hw_reader *r, bool caught_up, bool asked)
{
    hw_reader_lock(r);
    s->new_caught_up |= caught_up;
    s->new_asked |= asked;
    hw_reader_ring(r);
    hw_reader_unlock(r);
    s->caught_up |= caught_up;
    if (asked)
        s->asked = false;
}

static uint64_t less(uint64_t from, size_t n)
{
    return from > n ? from - n : 0;
}

static void count(struct state *s, struct hw_reader *r, size_t n)
{
    s->goal = less(s->goal, n);
    s->last = less(s->last, n);
    if (!s->caught_up && !s->goal)
        tell(s, r, true, false);
    if (s->asked && !s->last)
        tell(s, r, false, true);
}

/* False: the piece before was not taken yet. */
static bool read_all(struct state *s, struct hw_reader *r)
{
    while (is_free(s, r)) {
        if (s->asked)
            hw_follow_skip(&s->follow, s->keep);
        struct hw_str bytes = hw_follow_read(&s->follow);
        if (!bytes.len) {
            if (!s->caught_up || s->asked)
                tell(s, r, !s->caught_up, s->asked);
            return true;
        }
        bool more = bytes.len == HW_TAIL_CHUNK || s->follow.count > 1 || s->asked || !s->caught_up;
        hand_over(s, r, bytes);
        count(s, r, bytes.len);
        if (!more) /* no turn is needed to see that this was the end */
            return true;
    }
    return false;
}

/* What others go on writing must not hold up the end: `last`. */
static void begin_answer(struct state *s)
{
    s->keep = s->asked ? HW_TAIL_CHUNK : HW_TAIL_LAST;
    s->last = 2 * s->keep;
    s->asked = true;
}

static enum hw_reader_next turn(void *state, struct hw_reader *r, struct hw_reader_cause cause)
{
    struct state *s = state;
    if (cause.asked)
        begin_answer(s);
    if (cause.tick || cause.event || cause.asked)
        hw_follow_look(&s->follow);
    if (!s->begun)
        s->goal = hw_follow_left(&s->follow);
    bool all = read_all(s, r);
    tell_why(s, r);
    s->begun = true;
    return all ? HW_READER_LISTEN : HW_READER_DEAF;
}

static void free_state(void *state)
{
    struct state *s = state;
    hw_follow_done(&s->follow);
    free(s->piece);
    free(s);
}

/* ---- the loop -------------------------------------------------------------------------------------- */

static bool take(struct hw_tail *t, struct hw_tail_news *ret, char why[HW_TAIL_WHY])
{
    struct state *s = t->state;
    bool waiting;
    hw_reader_lock(t->reader);
    char *piece = s->piece;
    s->piece = t->piece;
    t->piece = piece;
    *ret = (struct hw_tail_news){ .bytes = { piece, s->len },
                                  .seam = s->seam,
                                  .lost = s->lost,
                                  .caught_up = s->new_caught_up,
                                  .asked = s->new_asked };
    memcpy(why, s->why, HW_TAIL_WHY);
    if (s->new_why)
        ret->why = why;
    waiting = s->waiting;
    s->waiting = false;
    s->len = 0;
    s->seam = HW_TAIL_ON;
    s->lost = 0;
    s->new_caught_up = s->new_asked = s->new_why = false;
    hw_reader_unlock(t->reader);
    if (waiting) /* it reads the next piece while this one is looked at */
        hw_reader_wake(t->reader);
    return ret->bytes.len || ret->caught_up || ret->asked || ret->why;
}

static void on_ring(void *ctx)
{
    struct hw_tail *t = ctx;
    struct hw_tail_news news;
    char why[HW_TAIL_WHY];
    if (t->full || !take(t, &news, why))
        return;
    t->calling = true;
    t->full = !t->fn(t->ctx, &news);
    t->calling = false;
    if (t->gone) {
        free(t->piece);
        free(t);
    }
}

int hw_tail_new(struct hw_tail **ret, uv_loop_t *loop, const struct hw_tail_options *options,
                hw_tail_fn *fn, void *ctx, struct hw_err *err)
{
    static const struct hw_reader_ops ops = { turn, on_ring, free_state };
    struct hw_reader_options where = { options->path, options->tick_ms, options->events };
    struct state *s = hw_xzalloc(sizeof *s);
    struct hw_tail *t = hw_xzalloc(sizeof *t);
    hw_follow_init(&s->follow, options->path);
    s->piece = hw_xzalloc(HW_TAIL_CHUNK);
    t->piece = hw_xzalloc(HW_TAIL_CHUNK);
    t->state = s;
    t->fn = fn;
    t->ctx = ctx;
    if (hw_reader_new(&t->reader, loop, &where, &ops, s, t, err) < 0) {
        free(t->piece);
        free(t);
        return -1;
    }
    *ret = t;
    return 0;
}

/* The thread may have filled the free piece, and rung, while there was no room. */
void hw_tail_go_on(struct hw_tail *t)
{
    if (!t->full)
        return;
    t->full = false;
    hw_reader_lock(t->reader);
    hw_reader_ring(t->reader);
    hw_reader_unlock(t->reader);
}

void hw_tail_ask(struct hw_tail *t)
{
    hw_reader_ask(t->reader);
}

int64_t hw_tail_busy_ms(const struct hw_tail *t)
{
    return hw_reader_busy_ms(t->reader);
}

void hw_tail_free(struct hw_tail *t)
{
    if (!t)
        return;
    hw_reader_free(t->reader);
    t->gone = true;
    if (t->calling)
        return;
    free(t->piece);
    free(t);
}
