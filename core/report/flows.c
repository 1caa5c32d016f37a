#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "report/impl.h"

enum { BATCH_RECORDS = 512 }; /* at the most, of one call to the worker */

/* ---- refusals ------------------------------------------------------------------------------------ */

static bool is_file(const struct hw_reporter *r, const struct hw_flow *f)
{
    return f == &r->flows[HW_FLOW_FILE];
}

/* Where its records come from, for people. */
static const char *where(const struct hw_reporter *r, const struct hw_flow *f)
{
    return is_file(r, f) ? r->file : r->output_name;
}

void hw_reporter_refuse(struct hw_reporter *r, const char *why, const char *where)
{
    char clean[HW_TEXT_MAX + 1];
    hw_clean_text(clean, HW_TEXT_MAX, hw_str(why));
    hw_tracker_refused(&r->tracker, clean, hw_reporter_now(r));
    if (hw_causes_is_new(&r->causes, clean))
        hw_log(HW_WARN, "report", "refused: %s (%s); the last good value stays", clean, where);
}

/* The parser itself is at fault: what it raised, and where. */
static void refuse_fault(struct hw_reporter *r, const struct hw_flow *f, const char *why)
{
    char told[HW_TEXT_MAX + 1];
    snprintf(told, sizeof told, "parser %s: %s", f->name, why);
    hw_tracker_refused(&r->tracker, told, hw_reporter_now(r));
    if (hw_causes_is_new(&r->causes, why))
        hw_log(HW_WARN, "report", "%s (%s); it goes on with the next record%s%s", told, where(r, f),
               r->trace[0] ? "; traceback: " : "", r->trace);
}

/* ---- what waits ---------------------------------------------------------------------------------- */

static void clear_held(struct hw_flow *f)
{
    hw_buf_clear(&f->held);
    f->held_count = f->tried = f->each = 0;
}

static void drop_held(struct hw_flow *f, size_t count, size_t bytes)
{
    hw_buf_drop(&f->held, bytes);
    f->held_count -= count;
    f->each -= f->each < count ? f->each : count;
}

void hw_flow_add(struct hw_reporter *r, struct hw_flow *f, struct hw_str record)
{
    uint32_t len = (uint32_t)record.len;
    struct hw_err err;
    if (is_file(r, f))
        clear_held(f);
    else if (!hw_pick_admits(&f->pick, record)) {
        hw_tracker_silent(&r->tracker, f->name, hw_reporter_now(r));
        return;
    }
    /* The ceiling is above what the output may hold (HW_HELD_MAX and the records of one more read), so it is memory. */
    if (hw_buf_add(&f->held, &len, sizeof len, &err) < 0 ||
        hw_buf_add(&f->held, record.ptr, record.len, &err) < 0)
        hw_out_of_memory();
    f->held_count++;
}

bool hw_flow_is_quiet(const struct hw_flow *f)
{
    return !f->used || (!f->parsing && !f->held_count);
}

static struct hw_str held_at(const struct hw_flow *f, size_t at)
{
    uint32_t len;
    memcpy(&len, f->held.ptr + at, sizeof len);
    return (struct hw_str){ f->held.ptr + at + sizeof len, len };
}

/* The first records that wait, at most BATCH_RECORDS; returns how many bytes of held they take. */
static size_t take_batch(const struct hw_flow *f, struct hw_str *records, size_t *ret_count)
{
    size_t at = 0, n = 0;
    for (; n < BATCH_RECORDS && n < f->held_count; n++) {
        records[n] = held_at(f, at);
        at += sizeof(uint32_t) + records[n].len;
    }
    *ret_count = n;
    return at;
}

static void source_trouble(struct hw_reporter *r, struct hw_flow *f, const char *why)
{
    hw_tracker_source(&r->tracker, why);
    clear_held(f);
}

/* Of the first records that wait, those that each go on from the one before: only the last of them matters. Returns how many
 * bytes of held they take. */
static size_t take_newest(struct hw_flow *f, struct hw_str *ret, size_t *ret_count)
{
    size_t at = 0, n = 0;
    for (; n < f->held_count && !f->each; n++) {
        struct hw_str record = held_at(f, at);
        if (!hw_pick_follows(&f->pick, record))
            break;
        *ret = record;
        at += sizeof(uint32_t) + record.len;
    }
    *ret_count = n;
    return at;
}

