/* run.c - the reporter as a sidecar: watches the progress file and publishes until it is told to stop.
 * In a pod it never exits for a reason of its own, since a sidecar that ends or crashes holds up the task: it says why
 * and idles. SIGTERM: reads once more, publishes, exits 0 within 5 s whatever the API server does. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/reporting.h"
#include "kube/client.h"
#include "loop/loop.h"
#include "report/reporter.h"
#include "sink/annotation.h"
#include "sink/lines.h"
#include "sink/objects.h"
#include "sink/status.h"

enum { FINISH_MS = 4500, FILES_LEAST = 32 };

struct run {
    uv_loop_t loop;
    struct hw_clock clock;
    const struct hw_config *config; /* borrows */
    struct hw_reporter *reporter;
    struct hw_kube *kube;
    struct hw_sink *status; /* borrows: the reporter owns it */
    struct hw_signals signals;
    bool stopping, written;
};

static const char *by_name(const struct hw_config *c)
{
    return c->by == HW_BY_WRAPPER ? "wrapper" : "sidecar";
}

static bool is_in_pod(void)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    return host && host[0];
}

/* What is written to when nothing was chosen: the pod where there is one, else the terminal. */
static unsigned wanted_sinks(const struct hw_config *c)
{
    unsigned named = c->sinks & ~(unsigned)HW_TO_AUTO;
    if (c->output == HW_OUTPUT_JSON)
        named |= HW_TO_JSONL;
    if (c->sinks & ~(unsigned)HW_TO_AUTO && !(c->sinks & HW_TO_AUTO))
        return named;
    if (is_in_pod() || c->pod.name)
        return named | HW_TO_ANNOTATION;
    return c->output == HW_OUTPUT_JSON ? named : named | HW_TO_TERM;
}

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
    if (run->reporter)
        hw_reporter_finish(run->reporter, NULL, FINISH_MS, on_done, run);
    else
        on_done(run, true);
}

static int connect_kube(struct run *run, struct hw_err *err)
{
    const struct hw_config *c = run->config;
    struct hw_kube_config_opts where = { .kubeconfig = c->kube.kubeconfig,
                                         .context = c->kube.context,
                                         .namespace = c->kube.namespace,
                                         .service_account_dir = c->kube.serviceaccount_dir };
    struct hw_kube_opts opts = { .deadline_ms = c->kube.deadline_ms };
    struct hw_kube_config *config = NULL;
    if (hw_kube_config_load(&where, &config, err) < 0)
        return -1;
    hw_log(HW_DEBUG, "run", "API server %s, from %s", config->server, config->from);
    if (hw_kube_new(&run->kube, &run->loop, &run->clock, config, &opts, err) == 0)
        return 0;
    hw_kube_config_free(config);
    return -1;
}

static void on_pod(void *ctx, json_t *pod)
{
    struct run *run = ctx;
    if (run->status)
        hw_status_set_pod(run->status, pod);
}

static void on_pod_gone(void *ctx, const char *reason)
{
    struct run *run = ctx;
    (void)reason; /* the sink has logged it */
    if (run->status)
        hw_status_set_pod(run->status, NULL);
}

static const char *pod_namespace(const struct run *run)
{
    return run->config->pod.namespace ? run->config->pod.namespace
                                      : hw_kube_config(run->kube)->namespace;
}

static int add_annotation(struct run *run, struct hw_err *err)
{
    const struct hw_config *c = run->config;
    struct hw_pace_rules pace = hw_pace_annotation();
    struct hw_sink *sink = NULL;
    const char *host =
        getenv("HOSTNAME"); /* the pod's name, unless hostNetwork or a hostname is set */
    struct hw_annotation_opts opts = { .namespace = pod_namespace(run),
                                       .pod = c->pod.name ? c->pod.name : host,
                                       .uid = c->pod.uid,
                                       .by = by_name(c),
                                       .on_pod = on_pod,
                                       .on_stop = on_pod_gone,
                                       .ctx = run };
    if (!opts.pod)
        return hw_fail(err, HW_ECONFIG,
                       "which pod: set HEADWAY_POD_NAME (downward API) or --pod-name");
    if (hw_annotation_new(&sink, run->kube, &run->loop, &run->clock, &opts, err) < 0)
        return -1;
    pace.percent_ms = c->pace.percent_gap_ms;
    pace.other_ms = c->pace.idle_gap_ms;
    sink->events = hw_reporter_sink_events(run->reporter);
    hw_reporter_add_sink(run->reporter, sink, &pace);
    return 0;
}

static int add_status(struct run *run, struct hw_err *err)
{
    const struct hw_config *c = run->config;
    struct hw_pace_rules pace = hw_pace_status();
    struct hw_status_opts opts = { .namespace = pod_namespace(run),
                                   .operation = c->status.operation };
    if (hw_status_new(&run->status, run->kube, &run->loop, &run->clock, &opts, err) < 0)
        return -1;
    pace.percent_ms = c->pace.status_gap_ms;
    run->status->events = hw_reporter_sink_events(run->reporter);
    hw_reporter_add_sink(run->reporter, run->status, &pace);
    return 0;
}

