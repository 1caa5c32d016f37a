#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "report/impl.h"

static void on_record(void *ctx, const struct hw_record *record)
{
    struct hw_reporter *r = ctx;
    hw_flow_add(r, &r->flows[HW_FLOW_OUTPUT], record->text);
}

/* Some tools print neither line end nor redraw: there a pause ends a record. */
static void on_pause(uv_timer_t *timer)
{
    struct hw_reporter *r = HW_CONTAINER(timer, struct hw_reporter, pause);
    for (int i = 0; i < HW_REPORTER_STREAMS; i++)
        if (r->records[i])
            hw_records_pause(r->records[i], on_record, r);
    hw_reporter_advance(r);
}

/* Only where a pause could end something: no timer for a tool that prints whole lines. */
static void await_pause(struct hw_reporter *r)
{
    bool pending = false;
    for (int i = 0; i < HW_REPORTER_STREAMS; i++)
        pending |= r->records[i] && hw_records_pending(r->records[i]);
    if (pending)
        uv_timer_start(&r->pause, on_pause, HW_RECORDS_PAUSE_MS, 0);
    else
        uv_timer_stop(&r->pause);
}

static struct hw_records *stream(struct hw_reporter *r, int i)
{
    if (!r->records[i])
        r->records[i] = hw_records_new(HW_RECORDS_MAX);
    return r->records[i];
}

bool hw_reporter_wants_output(const struct hw_reporter *r)
{
    const struct hw_flow *f = &r->flows[HW_FLOW_OUTPUT];
    return f->used && !f->dead && r->stage < HW_LAST_WRITE;
}

bool hw_reporter_output(struct hw_reporter *r, int i, struct hw_str bytes)
{
    struct hw_flow *f = &r->flows[HW_FLOW_OUTPUT];
    if (!hw_reporter_wants_output(r))
        return true; /* nobody wants to know */
    hw_pick_piece(&f->pick, bytes);
    hw_records_feed(stream(r, i), bytes, on_record, r);
    hw_pick_piece(&f->pick, (struct hw_str){ "", 0 });
    await_pause(r);
    hw_reporter_advance(r);
    r->full = f->used && f->held.len >= HW_HELD_MAX;
    if (r->full) /* who can't go on has not paused */
        uv_timer_stop(&r->pause);
    return !r->full;
}

/* A parser of which only the newest record matters has had that all the same. */
static bool misses(const struct hw_reporter *r)
{
    const struct hw_flow *f = &r->flows[HW_FLOW_OUTPUT];
    return r->lost && f->used && !f->dead && f->each_counts;
}

void hw_output_warn(struct hw_reporter *r)
{
    if (!misses(r) || r->warned_lost)
        return;
    r->warned_lost = true;
    hw_log(
        HW_WARN, "report",
        "%s comes faster than parser %s reads it: some of it is lost to it, and what it counts may be too few",
        r->output_name, r->flows[HW_FLOW_OUTPUT].name);
}

void hw_reporter_output_gap(struct hw_reporter *r, int i, uint64_t lost)
{
    if (!hw_reporter_wants_output(r))
        return;
    hw_records_gap(stream(r, i), lost);
    r->lost += lost;
    hw_output_warn(r);
}

/* What was counted of a part is no total. */
void hw_output_note(const struct hw_reporter *r, struct hw_progress *value)
{
    const struct hw_flow *f = &r->flows[HW_FLOW_OUTPUT];
    char lost[HW_TEXT_MAX + 1];
    if (f->used)
        hw_progress_note(value, r->note);
    if (f->used && f->dead)
        hw_progress_note(value, f->why);
    if (!misses(r))
        return;
    snprintf(lost, sizeof lost, "%s lost: %" PRIu64 " bytes were not seen", r->output_name, r->lost);
    hw_progress_note(value, lost);
    if (!r->unknown_total || value->state != HW_COMPLETE)
        return;
    value->count.total = -1;
    value->n = value->m = 100;
}

void hw_reporter_output_seam(struct hw_reporter *r, int i, bool whole)
{
    if (whole)
        hw_records_end(stream(r, i), true, on_record, r);
    else
        hw_records_seam(stream(r, i), on_record, r);
}

void hw_reporter_on_room(struct hw_reporter *r, hw_reporter_room_fn *fn, void *ctx)
{
    r->room = fn;
    r->room_ctx = ctx;
}

void hw_reporter_caught_up(struct hw_reporter *r)
{
    r->awaiting = false;
    hw_reporter_advance(r);
}

void hw_reporter_on_doubt(struct hw_reporter *r, hw_reporter_doubt_fn *fn, void *ctx)
{
    r->doubt = fn;
    r->doubt_ctx = ctx;
}

/* With a file beside the output nothing is amiss while either may still speak. */
void hw_output_explain(struct hw_reporter *r)
{
    const struct hw_flow *f = &r->flows[HW_FLOW_OUTPUT];
    char both[HW_TEXT_MAX + 1] = "";
    if (r->file && !f->samples)
        snprintf(both, sizeof both, "no progress in file or %s yet", r->output_name);
    if (!r->file_spoke && f->used)
        hw_tracker_source(&r->tracker, r->output_why[0] ? r->output_why : both);
}

void hw_reporter_output_trouble(struct hw_reporter *r, const char *why)
{
    snprintf(r->output_why, sizeof r->output_why, "%s", why);
    hw_output_explain(r);
    hw_reporter_advance(r);
}

uint64_t hw_reporter_output_samples(const struct hw_reporter *r, bool *ret_settled)
{
    const struct hw_flow *f = &r->flows[HW_FLOW_OUTPUT];
    *ret_settled = hw_flow_is_quiet(f);
    return f->samples;
}

void hw_output_end(struct hw_reporter *r, bool whole)
{
    uv_timer_stop(&r->pause);
    for (int i = 0; i < HW_REPORTER_STREAMS; i++)
        if (r->records[i])
            hw_records_end(r->records[i], whole, on_record, r);
}

void hw_output_done(struct hw_reporter *r)
{
    for (int i = 0; i < HW_REPORTER_STREAMS; i++)
        hw_records_free(r->records[i]);
}
