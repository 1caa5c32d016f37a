#include "config/options.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/config.h"

#define AT(member) offsetof(struct hw_config, member)

enum { S = 1000, MIN = 60 * S, HOUR = 60 * MIN, DAY = 24 * HOUR };

static const char *const off_auto[] = { "off", "auto", NULL };
static const char *const sink_words[] = { "auto", "annotation", "term", "jsonl", "dir", NULL };
static const char *const watch_words[] = { "both", "file", NULL };
static const char *const pty_words[] = { "off", "auto", "on", NULL };
static const char *const by_words[] = { "auto", "sidecar", "wrapper", NULL };
static const char *const color_words[] = { "auto", "always", "never", NULL };
static const char *const output_words[] = { "table", "json", "yaml", "wide", "name", NULL };

/* Order = order in docs/config.md. The variable is HEADWAY_ and the flag's name. None may be called HEADWAY_PORT... or
 * HEADWAY_SERVICE_...: Kubernetes sets those in each pod beside a Service named headway. */
const struct hw_option hw_options[] = {
    { "source.file", "HEADWAY_FILE FLUID_PROGRESS_FILE", "file", 0, HW_T_PATH, AT(source.file),
      .takes = HW_FOR_PUBLISH | HW_FOR_SET,
      .help = "the progress file, to which the task writes N/M" },
    { "source.log", "HEADWAY_LOG_FILE", "log-file", 0, HW_T_PATH, AT(source.log), .takes = HW_FOR_RUN,
      .help = "a log that the parser reads, from its first line on and through rotations" },
    { "source.metrics-port", "HEADWAY_METRICS_PORT", "metrics-port", 0, HW_T_INT,
      AT(source.metrics_port), .min = 1, .max = 65535, .takes = HW_FOR_RUN,
      .help =
          "a port of this pod whose metrics the parser reads at each poll, or one of the ten above" },
    { "source.metrics-path", "HEADWAY_METRICS_PATH", "metrics-path", 0, HW_T_TEXT,
      AT(source.metrics_path), "/metrics", .max = 500, .takes = HW_FOR_RUN,
      .help = "the path of the metrics" },
    { "source.poll", "HEADWAY_POLL", "poll", 0, HW_T_DURATION, AT(source.poll_ms), "3s", .min = 100,
      .max = 10 * MIN, .takes = HW_FOR_REPORT,
      .help = "how often file or log are read when no file event comes, and metrics at all" },
    { "source.events", "HEADWAY_EVENTS", "events", 0, HW_T_WORD, AT(source.events), "auto",
      .words = off_auto, .takes = HW_FOR_REPORT,
      .help = "file events as a hint to read at once; off: the poll alone" },
    { "exec.watch", "HEADWAY_WATCH", "watch", 0, HW_T_WORD, AT(exec.watch), "both",
      .words = watch_words, .takes = HW_FOR_EXEC,
      .help = "what of a command is watched: its progress file and its output, or the file alone" },
    { "exec.pty", "HEADWAY_PTY", "pty", 0, HW_T_WORD, AT(exec.pty), "auto", .words = pty_words,
      .bare = "on", .takes = HW_FOR_EXEC,
      .help =
          "a terminal for the command, as most tools draw progress only there; auto: where we have one" },
    { "parser.name", "HEADWAY_PARSER", "parser", 0, HW_T_TEXT, AT(parser.name),
      .takes = HW_FOR_REPORT | HW_FOR_REPLAY,
      .help =
          "by name or as a .lua file; else by the command, nm for a progress file, auto for all else" },
    { "parser.dir", "HEADWAY_PARSER_DIR", "parser-dir", 0, HW_T_PATH, AT(parser.dir),
      .takes = HW_FOR_REPORT | HW_FOR_REPLAY | HW_FOR_PARSERS,
      .help = "a directory of your own parsers; they win over built-in ones of the same name" },
    { "parser.options", "HEADWAY_PARSER_OPTIONS", "parser-options", 0, HW_T_PAIRS,
      AT(parser.options), .takes = HW_FOR_REPORT | HW_FOR_REPLAY,
      .help = "what the parser that was named or chosen is given as its options" },
    { "unit", "HEADWAY_UNIT", "unit", 0, HW_T_TEXT, AT(unit), .max = 24,
      .takes = HW_FOR_REPORT | HW_FOR_REPLAY,
      .help = "which count is the progress when the parser finds several: bytes, files, items, %" },
    { "message", "HEADWAY_MESSAGE", "message", 0, HW_T_BOOL, AT(message), "on",
      .takes = HW_FOR_REPORT, .help = "whether the task's messages are published" },
    { "total", "HEADWAY_TOTAL", "total", 0, HW_T_SIZE, AT(total), .min = 1, .max = INT64_MAX,
      .takes = HW_FOR_REPORT | HW_FOR_REPLAY,
      .help = "the total of a tool that prints none, as a count or in bytes (10GiB)" },
    { "kube.kubeconfig", "HEADWAY_KUBECONFIG", "kubeconfig", 0, HW_T_PATH, AT(kube.kubeconfig),
      .takes = HW_FOR_PUBLISH | HW_FOR_HUB | HW_FOR_WATCH,
      .help = "a kubeconfig file; else the pod's service account, $KUBECONFIG, ~/.kube/config" },
    { "kube.context", "HEADWAY_CONTEXT", "context", 0, HW_T_TEXT, AT(kube.context),
      .takes = HW_FOR_PUBLISH | HW_FOR_HUB | HW_FOR_WATCH,
      .help = "which context of the kubeconfig; else its current one" },
    { "kube.namespace", "HEADWAY_NAMESPACE", "namespace", 'n', HW_T_TEXT, AT(kube.namespace),
      .max = 63, .takes = HW_FOR_PUBLISH | HW_FOR_HUB | HW_FOR_WATCH,
      .help = "the namespace; else the context's or the service account's" },
    { "kube.serviceaccount-dir", "HEADWAY_SERVICEACCOUNT_DIR", "serviceaccount-dir", 0, HW_T_PATH,
      AT(kube.serviceaccount_dir), "/var/run/secrets/kubernetes.io/serviceaccount",
      .takes = HW_FOR_PUBLISH | HW_FOR_HUB, .help = "where a pod finds token, ca.crt and namespace" },
    { "kube.deadline", "HEADWAY_DEADLINE", "deadline", 0, HW_T_DURATION, AT(kube.deadline_ms),
      "10s", .min = 100, .max = 5 * MIN, .takes = HW_FOR_PUBLISH | HW_FOR_HUB | HW_FOR_WATCH,
      .help = "how long one request to the API server may take" },
    { "pod.name", "HEADWAY_POD_NAME POD_NAME", "pod-name", 0, HW_T_TEXT, AT(pod.name), .max = 253,
      .takes = HW_FOR_PUBLISH, .help = "the pod whose annotations are written" },
    { "pod.namespace", "HEADWAY_POD_NAMESPACE POD_NAMESPACE", "pod-namespace", 0, HW_T_TEXT,
      AT(pod.namespace), .max = 63, .takes = HW_FOR_PUBLISH,
      .help = "that pod's namespace; else kube.namespace" },
    { "pod.uid", "HEADWAY_POD_UID POD_UID", "pod-uid", 0, HW_T_TEXT, AT(pod.uid), .max = 128,
      .takes = HW_FOR_PUBLISH,
      .help = "that pod's uid; a pod made anew under the same name is then left alone" },
    { "status.direct", "HEADWAY_STATUS_DIRECT", "status-direct", 0, HW_T_BOOL, AT(status.direct),
      "off", .takes = HW_FOR_PUBLISH,
      .help = "write the operation's status too, in a cluster without a hub" },
    { "status.operation", "HEADWAY_OPERATION", "operation", 0, HW_T_TEXT, AT(status.operation),
      .max = 400, .takes = HW_FOR_PUBLISH,
      .help = "that operation as kind/name or namespace/kind/name; else found by the pod's owners" },
    { "sinks", "HEADWAY_SINKS", "sinks", 0, HW_T_WORDS, AT(sinks), "auto", .words = sink_words,
      .takes = HW_FOR_PUBLISH,
      .help = "where progress is shown; auto: as fits the command and the place it runs in" },
    { "dir.path", "HEADWAY_DIR", "dir", 0, HW_T_PATH, AT(dir.path), .takes = HW_FOR_REPORT,
      .help = "the directory in which the sink dir keeps manifests" },
    { "pace.percent-gap", "HEADWAY_PERCENT_GAP", "percent-gap", 0, HW_T_DURATION,
      AT(pace.percent_gap_ms), "3s", .min = 100, .max = HOUR, .takes = HW_FOR_PUBLISH,
      .help = "least time between two writes of the annotation when the percent changed" },
    { "pace.idle-gap", "HEADWAY_IDLE_GAP", "idle-gap", 0, HW_T_DURATION, AT(pace.idle_gap_ms),
      "30s", .min = S, .max = DAY, .takes = HW_FOR_PUBLISH,
      .help = "the same when only something else changed; grows to 5% of the elapsed time" },
    { "pace.status-gap", "HEADWAY_STATUS_GAP", "status-gap", 0, HW_T_DURATION,
      AT(pace.status_gap_ms), "15s", .min = S, .max = DAY, .takes = HW_FOR_PUBLISH | HW_FOR_HUB,
      .help = "least time between two writes of the status; each costs Fluid a reconcile" },
    { "pace.status-budget", "HEADWAY_STATUS_BUDGET", "status-budget", 0, HW_T_INT,
      AT(pace.status_budget), "3", .min = 0, .max = 10000, .takes = HW_FOR_HUB,
      .help = "how many statuses the hub writes a second, over all operations; 0: no limit" },
    { "hub.namespace", "HEADWAY_HUB_NAMESPACE", "hub-namespace", 0, HW_T_TEXT, AT(hub.namespace),
      .max = 63, .takes = HW_FOR_HUB, .help = "the one namespace that the hub watches; else all" },
    { "hub.jobs", "HEADWAY_HUB_JOBS", "hub-jobs", 0, HW_T_BOOL, AT(hub.jobs), "on",
      .takes = HW_FOR_HUB,
      .help =
          "whether a Job that works for no operation is one itself; off: Fluid's pods alone are watched" },
    { "hub.kinds", "HEADWAY_HUB_KINDS", "hub-kinds", 0, HW_T_PAIRS, AT(hub.kinds),
      .takes = HW_FOR_HUB,
      .help =
          "further kinds of operations: resource.version.group, then kind, pods, value and proof" },
    { "hub.lease", "HEADWAY_HUB_LEASE", "hub-lease", 0, HW_T_TEXT, AT(hub.lease), "headway-hub",
      .max = 253, .takes = HW_FOR_HUB,
      .help = "the Lease, in kube.namespace, by which one of several hubs leads" },
    { "hub.http", "HEADWAY_HTTP", "http", 0, HW_T_TEXT, AT(hub.http), ":8080", .max = 100,
      .takes = HW_FOR_HUB,
      .help =
          "where the hub serves /healthz, /readyz and /metrics: ADDRESS:PORT, :PORT for every address, or off" },
    { "hub.http-cert", "HEADWAY_HTTP_CERT", "http-cert", 0, HW_T_PATH, AT(hub.http_cert),
      .takes = HW_FOR_HUB,
      .help = "the certificate (PEM, with its chain) for HTTPS there; read again when it changes" },
    { "hub.http-key", "HEADWAY_HTTP_KEY", "http-key", 0, HW_T_PATH, AT(hub.http_key),
      .takes = HW_FOR_HUB, .help = "its key" },
    { "hub.metrics-operations", "HEADWAY_METRICS_OPERATIONS", "metrics-operations", 0, HW_T_INT,
      AT(hub.metrics_operations), "2000", .min = 0, .max = 20000, .takes = HW_FOR_HUB,
      .help =
          "how many operations have metrics of their own: those that go on, then those that failed" },
    { "stall.after", "HEADWAY_STALL_AFTER", "stall-after", 0, HW_T_DURATION, AT(stall.after_ms),
      "3m", .min = S, .max = DAY, .takes = HW_FOR_REPORT | HW_FOR_REPLAY,
      .help = "how long nothing must change before a task counts as stalled, at the least" },
    { "stall.no-match", "HEADWAY_NO_MATCH", "no-match", 0, HW_T_DURATION, AT(stall.no_match_ms),
      "5m", .min = S, .max = DAY, .takes = HW_FOR_REPORT | HW_FOR_REPLAY,
      .help = "how long no record may match before that is told" },
    { "by", "HEADWAY_BY", "by", 0, HW_T_WORD, AT(by), "auto", .words = by_words,
      .takes = HW_FOR_RUN | HW_FOR_EXEC,
      .help = "as whom the detail annotation names the writer; auto: run is a sidecar" },
    { "log", "HEADWAY_LOG", "log", 0, HW_T_LOG, AT(log), "info", .takes = HW_FOR_ALL,
      .help = "error, warn, info or debug, also for single rooms: info,annotation=debug" },
    { "color", "HEADWAY_COLOR", "color", 0, HW_T_WORD, AT(color), "auto", .words = color_words,
      .takes = HW_FOR_ALL, .env_word = "NO_COLOR=never", .help = "colors on a terminal" },
    { "output", NULL, "output", 'o', HW_T_WORD, AT(output), "table", .words = output_words,
      .takes = HW_FOR_PRINT, .no_file = true, .help = "how results are printed" },
    { "config", "HEADWAY_CONFIG", "config", 0, HW_T_PATH, AT(config), .takes = HW_FOR_ALL,
      .no_file = true, .help = "the settings file; else " HW_CONFIG_FILE " when it is there" },
    { .name = NULL },
};

