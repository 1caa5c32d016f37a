#include "hub/lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "kube/backoff.h"

enum {
    VALID_MS = 10000, /* as others know it: leaseDurationSeconds */
    WRITE_MS = 7000,
    RENEW_MS = 5000,
    RETRY_MS = 2000, /* from the start of one try to that of the next; also its deadline */
};

struct hw_hub_lease {
    struct hw_kube *kube;
    const struct hw_clock *clock;
    struct hw_hub_lease_opts o; /* owns its strings */
    uv_timer_t timer;
    struct hw_kube_call *call;
    bool leads;
    int64_t renewed_ms; /* when the renewal that was taken last began */
    int64_t tried_ms;
    /* As it was seen last. */
    char *version; /* NULL: look first */
    char *holder;  /* NULL = nobody */
    int64_t valid_ms, transitions;
    int64_t seen_ms;         /* when it changed before our eyes */
    int cause;               /* of the failure that was told; 0 = none */
    void (*done)(void *ctx); /* it is being released */
    void *done_ctx;
};

static void on_timer(uv_timer_t *timer);

static void again_at(struct hw_hub_lease *l, int64_t at_ms)
{
    int64_t wait = at_ms - hw_now_ms(l->clock);
    uv_timer_start(&l->timer, on_timer, wait > 0 ? (uint64_t)wait : 0, 0);
}

static void set_text(char **at, const char *text)
{
    free(*at);
    *at = text && text[0] ? hw_xstrdup(text) : NULL;
}

static bool is_ours(const struct hw_hub_lease *l)
{
    return l->holder && strcmp(l->holder, l->o.identity) == 0;
}

static void lead(struct hw_hub_lease *l, bool leads)
{
    char holder[100] = "";
    if (l->leads == leads)
        return;
    l->leads = leads;
    if (l->holder)
        hw_clean_text(holder, sizeof holder - 1, hw_str(l->holder));
    if (leads)
        hw_log(HW_INFO, "hub", "leads as '%s'", l->o.identity);
    else
        hw_log(HW_INFO, "hub", "leads no more; the lease is held by '%s'", holder);
    l->o.changed(l->o.ctx, leads);
}

/* ---- requests ---- */

static struct hw_kube_object lease_object(const struct hw_hub_lease *l, bool named)
{
    return (struct hw_kube_object){ .group = "coordination.k8s.io",
                                    .version = "v1",
                                    .resource = "leases",
                                    .namespace = l->o.namespace,
                                    .name = named ? l->o.name : NULL };
}

static void ask(struct hw_hub_lease *l, enum hw_kube_verb verb, json_t *body, hw_kube_fn *fn)
{
    hw_auto_free char *text = body ? hw_json_dump(body) : NULL;
    struct hw_kube_request request = { .verb = verb,
                                       .object = lease_object(l, verb != HW_KUBE_CREATE),
                                       .body = hw_str(text),
                                       .deadline_ms = RETRY_MS };
    l->tried_ms = hw_now_ms(l->clock);
    l->call = hw_kube_send(l->kube, &request, fn, l);
}

/* RFC 3339 with microseconds, which the server insists on. */
static json_t *micro_time(int64_t unix_ms)
{
    char text[21];
    hw_format_time(unix_ms, text);
    text[strlen(text) - 1] = '\0';
    return json_sprintf("%s.%03d000Z", text, (int)(unix_ms % 1000));
}

/* holder "" gives it away. */
static json_t *make_spec(const struct hw_hub_lease *l, const char *holder)
{
    int64_t now = hw_wall_ms(l->clock);
    json_t *spec = json_pack("{s:s, s:i, s:o}", "holderIdentity", holder, "leaseDurationSeconds",
                             holder[0] ? VALID_MS / 1000 : 1, "renewTime", micro_time(now));
    if (holder[0] && !is_ours(l)) {
        json_object_set_new(spec, "acquireTime", micro_time(now));
        json_object_set_new(spec, "leaseTransitions",
                            json_integer(l->version ? l->transitions + 1 : 0));
    }
    return spec;
}

static void on_written(void *ctx, const struct hw_kube_reply *reply);

static void take(struct hw_hub_lease *l)
{
    hw_auto_json body = l->version ? json_pack("{s:{s:s}, s:o}", "metadata", "resourceVersion",
                                               l->version, "spec", make_spec(l, l->o.identity))
                                   : json_pack("{s:s, s:s, s:{s:s, s:s}, s:o}", "apiVersion",
                                               "coordination.k8s.io/v1", "kind", "Lease",
                                               "metadata", "name", l->o.name, "namespace",
                                               l->o.namespace, "spec", make_spec(l, l->o.identity));
    ask(l, l->version ? HW_KUBE_PATCH : HW_KUBE_CREATE, body, on_written);
}

/* ---- answers ---- */

static void see(struct hw_hub_lease *l, json_t *body)
{
    const char *version = hw_json_text(body, "metadata", "resourceVersion", NULL);
    json_t *spec = json_object_get(body, "spec");
    json_int_t seconds = json_integer_value(json_object_get(spec, "leaseDurationSeconds"));
    if (!hw_streq(version, l->version))
        l->seen_ms = hw_now_ms(l->clock);
    set_text(&l->version, version);
    set_text(&l->holder, hw_json_text(spec, "holderIdentity", NULL));
    l->transitions = json_integer_value(json_object_get(spec, "leaseTransitions"));
    l->valid_ms = seconds > 0 && seconds <= 3600 ? (int64_t)seconds * 1000 : VALID_MS;
}

static void recover(struct hw_hub_lease *l)
{
    if (l->cause)
        hw_log(HW_INFO, "hub", "the lease can be reached again");
    l->cause = 0;
}

