#include "report/reporter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "source/watch.h"

enum {
    FIRST_LOOK_MS = 1000, /* what the first publish waits for at most */
    LAST_LOOK_MS = 1000,  /* the last read, which may hang; and again for the parser */
    CAUSES_MAX = 16, /* refusals are told apart by so many causes, further ones are not logged */
};

enum stage { LOOKING, REPORTING, LAST_LOOK, LAST_WRITE, OVER };

struct out {
    struct hw_sink *sink; /* owns */
    struct hw_pace pace;
};

struct hw_reporter {
    uv_loop_t *loop;                  /* borrows */
    const struct hw_clock *clock;     /* borrows */
    char *file, *parser, *parser_dir; /* own */
    int64_t poll_ms;
    bool events;
    struct hw_watch *watch;   /* owns */
    struct hw_worker *worker; /* owns */
    unsigned parser_id;
    char parser_name[HW_PARSER_NAME_MAX + 1]; /* as it calls itself; parser may be a path */
    bool warned_open;                         /* that the worker is not shut in */
    bool parser_dead; /* nothing can be parsed any more: parser_why says so */
    char parser_why[HW_TEXT_MAX + 1];
    uint64_t seq;  /* of the batch that is with the worker */
    bool parsing;  /* one is */
    bool answered; /* the last look has come */
    bool hurried;  /* the worker was told so */
    bool held;     /* a newer line waits in next */
    char next[HW_RECORD_MAX + 1];
    size_t next_len;
    struct hw_tracker tracker;
    struct out outs[HW_REPORTER_SINKS];
    size_t out_count;
    uv_timer_t timer; /* the next deadline of pace or tracker */
    uv_timer_t limit; /* of a stage: first look, last look, last write */
    enum stage stage;
    bool settled; /* the first value was written: the start is over */
    bool ended;   /* end is known */
    enum hw_outcome outcome;
    char end_reason[HW_TEXT_MAX + 1];
    int64_t finish_by_ms;
    hw_reporter_done_fn *done;
    void *done_ctx;
    char causes[CAUSES_MAX][48]; /* the beginnings of refusals that were logged */
    int cause_count;
    int handles; /* timers that are not closed yet */
};

static struct hw_moment now(const struct hw_reporter *r)
{
    return (struct hw_moment){ hw_now_ms(r->clock), hw_wall_ms(r->clock) };
}

/* ---- publishing ---------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void publish_due(struct hw_reporter *r)
{
    struct hw_moment t = now(r);
    struct hw_progress value;
    hw_tracker_view(&r->tracker, t, &value);
    int64_t next = hw_tracker_next(&r->tracker, t.mono_ms), wait = next < 0 ? -1 : next - t.mono_ms;
    for (size_t i = 0; i < r->out_count; i++) {
        struct out *o = &r->outs[i];
        int64_t due = hw_pace_due(&o->pace, &value, false, t.mono_ms);
        if (due == 0) {
            o->sink->ops->publish(o->sink, &value, false);
            hw_pace_wrote(&o->pace, &value, false, t.mono_ms);
        } else if (due > 0 && (wait < 0 || due < wait))
            wait = due;
    }
    if (wait < 0)
        uv_timer_stop(&r->timer);
    else
        uv_timer_start(&r->timer, on_timer, (uint64_t)wait + 1, 0);
}

static void schedule(struct hw_reporter *r)
{
    if (r->stage == REPORTING)
        publish_due(r);
}

static void on_timer(uv_timer_t *timer)
{
    struct hw_reporter *r = HW_CONTAINER(timer, struct hw_reporter, timer);
    if (r->watch && hw_watch_busy_ms(r->watch) > HW_WATCH_HUNG_MS)
        hw_tracker_source(&r->tracker, "progress file: the file system does not answer");
    schedule(r);
}

static bool any_busy(const struct hw_reporter *r)
{
    for (size_t i = 0; i < r->out_count; i++)
        if (r->outs[i].sink->ops->is_busy(r->outs[i].sink))
            return true;
    return false;
}

static void warn_unwritten(const struct hw_reporter *r)
{
    struct hw_progress value;
    hw_tracker_view(&r->tracker, now(r), &value);
    for (size_t i = 0; i < r->out_count; i++)
        if (r->outs[i].sink->ops->is_busy(r->outs[i].sink))
            hw_log(HW_WARN, "report",
                   "the last value %" PRId64 "/%" PRId64 " was not taken by the sink %s in time",
                   value.n, value.m, r->outs[i].sink->ops->name);
}

static void over(struct hw_reporter *r)
{
    r->stage = OVER;
    uv_timer_stop(&r->limit);
    warn_unwritten(r);
    if (r->done)
        r->done(r->done_ctx, !any_busy(r));
}

static void on_last_limit(uv_timer_t *timer)
{
    over(HW_CONTAINER(timer, struct hw_reporter, limit));
}

static void write_last(struct hw_reporter *r)
{
    struct hw_moment t = now(r);
    struct hw_progress value;
    if (r->ended)
        hw_tracker_end(&r->tracker, r->outcome, r->end_reason, t);
    hw_tracker_view(&r->tracker, t, &value);
    r->stage = LAST_WRITE;
    uv_timer_stop(&r->timer);
    for (size_t i = 0; i < r->out_count; i++)
        r->outs[i].sink->ops->publish(r->outs[i].sink, &value, true);
    int64_t left = any_busy(r) ? r->finish_by_ms - t.mono_ms : 0;
    uv_timer_start(&r->limit, on_last_limit, left > 0 ? (uint64_t)left : 0, 0);
}

static void on_wrote(void *ctx, struct hw_sink *sink, bool ok, int64_t ms)
{
    struct hw_reporter *r = ctx;
    for (size_t i = 0; i < r->out_count; i++)
        if (r->outs[i].sink == sink)
            hw_pace_feedback(&r->outs[i].pace, ok, ms);
}

/* It goes out now anyway, so the pace has no say but to count it. */
static void on_retry(void *ctx, struct hw_sink *sink)
{
    struct hw_reporter *r = ctx;
    struct hw_moment t = now(r);
    struct hw_progress value;
    hw_tracker_view(&r->tracker, t, &value);
    for (size_t i = 0; i < r->out_count && r->stage == REPORTING; i++) {
        struct out *o = &r->outs[i];
        if (o->sink != sink || hw_pace_due(&o->pace, &value, false, t.mono_ms) < 0)
            continue;
        sink->ops->publish(sink, &value, false);
        hw_pace_wrote(&o->pace, &value, false, t.mono_ms);
    }
}

