#include "hub/hub.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "hub/lease.h"
#include "kube/backoff.h"

/* Pods of Jobs, and Fluid's that have none. Two selections that share no pod. */
#define JOB_PODS "job-name"
#define FLUID_JOB_PODS "job-name,fluid.io/managed-by=fluid"
#define BARE_PODS "fluid.io/managed-by=fluid,!job-name"

/* One collection that is followed. */
struct follower {
    struct hw_hub *hub;
    const struct hw_hub_kind *kind;
    const char *labels; /* NULL = all of the kind */
    struct hw_kube_watch *watch;
    int number;
    int cause;    /* of the trouble that was told last; 0 = none */
    bool settled; /* was listed once, or is not there to be listed */
};

struct hw_hub {
    const struct hw_clock *clock;
    const struct hw_hub_kinds *kinds;
    struct hw_hub_model *model;
    struct hw_hub_writer *writer;
    struct hw_hub_lease *lease;
    struct follower followers[HW_HUB_WATCHES_MAX];
    int count;
    bool ready; /* all are settled */
    bool stopping;
};

/* ---- who writes ---- */

static bool may_write(void *ctx)
{
    struct hw_hub *h = ctx;
    return hw_hub_lease_may_write(h->lease);
}

static void allow(struct hw_hub *h)
{
    hw_hub_writer_allow(h->writer, h->ready && !h->stopping && hw_hub_lease_leads(h->lease));
}

static void on_led(void *ctx, bool leads)
{
    (void)leads;
    allow(ctx);
}

static void on_renewed(void *ctx)
{
    allow(ctx);
}

/* ---- what is known ---- */

static void on_changed(void *ctx, struct hw_hub_operation *op)
{
    struct hw_hub *h = ctx;
    hw_hub_writer_touch(h->writer, op);
}

static void on_forgotten(void *ctx, struct hw_hub_operation *op)
{
    struct hw_hub *h = ctx;
    hw_hub_writer_forget(h->writer, op);
}

static void settle(struct follower *f)
{
    struct hw_hub *h = f->hub;
    bool all = true;
    f->settled = true;
    for (int i = 0; i < h->count; i++)
        all = all && h->followers[i].settled;
    if (!all || h->ready)
        return;
    h->ready = true;
    struct hw_hub_model_counts c = hw_hub_model_counts(h->model);
    hw_log(HW_INFO, "hub", "ready: %" PRId64 " operations, %" PRId64 " tasks", c.operations,
           c.tasks);
    hw_settle();
    allow(h);
}

/* ---- the watches ---- */

static void recover(struct follower *f)
{
    if (!f->cause)
        return;
    f->cause = 0;
    hw_log(HW_INFO, "hub", "%s can be watched again", f->kind->resource);
}

static void on_listing(void *ctx)
{
    struct follower *f = ctx;
    hw_hub_model_listing(f->hub->model, f->number);
}

static void on_object(void *ctx, json_t *object)
{
    struct follower *f = ctx;
    recover(f);
    hw_hub_model_object(f->hub->model, f->number, f->kind, object);
}

static void on_gone(void *ctx, json_t *object)
{
    struct follower *f = ctx;
    recover(f);
    hw_hub_model_gone(f->hub->model, f->number, object);
}

static void on_listed(void *ctx)
{
    struct follower *f = ctx;
    recover(f);
    hw_hub_model_listed(f->hub->model, f->number);
    settle(f);
}

/* A kind that the cluster does not have, or does not show, is nothing to wait for; but without all the pods a Job's value would be
 * a wrong one. */
static void on_trouble(void *ctx, int cause, const struct hw_err *err, int64_t wait_ms)
{
    struct follower *f = ctx;
    hw_log(cause == f->cause ? HW_DEBUG : HW_WARN, "hub", "%s; again in %.1f s", err->msg,
           (double)wait_ms / 1000);
    f->cause = cause;
    if ((cause == 404 || cause == 403) && !f->kind->task && !f->settled)
        settle(f);
}

static int follow(struct hw_hub *h, struct hw_kube *kube, uv_loop_t *loop, const char *namespace,
                  const struct hw_hub_kind *kind, const char *labels, struct hw_err *err)
{
    struct follower *f = &h->followers[h->count];
    *f = (struct follower){ .hub = h, .kind = kind, .labels = labels, .number = h->count };
    struct hw_kube_watch_events events = { .ctx = f,
                                           .listing = on_listing,
                                           .object = on_object,
                                           .gone = on_gone,
                                           .listed = on_listed,
                                           .trouble = on_trouble };
    struct hw_kube_watch_opts opts = { .collection = { .group = kind->group,
                                                       .version = kind->version,
                                                       .resource = kind->resource,
                                                       .namespace = namespace },
                                       .labels = labels,
                                       .metadata_only = kind->metadata_only };
    if (hw_kube_watch_new(&f->watch, kube, loop, h->clock, &opts, &events, err) < 0)
        return -1;
    h->count++;
    return 0;
}

