#include "report/reporter.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "report/impl.h"

enum {
    FIRST_LOOK_MS = 1000, /* what the first publish waits for at most: for the file, */
    CATCH_UP_MS = 30000,  /* for a log that is long already (docs/decisions/0008-log-restart.md) */
    LAST_LOOK_MS = 1000,  /* the last read, which may hang; and again for the parser */
};

struct hw_moment hw_reporter_now(const struct hw_reporter *r)
{
    return (struct hw_moment){ hw_now_ms(r->clock), hw_wall_ms(r->clock) };
}

/* ---- publishing ---------------------------------------------------------------------------------- */

static void view(const struct hw_reporter *r, struct hw_moment t, struct hw_progress *ret)
{
    hw_tracker_view(&r->tracker, t, ret);
    hw_output_note(r, ret);
}

static void on_timer(uv_timer_t *timer);

static void publish_due(struct hw_reporter *r)
{
    struct hw_moment t = hw_reporter_now(r);
    struct hw_progress value;
    view(r, t, &value);
    int64_t next = hw_tracker_next(&r->tracker, t.mono_ms);
    int64_t wait = hw_outs_publish(&r->outs, &value, t.mono_ms);
    if (next >= 0 && (wait < 0 || next - t.mono_ms < wait))
        wait = next - t.mono_ms;
    if (wait < 0)
        uv_timer_stop(&r->timer);
    else
        uv_timer_start(&r->timer, on_timer, (uint64_t)wait + 1, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct hw_reporter *r = HW_CONTAINER(timer, struct hw_reporter, timer);
    if (r->watch && hw_watch_busy_ms(r->watch) > HW_WATCH_HUNG_MS)
        hw_tracker_source(&r->tracker, "progress file: the file system does not answer");
    if (r->doubt)
        r->doubt(r->doubt_ctx);
    if (r->stage == HW_REPORTING)
        publish_due(r);
}

static void over(struct hw_reporter *r)
{
    struct hw_progress value;
    r->stage = HW_OVER;
    uv_timer_stop(&r->limit);
    view(r, hw_reporter_now(r), &value);
    hw_outs_warn(&r->outs, &value);
    if (r->done)
        r->done(r->done_ctx, !hw_outs_busy(&r->outs));
}

static void on_last_limit(uv_timer_t *timer)
{
    over(HW_CONTAINER(timer, struct hw_reporter, limit));
}

static void write_last(struct hw_reporter *r)
{
    struct hw_moment t = hw_reporter_now(r);
    struct hw_progress value;
    r->unknown_total = r->tracker.scanning;
    hw_tracker_end(&r->tracker, r->ended ? r->end.outcome : HW_OUTCOME_UNKNOWN,
                   r->ended ? r->end.reason : "", t);
    view(r, t, &value);
    r->stage = HW_LAST_WRITE;
    uv_timer_stop(&r->timer);
    hw_outs_publish_last(&r->outs, &value);
    int64_t left = hw_outs_busy(&r->outs) ? r->finish_by_ms - t.mono_ms : 0;
    uv_timer_start(&r->limit, on_last_limit, left > 0 ? (uint64_t)left : 0, 0);
}

static void on_wrote(void *ctx, struct hw_sink *sink, bool ok, int64_t ms)
{
    struct hw_reporter *r = ctx;
    hw_outs_feedback(&r->outs, sink, ok, ms);
}

/* It goes out now anyway, so the pace has no say but to count it. */
static void on_retry(void *ctx, struct hw_sink *sink)
{
    struct hw_reporter *r = ctx;
    struct hw_moment t = hw_reporter_now(r);
    struct hw_progress value;
    view(r, t, &value);
    if (r->stage == HW_REPORTING)
        hw_outs_publish_newest(&r->outs, sink, &value, t.mono_ms);
}

static void on_idle(void *ctx, struct hw_sink *sink)
{
    struct hw_reporter *r = ctx;
    (void)sink;
    if (hw_outs_busy(&r->outs))
        return;
    if (!r->settled)
        hw_settle();
    r->settled = true;
    if (r->stage == HW_LAST_WRITE)
        over(r);
}

struct hw_sink_events hw_reporter_sink_events(struct hw_reporter *r)
{
    return (struct hw_sink_events){ .ctx = r, .wrote = on_wrote, .retry = on_retry, .idle = on_idle };
}

/* ---- stages -------------------------------------------------------------------------------------- */

/* The last records are parsed; the output's parser hears how the command ended, and may have a last word. */
static void last_words(struct hw_reporter *r)
{
    int code = r->ended ? r->end.code : -1;
    if (!hw_flow_finish(r, &r->flows[HW_FLOW_OUTPUT], code))
        write_last(r);
}

/* What output there was at the start has been parsed, where that is awaited. */
static bool has_heard(const struct hw_reporter *r)
{
    const struct hw_flow *f = &r->flows[HW_FLOW_OUTPUT];
    return !r->awaits || !f->used || (!r->awaiting && hw_flow_is_quiet(f));
}

void hw_reporter_advance(struct hw_reporter *r)
{
    if (r->stage >= HW_LAST_WRITE)
        return;
    hw_flows_pump(r);
    bool file_quiet = hw_flow_is_quiet(&r->flows[HW_FLOW_FILE]);
    if (r->stage == HW_LOOKING && r->looked && file_quiet && has_heard(r)) {
        r->stage = HW_REPORTING;
        uv_timer_stop(&r->limit);
    }
    if (r->stage == HW_REPORTING)
        publish_due(r);
    if (r->stage == HW_LAST_LOOK && r->answered && file_quiet &&
        hw_flow_is_quiet(&r->flows[HW_FLOW_OUTPUT]))
        last_words(r);
}

/* The file has had its time; a long log gets more. */
static void on_first_limit(uv_timer_t *timer)
{
    struct hw_reporter *r = HW_CONTAINER(timer, struct hw_reporter, limit);
    bool patient = !has_heard(r) && !r->overdue;
    if (r->stage == HW_LOOKING && patient)
        uv_timer_start(timer, on_first_limit, CATCH_UP_MS, 0);
    else if (r->stage == HW_LOOKING)
        r->stage = HW_REPORTING;
    r->looked = r->overdue = true;
    hw_reporter_advance(r);
}

static void tell_unanswered(const struct hw_reporter *r)
{
    if (!r->answered)
        hw_log(HW_WARN, "report",
               "the last read of '%s' did not answer: the value before it is published", r->file);
    for (int i = 0; i < HW_FLOWS && r->answered; i++)
        if (!hw_flow_is_quiet(&r->flows[i]))
            hw_log(
                HW_WARN, "report",
                "parser %s gave no answer to the last of the %s in %d ms: the value before it is published",
                r->flows[i].name, i == HW_FLOW_FILE ? "progress file" : r->output_name,
                2 * LAST_LOOK_MS);
}

/* The last read or the parser does not answer. A worker gets a second chance, as a new one; what hangs in the file system
 * gets none. */
static void on_look_limit(uv_timer_t *timer)
{
    struct hw_reporter *r = HW_CONTAINER(timer, struct hw_reporter, limit);
    if (r->stage != HW_LAST_LOOK)
        return;
    if (r->answered && !r->hurried) {
        r->hurried = true;
        uv_timer_start(&r->limit, on_look_limit, LAST_LOOK_MS, 0);
        hw_worker_hurry(r->worker, true);
        return;
    }
    tell_unanswered(r);
    write_last(r);
}

/* ---- the file ------------------------------------------------------------------------------------ */

/* Beside an output the file is one of two places, and nothing is amiss while there is none. */
static void file_silent(struct hw_reporter *r, const char *why)
{
    bool alone = !r->flows[HW_FLOW_OUTPUT].used;
    if (alone)
        hw_tracker_source(&r->tracker, why);
    else if (!r->looked)
        hw_output_explain(r);
}

static void take_news(struct hw_reporter *r, const struct hw_file_read *read)
{
    switch (read->kind) {
    case HW_FILE_LINE:
        hw_flow_add(r, &r->flows[HW_FLOW_FILE], (struct hw_str){ read->line, read->len });
        break;
    case HW_FILE_REFUSED:
        hw_reporter_refuse(r, read->why, r->file);
        break;
    case HW_FILE_MISSING:
        file_silent(r, read->why);
        break;
    case HW_FILE_EMPTY:
        file_silent(r, "progress file is empty");
        break;
    case HW_FILE_UNSURE:
        break;
    }
}

static void on_read(void *ctx, const struct hw_file_read *read, bool news, bool asked)
{
    struct hw_reporter *r = ctx;
    if (r->stage >= HW_LAST_WRITE)
        return;
    r->answered |= asked;
    if (news)
        take_news(r, read);
    r->looked = true;
    hw_reporter_advance(r);
}

/* ---- life ---------------------------------------------------------------------------------------- */

int hw_reporter_new(struct hw_reporter **ret, uv_loop_t *loop, const struct hw_clock *clock,
                    const struct hw_reporter_options *options, struct hw_err *err)
{
    struct hw_reporter *r = hw_xzalloc(sizeof *r);
    r->loop = loop;
    r->clock = clock;
    r->file = hw_xstrdup(options->file);
    r->parser_dir = hw_xstrdup(options->parser_dir);
    r->poll_ms = options->poll_ms;
    r->events = options->events;
    r->output_name = options->output_name ? options->output_name : "output";
    snprintf(r->note, sizeof r->note, "%s", options->note ? options->note : "");
    r->awaits = r->awaiting = options->output_parser && options->await_output;
    uv_timer_init(loop, &r->timer);
    uv_timer_init(loop, &r->limit);
    uv_timer_init(loop, &r->pause);
    r->handles = 3;
    hw_tracker_init(&r->tracker, &options->rules, hw_reporter_now(r));
    if (hw_flows_start(r, options, err) < 0) {
        hw_reporter_free(r);
        return -1;
    }
    *ret = r;
    return 0;
}

void hw_reporter_add_sink(struct hw_reporter *r, struct hw_sink *sink,
                          const struct hw_pace_rules *rules)
{
    hw_outs_add(&r->outs, sink, rules, hw_now_ms(r->clock));
}

void hw_reporter_floor(struct hw_reporter *r, const struct hw_floor *floor)
{
    struct hw_moment t = hw_reporter_now(r);
    struct hw_progress value;
    hw_tracker_floor(&r->tracker, floor);
    view(r, t, &value);
    if (r->stage == HW_REPORTING || r->stage == HW_LAST_LOOK)
        hw_outs_publish_newest(&r->outs, NULL, &value, t.mono_ms);
    else if (r->stage == HW_LAST_WRITE)
        hw_outs_publish_last(&r->outs, &value);
}

int hw_reporter_start(struct hw_reporter *r, struct hw_err *err)
{
    struct hw_watch_options options = { .path = r->file, .tick_ms = r->poll_ms, .events = r->events };
    r->looked = !r->file;
    if (r->file && hw_watch_new(&r->watch, r->loop, &options, on_read, r, err) < 0)
        return -1;
    return uv_timer_start(&r->limit, on_first_limit, r->file || r->awaits ? FIRST_LOOK_MS : 0, 0);
}

void hw_reporter_finish(struct hw_reporter *r, const struct hw_reporter_end *end, int64_t limit_ms,
                        hw_reporter_done_fn *fn, void *ctx)
{
    if (r->stage >= HW_LAST_LOOK)
        return;
    r->stage = HW_LAST_LOOK;
    r->done = fn;
    r->done_ctx = ctx;
    r->finish_by_ms = hw_now_ms(r->clock) + limit_ms;
    if (end) {
        r->ended = true;
        r->end = *end;
        snprintf(r->end_reason, sizeof r->end_reason, "%s", end->reason);
        r->end.reason = r->end_reason;
    }
    /* A command that was killed may have been in the middle of a line. */
    hw_output_end(r, r->ended && r->end.code < 128);
    uv_timer_start(&r->limit, on_look_limit, LAST_LOOK_MS, 0);
    hw_worker_hurry(r->worker, false);
    r->answered = !r->watch;
    if (r->watch)
        hw_watch_ask(r->watch);
    hw_reporter_advance(r);
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
    r->room = NULL;
    r->doubt = NULL;
    r->stage = HW_OVER;
    hw_watch_free(r->watch);
    hw_flows_done(r);
    hw_outs_done(&r->outs);
    hw_output_done(r);
    free(r->file);
    free(r->parser_dir);
    uv_timer_t *timers[] = { &r->timer, &r->limit, &r->pause };
    for (size_t i = 0; i < HW_LEN(timers); i++) {
        timers[i]->data = r;
        uv_close((uv_handle_t *)timers[i], on_closed);
    }
}
