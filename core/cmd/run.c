/* run.c - the reporter as a sidecar: watches a progress file, a log or metrics, and publishes until it is told to stop.
 * In a pod it never exits for a reason of its own, since a sidecar that ends or crashes holds up the task: it says why
 * and idles. SIGTERM: reads what is left, publishes, exits 0 within 5 s whatever the API server does. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/publishing.h"
#include "cmd/reporting.h"
#include "loop/loop.h"
#include "report/following.h"

enum { FINISH_MS = 4500, DRAIN_MS = 1500 /* of it, for the rest of a log */ };

struct run {
    uv_loop_t loop;
    struct hw_clock clock;
    const struct hw_config *config; /* borrows */
    struct hw_publishing publishing;
    struct hw_following *following; /* owns; NULL = the progress file alone */
    struct hw_signals signals;
    int64_t finish_by_ms;
    bool stopping, written;
};

static void on_done(void *ctx, bool written)
{
    struct run *run = ctx;
    run->written = written;
    uv_stop(&run->loop);
}

static void on_drained(void *ctx)
{
    struct run *run = ctx;
    hw_reporter_finish(run->publishing.reporter, NULL, run->finish_by_ms - hw_now_ms(&run->clock),
                       on_done, run);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct run *run = handle->data;
    if (run->stopping && number == SIGINT)
        _exit(128 + SIGINT); /* a person who presses it twice means it */
    if (run->stopping)
        return;
    run->stopping = true;
    hw_log(HW_INFO, "run", "%s: publishing the last value",
           number == SIGTERM ? "SIGTERM" : "signal");
    run->finish_by_ms = hw_now_ms(&run->clock) + FINISH_MS;
    if (run->following)
        hw_following_finish(run->following, DRAIN_MS, on_drained, run);
    else if (run->publishing.reporter)
        on_drained(run);
    else
        on_done(run, true);
}

/* Who serves metrics where none is named. */
#define METRICS_COMMAND "juicefs sync"

/* The parser that was chosen reads the log or the metrics; N/M of a progress file beside them are the task's own word. */
static int choose_sources(const struct hw_config *c, struct hw_reporter_options *options,
                          char parser[HW_REPORTING_PARSER], struct hw_reporting_why *why,
                          struct hw_err *err)
{
    bool log = c->source.log, metrics = c->source.metrics_port;
    if (!c->source.file && !log && !metrics)
        return hw_fail(err, HW_ECONFIG,
                       "nothing to watch: set FLUID_PROGRESS_FILE or --file, or --log-file, or "
                       "--metrics-port");
    if (log && metrics)
        return hw_fail(err, HW_ECONFIG,
                       "source.log and source.metrics-port: only one of them can be watched");
    if (log || metrics) {
        options->parser = NULL;
        *why = hw_reporting_parser(c, NULL, metrics ? METRICS_COMMAND : NULL, parser);
        options->note = why->text;
        options->output_parser = parser;
        options->output_name = log ? "log" : "metrics";
        options->await_output = true;
    }
    return 0;
}

static void say_sources(const struct hw_config *c)
{
    if (c->source.file)
        hw_log(HW_INFO, "run", "watching '%s'", c->source.file);
    if (c->source.log)
        hw_log(HW_INFO, "run", "following '%s'", c->source.log);
    if (c->source.metrics_port)
        hw_log(HW_INFO, "run", "asking 127.0.0.1:%" PRId64 "%s", c->source.metrics_port,
               c->source.metrics_path);
}

/* A sidecar that was restarted has published something before: what a log or metrics count begins anew. */
static int start(struct run *run, const struct hw_reporter_options *options, struct hw_err *err)
{
    run->publishing.resumes = options->output_parser;
    return hw_publishing_start(&run->publishing, options, err);
}