size_t hw_option_count(void)
{
    return HW_LEN(hw_options) - 1;
}

const struct hw_option *hw_option_named(const char *name)
{
    for (const struct hw_option *o = hw_options; o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

const struct hw_option *hw_option_flag(const char *flag, unsigned takes)
{
    for (const struct hw_option *o = hw_options; o->name; o++)
        if ((o->takes & takes) && o->flag && strcmp(o->flag, flag) == 0)
            return o;
    return NULL;
}

const struct hw_option *hw_option_letter(char letter, unsigned takes)
{
    for (const struct hw_option *o = hw_options; o->name; o++)
        if ((o->takes & takes) && o->letter && o->letter == letter)
            return o;
    return NULL;
}

static void join(const char *const *words, char separator, char *buf, size_t size)
{
    size_t n = 0;
    for (; *words && n < size; words++)
        n += (size_t)snprintf(buf + n, size - n, "%s%c", *words, words[1] ? separator : '\0');
}

const char *hw_option_arg(const struct hw_option *o, char *buf, size_t size)
{
    static const char *const names[] = {
        [HW_T_TEXT] = "TEXT",     [HW_T_PATH] = "PATH", [HW_T_DURATION] = "DURATION",
        [HW_T_INT] = "N",         [HW_T_SIZE] = "N",    [HW_T_BOOL] = "on|off",
        [HW_T_WORD] = "",         [HW_T_WORDS] = "",    [HW_T_PAIRS] = "K=V,...",
        [HW_T_LOG] = "LEVEL,...",
    };
    if (o->type == HW_T_WORD || o->type == HW_T_WORDS)
        join(o->words, o->type == HW_T_WORD ? '|' : ',', buf, size);
    else
        snprintf(buf, size, "%s", names[o->type]);
    return buf;
}

/* In the largest unit that divides it: 600000 -> "10m". */
static void format_exact(int64_t ms, char *buf, size_t size)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = { { DAY, "d" }, { HOUR, "h" }, { MIN, "m" }, { S, "s" }, { 1, "ms" } };
    size_t i = 0;
    while (ms % units[i].ms)
        i++;
    snprintf(buf, size, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

const char *hw_option_range(const struct hw_option *o, char *buf, size_t size)
{
    char low[32], high[32];
    buf[0] = '\0';
    if (o->min == 0 && o->max == 0)
        return buf;
    if (o->type == HW_T_DURATION) {
        format_exact(o->min, low, sizeof low);
        format_exact(o->max, high, sizeof high);
        snprintf(buf, size, "%s to %s", low, high);
    } else if (o->type == HW_T_INT || o->type == HW_T_SIZE) {
        snprintf(low, sizeof low, "%lld", (long long)o->min);
        snprintf(high, sizeof high, "%lld", (long long)o->max);
        snprintf(buf, size, o->max == INT64_MAX ? "%s and up" : "%s to %s", low, high);
    } else if (o->max) {
        snprintf(buf, size, "at most %lld bytes", (long long)o->max);
    }
    return buf;
}