static void add_lines(struct run *run, enum hw_lines_form form, int fd)
{
    struct hw_pace_rules pace = hw_pace_local();
    struct hw_sink_events events = hw_reporter_sink_events(run->reporter);
    struct hw_lines_options options = hw_lines_detect(fd);
    if (form == HW_LINES_JSON)
        options.form = form;
    if (run->config->color != HW_COLOR_AUTO)
        options.color = run->config->color == HW_COLOR_ALWAYS;
    options.by = by_name(run->config);
    hw_reporter_add_sink(run->reporter, hw_lines_new(&run->loop, &run->clock, &options, &events),
                         &pace);
}

static int add_dir(struct run *run, struct hw_err *err)
{
    const struct hw_config *c = run->config;
    struct hw_pace_rules pace = hw_pace_annotation();
    struct hw_sink_events events = hw_reporter_sink_events(run->reporter);
    struct hw_sink *sink = NULL;
    struct hw_objects objects = {
        .pod = hw_objects_bare_pod(c->pod.namespace ? c->pod.namespace : "default",
                                   c->pod.name ? c->pod.name : "local"),
        .by = by_name(c),
        .begun_ms = hw_wall_ms(&run->clock),
    };
    int st = c->dir.path
                 ? hw_dir_new(&sink, &run->loop, c->dir.path, &objects, &run->clock, &events, err)
                 : hw_fail(err, HW_ECONFIG, "sink dir: set dir.path (--dir)");
    if (st < 0)
        hw_objects_done(&objects);
    else
        hw_reporter_add_sink(run->reporter, sink, &pace);
    return st;
}

static int add_sinks(struct run *run, struct hw_err *err)
{
    unsigned sinks = wanted_sinks(run->config);
    bool direct = run->config->status.direct;
    if (direct && !(sinks & HW_TO_ANNOTATION))
        return hw_fail(err, HW_ECONFIG,
                       "status.direct: the operation is found through the pod, so `sinks` must "
                       "have annotation too");
    if ((sinks & HW_TO_ANNOTATION || direct) && connect_kube(run, err) < 0)
        return -1;
    if (sinks & HW_TO_TERM)
        add_lines(run, HW_LINES_BAR, STDERR_FILENO);
    if (sinks & HW_TO_JSONL)
        add_lines(run, HW_LINES_JSON, STDOUT_FILENO);
    if (sinks & HW_TO_DIR && add_dir(run, err) < 0)
        return -1;
    if (direct &&
        add_status(run, err) < 0) /* before the annotation, whose first answer it waits for */
        return -1;
    return sinks & HW_TO_ANNOTATION ? add_annotation(run, err) : 0;
}

static int set_up(struct run *run, struct hw_err *err)
{
    const struct hw_config *c = run->config;
    struct hw_reporter_options options = { 0 };
    if (!c->source.file)
        return hw_fail(err, HW_ECONFIG, "no progress file: set FLUID_PROGRESS_FILE or --file");
    if (hw_reporting_options(c, &options, err) < 0)
        return -1;
    if (hw_reporter_new(&run->reporter, &run->loop, &run->clock, &options, err) < 0)
        return -1;
    if (add_sinks(run, err) < 0 || hw_reporter_start(run->reporter, err) < 0)
        return -1;
    hw_log(HW_INFO, "run", "watching '%s'", c->source.file);
    return 0;
}

static void close_flow(struct run *run)
{
    hw_reporter_free(run->reporter);
    run->reporter = NULL;
    hw_kube_free(run->kube);
    run->kube = NULL;
    run->status = NULL;
}

static void close_all(struct run *run)
{
    close_flow(run);
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
    close_flow(run);
    return serve(run);
}

static int give_up(struct run *run, int status)
{
    close_all(run);
    return status;
}

/* The loop, the worker, a connection and the file want about twenty descriptors. */
static int check_limits(struct hw_err *err)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return 0;
    if (files.rlim_cur < FILES_LEAST) {
        files.rlim_cur = files.rlim_max < FILES_LEAST ? files.rlim_max : FILES_LEAST;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur < FILES_LEAST)
        return hw_fail(err, HW_ESYS, "only %llu open files are allowed (ulimit -n), %d are needed",
                       (unsigned long long)files.rlim_cur, FILES_LEAST);
    return 0;
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
    if (check_limits(err) < 0)
        return -1;
    if (hw_loop_init(&run->loop, err) < 0)
        return -1;
    return hw_signals_catch(&run->signals, &run->loop, on_signal, run, err);
}

static int run_main(struct hw_cmd_ctx *ctx)
{
    struct run run = { .config = ctx->config };
    struct hw_err err;
    prctl(PR_SET_THP_DISABLE, 1, 0, 0,
          0); /* huge pages would make our few pages many; the worker inherits it */
    if (begin(&run, &err) < 0)
        return is_in_pod() ? idle_bare(err.msg) : hw_cmd_fail(ctx, &err);
    if (ctx->problems->errors) {
        hw_cmd_report_problems(ctx->cmd, ctx->problems);
        return is_in_pod() ? idle(&run, "the settings are wrong") : give_up(&run, 2);
    }
    if (set_up(&run, &err) == 0)
        return serve(&run);
    return is_in_pod() ? idle(&run, err.msg) : give_up(&run, hw_cmd_fail(ctx, &err));
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
