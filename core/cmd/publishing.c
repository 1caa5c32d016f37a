#include "cmd/publishing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"
#include "progress/detail_read.h"
#include "sink/annotation.h"
#include "sink/lines.h"
#include "sink/objects.h"
#include "sink/status.h"

enum { FILES_LEAST = 32 };

bool hw_is_in_pod(void)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    return host && host[0];
}

static const char *by_name(const struct hw_publishing *p)
{
    return p->config->by == HW_BY_WRAPPER   ? "wrapper"
           : p->config->by == HW_BY_SIDECAR ? "sidecar"
                                            : p->by;
}

unsigned hw_publishing_sinks(const struct hw_publishing *p)
{
    const struct hw_config *c = p->config;
    unsigned named = c->sinks & ~(unsigned)HW_TO_AUTO;
    if (c->output == HW_OUTPUT_JSON)
        named |= HW_TO_JSONL;
    if (c->sinks & ~(unsigned)HW_TO_AUTO && !(c->sinks & HW_TO_AUTO))
        return named;
    if (hw_is_in_pod() || c->pod.name)
        return named | HW_TO_ANNOTATION;
    if (p->guest)
        return c->dir.path ? named | HW_TO_DIR : named;
    return c->output == HW_OUTPUT_JSON ? named : named | HW_TO_TERM;
}

int hw_publishing_limits(struct hw_err *err)
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

int hw_connect(struct hw_kube **ret, uv_loop_t *loop, const struct hw_clock *clock,
               const struct hw_config *c, const struct hw_kube_opts *opts, struct hw_err *err)
{
    struct hw_kube_config_opts where = { .kubeconfig = c->kube.kubeconfig,
                                         .context = c->kube.context,
                                         .namespace = c->kube.namespace,
                                         .service_account_dir = c->kube.serviceaccount_dir };
    struct hw_kube_config *config = NULL;
    if (hw_kube_config_load(&where, &config, err) < 0)
        return -1;
    if (hw_kube_new(ret, loop, clock, config, opts, err) == 0)
        return 0;
    hw_kube_config_free(config);
    return -1;
}

static int connect_kube(struct hw_publishing *p, struct hw_err *err)
{
    struct hw_kube_opts opts = { .deadline_ms = p->config->kube.deadline_ms };
    if (hw_connect(&p->kube, p->loop, p->clock, p->config, &opts, err) < 0)
        return -1;
    const struct hw_kube_config *config = hw_kube_config(p->kube);
    hw_log(HW_DEBUG, "report", "API server %s, from %s", config->server, config->from);
    return 0;
}

/* pod: as it was found, NULL = there is none */
static void take_floor(struct hw_publishing *p, json_t *pod)
{
    json_t *annotations = hw_json_at(pod, "metadata", "annotations", NULL);
    struct hw_floor floor;
    if (p->resumes && hw_detail_floor(hw_json_text(annotations, HW_ANNOTATION, NULL),
                                      hw_json_text(annotations, HW_ANNOTATION_DETAIL, NULL), &floor))
        hw_reporter_floor(p->reporter, &floor);
}

static void on_pod(void *ctx, json_t *pod)
{
    struct hw_publishing *p = ctx;
    take_floor(p, pod);
    if (p->status)
        hw_status_set_pod(p->status, pod);
}

static void on_pod_gone(void *ctx, const char *reason)
{
    struct hw_publishing *p = ctx;
    (void)reason; /* the sink has logged it */
    if (p->status)
        hw_status_set_pod(p->status, NULL);
}

static const char *pod_namespace(const struct hw_publishing *p)
{
    return p->config->pod.namespace ? p->config->pod.namespace : hw_kube_config(p->kube)->namespace;
}

static struct hw_pace_rules annotation_pace(const struct hw_config *c)
{
    struct hw_pace_rules pace = hw_pace_annotation();
    pace.percent_ms = c->pace.percent_gap_ms;
    pace.other_ms = c->pace.idle_gap_ms;
    return pace;
}

static int add_annotation(struct hw_publishing *p, struct hw_err *err)
{
    const struct hw_config *c = p->config;
    struct hw_pace_rules pace = annotation_pace(c);
    struct hw_sink *sink = NULL;
    const char *host =
        getenv("HOSTNAME"); /* the pod's name, unless hostNetwork or a hostname is set */
    struct hw_annotation_opts opts = { .namespace = pod_namespace(p),
                                       .pod = c->pod.name ? c->pod.name : host,
                                       .uid = c->pod.uid,
                                       .by = by_name(p),
                                       .on_pod = on_pod,
                                       .on_stop = on_pod_gone,
                                       .ctx = p };
    if (!opts.pod)
        return hw_fail(err, HW_ECONFIG,
                       "which pod: set HEADWAY_POD_NAME (downward API) or --pod-name");
    if (hw_annotation_new(&sink, p->kube, p->loop, p->clock, &opts, err) < 0)
        return -1;
    sink->events = hw_reporter_sink_events(p->reporter);
    hw_reporter_add_sink(p->reporter, sink, &pace);
    return 0;
}

