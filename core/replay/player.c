#include "replay/player.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/causes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "lua/pick.h"
#include "source/records.h"

enum {
    BATCH_RECORDS = 512,      /* at the most */
    BATCH_BYTES = 256 * 1024, /* behind which a batch goes; one record more may stand in it */
    /* Fewer records than this that each go on from the last are fed like others: a turn of the worker costs about as much. */
    RUN_MIN = 16,
    TROUBLES_MAX = 5, /* starts of the worker that fail */
};

struct place {
    int64_t ms;
    uint64_t offset;
    size_t at, len; /* in the batch's bytes */
    bool skipped; /* no hint is in it, nor in those between it and the one before: never fed, len is 0 */
};

enum outcome { SILENT, SAMPLE, REFUSED };

struct outcome_of {
    enum outcome kind;
    struct hw_sample sample;
    char why[HW_TEXT_MAX + 1];
};

/* Records that go to the worker together. What it says is kept until all is said: a parser that is set aside in the middle may lose its last
 * words or not, and the items must not depend on it. So batches begin small: at first little is kept back. */
struct batch {
    struct place places[BATCH_RECORDS];
    struct outcome_of outcomes[BATCH_RECORDS];
    size_t count, size; /* of records: now, and with how many it goes */
    struct hw_buf bytes;
};

/* Records of one moment that each go on from the one before, so that the last may do for all. */
struct run {
    struct hw_buf bytes; /* a struct place, then its text, and so on */
    size_t count;
    struct place last;
    bool skipped; /* behind them came some without a hint, the last at: */
    uint64_t skipped_offset;
};

struct hw_player {
    struct hw_player_options options;
    hw_item_fn *fn;
    void *ctx;
    uv_loop_t loop;
    struct hw_stopwatch stopwatch;
    struct hw_worker *worker; /* owns */
    unsigned id;
    uint64_t seq;
    bool loaded, fed; /* the worker has said so */
    bool dead;        /* the parser can't be used any more: dead_err */
    struct hw_err dead_err;
    int troubles;
    struct hw_parser_meta meta;
    struct hw_records *records; /* owns */
    struct hw_err *err;         /* of the call under way */
    bool failed;                /* in it: *err is filled */
    int64_t now_us;             /* of the last event or pause: where the framing stands */
    uint64_t offset;            /* bytes of output so far */
    uint64_t applied;           /* of them, up to the last record that the tracker knows */
    struct batch batch;
    struct run run;
    struct hw_pick pick;
    struct hw_clock clock; /* virtual: where the tracker stands */
    struct hw_tracker tracker;
    enum hw_state state; /* as last given */
    struct hw_play_counts counts;
    struct hw_causes causes;             /* of the parser's faults, that were logged */
    bool fault;                          /* the refusal that comes next is one, */
    char trace[HW_WORKER_TRACE_MAX + 1]; /* raised there; "" = nowhere */
    bool over;
};

/* ---- items --------------------------------------------------------------------------------------- */

static struct hw_moment moment(const struct hw_player *p)
{
    return (struct hw_moment){ hw_now_ms(&p->clock), hw_wall_ms(&p->clock) };
}

/* Where the recording does not say when it was made, there is no date to be told. */
static void view(const struct hw_player *p, struct hw_progress *ret)
{
    hw_tracker_view(&p->tracker, moment(p), ret);
    if (!p->options.unix_ms || !p->options.timed)
        ret->started = ret->updated = 0;
}

static int give(struct hw_player *p, struct hw_item item, struct hw_err *err)
{
    struct hw_progress progress;
    view(p, &progress);
    item.ms = hw_now_ms(&p->clock);
    item.progress = &progress;
    item.counts = &p->counts;
    if (item.kind != HW_ITEM_WAIT) {
        item.changed |= progress.state != p->state;
        p->state = progress.state;
    }
    return p->fn(p->ctx, &item, err);
}