static void on_idle(void *ctx, struct hw_sink *sink)
{
    struct hw_reporter *r = ctx;
    (void)sink;
    if (any_busy(r))
        return;
    if (!r->settled)
        hw_settle();
    r->settled = true;
    if (r->stage == LAST_WRITE)
        over(r);
}

struct hw_sink_events hw_reporter_sink_events(struct hw_reporter *r)
{
    return (struct hw_sink_events){ .ctx = r, .wrote = on_wrote, .retry = on_retry, .idle = on_idle };
}

/* ---- parsing ------------------------------------------------------------------------------------- */

/* A cause is what stands before the quoted text: "N is over M: '5/3'". */
static bool is_new_cause(struct hw_reporter *r, const char *why)
{
    char cause[sizeof r->causes[0]];
    size_t len = strcspn(why, ":'");
    snprintf(cause, sizeof cause, "%.*s", (int)(len < sizeof cause ? len : sizeof cause - 1), why);
    for (int i = 0; i < r->cause_count; i++)
        if (strcmp(r->causes[i], cause) == 0)
            return false;
    if (r->cause_count == CAUSES_MAX)
        return false;
    memcpy(r->causes[r->cause_count++], cause, sizeof cause);
    return true;
}

static void refuse(struct hw_reporter *r, const char *why)
{
    char clean[HW_TEXT_MAX + 1];
    hw_clean_text(clean, HW_TEXT_MAX, hw_str(why));
    hw_tracker_refused(&r->tracker, clean, now(r));
    if (is_new_cause(r, clean))
        hw_log(HW_WARN, "report", "refused: %s (%s); the last good value stays", clean, r->file);
}

static void parsed(struct hw_reporter *r);

static void feed(struct hw_reporter *r, const char *line, size_t len)
{
    struct hw_str record = { line, len };
    struct hw_err err = { .msg = "parser worker: busy" };
    if (r->parser_dead) {
        hw_tracker_source(&r->tracker, r->parser_why);
        parsed(r);
        return;
    }
    r->parsing = true;
    if (hw_worker_feed(r->worker, r->parser_id, &record, 1, ++r->seq, &err) == 0)
        return;
    r->parsing = false;
    hw_tracker_source(&r->tracker, err.msg);
    parsed(r);
}

/* Nothing is with the worker any more. */
static void parsed(struct hw_reporter *r)
{
    if (r->held) {
        char line[sizeof r->next];
        size_t len = r->next_len;
        memcpy(line, r->next, len);
        r->held = false;
        feed(r, line, len);
        return;
    }
    if (r->stage == LOOKING) {
        r->stage = REPORTING;
        uv_timer_stop(&r->limit);
    }
    if (r->stage == LAST_LOOK && r->answered)
        write_last(r);
    else
        schedule(r);
}

