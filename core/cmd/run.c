/* run.c - the reporter as a sidecar: watches the progress file and publishes until it is told to stop.
 * In a pod it never exits for a reason of its own, since a sidecar that ends or crashes holds up the task: it says why
 * and idles. SIGTERM: reads once more, publishes, exits 0 within 5 s whatever the API server does. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/publishing.h"
#include "cmd/reporting.h"

enum { FINISH_MS = 4500 };

struct run {
    uv_loop_t loop;
    struct hw_clock clock;
    const struct hw_config *config; /* borrows */
    struct hw_publishing publishing;
    struct hw_signals signals;
    bool stopping, written;
};

static void on_done(void *ctx, bool written)
{
    struct run *run = ctx;
    run->written = written;
    uv_stop(&run->loop);
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
    if (run->publishing.reporter)
        hw_reporter_finish(run->publishing.reporter, NULL, FINISH_MS, on_done, run);
    else
        on_done(run, true);
}

static int set_up(struct run *run, struct hw_err *err)
{
    const struct hw_config *c = run->config;
    struct hw_reporter_options options = { 0 };
    if (!c->source.file)
        return hw_fail(err, HW_ECONFIG, "no progress file: set FLUID_PROGRESS_FILE or --file");
    if (hw_reporting_options(c, &options, err) < 0 ||
        hw_publishing_start(&run->publishing, &options, err) < 0)
        return -1;
    hw_log(HW_INFO, "run", "watching '%s'", c->source.file);
    return 0;
}

static void close_all(struct run *run)
{
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
    int st = uv_loop_init(&run->loop);
    if (st < 0)
        return hw_fail(err, HW_ESYS, "make the event loop: %s", uv_strerror(st));
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
    .summary = "watch a progress file and publish what it says, until told to stop",
    .description =
        "The reporter as a sidecar. In a pod it writes the annotations fluid.io/data-progress and\n"
        "fluid.io/data-progress-detail; elsewhere it draws a bar. SIGTERM: it reads once more,\n"
        "publishes the last value and exits 0 within 5 s.",
    .takes = HW_FOR_RUN | HW_FOR_PRINT,
    .outputs = 1 << HW_OUTPUT_TABLE | 1 << HW_OUTPUT_JSON,
    .always_runs = true,
    .run = run_main,
};