/* Time passes until ms; a state that changes by it is an item. */
static int tick(struct hw_player *p, int64_t ms, struct hw_err *err)
{
    for (;;) {
        struct hw_progress progress;
        int64_t next = hw_tracker_next(&p->tracker, hw_now_ms(&p->clock));
        if (next < 0 || next > ms)
            break;
        hw_clock_advance(&p->clock, next);
        view(p, &progress);
        if (progress.state != p->state &&
            give(p, (struct hw_item){ .kind = HW_ITEM_STATE, .offset = p->applied }, err) < 0)
            return -1;
    }
    hw_clock_advance(&p->clock, ms);
    return 0;
}

static int apply_sample(struct hw_player *p, const struct hw_sample *s, struct hw_item item,
                        struct hw_err *err)
{
    int64_t held = p->tracker.held;
    item.kind = HW_ITEM_SAMPLE;
    item.changed = hw_tracker_sample(&p->tracker, s, p->meta.word, p->meta.name, moment(p));
    item.held = p->tracker.held > held;
    p->counts.samples++;
    p->counts.held += item.held;
    return give(p, item, err);
}

static int apply(struct hw_player *p, const struct outcome_of *o, struct hw_item item,
                 struct hw_err *err)
{
    switch (o->kind) {
    case SAMPLE:
        return apply_sample(p, &o->sample, item, err);
    case REFUSED:
        p->counts.refusals++;
        hw_tracker_refused(&p->tracker, o->why, moment(p));
        item.kind = HW_ITEM_REFUSED;
        item.why = o->why;
        return give(p, item, err);
    case SILENT:
        break;
    }
    hw_tracker_silent(&p->tracker, p->meta.name, moment(p));
    return 0;
}