static int add_status(struct hw_publishing *p, struct hw_err *err)
{
    const struct hw_config *c = p->config;
    struct hw_pace_rules pace = hw_pace_status();
    struct hw_status_opts opts = { .namespace = pod_namespace(p), .operation = c->status.operation };
    if (hw_status_new(&p->status, p->kube, p->loop, p->clock, &opts, err) < 0)
        return -1;
    pace.percent_ms = c->pace.status_gap_ms;
    p->status->events = hw_reporter_sink_events(p->reporter);
    hw_reporter_add_sink(p->reporter, p->status, &pace);
    return 0;
}

static void add_lines(struct hw_publishing *p, enum hw_lines_form form, int fd)
{
    struct hw_pace_rules pace = hw_pace_local();
    struct hw_sink_events events = hw_reporter_sink_events(p->reporter);
    struct hw_lines_options options = hw_lines_detect(fd);
    if (form == HW_LINES_JSON)
        options.form = form;
    else if (p->guest)
        options.form = HW_LINES_TEXT;
    if (p->config->color != HW_COLOR_AUTO)
        options.color = p->config->color == HW_COLOR_ALWAYS;
    options.by = by_name(p);
    hw_reporter_add_sink(p->reporter, hw_lines_new(p->loop, p->clock, &options, &events), &pace);
}

static int add_dir(struct hw_publishing *p, struct hw_err *err)
{
    const struct hw_config *c = p->config;
    struct hw_pace_rules pace = annotation_pace(c);
    struct hw_sink_events events = hw_reporter_sink_events(p->reporter);
    struct hw_sink *sink = NULL;
    const char *namespace = c->pod.namespace ? c->pod.namespace : "default";
    const char *name = c->pod.name ? c->pod.name : "local";
    struct hw_objects objects = {
        .pod = hw_objects_bare_pod(namespace, name),
        .by = by_name(p),
        .begun_ms = hw_wall_ms(p->clock),
    };
    /* Of a sidecar's directory nobody knows whether it is of the same task. */
    hw_auto_json before = c->dir.path && p->guest ? hw_dir_pod(c->dir.path, namespace, name) : NULL;
    int st = c->dir.path ? hw_dir_new(&sink, p->loop, c->dir.path, &objects, p->clock, &events, err)
                         : hw_fail(err, HW_ECONFIG, "sink dir: set dir.path (--dir)");
    if (st < 0)
        hw_objects_done(&objects);
    else
        hw_reporter_add_sink(p->reporter, sink, &pace);
    take_floor(p, before);
    return st;
}

static int add_sinks(struct hw_publishing *p, struct hw_err *err)
{
    unsigned sinks = hw_publishing_sinks(p);
    bool direct = p->config->status.direct;
    if (p->guest && sinks & HW_TO_JSONL)
        return hw_fail(err, HW_ECONFIG, "sinks: jsonl would mix with the command's own output");
    if (direct && !(sinks & HW_TO_ANNOTATION))
        return hw_fail(err, HW_ECONFIG,
                       "status.direct: the operation is found through the pod, so `sinks` must "
                       "have annotation too");
    if ((sinks & HW_TO_ANNOTATION || direct) && connect_kube(p, err) < 0)
        return -1;
    if (sinks & HW_TO_TERM)
        add_lines(p, HW_LINES_BAR, STDERR_FILENO);
    if (sinks & HW_TO_JSONL)
        add_lines(p, HW_LINES_JSON, STDOUT_FILENO);
    if (sinks & HW_TO_DIR && add_dir(p, err) < 0)
        return -1;
    if (direct && add_status(p, err) < 0) /* before the annotation, whose first answer it waits for */
        return -1;
    return sinks & HW_TO_ANNOTATION ? add_annotation(p, err) : 0;
}

int hw_publishing_start(struct hw_publishing *p, const struct hw_reporter_options *options,
                        struct hw_err *err)
{
    if (hw_reporter_new(&p->reporter, p->loop, p->clock, options, err) < 0)
        return -1;
    return add_sinks(p, err) < 0 ? -1 : hw_reporter_start(p->reporter, err);
}

void hw_publishing_stop(struct hw_publishing *p)
{
    hw_reporter_free(p->reporter);
    p->reporter = NULL;
    hw_kube_free(p->kube);
    p->kube = NULL;
    p->status = NULL;
}
