/* Each write carries the resourceVersion that the answer before it gave. A request whose time is over may still be with the
 * server, and be carried out after the next one: without the version the pod would go back to the older value, with it the
 * server refuses whichever comes second (409), and we look again. */
#include "sink/annotation.h"

#include <string.h>

#include "base/mem.h"
#include "progress/detail.h"
#include "progress/nm.h"
#include "sink/api.h"

struct annotation {
    struct hw_api_sink api; /* first */
    char *namespace, *pod, *uid, *by;
    char *version; /* resourceVersion of the last answer; NULL = to be learned */
    bool known;    /* the pod was seen: uid is set, held is right */
    bool held;     /* a valid N/M of somebody before us stands there */
    bool detailed; /* and a detail */
    bool carried;  /* the write under way has N/M in it */
    void (*on_pod)(void *ctx, json_t *pod);
};

static struct hw_kube_object pod_object(const struct annotation *s)
{
    return (struct hw_kube_object){
        .version = "v1", .resource = "pods", .namespace = s->namespace, .name = s->pod
    };
}

static void send_patch(struct annotation *s, json_t *patch, bool writing)
{
    hw_auto_free char *body = hw_json_dump(patch);
    struct hw_kube_request request = {
        .verb = HW_KUBE_PATCH,
        .object = pod_object(s),
        .body = hw_str(body),
        .metadata_only = writing || s->known,
    };
    hw_api_send(&s->api, &request, writing);
}

static void send_value(struct annotation *s)
{
    const struct hw_progress *p = &s->api.value;
    char nm[HW_NM_SIZE];
    hw_nm_format(p->n, p->m, nm);
    hw_auto_free char *detail = hw_detail_json(p, s->by);
    hw_auto_json patch = hw_kube_patch(s->uid);
    json_object_set_new(hw_json_at(patch, "metadata", NULL), "resourceVersion",
                        json_string(s->version));
    s->carried = !s->held || !hw_api_is_initial(p); /* a restarted reporter moves nothing back */
    if (s->carried)
        hw_kube_patch_annotation(patch, HW_ANNOTATION, nm);
    hw_kube_patch_annotation(patch, HW_ANNOTATION_DETAIL, detail);
    send_patch(s, patch, true);
}

static bool next(struct hw_api_sink *a)
{
    struct annotation *s = (struct annotation *)(void *)a;
    if (!s->known || (!s->version && hw_api_wants(a))) {
        hw_auto_json patch = hw_kube_patch(s->uid);
        send_patch(s, patch, false);
        return true;
    }
    if (s->held && s->detailed && hw_api_is_initial(&a->value) && a->value.state == HW_WAITING)
        hw_api_settle(a); /* what stands there says more */
    if (!hw_api_wants(a))
        return false;
    send_value(s);
    return true;
}

/* Takes uid and version; false when it is another object. */
static bool learn(struct annotation *s, json_t *body)
{
    const char *name = hw_json_text(body, "metadata", "name", NULL);
    const char *uid = hw_json_text(body, "metadata", "uid", NULL);
    const char *version = hw_json_text(body, "metadata", "resourceVersion", NULL);
    if (!hw_streq(name, s->pod) || !uid || !version || hw_kube_check_uid("uid", uid, NULL) < 0 ||
        (s->known && !hw_streq(uid, s->uid)))
        return false;
    free(s->uid);
    s->uid = hw_xstrdup(uid);
    free(s->version);
    s->version = hw_xstrdup(version);
    return true;
}

static bool answered(struct hw_api_sink *a, const struct hw_kube_reply *reply)
{
    struct annotation *s = (struct annotation *)(void *)a;
    const char *value = hw_json_text(reply->body, "metadata", "annotations", HW_ANNOTATION, NULL);
    struct hw_nm nm;
    if (!learn(s, reply->body))
        return false;
    if (s->known)
        return true;
    s->known = true;
    s->held = value && hw_nm_parse(hw_str(value), &nm, NULL) == 0;
    s->detailed = hw_json_text(reply->body, "metadata", "annotations", HW_ANNOTATION_DETAIL, NULL);
    if (s->on_pod)
        s->on_pod(a->ctx, reply->body);
    return true;
}

static bool written(struct hw_api_sink *a, const struct hw_kube_reply *reply)
{
    struct annotation *s = (struct annotation *)(void *)a;
    if (!learn(s, reply->body))
        return false;
    if (s->carried)
        s->held = false; /* what stands there is ours; a new attempt begins at 0/100 */
    return true;
}

static void conflicted(struct hw_api_sink *a)
{
    struct annotation *s = (struct annotation *)(void *)a;
    free(s->version);
    s->version = NULL;
}

static void done(struct hw_api_sink *a)
{
    struct annotation *s = (struct annotation *)(void *)a;
    free(s->namespace);
    free(s->pod);
    free(s->uid);
    free(s->version);
    free(s->by);
}

static const struct hw_api_ops api_ops = {
    .next = next, .answered = answered, .written = written, .conflicted = conflicted, .done = done
};

static const struct hw_sink_ops sink_ops = {
    .name = "annotation", .publish = hw_api_publish, .is_busy = hw_api_is_busy, .free = hw_api_free
};

static int check(const struct hw_annotation_opts *o, struct hw_err *err)
{
    bool uid = o->uid && o->uid[0];
    if (hw_kube_check_label("namespace", o->namespace, err) < 0 ||
        hw_kube_check_name("pod", o->pod, err) < 0 ||
        (uid && hw_kube_check_uid("pod uid", o->uid, err) < 0))
        return -1;
    return 0;
}

int hw_annotation_new(struct hw_sink **ret, struct hw_kube *kube, uv_loop_t *loop,
                      const struct hw_clock *clock, const struct hw_annotation_opts *opts,
                      struct hw_err *err)
{
    if (check(opts, err) < 0)
        return -1;
    struct annotation *s = hw_xzalloc(sizeof *s);
    s->namespace = hw_xstrdup(opts->namespace);
    s->pod = hw_xstrdup(opts->pod);
    s->uid = opts->uid && opts->uid[0] ? hw_xstrdup(opts->uid) : NULL;
    s->by = hw_xstrdup(opts->by ? opts->by : "sidecar");
    s->on_pod = opts->on_pod;
    hw_api_init(&s->api, &sink_ops, &api_ops, kube, loop, clock);
    s->api.on_stop = opts->on_stop;
    s->api.ctx = opts->ctx;
    hw_api_kick(&s->api);
    *ret = &s->api.sink;
    return 0;
}