static void on_sample(void *ctx, unsigned id, uint64_t seq, size_t index,
                      const struct hw_sample *sample)
{
    struct hw_reporter *r = ctx;
    (void)id, (void)seq, (void)index;
    hw_tracker_sample(&r->tracker, sample, true, r->parser_name, now(r));
}

static void on_refused(void *ctx, unsigned id, uint64_t seq, size_t index, const char *why)
{
    (void)id, (void)seq, (void)index;
    refuse(ctx, why);
}

static void on_silent(void *ctx, unsigned id, uint64_t seq, size_t count)
{
    struct hw_reporter *r = ctx;
    (void)id, (void)seq, (void)count;
    hw_tracker_silent(&r->tracker, r->parser_name, now(r));
}

static void on_fed(void *ctx, unsigned id, uint64_t seq)
{
    struct hw_reporter *r = ctx;
    (void)id;
    if (!r->parsing || seq != r->seq)
        return;
    r->parsing = false;
    parsed(r);
}

static void on_loaded(void *ctx, unsigned id, const struct hw_parser_meta *meta)
{
    struct hw_reporter *r = ctx;
    (void)id;
    memcpy(r->parser_name, meta->name, sizeof r->parser_name);
}

static void on_started(void *ctx, enum hw_confined confined)
{
    struct hw_reporter *r = ctx;
    if (confined != HW_CONFINED_NONE || r->warned_open)
        return;
    r->warned_open = true;
    hw_log(HW_WARN, "report", "no seccomp to be had here: parsers run with resource limits only");
}

static void on_trouble(void *ctx, const struct hw_err *why, int64_t retry_ms)
{
    struct hw_reporter *r = ctx;
    hw_log(is_new_cause(r, why->msg) ? HW_WARN : HW_DEBUG, "report", "%s; next try in %.1f s",
           why->msg, (double)retry_ms / 1000);
    hw_tracker_source(&r->tracker, why->msg);
    schedule(r);
}

static void parser_gone(struct hw_reporter *r, const char *why)
{
    r->parser_dead = true;
    snprintf(r->parser_why, sizeof r->parser_why, "parser %s: %.150s", r->parser, why);
    hw_tracker_source(&r->tracker, r->parser_why);
    hw_log(HW_ERROR, "report", "%s; progress can't be read", r->parser_why);
    r->held = false;
    if (r->parsing || r->stage == LOOKING) {
        r->parsing = false;
        parsed(r);
    }
    schedule(r);
}

static void on_parser_failed(void *ctx, unsigned id, const char *why)
{
    (void)id;
    parser_gone(ctx, why);
}

/* ---- the file ------------------------------------------------------------------------------------ */

static void take_line(struct hw_reporter *r, const struct hw_file_read *read)
{
    if (!r->parsing) {
        feed(r, read->line, read->len);
        return;
    }
    memcpy(r->next, read->line, read->len);
    r->next_len = read->len;
    r->held = true;
}

static void take_news(struct hw_reporter *r, const struct hw_file_read *read)
{
    switch (read->kind) {
    case HW_FILE_LINE:
        take_line(r, read);
        break;
    case HW_FILE_REFUSED:
        refuse(r, read->why);
        break;
    case HW_FILE_MISSING:
        hw_tracker_source(&r->tracker, read->why);
        break;
    case HW_FILE_EMPTY:
        hw_tracker_source(&r->tracker, "progress file is empty");
        break;
    case HW_FILE_UNSURE:
        break;
    }
}