static int set_up(struct run *run, struct hw_err *err)
{
    const struct hw_config *c = run->config;
    struct hw_reporter_options options = { 0 };
    char parser[HW_REPORTING_PARSER];
    struct hw_reporting_why why;
    struct hw_following_options more = { .log = c->source.log,
                                         .poll_ms = c->source.poll_ms,
                                         .events = c->source.events,
                                         .metrics_port = c->source.metrics_port,
                                         .metrics_path = c->source.metrics_path };
    if (hw_reporting_options(c, &options, err) < 0 ||
        choose_sources(c, &options, parser, &why, err) < 0 || start(run, &options, err) < 0)
        return -1;
    if (options.output_parser &&
        hw_following_new(&run->following, &run->loop, run->publishing.reporter, &more, err) < 0)
        return -1;
    say_sources(c);
    return 0;
}

static void close_all(struct run *run)
{
    hw_following_free(run->following);
    hw_publishing_stop(&run->publishing);
    hw_signals_release(&run->signals);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    uv_loop_close(&run->loop);
}

static int serve(struct run *run)
{
    uv_run(&run->loop, UV_RUN_DEFAULT);
    fflush(stdout);
    if (!run->written)
        _exit(0); /* what does not answer must not hold up the pod's end: a resolver thread can't be stopped */
    close_all(run);
    return 0;
}

/* In a pod: stays, so that the task is not held up, and ends when it is told to. */
static int idle(struct run *run, const char *why)
{
    hw_log(HW_ERROR, "run", "%s; idle: nothing is published, the task is not disturbed", why);
    hw_publishing_stop(&run->publishing);
    return serve(run);
}

static int give_up(struct run *run, int status)
{
    close_all(run);
    return status;
}

/* Stays without a loop, which can't be had. */
static int idle_bare(const char *why)
{
    sigset_t set;
    int number;
    hw_log(HW_ERROR, "run", "%s; idle: nothing is published, the task is not disturbed", why);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigwait(&set, &number);
    return 0;
}

static int begin(struct run *run, struct hw_err *err)
{
    if (hw_publishing_limits(err) < 0)
        return -1;
    if (hw_loop_init(&run->loop, err) < 0)
        return -1;
    return hw_signals_catch(&run->signals, &run->loop, on_signal, run, err);
}

static int run_main(struct hw_cmd_ctx *ctx)
{
    struct run run = { .config = ctx->config };
    run.publishing = (struct hw_publishing){
        .loop = &run.loop, .clock = &run.clock, .config = ctx->config, .by = "sidecar"
    };
    struct hw_err err;
    prctl(PR_SET_THP_DISABLE, 1, 0, 0,
          0); /* huge pages would make our few pages many; the worker inherits it */
    if (begin(&run, &err) < 0)
        return hw_is_in_pod() ? idle_bare(err.msg) : hw_cmd_fail(ctx, &err);
    if (ctx->problems->errors) {
        hw_cmd_report_problems(ctx->cmd, ctx->problems);
        return hw_is_in_pod() ? idle(&run, "the settings are wrong") : give_up(&run, 2);
    }
    if (set_up(&run, &err) == 0)
        return serve(&run);
    return hw_is_in_pod() ? idle(&run, err.msg) : give_up(&run, hw_cmd_fail(ctx, &err));
}

const struct hw_cmd hw_cmd_run = {
    .name = "run",
    .args = "",
    .summary = "watch a progress file, a log or metrics and publish, until told to stop",
    .description =
        "The reporter as a sidecar. In a pod it writes the annotations fluid.io/data-progress and\n"
        "fluid.io/data-progress-detail; elsewhere it draws a bar. The parser reads the log or the\n"
        "metrics; once the progress file held a valid N/M, the file alone counts. SIGTERM: it reads\n"
        "what is left, publishes the last value and exits 0 within 5 s.",
    .takes = HW_FOR_RUN | HW_FOR_PRINT,
    .outputs = 1 << HW_OUTPUT_TABLE | 1 << HW_OUTPUT_JSON,
    .always_runs = true,
    .run = run_main,
};
