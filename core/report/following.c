#include "report/following.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "source/metrics.h"
#include "source/reader.h"
#include "source/tail.h"

enum { PIECE = 64 * 1024 }; /* of a body, at once */

struct hw_following {
    struct hw_reporter *reporter; /* borrows */
    struct hw_tail *tail;         /* own */
    struct hw_metrics *metrics;
    char *body; /* owns; the metrics page that is being taken */
    size_t body_at, body_len;
    uint64_t samples; /* of the reporter, before that page */
    bool answered;    /* the last page has come, or will not */
    uv_timer_t limit;
    uint64_t limit_ms;
    bool hurried;        /* the first half of it is over */
    hw_following_fn *fn; /* NULL = nobody has asked for the end, or was told */
    void *ctx;
};

static void stop(struct hw_following *f)
{
    hw_tail_free(f->tail);
    hw_metrics_free(f->metrics);
    f->tail = NULL;
    f->metrics = NULL;
}

static void finish(struct hw_following *f)
{
    hw_following_fn *fn = f->fn;
    uv_timer_stop(&f->limit);
    f->fn = NULL;
    stop(f);
    if (fn)
        fn(f->ctx);
}

/* Once: the log's end must do. Twice: it is too late. */
static void on_limit(uv_timer_t *timer)
{
    struct hw_following *f = HW_CONTAINER(timer, struct hw_following, limit);
    if (f->tail && !f->hurried) {
        f->hurried = true;
        hw_log(HW_WARN, "report", "the log is long, and time is short: only its end is read");
        uv_timer_start(timer, on_limit, f->limit_ms / 2, 0);
        hw_tail_ask(f->tail);
        return;
    }
    hw_log(HW_WARN, "report", "the last look at %s took too long: the value before it is published",
           f->tail ? "the log" : "the metrics");
    finish(f);
}

/* The progress file has won, or the parser is gone. */
static bool is_over(struct hw_following *f)
{
    if (hw_reporter_wants_output(f->reporter))
        return false;
    if (f->fn)
        finish(f);
    else
        stop(f);
    return true;
}

/* ---- the log --------------------------------------------------------------------------------------- */

static bool on_news(void *ctx, const struct hw_tail_news *news)
{
    struct hw_following *f = ctx;
    bool room = true;
    if (news->why)
        hw_reporter_output_trouble(f->reporter, news->why);
    if (news->bytes.len) {
        if (news->seam == HW_TAIL_NEXT || news->seam == HW_TAIL_SEAM)
            hw_reporter_output_seam(f->reporter, 0, news->seam == HW_TAIL_NEXT);
        else if (news->seam == HW_TAIL_GAP)
            hw_reporter_output_gap(f->reporter, 0, news->lost);
        room = hw_reporter_output(f->reporter, 0, news->bytes);
    }
    if (news->caught_up)
        hw_reporter_caught_up(f->reporter);
    if (is_over(f))
        return true;
    if (news->asked && f->fn)
        finish(f);
    return room;
}

/* ---- the metrics ----------------------------------------------------------------------------------- */

/* The port is the right one when its page made a sample. */
static int believes(void *ctx)
{
    struct hw_following *f = ctx;
    bool settled;
    bool said = hw_reporter_output_samples(f->reporter, &settled) > f->samples;
    return settled ? said : -1;
}

/* As much of the page as there is room for; then the answer. */
static void take_body(struct hw_following *f)
{
    bool room = true;
    while (room && f->body_at < f->body_len) {
        size_t n = f->body_len - f->body_at < PIECE ? f->body_len - f->body_at : PIECE;
        f->body_at += n;
        room = hw_reporter_output(f->reporter, 0, (struct hw_str){ f->body + f->body_at - n, n });
        if (is_over(f))
            return;
    }
    bool taken = f->body_at == f->body_len;
    hw_metrics_hold(f->metrics, !taken);
    if (!taken)
        return;
    free(f->body);
    f->body = NULL;
    hw_reporter_caught_up(f->reporter);
    if (f->answered && f->fn)
        finish(f);
}