/* The pods that a kind of the settings finds by label have a watch of their own. They may be in another one, too; they are
 * taken from whichever names them last. */
static int follow_all(struct hw_hub *h, struct hw_kube *kube, uv_loop_t *loop,
                      const char *namespace, const struct hw_hub_kinds *kinds, struct hw_err *err)
{
    const struct hw_hub_kind *pods = hw_hub_kinds_find(kinds, "", "Pod");
    const struct hw_hub_kind *jobs = hw_hub_kinds_find(kinds, "batch", "Job");
    const char *selections[] = { jobs->operation ? JOB_PODS : FLUID_JOB_PODS, BARE_PODS };
    for (size_t i = 0; i < HW_LEN(selections); i++)
        if (follow(h, kube, loop, namespace, pods, selections[i], err) < 0)
            return -1;
    for (int i = 0; i < kinds->count; i++) {
        const struct hw_hub_kind *kind = &kinds->list[i];
        if (kind->pod_label && follow(h, kube, loop, namespace, pods, kind->pod_label, err) < 0)
            return -1;
        if (!kind->task && follow(h, kube, loop, namespace, kind, NULL, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- life ---- */

static int start_lease(struct hw_hub *h, struct hw_kube *kube, uv_loop_t *loop,
                       const struct hw_hub_opts *o, struct hw_err *err)
{
    hw_auto_free char *identity =
        hw_xasprintf("%.200s_%08x", o->host ? o->host : "headway", (unsigned)hw_backoff_random());
    struct hw_hub_lease_opts lease = { .namespace = o->lease_namespace,
                                       .name = o->lease,
                                       .identity = identity,
                                       .changed = on_led,
                                       .renewed = on_renewed,
                                       .ctx = h };
    return hw_hub_lease_new(&h->lease, kube, loop, h->clock, &lease, err);
}

int hw_hub_new(struct hw_hub **ret, struct hw_kube *kube, struct hw_kube *lease_kube,
               uv_loop_t *loop, const struct hw_clock *clock, const struct hw_hub_kinds *kinds,
               const struct hw_hub_opts *opts, struct hw_err *err)
{
    struct hw_hub *h = hw_xzalloc(sizeof *h);
    struct hw_hub_model_events events = { .ctx = h,
                                          .changed = on_changed,
                                          .forgotten = on_forgotten };
    struct hw_hub_writer_opts writer = {
        .gap_ms = opts->gap_ms, .budget = opts->budget, .may_write = may_write, .ctx = h
    };
    h->clock = clock;
    h->kinds = kinds;
    h->model = hw_hub_model_new(kinds, clock, &events);
    h->writer = hw_hub_writer_new(kube, loop, clock, &writer);
    if (start_lease(h, lease_kube, loop, opts, err) < 0 ||
        follow_all(h, kube, loop, opts->namespace, kinds, err) < 0) {
        hw_hub_free(h);
        return -1;
    }
    *ret = h;
    return 0;
}

void hw_hub_stop(struct hw_hub *h, void (*stopped)(void *ctx), void *ctx)
{
    h->stopping = true;
    allow(h);
    hw_hub_lease_release(h->lease, stopped, ctx);
}

void hw_hub_free(struct hw_hub *h)
{
    if (!h)
        return;
    for (int i = 0; i < h->count; i++)
        hw_kube_watch_free(h->followers[i].watch);
    hw_hub_lease_free(h->lease);
    hw_hub_model_free(h->model); /* tells the writer */
    hw_hub_writer_free(h->writer);
    free(h);
}

/* ---- for those who look at it ---- */

struct hw_hub_state hw_hub_state(const struct hw_hub *h)
{
    struct hw_hub_state s = { .ready = h->ready,
                              .leads = hw_hub_lease_leads(h->lease),
                              .collections = h->count };
    for (int i = 0; i < h->count; i++)
        s.settled += h->followers[i].settled;
    return s;
}

struct hw_hub_collection hw_hub_collection(const struct hw_hub *h, int number)
{
    const struct follower *f = &h->followers[number];
    return (struct hw_hub_collection){ .resource = f->kind->resource,
                                       .selector = f->labels,
                                       .counts = hw_kube_watch_counts(f->watch) };
}

struct hw_hub_model *hw_hub_model(struct hw_hub *h)
{
    return h->model;
}

const struct hw_hub_writer *hw_hub_writer(const struct hw_hub *h)
{
    return h->writer;
}

const struct hw_hub_kinds *hw_hub_kinds_of(const struct hw_hub *h)
{
    return h->kinds;
}