/* After a failure: another try, and no leader any more when it was too long ago. */
static void fail(struct hw_hub_lease *l, const struct hw_kube_reply *reply)
{
    enum hw_level level = reply->cause == l->cause ? HW_DEBUG : HW_WARN;
    int64_t next = l->tried_ms + RETRY_MS, last = l->renewed_ms + VALID_MS;
    hw_log(level, "hub", "%s; next try in %d s", reply->err.msg, RETRY_MS / 1000);
    l->cause = reply->cause;
    if (reply->retry_after_ms > 0)
        next = hw_now_ms(l->clock) + reply->retry_after_ms;
    if (l->leads && hw_now_ms(l->clock) >= last)
        lead(l, false);
    again_at(l, l->leads && last < next ? last : next);
}

/* False: there is no answer to go by. */
static bool take_answer(struct hw_hub_lease *l, const struct hw_kube_reply *reply)
{
    if (reply->outcome != HW_KUBE_OK) {
        fail(l, reply);
        return false;
    }
    see(l, reply->body);
    recover(l);
    return true;
}

static void on_written(void *ctx, const struct hw_kube_reply *reply)
{
    struct hw_hub_lease *l = ctx;
    l->call = NULL;
    if (reply->outcome == HW_KUBE_CONFLICT || reply->outcome == HW_KUBE_NOT_FOUND) {
        set_text(&l->version, NULL); /* somebody else was there: look */
        again_at(l, hw_now_ms(l->clock));
        return;
    }
    if (!take_answer(l, reply))
        return;
    l->renewed_ms = l->tried_ms;
    again_at(l, l->tried_ms + RENEW_MS);
    if (!l->leads)
        lead(l, true);
    else if (l->o.renewed)
        l->o.renewed(l->o.ctx);
}

static void on_seen(void *ctx, const struct hw_kube_reply *reply)
{
    struct hw_hub_lease *l = ctx;
    l->call = NULL;
    if (reply->outcome == HW_KUBE_NOT_FOUND) {
        set_text(&l->version, NULL);
        set_text(&l->holder, NULL);
        take(l);
        return;
    }
    if (!take_answer(l, reply))
        return;
    int64_t ends = l->seen_ms + l->valid_ms, next = l->tried_ms + RETRY_MS;
    if (!l->holder || is_ours(l) || hw_now_ms(l->clock) >= ends) {
        take(l);
        return;
    }
    lead(l, false);
    again_at(l, ends < next ? ends : next);
}

static void on_timer(uv_timer_t *timer)
{
    struct hw_hub_lease *l = HW_CONTAINER(timer, struct hw_hub_lease, timer);
    if (l->done) { /* nothing was to be released */
        void (*done)(void *) = l->done;
        l->done = NULL;
        done(l->done_ctx);
        return;
    }
    if (l->leads && hw_now_ms(l->clock) >= l->renewed_ms + VALID_MS)
        lead(l, false);
    if (l->leads && l->version)
        take(l);
    else
        ask(l, HW_KUBE_GET, NULL, on_seen);
}

bool hw_hub_lease_leads(const struct hw_hub_lease *l)
{
    return l->leads;
}

bool hw_hub_lease_may_write(const struct hw_hub_lease *l)
{
    return l->leads && hw_now_ms(l->clock) - l->renewed_ms < WRITE_MS;
}

/* ---- end ---- */

static void on_released(void *ctx, const struct hw_kube_reply *reply)
{
    struct hw_hub_lease *l = ctx;
    l->call = NULL;
    if (reply->outcome != HW_KUBE_OK)
        hw_log(HW_WARN, "hub", "%s; the next one leads when the lease is over", reply->err.msg);
    again_at(l, hw_now_ms(l->clock));
}

void hw_hub_lease_release(struct hw_hub_lease *l, void (*done)(void *ctx), void *ctx)
{
    bool gives = l->leads && l->version;
    hw_kube_cancel(l->call);
    l->call = NULL;
    l->leads = false;
    l->done = done;
    l->done_ctx = ctx;
    uv_timer_stop(&l->timer);
    if (!gives) {
        again_at(l, hw_now_ms(l->clock));
        return;
    }
    hw_auto_json body = json_pack("{s:{s:s}, s:o}", "metadata", "resourceVersion", l->version,
                                  "spec", make_spec(l, ""));
    ask(l, HW_KUBE_PATCH, body, on_released);
}

int hw_hub_lease_new(struct hw_hub_lease **ret, struct hw_kube *kube, uv_loop_t *loop,
                     const struct hw_clock *clock, const struct hw_hub_lease_opts *opts,
                     struct hw_err *err)
{
    if (hw_kube_check_label("lease namespace", opts->namespace, err) < 0 ||
        hw_kube_check_name("lease", opts->name, err) < 0)
        return -1;
    struct hw_hub_lease *l = hw_xzalloc(sizeof *l);
    l->kube = kube;
    l->clock = clock;
    l->o = *opts;
    l->o.namespace = hw_xstrdup(opts->namespace);
    l->o.name = hw_xstrdup(opts->name);
    l->o.identity = hw_xstrdup(opts->identity);
    uv_timer_init(loop, &l->timer);
    again_at(l, hw_now_ms(clock));
    *ret = l;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct hw_hub_lease *l = HW_CONTAINER(handle, struct hw_hub_lease, timer);
    free((char *)(uintptr_t)l->o.namespace);
    free((char *)(uintptr_t)l->o.name);
    free((char *)(uintptr_t)l->o.identity);
    free(l->version);
    free(l->holder);
    free(l);
}

void hw_hub_lease_free(struct hw_hub_lease *l)
{
    if (!l)
        return;
    hw_kube_cancel(l->call);
    l->call = NULL;
    uv_close((uv_handle_t *)&l->timer, on_closed);
}