/* OpenMetrics pages end so; a parser sees by it that it has read a whole page. */
static const char page_end[] = "\n# EOF\n";

static void on_body(void *ctx, struct hw_str body)
{
    struct hw_following *f = ctx;
    bool settled;
    if (f->body) /* the last page but one is still being taken */
        return;
    f->samples = hw_reporter_output_samples(f->reporter, &settled);
    f->body = hw_xzalloc(body.len + sizeof page_end);
    memcpy(f->body, body.ptr, body.len);
    f->body_at = 0;
    f->body_len = body.len;
    while (f->body_len && strchr("\r\n", f->body[f->body_len - 1]))
        f->body_len--;
    if (f->body_len < 5 || memcmp(f->body + f->body_len - 5, "# EOF", 5) != 0)
        f->body_len += (size_t)snprintf(f->body + f->body_len, sizeof page_end, "%s", page_end);
    else
        f->body[f->body_len++] = '\n';
    take_body(f);
}

static void on_nothing(void *ctx, const char *why)
{
    struct hw_following *f = ctx;
    hw_reporter_output_trouble(f->reporter, why);
    hw_reporter_caught_up(f->reporter);
    is_over(f);
}

static void on_asked(void *ctx)
{
    struct hw_following *f = ctx;
    f->answered = true;
    if (!f->body && f->fn)
        finish(f);
}

/* ---- both ------------------------------------------------------------------------------------------ */

static void on_room(void *ctx)
{
    struct hw_following *f = ctx;
    if (f->tail)
        hw_tail_go_on(f->tail);
    if (f->body && f->metrics)
        take_body(f);
}

static void on_doubt(void *ctx)
{
    struct hw_following *f = ctx;
    if (f->tail && hw_tail_busy_ms(f->tail) > HW_READER_HUNG_MS)
        hw_reporter_output_trouble(f->reporter, "log file: the file system does not answer");
}

static int open_source(struct hw_following *f, uv_loop_t *loop,
                       const struct hw_following_options *o, struct hw_err *err)
{
    if (o->log) {
        struct hw_tail_options log = { o->log, o->poll_ms, o->events };
        return hw_tail_new(&f->tail, loop, &log, on_news, f, err);
    }
    struct hw_metrics_options port = { (uint16_t)o->metrics_port, o->metrics_path, o->poll_ms };
    struct hw_metrics_events events = { f, on_body, believes, on_nothing, on_asked };
    return hw_metrics_new(&f->metrics, loop, &port, &events, err);
}

static void on_closed(uv_handle_t *handle)
{
    struct hw_following *f = HW_CONTAINER(handle, struct hw_following, limit);
    free(f->body);
    free(f);
}

int hw_following_new(struct hw_following **ret, uv_loop_t *loop, struct hw_reporter *r,
                     const struct hw_following_options *options, struct hw_err *err)
{
    struct hw_following *f = hw_xzalloc(sizeof *f);
    f->reporter = r;
    uv_timer_init(loop, &f->limit);
    if (open_source(f, loop, options, err) < 0) {
        uv_close((uv_handle_t *)&f->limit, on_closed);
        return -1;
    }
    hw_reporter_on_room(r, on_room, f);
    hw_reporter_on_doubt(r, on_doubt, f);
    *ret = f;
    return 0;
}

void hw_following_finish(struct hw_following *f, int64_t limit_ms, hw_following_fn *fn, void *ctx)
{
    f->fn = fn;
    f->ctx = ctx;
    if (is_over(f))
        return;
    f->limit_ms = (uint64_t)limit_ms;
    uv_timer_start(&f->limit, on_limit, f->tail ? f->limit_ms / 2 : f->limit_ms, 0);
    if (f->tail)
        hw_tail_ask(f->tail);
    else
        hw_metrics_ask(f->metrics);
}

void hw_following_free(struct hw_following *f)
{
    if (!f)
        return;
    f->fn = NULL;
    hw_reporter_on_room(f->reporter, NULL, NULL);
    hw_reporter_on_doubt(f->reporter, NULL, NULL);
    stop(f);
    uv_close((uv_handle_t *)&f->limit, on_closed);
}