static void on_read(void *ctx, const struct hw_file_read *read, bool news, bool asked)
{
    struct hw_reporter *r = ctx;
    if (r->stage >= LAST_WRITE)
        return;
    r->answered |= asked;
    if (news)
        take_news(r, read);
    if (!r->parsing)
        parsed(r);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int load_parser(struct hw_reporter *r, const struct hw_reporter_options *options,
                       struct hw_err *err)
{
    struct hw_parser_source source = { 0 };
    if (hw_parsers_find(r->parser, r->parser_dir, &source, err) < 0)
        return -1;
    int st = hw_worker_load(r->worker, &source, options->parser_options,
                            options->parser_option_count, true, &r->parser_id, err);
    hw_parser_source_done(&source);
    return st;
}

static int make_worker(struct hw_reporter *r, struct hw_err *err)
{
    struct hw_worker_options options = { .user_dir = r->parser_dir };
    struct hw_worker_events events = { .ctx = r,
                                       .loaded = on_loaded,
                                       .sample = on_sample,
                                       .refused = on_refused,
                                       .silent = on_silent,
                                       .fed = on_fed,
                                       .load_failed = on_parser_failed,
                                       .set_aside = on_parser_failed,
                                       .started = on_started,
                                       .trouble = on_trouble };
    return hw_worker_new(&r->worker, r->loop, &options, &events, err);
}

int hw_reporter_new(struct hw_reporter **ret, uv_loop_t *loop, const struct hw_clock *clock,
                    const struct hw_reporter_options *options, struct hw_err *err)
{
    struct hw_reporter *r = hw_xzalloc(sizeof *r);
    r->loop = loop;
    r->clock = clock;
    r->file = hw_xstrdup(options->file);
    r->parser = hw_xstrdup(options->parser ? options->parser : "nm");
    r->parser_dir = hw_xstrdup(options->parser_dir);
    r->poll_ms = options->poll_ms;
    r->events = options->events;
    uv_timer_init(loop, &r->timer);
    uv_timer_init(loop, &r->limit);
    r->handles = 2;
    hw_tracker_init(&r->tracker, &options->rules, now(r));
    if (make_worker(r, err) < 0 || load_parser(r, options, err) < 0) {
        hw_reporter_free(r);
        return -1;
    }
    *ret = r;
    return 0;
}

void hw_reporter_add_sink(struct hw_reporter *r, struct hw_sink *sink,
                          const struct hw_pace_rules *rules)
{
    if (r->out_count == HW_REPORTER_SINKS) { /* more than there are kinds of sinks: a fault of ours */
        sink->ops->free(sink);
        return;
    }
    struct out *o = &r->outs[r->out_count++];
    o->sink = sink;
    hw_pace_init(&o->pace, rules, hw_now_ms(r->clock));
}

static void on_first_limit(uv_timer_t *timer)
{
    struct hw_reporter *r = HW_CONTAINER(timer, struct hw_reporter, limit);
    if (r->stage == LOOKING)
        r->stage = REPORTING;
    schedule(r);
}

int hw_reporter_start(struct hw_reporter *r, struct hw_err *err)
{
    struct hw_watch_options options = { .path = r->file, .tick_ms = r->poll_ms, .events = r->events };
    if (hw_watch_new(&r->watch, r->loop, &options, on_read, r, err) < 0)
        return -1;
    return uv_timer_start(&r->limit, on_first_limit, FIRST_LOOK_MS, 0);
}

/* The last read or the parser does not answer. A worker gets a second chance, as a new one; what hangs in the file system
 * gets none. */
static void on_look_limit(uv_timer_t *timer)
{
    struct hw_reporter *r = HW_CONTAINER(timer, struct hw_reporter, limit);
    if (r->stage != LAST_LOOK)
        return;
    if (r->answered && !r->hurried) {
        r->hurried = true;
        uv_timer_start(&r->limit, on_look_limit, LAST_LOOK_MS, 0);
        hw_worker_hurry(r->worker, true);
        return;
    }
    hw_log(HW_WARN, "report", "the last %s '%s' did not answer: the value before it is published",
           r->answered ? "look of the parser at" : "read of", r->file);
    write_last(r);
}

void hw_reporter_finish(struct hw_reporter *r, const struct hw_reporter_end *end, int64_t limit_ms,
                        hw_reporter_done_fn *fn, void *ctx)
{
    if (r->stage >= LAST_LOOK)
        return;
    r->stage = LAST_LOOK;
    r->done = fn;
    r->done_ctx = ctx;
    r->finish_by_ms = hw_now_ms(r->clock) + limit_ms;
    if (end) {
        r->ended = true;
        r->outcome = end->outcome;
        snprintf(r->end_reason, sizeof r->end_reason, "%s", end->reason);
    }
    uv_timer_start(&r->limit, on_look_limit, LAST_LOOK_MS, 0);
    hw_worker_hurry(r->worker, false);
    if (r->watch)
        hw_watch_ask(r->watch);
    else
        write_last(r);
}

static void on_closed(uv_handle_t *handle)
{
    struct hw_reporter *r = handle->data;
    if (--r->handles == 0)
        free(r);
}

void hw_reporter_free(struct hw_reporter *r)
{
    if (!r)
        return;
    r->done = NULL;
    r->stage = OVER;
    hw_watch_free(r->watch);
    hw_worker_free(r->worker);
    for (size_t i = 0; i < r->out_count; i++)
        r->outs[i].sink->ops->free(r->outs[i].sink);
    free(r->file);
    free(r->parser);
    free(r->parser_dir);
    r->timer.data = r->limit.data = r;
    uv_close((uv_handle_t *)&r->timer, on_closed);
    uv_close((uv_handle_t *)&r->limit, on_closed);
}
