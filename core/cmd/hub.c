/* hub.c - the controller as a command: settings in, a hub on the loop, until it is told to stop. Unlike a sidecar it ends when
 * something is wrong with what it was given: whoever started it sees that, and starts it again. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/publishing.h"
#include "cmd/reporting.h"
#include "hub/hub.h"
#include "hub/serve.h"
#include "loop/loop.h"

struct hub_run {
    uv_loop_t loop;
    struct hw_clock clock;
    const struct hw_config *config; /* borrows */
    struct hw_hub_kinds kinds;
    struct hw_kube *kube, *lease_kube;
    struct hw_hub *hub;
    struct hw_hub_serve *serve; /* NULL = off */
    struct hw_signals signals;
    bool stopping;
};

static void on_stopped(void *ctx)
{
    struct hub_run *run = ctx;
    uv_stop(&run->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct hub_run *run = handle->data;
    if (run->stopping && number == SIGINT)
        _exit(128 + SIGINT); /* a person who presses it twice means it */
    if (run->stopping)
        return;
    run->stopping = true;
    hw_log(HW_INFO, "hub", "%s: giving the lease away", number == SIGTERM ? "SIGTERM" : "signal");
    hw_hub_stop(run->hub, on_stopped, run);
}

static int add_kinds(struct hub_run *run, struct hw_err *err)
{
    const struct hw_pairs *more = &run->config->hub.kinds;
    hw_hub_kinds_init(&run->kinds, run->config->hub.jobs);
    for (size_t i = 0; i < more->count; i++)
        if (hw_hub_kinds_add(&run->kinds, more->list[i].key, more->list[i].value, err) < 0)
            return hw_wrap(err, "hub.kinds");
    return 0;
}

static const char *host_name(const struct hw_config *c)
{
    return c->pod.name ? c->pod.name : getenv("HOSTNAME");
}

static int serve(struct hub_run *run, struct hw_err *err)
{
    const struct hw_config *c = run->config;
    struct hw_hub_serve_opts opts = { .address = c->hub.http,
                                      .cert = c->hub.http_cert,
                                      .key = c->hub.http_key,
                                      .metrics_operations = (int)c->hub.metrics_operations };
    if (!opts.address || !opts.address[0] || hw_streq(opts.address, "off"))
        return 0;
    return hw_hub_serve_new(&run->serve, run->hub, &run->loop, &run->clock, &opts, err);
}

static int set_up(struct hub_run *run, struct hw_err *err)
{
    const struct hw_config *c = run->config;
    struct hw_kube_opts many = { .deadline_ms = c->kube.deadline_ms,
                                 .parallel = HW_HUB_PARALLEL,
                                 .streams = HW_HUB_STREAMS };
    struct hw_kube_opts one = { .deadline_ms = c->kube.deadline_ms };
    if (add_kinds(run, err) < 0 ||
        hw_connect(&run->kube, &run->loop, &run->clock, c, &many, err) < 0 ||
        hw_connect(&run->lease_kube, &run->loop, &run->clock, c, &one, err) < 0)
        return -1;
    const struct hw_kube_config *server = hw_kube_config(run->kube);
    struct hw_hub_opts opts = { .namespace = c->hub.namespace,
                                .lease_namespace = server->namespace,
                                .lease = c->hub.lease,
                                .host = host_name(c),
                                .gap_ms = c->pace.status_gap_ms,
                                .budget = (int)c->pace.status_budget };
    hw_log(HW_INFO, "hub", "API server %s, from %s", server->server, server->from);
    if (hw_hub_new(&run->hub, run->kube, run->lease_kube, &run->loop, &run->clock, &run->kinds,
                   &opts, err) < 0)
        return -1;
    return serve(run, err);
}

static void close_all(struct hub_run *run)
{
    hw_hub_serve_free(run->serve);
    hw_hub_free(run->hub);
    hw_kube_free(run->kube);
    hw_kube_free(run->lease_kube);
    hw_signals_release(&run->signals);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    uv_loop_close(&run->loop);
    hw_hub_kinds_done(&run->kinds);
}

static int hub_main(struct hw_cmd_ctx *ctx)
{
    struct hub_run run = { .config = ctx->config };
    struct hw_err err;
    int status = 0;
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* huge pages would make our few pages many */
    if (hw_publishing_limits(&err) < 0 || hw_loop_init(&run.loop, &err) < 0)
        return hw_cmd_fail(ctx, &err);
    if (hw_signals_catch(&run.signals, &run.loop, on_signal, &run, &err) == 0 &&
        set_up(&run, &err) == 0)
        uv_run(&run.loop, UV_RUN_DEFAULT);
    else
        status = hw_cmd_fail(ctx, &err);
    close_all(&run);
    return status;
}

const struct hw_cmd hw_cmd_hub = {
    .name = "hub",
    .args = "",
    .summary = "the controller: what tasks report becomes the status of their operations",
    .description =
        "Watches pods that carry fluid.io/data-progress, the Jobs they belong to and the operations\n"
        "above: DataProcess, DataLoad, DataMigrate, DataBackup, plain Jobs, and the kinds of hub.kinds.\n"
        "Writes status.infos of each operation (a plain Job's annotations) at the status pace. Several\n"
        "may run: one leads and writes, by a Lease; the others take over within 15 s.\n"
        "Serves /healthz, /readyz and /metrics on hub.http.\n"
        "SIGTERM: it gives the lease away and exits 0.",
    .takes = HW_FOR_HUB,
    .run = hub_main,
};
