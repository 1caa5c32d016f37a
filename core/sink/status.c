/* A custom resource's status subresource ignores a foreign metadata.uid in a patch (seen on 1.36: 200, and the value
 * is in the object that was made anew), while it checks resourceVersion. So each write carries the version that an answer
 * with the right uid gave; after a conflict the uid is looked at again, by an empty patch. */
#include "sink/status.h"

#include <string.h>

#include "base/mem.h"
#include "kube/owner.h"
#include "progress/detail.h"
#include "progress/nm.h"
#include "sink/annotation.h"
#include "sink/api.h"

struct status {
    struct hw_api_sink api;      /* first */
    struct hw_kube_target found; /* kind NULL = not known yet */
    char *version; /* resourceVersion of an answer with the right uid; NULL = to be learned */
    struct hw_kube_owner *owner; /* the search, while it goes on */
    bool named;                  /* by the setting */
    bool held;                   /* a reporter before us in the same pod has counted something */
};

static void send_patch(struct status *s, json_t *patch, bool writing)
{
    hw_auto_free char *body = hw_json_dump(patch);
    struct hw_kube_request request = {
        .verb = HW_KUBE_PATCH,
        .object = hw_kube_target_object(&s->found, "status"),
        .body = hw_str(body),
        .metadata_only = true,
    };
    hw_api_send(&s->api, &request, writing);
}

json_t *hw_status_infos(const struct hw_progress *p, int64_t now)
{
    char nm[HW_NM_SIZE], when[21], line[HW_LINE_MAX];
    hw_nm_format(p->n, p->m, nm);
    hw_format_time(p->updated ? p->updated : now, when);
    hw_progress_line(p, now, line, sizeof line);
    json_t *infos = json_object();
    json_object_set_new(infos, "progress", json_string(nm));
    json_object_set_new(infos, "progressUpdated", json_string(when));
    json_object_set_new(infos, "progressMessage", json_string(line));
    return infos;
}

static void send_value(struct status *s)
{
    hw_auto_json patch = hw_kube_patch(s->found.uid);
    json_t *status = json_object();
    json_object_set_new(hw_json_at(patch, "metadata", NULL), "resourceVersion",
                        json_string(s->version));
    json_object_set_new(patch, "status", status);
    json_object_set_new(status, "infos", hw_status_infos(&s->api.value, hw_wall_ms(s->api.clock)));
    send_patch(s, patch, true);
}

/* One step of the search; true when something was sent or the search ended. */
static bool search(struct status *s)
{
    struct hw_kube_request ask;
    struct hw_err err;
    switch (hw_kube_owner_step(s->owner, &ask, &err)) {
    case HW_KUBE_ASK:
        hw_api_send(&s->api, &ask, false);
        return true;
    case HW_KUBE_NONE:
        hw_api_stop(&s->api, err.msg);
        return true;
    case HW_KUBE_FOUND:
        break;
    }
    s->found = hw_kube_owner_take(s->owner);
    hw_kube_owner_free(s->owner);
    s->owner = NULL;
    return false;
}

/* The initial 0/100 of a restarted reporter; that of a new attempt is written, its pod has counted nothing. */
static bool moves_back(const struct status *s)
{
    const struct hw_progress *p = &s->api.value;
    return s->held && hw_api_is_initial(p);
}

static bool next(struct hw_api_sink *a)
{
    struct status *s = (struct status *)(void *)a;
    if (moves_back(s))
        hw_api_settle(a);
    if (s->owner && search(s))
        return true;
    if (!s->found.kind || !hw_api_wants(a))
        return false;
    if (!s->version) { /* and the uid of an operation that was named */
        hw_auto_json patch = hw_kube_patch(NULL);
        send_patch(s, patch, false);
        return true;
    }
    send_value(s);
    return true;
}

/* Takes the version from an answer about the operation; false when it is none. */
static bool learn(struct status *s, json_t *body)
{
    const char *name = hw_json_text(body, "metadata", "name", NULL);
    const char *uid = hw_json_text(body, "metadata", "uid", NULL);
    const char *version = hw_json_text(body, "metadata", "resourceVersion", NULL);
    if (!hw_streq(name, s->found.name) || !uid || !version ||
        hw_kube_check_uid("uid", uid, NULL) < 0)
        return false;
    if (s->found.uid && strcmp(uid, s->found.uid) != 0) {
        hw_api_stop(&s->api, "the operation was made anew under the same name");
        return true;
    }
    if (!s->found.uid)
        s->found.uid = hw_xstrdup(uid);
    s->api.unseen = false;
    free(s->version);
    s->version = hw_xstrdup(version);
    return true;
}

static bool answered(struct hw_api_sink *a, const struct hw_kube_reply *reply)
{
    struct status *s = (struct status *)(void *)a;
    if (!s->owner)
        return learn(s, reply->body);
    hw_kube_owner_answer(s->owner, reply->body);
    return true;
}

static void conflicted(struct hw_api_sink *a)
{
    struct status *s = (struct status *)(void *)a;
    free(s->version);
    s->version = NULL;
}

static bool written(struct hw_api_sink *a, const struct hw_kube_reply *reply)
{
    struct status *s = (struct status *)(void *)a;
    if (!learn(s, reply->body))
        return false;
    s->held = false; /* what stands there is ours */
    return true;
}

static void done(struct hw_api_sink *a)
{
    struct status *s = (struct status *)(void *)a;
    hw_kube_target_done(&s->found);
    hw_kube_owner_free(s->owner);
    free(s->version);
}

static const struct hw_api_ops api_ops = {
    .next = next, .answered = answered, .written = written, .conflicted = conflicted, .done = done
};

static const struct hw_sink_ops sink_ops = {
    .name = "status", .publish = hw_api_publish, .is_busy = hw_api_is_busy, .free = hw_api_free
};

int hw_status_new(struct hw_sink **ret, struct hw_kube *kube, uv_loop_t *loop,
                  const struct hw_clock *clock, const struct hw_status_opts *opts,
                  struct hw_err *err)
{
    struct hw_kube_target named = { 0 };
    bool is_named = opts->operation && opts->operation[0];
    if (is_named && hw_kube_target_parse(opts->operation, opts->namespace, &named, err) < 0)
        return -1;
    struct status *s = hw_xzalloc(sizeof *s);
    s->found = named;
    s->named = s->api.unseen = is_named;
    hw_api_init(&s->api, &sink_ops, &api_ops, kube, loop, clock);
    s->api.on_stop = opts->on_stop;
    s->api.ctx = opts->ctx;
    *ret = &s->api.sink;
    return 0;
}

void hw_status_set_pod(struct hw_sink *sink, json_t *pod)
{
    struct status *s = (struct status *)(void *)sink;
    const char *value = hw_json_text(pod, "metadata", "annotations", HW_ANNOTATION, NULL);
    struct hw_nm nm;
    s->held = value && hw_nm_parse(hw_str(value), &nm, NULL) == 0 && nm.done > 0;
    if (s->named || s->owner || s->found.kind || s->api.stopped)
        return;
    if (!pod) {
        hw_api_stop(&s->api, "the pod is not known, so its operation can't be found");
        return;
    }
    s->owner = hw_kube_owner_new(pod);
    hw_api_kick(&s->api);
}