static int apply_batch(struct hw_player *p, struct hw_err *err)
{
    struct batch *b = &p->batch;
    for (size_t i = 0; i < b->count; i++) {
        if (tick(p, b->places[i].ms, err) < 0)
            return -1;
        p->applied = b->places[i].offset;
        if (apply(p, &b->outcomes[i], (struct hw_item){ .offset = p->applied }, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- what the worker says ------------------------------------------------------------------------ */

static void on_loaded(void *ctx, unsigned id, const struct hw_parser_meta *meta)
{
    struct hw_player *p = ctx;
    (void)id;
    p->meta = *meta;
    hw_pick_init(&p->pick, &p->meta);
    p->loaded = true;
}

static void on_sample(void *ctx, unsigned id, uint64_t seq, size_t index,
                      const struct hw_sample *sample)
{
    struct hw_player *p = ctx;
    (void)id;
    if (seq != p->seq || index >= BATCH_RECORDS)
        return;
    p->batch.outcomes[index].kind = SAMPLE;
    p->batch.outcomes[index].sample = *sample;
}

static void on_fault(void *ctx, unsigned id, uint64_t seq, size_t index, const char *trace)
{
    struct hw_player *p = ctx;
    (void)id, (void)index;
    p->fault = seq == p->seq;
    snprintf(p->trace, sizeof p->trace, "%s", trace);
}

/* The reason names the parser; the log says once for each cause where it was. */
static void explain_fault(struct hw_player *p, struct outcome_of *o, const char *why)
{
    snprintf(o->why, sizeof o->why, "parser %s: %s", p->meta.name, why);
    if (hw_causes_is_new(&p->causes, why))
        hw_log(HW_WARN, "replay", "%s%s%s", o->why, p->trace[0] ? "; traceback: " : "", p->trace);
}

static void on_refused(void *ctx, unsigned id, uint64_t seq, size_t index, const char *why)
{
    struct hw_player *p = ctx;
    (void)id;
    if (seq != p->seq || index >= BATCH_RECORDS)
        return;
    struct outcome_of *o = &p->batch.outcomes[index];
    o->kind = REFUSED;
    snprintf(o->why, sizeof o->why, "%s", why);
    if (p->fault)
        explain_fault(p, o, why);
    p->fault = false;
}

static void on_fed(void *ctx, unsigned id, uint64_t seq)
{
    struct hw_player *p = ctx;
    (void)id;
    p->fed |= seq == p->seq;
}

static void die(struct hw_player *p, const char *why)
{
    if (!p->dead)
        hw_fail(&p->dead_err, HW_ELUA, "parser %s: %s", p->meta.name, why);
    p->dead = true;
}

static void on_failed(void *ctx, unsigned id, const char *why)
{
    (void)id;
    die(ctx, why);
}

static void on_trouble(void *ctx, const struct hw_err *why, int64_t retry_ms)
{
    struct hw_player *p = ctx;
    hw_log(HW_WARN, "replay", "%s; next try in %.1f s", why->msg, (double)retry_ms / 1000);
    if (++p->troubles >= TROUBLES_MAX)
        die(p, why->msg);
}

static void on_started(void *ctx, enum hw_confined confined)
{
    (void)ctx;
    if (confined == HW_CONFINED_NONE)
        hw_log(HW_WARN, "replay",
               "no seccomp to be had here: parsers run with resource limits only");
}

static int wait_for(struct hw_player *p, const bool *what, struct hw_err *err)
{
    while (!*what && !p->dead)
        uv_run(&p->loop, UV_RUN_ONCE);
    if (!p->dead)
        return 0;
    *err = p->dead_err;
    return -1;
}

/* ---- batches ------------------------------------------------------------------------------------- */

static void clear_batch(struct batch *b)
{
    hw_buf_clear(&b->bytes);
    for (size_t i = 0; i < b->count; i++)
        b->outcomes[i].kind = SILENT;
    b->count = 0;
}

static int feed(struct hw_player *p, const struct hw_str *records, size_t count, struct hw_err *err)
{
    p->fed = false;
    hw_pick_fed(&p->pick, records[count - 1]);
    /* An empty queue takes any batch. */
    if (hw_worker_feed(p->worker, p->id, records, count, ++p->seq, err) != 0)
        return -1;
    return wait_for(p, &p->fed, err);
}

/* The outcomes of those that were fed go to their places; the others are silent. */
static void spread(struct batch *b, size_t fed)
{
    for (size_t i = b->count; fed < i; i--)
        if (b->places[i - 1].skipped)
            b->outcomes[i - 1].kind = SILENT;
        else
            b->outcomes[i - 1] = b->outcomes[--fed];
}

static int ask(struct hw_player *p, struct hw_err *err)
{
    struct batch *b = &p->batch;
    struct hw_str records[BATCH_RECORDS];
    size_t n = 0;
    for (size_t i = 0; i < b->count; i++)
        if (!b->places[i].skipped)
            records[n++] = (struct hw_str){ b->bytes.ptr + b->places[i].at, b->places[i].len };
    if (!n)
        return 0;
    if (feed(p, records, n, err) < 0)
        return -1;
    const struct outcome_of *last = &b->outcomes[n - 1];
    hw_pick_answer(&p->pick, last->kind == SAMPLE ? &last->sample : NULL);
    spread(b, n);
    return 0;
}

static int where(struct hw_player *p, uint64_t from, uint64_t to, struct hw_err *err)
{
    if (p->dead)
        return hw_wrap(err, "between byte %llu and %llu of the output", (unsigned long long)from,
                       (unsigned long long)to);
    return -1;
}

static int flush_batch(struct hw_player *p, struct hw_err *err)
{
    struct batch *b = &p->batch;
    if (!b->count)
        return 0;
    int st = ask(p, err);
    if (st < 0)
        where(p, b->places[0].offset, b->places[b->count - 1].offset, err);
    else
        st = apply_batch(p, err);
    b->size = 2 * b->size < BATCH_RECORDS ? 2 * b->size : BATCH_RECORDS;
    clear_batch(b);
    return st;
}

static int add_place(struct hw_player *p, struct place place, const char *text, struct hw_err *err)
{
    struct batch *b = &p->batch;
    place.at = b->bytes.len;
    b->places[b->count++] = place;
    if (hw_buf_add(&b->bytes, text, place.len, err) < 0)
        return -1;
    return b->count >= b->size || b->bytes.len >= BATCH_BYTES ? flush_batch(p, err) : 0;
}

/* Records without a hint, however many, are one place: they say nothing, and when the first and the last came is all there is to know. */
static int add_skipped(struct hw_player *p, int64_t ms, uint64_t offset, struct hw_err *err)
{
    struct batch *b = &p->batch;
    struct place *last = b->count ? &b->places[b->count - 1] : NULL;
    if (last && last->skipped && last->ms == ms) {
        last->offset = offset;
        return 0;
    }
    return add_place(p, (struct place){ .ms = ms, .offset = offset, .skipped = true }, "", err);
}

/* ---- runs ---------------------------------------------------------------------------------------- */

static bool is_in_run(struct hw_player *p, const struct place *place, struct hw_str text)
{
    const struct run *run = &p->run;
    const struct batch *b = &p->batch;
    bool others = b->count > 1 || (b->count && !b->places[0].skipped); /* that must be fed before */
    if (p->options.every || !p->meta.newest || others || !p->pick.known)
        return false;
    return (!run->count || run->last.ms == place->ms) && hw_pick_follows(&p->pick, text);
}

/* The newest of them, fed alone; 0 = it gave no sample. */
static int try_newest(struct hw_player *p, struct hw_err *err)
{
    const struct run *run = &p->run;
    struct outcome_of *o = &p->batch.outcomes[0];
    struct hw_str text = { run->bytes.ptr + run->last.at, run->last.len };
    if (feed(p, &text, 1, err) < 0)
        return where(p, p->applied, run->last.offset, err);
    bool fine = hw_pick_answer(&p->pick, o->kind == SAMPLE ? &o->sample : NULL);
    int st = 0;
    if (fine) {
        p->batch.size = 1; /* the next run may begin as soon as one record was fed */
        st = tick(p, run->last.ms, err);
        p->applied = run->last.offset;
        if (st == 0)
            st = apply(p, o, (struct hw_item){ .offset = p->applied }, err);
    }
    o->kind = SILENT;
    return st < 0 ? -1 : fine;
}

/* All of them, like any others. */
static int feed_run(struct hw_player *p, struct hw_err *err)
{
    const char *at = p->run.bytes.ptr;
    for (size_t i = 0; i < p->run.count; i++) {
        struct place place;
        memcpy(&place, at, sizeof place);
        if (add_place(p, place, at + sizeof place, err) < 0)
            return -1;
        at += sizeof place + place.len;
    }
    return 0;
}

static int end_run(struct hw_player *p, struct hw_err *err)
{
    struct run *run = &p->run;
    if (!run->count)
        return 0;
    int st = run->count < RUN_MIN ? 0 : try_newest(p, err);
    if (st == 0)
        st = feed_run(p, err);
    if (st >= 0 && run->skipped)
        st = add_skipped(p, run->last.ms, run->skipped_offset, err);
    hw_buf_clear(&run->bytes);
    run->count = 0;
    run->skipped = false;
    return st < 0 ? -1 : 0;
}

static int add_to_run(struct hw_player *p, struct place place, struct hw_str text,
                      struct hw_err *err)
{
    struct run *run = &p->run;
    place.at = run->bytes.len + sizeof place;
    if (!run->count && flush_batch(p, err) < 0)
        return -1;
    if (hw_buf_add(&run->bytes, &place, sizeof place, err) < 0 ||
        hw_buf_add(&run->bytes, text.ptr, text.len, err) < 0)
        return -1;
    run->count++;
    run->last = place;
    run->skipped = false;
    return run->bytes.len >= BATCH_BYTES ? end_run(p, err) : 0;
}

static int skip(struct hw_player *p, const struct place *place, struct hw_err *err)
{
    struct run *run = &p->run;
    if (run->count && run->last.ms == place->ms) {
        run->skipped = true;
        run->skipped_offset = place->offset;
        return 0;
    }
    return end_run(p, err) < 0 ? -1 : add_skipped(p, place->ms, place->offset, err);
}

int hw_player_flush(struct hw_player *p, struct hw_err *err)
{
    return end_run(p, err) < 0 ? -1 : flush_batch(p, err);
}

static void on_record(void *ctx, const struct hw_record *record)
{
    struct hw_player *p = ctx;
    struct place place = { .ms = p->now_us / 1000,
                           .offset = record->offset,
                           .len = record->text.len };
    int st;
    if (p->failed)
        return;
    p->counts.records++;
    /* The worker cuts it to what the parser takes. */
    p->counts.cut += record->cut || record->text.len > p->meta.record_max;
    if (!hw_pick_admits(&p->pick, record->text))
        st = skip(p, &place, p->err);
    else if (is_in_run(p, &place, record->text))
        st = add_to_run(p, place, record->text, p->err);
    else {
        st = end_run(p, p->err);
        if (st == 0)
            st = add_place(p, place, record->text.ptr, p->err);
    }
    p->failed = st < 0;
}

/* ---- time ---------------------------------------------------------------------------------------- */

/* Real time passes; a stall shows when it comes. */
static int sleep_until(struct hw_player *p, int64_t us, struct hw_err *err)
{
    int64_t ms = us / 1000;
    if (p->options.speed <= 0)
        return 0;
    /* The parser must have had what came before. */
    if (hw_player_flush(p, err) < 0 || give(p, (struct hw_item){ .kind = HW_ITEM_WAIT }, err) < 0)
        return -1;
    for (;;) {
        int64_t next = hw_tracker_next(&p->tracker, hw_now_ms(&p->clock));
        if (next < 0 || next > ms)
            break;
        hw_stopwatch_wait(&p->stopwatch, next);
        if (tick(p, next, err) < 0 || give(p, (struct hw_item){ .kind = HW_ITEM_WAIT }, err) < 0)
            return -1;
    }
    hw_stopwatch_wait(&p->stopwatch, ms);
    return 0;
}

/* The tool wrote nothing until us: as live, its pause may end a record. */
static int pass(struct hw_player *p, int64_t us, struct hw_err *err)
{
    int64_t pause = p->now_us + (int64_t)HW_RECORDS_PAUSE_MS * 1000;
    if (us >= pause && hw_records_pending(p->records)) {
        if (sleep_until(p, pause, err) < 0)
            return -1;
        p->now_us = pause;
        hw_records_pause(p->records, on_record, p);
        if (p->failed)
            return -1;
    }
    if (sleep_until(p, us, err) < 0)
        return -1;
    p->now_us = us > p->now_us ? us : p->now_us;
    return 0;
}

int hw_player_event(struct hw_player *p, const struct hw_cast_event *event, struct hw_err *err)
{
    p->err = err;
    p->failed = false;
    if (p->options.timed && pass(p, event->us, err) < 0)
        return -1;
    if (!event->bytes.len)
        return 0;
    hw_pick_piece(&p->pick, event->bytes);
    hw_records_feed(p->records, event->bytes, on_record, p);
    hw_pick_piece(&p->pick, (struct hw_str){ "", 0 });
    p->offset += event->bytes.len;
    if (p->failed)
        return -1;
    return p->options.speed > 0 ? hw_player_flush(p, err) : 0;
}

/* ---- the end ------------------------------------------------------------------------------------- */

/* The parser hears how it ended, and may have a last word. */
static int last_word(struct hw_player *p, int code, struct hw_err *err)
{
    p->fed = false;
    if (hw_worker_finish(p->worker, p->id, code, ++p->seq, err) < 0 || wait_for(p, &p->fed, err) < 0)
        return -1;
    struct outcome_of *o = &p->batch.outcomes[0];
    int st = o->kind == SILENT
                 ? 0
                 : apply(p, o, (struct hw_item){ .offset = p->offset, .ended_last = true }, err);
    o->kind = SILENT;
    return st;
}

/* The signal that a shell's exit status tells of; 0 = none (255 is a status of its own). */
static int signal_of(int code)
{
    return code > 128 && code - 128 <= SIGRTMAX ? code - 128 : 0;
}

static void end_tracker(struct hw_player *p, int code)
{
    char reason[80] = "";
    if (signal_of(code))
        snprintf(reason, sizeof reason, "ended by signal %d (%s)", signal_of(code),
                 strsignal(signal_of(code)));
    else if (code > 0)
        snprintf(reason, sizeof reason, "exit status %d", code);
    enum hw_outcome outcome = code < 0 ? HW_OUTCOME_UNKNOWN
                              : code   ? HW_OUTCOME_FAILURE
                                       : HW_OUTCOME_SUCCESS;
    hw_tracker_end(&p->tracker, outcome, reason, moment(p));
}

int hw_player_end(struct hw_player *p, int code, bool whole, struct hw_err *err)
{
    p->err = err;
    p->failed = false;
    hw_records_end(p->records, whole && !signal_of(code), on_record, p);
    if (p->failed || hw_player_flush(p, err) < 0 || tick(p, p->now_us / 1000, err) < 0 ||
        last_word(p, code, err) < 0)
        return -1;
    end_tracker(p, code);
    p->over = true;
    return give(p, (struct hw_item){ .kind = HW_ITEM_END, .offset = p->offset }, err);
}

void hw_player_give_up(struct hw_player *p, const char *why)
{
    struct hw_err ignored;
    if (p->over)
        return;
    p->over = true;
    hw_tracker_source(&p->tracker, why);
    (void)give(p, (struct hw_item){ .kind = HW_ITEM_END, .offset = p->offset }, &ignored);
}

/* ---- life ---------------------------------------------------------------------------------------- */

const struct hw_parser_meta *hw_player_meta(const struct hw_player *p)
{
    return &p->meta;
}

static int load(struct hw_player *p, struct hw_err *err)
{
    const struct hw_player_options *o = &p->options;
    struct hw_worker_options where_from = { .user_dir = o->user_dir };
    struct hw_worker_events events = { .ctx = p,
                                       .loaded = on_loaded,
                                       .sample = on_sample,
                                       .fault = on_fault,
                                       .refused = on_refused,
                                       .fed = on_fed,
                                       .load_failed = on_failed,
                                       .set_aside = on_failed,
                                       .started = on_started,
                                       .trouble = on_trouble };
    snprintf(p->meta.name, sizeof p->meta.name, "%s", o->source->name);
    if (hw_worker_new(&p->worker, &p->loop, &where_from, &events, err) < 0 ||
        hw_worker_load(p->worker, o->source, o->options, o->option_count, false, &p->id, err) < 0)
        return -1;
    return wait_for(p, &p->loaded, err);
}

int hw_player_new(struct hw_player **ret, const struct hw_player_options *options, hw_item_fn *fn,
                  void *ctx, struct hw_err *err)
{
    struct hw_player *p = hw_xzalloc(sizeof *p);
    if (hw_loop_init(&p->loop, err) < 0) {
        free(p);
        return -1;
    }
    p->options = *options;
    p->fn = fn;
    p->ctx = ctx;
    p->batch.size = 1;
    hw_buf_init(&p->batch.bytes, BATCH_BYTES + HW_RECORDS_MAX);
    hw_buf_init(&p->run.bytes, BATCH_BYTES + HW_RECORDS_MAX + sizeof(struct place));
    hw_stopwatch_init(&p->stopwatch, &p->loop, options->timed ? options->speed : 0);
    p->options.speed = p->stopwatch.speed;
    p->clock = (struct hw_clock){ .virtual_time = 1, .unix_ms = options->unix_ms };
    p->records = hw_records_new(HW_RECORDS_MAX); /* as live */
    hw_tracker_init(&p->tracker, &options->rules, moment(p));
    if (load(p, err) < 0) {
        hw_player_free(p);
        return -1;
    }
    p->options.source = NULL;
    hw_stopwatch_wait(&p->stopwatch, 0);
    *ret = p;
    return 0;
}

void hw_player_free(struct hw_player *p)
{
    if (!p)
        return;
    hw_worker_free(p->worker);
    hw_stopwatch_done(&p->stopwatch);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
    hw_records_free(p->records);
    hw_buf_done(&p->batch.bytes);
    hw_buf_done(&p->run.bytes);
    free(p);
}
