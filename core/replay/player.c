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
#include "source/records.h"

enum {
    BATCH_RECORDS = 512,      /* at the most */
    BATCH_BYTES = 256 * 1024, /* behind which a batch goes; one record more may stand in it */
    TROUBLES_MAX = 5,         /* starts of the worker that fail */
};

struct place {
    int64_t ms;
    uint64_t offset;
    size_t at, len; /* in the batch's bytes */
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

static int ask(struct hw_player *p, struct hw_err *err)
{
    struct batch *b = &p->batch;
    struct hw_str records[BATCH_RECORDS];
    for (size_t i = 0; i < b->count; i++)
        records[i] = (struct hw_str){ b->bytes.ptr + b->places[i].at, b->places[i].len };
    p->fed = false;
    /* An empty queue takes any batch. */
    if (hw_worker_feed(p->worker, p->id, records, b->count, ++p->seq, err) != 0)
        return -1;
    return wait_for(p, &p->fed, err);
}

static int where(struct hw_player *p, struct hw_err *err)
{
    const struct batch *b = &p->batch;
    if (p->dead && b->count)
        return hw_wrap(err, "between byte %llu and %llu of the output",
                       (unsigned long long)b->places[0].offset,
                       (unsigned long long)b->places[b->count - 1].offset);
    return -1;
}

int hw_player_flush(struct hw_player *p, struct hw_err *err)
{
    struct batch *b = &p->batch;
    if (!b->count)
        return 0;
    int st = ask(p, err);
    if (st < 0)
        where(p, err);
    else
        st = apply_batch(p, err);
    b->size = 2 * b->size < BATCH_RECORDS ? 2 * b->size : BATCH_RECORDS;
    clear_batch(b);
    return st;
}

static void on_record(void *ctx, const struct hw_record *record)
{
    struct hw_player *p = ctx;
    struct batch *b = &p->batch;
    /* The worker cuts it to what the parser takes. */
    bool cut = record->cut || record->text.len > p->meta.record_max;
    if (p->failed)
        return;
    p->counts.records++;
    p->counts.cut += cut;
    b->places[b->count++] =
        (struct place){ p->now_us / 1000, record->offset, b->bytes.len, record->text.len };
    p->failed = hw_buf_add(&b->bytes, record->text.ptr, record->text.len, p->err) < 0;
    if (!p->failed && (b->count >= b->size || b->bytes.len >= BATCH_BYTES))
        p->failed = hw_player_flush(p, p->err) < 0;
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
    hw_records_feed(p->records, event->bytes, on_record, p);
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

static void end_tracker(struct hw_player *p, int code)
{
    char reason[80] = "";
    if (code > 128)
        snprintf(reason, sizeof reason, "ended by signal %d (%s)", code - 128,
                 strsignal(code - 128));
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
    hw_records_end(p->records, whole && code < 128, on_record, p);
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
    free(p);
}