static void send_held(struct hw_reporter *r, struct hw_flow *f)
{
    struct hw_str records[BATCH_RECORDS];
    struct hw_err err = { .msg = "parser worker: busy" };
    size_t count = 1, bytes = take_newest(f, records, &f->tried);
    f->tried_bytes = bytes;
    if (f->tried < 2) {
        f->tried = 0;
        bytes = take_batch(f, records, &count);
    }
    if (!count) /* never: something waits */
        return;
    int st = hw_worker_feed(r->worker, f->id, records, count, ++f->seq, &err);
    if (st != 0)
        f->tried = 0;
    if (st > 0) /* the other flow has filled the queue: again at its next `fed` */
        return;
    if (st < 0) {
        source_trouble(r, f, err.msg);
        return;
    }
    hw_pick_fed(&f->pick, records[count - 1]);
    f->parsing = true;
    f->sent = count;
    f->answered = false;
    if (!f->tried) /* else they may be wanted again */
        drop_held(f, count, bytes);
}

static void pump(struct hw_reporter *r, struct hw_flow *f)
{
    if (!f->used || f->parsing || !f->held_count)
        return;
    if (f->dead)
        source_trouble(r, f, f->why);
    else
        send_held(r, f);
}

static void make_room(struct hw_reporter *r)
{
    if (!r->full || r->flows[HW_FLOW_OUTPUT].held.len >= HW_HELD_MAX / 2)
        return;
    r->full = false;
    if (r->room)
        r->room(r->room_ctx);
}

void hw_flows_pump(struct hw_reporter *r)
{
    for (int i = 0; i < HW_FLOWS; i++)
        pump(r, &r->flows[i]);
    make_room(r);
}

bool hw_flow_finish(struct hw_reporter *r, struct hw_flow *f, int code)
{
    struct hw_err err;
    if (!f->used || f->dead || f->finished)
        return false;
    f->finished = true;
    if (hw_worker_finish(r->worker, f->id, code, ++f->seq, &err) < 0)
        return false;
    f->parsing = true;
    return true;
}

void hw_flow_stop(struct hw_reporter *r, struct hw_flow *f)
{
    if (!f->used)
        return;
    if (!f->dead)
        hw_worker_unload(r->worker, f->id);
    clear_held(f);
    hw_buf_done(&f->held);
    hw_pick_init(&f->pick, NULL);
    f->used = f->parsing = false;
    make_room(r);
}

/* ---- what the worker says ------------------------------------------------------------------------ */

static struct hw_flow *flow_of(struct hw_reporter *r, unsigned id)
{
    return r->flows[HW_FLOW_OUTPUT].used && r->flows[HW_FLOW_OUTPUT].id == id
               ? &r->flows[HW_FLOW_OUTPUT]
               : &r->flows[HW_FLOW_FILE];
}

/* Once the file held a valid N/M it is the task's word, and the output is not asked any more. */
static void file_wins(struct hw_reporter *r)
{
    if (r->file_spoke)
        return;
    r->file_spoke = true;
    hw_flow_stop(r, &r->flows[HW_FLOW_OUTPUT]);
}

static void on_sample(void *ctx, unsigned id, uint64_t seq, size_t index,
                      const struct hw_sample *sample)
{
    struct hw_reporter *r = ctx;
    struct hw_flow *f = flow_of(r, id);
    f->samples++;
    if (seq == f->seq && index + 1 == f->sent)
        f->answered = hw_pick_answer(&f->pick, sample);
    if (is_file(r, f))
        file_wins(r);
    hw_tracker_sample(&r->tracker, sample, is_file(r, f) || f->word, f->name, hw_reporter_now(r));
}

static void on_fault(void *ctx, unsigned id, uint64_t seq, size_t index, const char *trace)
{
    struct hw_reporter *r = ctx;
    (void)id, (void)seq, (void)index;
    r->fault = true;
    snprintf(r->trace, sizeof r->trace, "%s", trace);
}

static void on_refused(void *ctx, unsigned id, uint64_t seq, size_t index, const char *why)
{
    struct hw_reporter *r = ctx;
    const struct hw_flow *f = flow_of(r, id);
    bool fault = r->fault;
    (void)seq, (void)index;
    r->fault = false;
    if (f->tried) /* it comes again, in its place among those before it */
        return;
    if (fault)
        refuse_fault(r, f, why);
    else
        hw_reporter_refuse(r, why, where(r, f));
}

