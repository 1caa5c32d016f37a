/* metrics_probe.c - a hub that knows N operations, one task each, without a server: metrics_probe KUBECONFIG N SHOWN. Renders its
 * metrics: their text on stdout, and on stderr a line of JSON: steps, bytes, the longest step and all of them in ms of processor
 * time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "hub/metrics.h"
#include "loop/loop.h"

#define OPERATION_API "data.fluid.io/v1alpha1"
#define DETAIL                                                                                     \
    "{\"v\":1,\"by\":\"sidecar\",\"done\":12345678,\"total\":987654321,\"unit\":\"bytes\","        \
    "\"state\":\"running\",\"rate\":1234.5,\"eta\":60,\"updated\":\"2026-01-01T00:00:00Z\"}"

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

/* Objects of one number belong together; the first letter of its kind tells each. */
static void uid_of(char buf[32], int i, const char *kind)
{
    snprintf(buf, 32, "%08x-%02x", i, (unsigned)kind[0]);
}

static json_t *make(const char *api, const char *kind, int i)
{
    char uid[32], name[64];
    snprintf(name, sizeof name, "operation-number-%d", i);
    uid_of(uid, i, kind);
    return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "apiVersion", api, "kind", kind,
                     "metadata", "name", name, "namespace", "some-namespace", "uid", uid,
                     "resourceVersion", "1", "creationTimestamp", "2026-01-01T00:00:00Z");
}

static json_t *make_below(const char *api, const char *kind, int i, const char *owner_api,
                          const char *owner_kind)
{
    char owner[32];
    json_t *o = make(api, kind, i);
    uid_of(owner, i, owner_kind);
    json_object_set_new(json_object_get(o, "metadata"), "ownerReferences",
                        json_pack("[{s:s, s:s, s:s, s:s, s:b}]", "apiVersion", owner_api, "kind",
                                  owner_kind, "name", "x", "uid", owner, "controller", 1));
    return o;
}

static void give(struct hw_hub *hub, int watch, const char *group, const char *kind, json_t *object)
{
    hw_hub_model_object(hw_hub_model(hub), watch,
                        hw_hub_kinds_find(hw_hub_kinds_of(hub), group, kind), object);
    json_decref(object);
}

/* Every third one has failed, every third one is complete. */
static void fill(struct hw_hub *hub, int count)
{
    static const char *const phases[] = { "Executing", "Failed", "Complete" };
    for (int i = 0; i < count; i++) {
        json_t *op = make(OPERATION_API, "DataProcess", i);
        json_object_set_new(op, "status", json_pack("{s:s}", "phase", phases[i % 3]));
        give(hub, 3, "data.fluid.io", "DataProcess", op);
        give(hub, 2, "batch", "Job", make_below("batch/v1", "Job", i, OPERATION_API, "DataProcess"));
        json_t *pod = make_below("v1", "Pod", i, "batch/v1", "Job");
        json_object_set_new(json_object_get(pod, "metadata"), "annotations",
                            json_pack("{s:s, s:s}", "fluid.io/data-progress", "12345678/987654321",
                                      "fluid.io/data-progress-detail", DETAIL));
        give(hub, 0, "", "Pod", pod);
    }
}

static void render(struct hw_hub *hub, const struct hw_clock *clock, int shown)
{
    struct hw_hub_metrics *m = hw_hub_metrics_new(hub, clock, shown);
    double start = cpu_ms(), longest = 0;
    int steps = 1;
    hw_hub_metrics_begin(m);
    double begun = cpu_ms() - start, sum = begun;
    for (bool whole = false; !whole; steps++) {
        start = cpu_ms();
        whole = hw_hub_metrics_step(m);
        double ms = cpu_ms() - start;
        sum += ms;
        longest = ms > longest ? ms : longest;
    }
    struct hw_str text = hw_hub_metrics_text(m);
    fwrite(text.ptr, 1, text.len, stdout);
    fprintf(stderr, "{\"steps\":%d,\"bytes\":%zu,\"begin\":%.2f,\"longest\":%.2f,\"sum\":%.2f}\n",
            steps, text.len, begun, longest, sum);
    hw_hub_metrics_free(m);
}

int main(int argc, char **argv)
{
    static const struct hw_clock clock;
    struct hw_kube_config_opts where = { .kubeconfig = argc > 3 ? argv[1] : "" };
    struct hw_kube_opts opts = { .parallel = HW_HUB_PARALLEL, .streams = HW_HUB_STREAMS };
    struct hw_hub_opts hub_opts = { .lease_namespace = "default", .lease = "headway-hub" };
    struct hw_kube_config *configs[2];
    struct hw_kube *kube, *lease_kube;
    struct hw_hub_kinds kinds;
    struct hw_hub *hub;
    uv_loop_t loop;
    struct hw_err err;
    hw_hub_kinds_init(&kinds, true);
    if (hw_loop_init(&loop, &err) < 0 || hw_kube_config_load(&where, &configs[0], &err) < 0 ||
        hw_kube_config_load(&where, &configs[1], &err) < 0 ||
        hw_kube_new(&kube, &loop, &clock, configs[0], &opts, &err) < 0 ||
        hw_kube_new(&lease_kube, &loop, &clock, configs[1], &opts, &err) < 0 ||
        hw_hub_new(&hub, kube, lease_kube, &loop, &clock, &kinds, &hub_opts, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    fill(hub, argc > 3 ? atoi(argv[2]) : 0);
    render(hub, &clock, argc > 3 ? atoi(argv[3]) : 0);
    hw_hub_free(hub);
    hw_kube_free(kube);
    hw_kube_free(lease_kube);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    hw_hub_kinds_done(&kinds);
    return 0;
}