static void on_silent(void *ctx, unsigned id, uint64_t seq, size_t count)
{
    struct hw_reporter *r = ctx;
    struct hw_flow *f = flow_of(r, id);
    (void)seq, (void)count;
    if (!f->tried)
        hw_tracker_silent(&r->tracker, f->name, hw_reporter_now(r));
}

/* The newest of them gave a sample: the others are done too. Else they are fed after all. */
static void settle_tried(struct hw_flow *f)
{
    if (f->tried && f->answered)
        drop_held(f, f->tried, f->tried_bytes);
    else
        f->each = f->tried ? f->tried : f->each;
    f->tried = 0;
}

static void on_fed(void *ctx, unsigned id, uint64_t seq)
{
    struct hw_reporter *r = ctx;
    struct hw_flow *f = flow_of(r, id);
    if (!f->parsing || seq != f->seq)
        return;
    f->parsing = false;
    settle_tried(f);
    hw_reporter_advance(r);
}

static void on_loaded(void *ctx, unsigned id, const struct hw_parser_meta *meta)
{
    struct hw_flow *f = flow_of(ctx, id);
    memcpy(f->name, meta->name, sizeof f->name);
    f->word = meta->word;
    f->each_counts = !meta->newest || meta->form.count;
    hw_pick_init(&f->pick, meta);
    hw_output_warn(ctx);
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
    hw_log(hw_causes_is_new(&r->causes, why->msg) ? HW_WARN : HW_DEBUG, "report",
           "%s; next try in %.1f s", why->msg, (double)retry_ms / 1000);
    hw_tracker_source(&r->tracker, why->msg);
    hw_reporter_advance(r);
}

static void on_parser_failed(void *ctx, unsigned id, const char *why)
{
    struct hw_reporter *r = ctx;
    struct hw_flow *f = flow_of(r, id);
    f->dead = true;
    snprintf(f->why, sizeof f->why, "parser %s: %.150s", f->parser, why);
    hw_tracker_source(&r->tracker, f->why);
    hw_log(HW_ERROR, "report", "%s; progress can't be read", f->why);
    f->parsing = false;
    hw_pick_init(&f->pick, NULL);
    clear_held(f);
    hw_reporter_advance(r);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int load(struct hw_reporter *r, struct hw_flow *f, const char *parser,
                const struct hw_reporter_options *options, struct hw_err *err)
{
    struct hw_parser_source source = { 0 };
    bool strict = is_file(r, f);
    /* Options are for the parser that was chosen, not for the N/M file beside the output. */
    bool chosen = !strict || !options->output_parser;
    f->parser = hw_xstrdup(parser);
    hw_buf_init(&f->held, 4 * HW_HELD_MAX);
    if (hw_parsers_find(parser, r->parser_dir, &source, err) < 0)
        return -1;
    int st = hw_worker_load(r->worker, &source, options->parser_options,
                            chosen ? options->parser_option_count : 0, strict, &f->id, err);
    if (st == 0)
        memcpy(f->name, source.name, strlen(source.name) + 1);
    hw_parser_source_done(&source);
    f->used = st == 0;
    return st;
}

int hw_flows_start(struct hw_reporter *r, const struct hw_reporter_options *options,
                   struct hw_err *err)
{
    struct hw_worker_options where = { .user_dir = r->parser_dir };
    struct hw_worker_events events = { .ctx = r,
                                       .loaded = on_loaded,
                                       .sample = on_sample,
                                       .fault = on_fault,
                                       .refused = on_refused,
                                       .silent = on_silent,
                                       .fed = on_fed,
                                       .load_failed = on_parser_failed,
                                       .set_aside = on_parser_failed,
                                       .started = on_started,
                                       .trouble = on_trouble };
    if (hw_worker_new(&r->worker, r->loop, &where, &events, err) < 0)
        return -1;
    const char *parser = options->parser ? options->parser : "nm";
    if (options->file && load(r, &r->flows[HW_FLOW_FILE], parser, options, err) < 0)
        return -1;
    if (!options->output_parser)
        return 0;
    return load(r, &r->flows[HW_FLOW_OUTPUT], options->output_parser, options, err);
}

void hw_flows_done(struct hw_reporter *r)
{
    hw_worker_free(r->worker);
    r->worker = NULL;
    for (int i = 0; i < HW_FLOWS; i++) {
        hw_buf_done(&r->flows[i].held);
        free(r->flows[i].parser);
    }
}
