/* fuzz_sink.c - both sinks that write to the API server against a client that answers with any bytes. The client's
 * functions stand here in place of core/kube/client.c, so what passes is seen: every request has a path and a body
 * that may be sent, carries a uid that an answer gave, and nothing is sent once a sink has stopped.
 *
 * Each step of the input is a byte and a line: publish a value, or answer what was asked with the line as body. */
#include "base/json.h"
#include "base/log.h"
#include "fuzz.h"
#include "kube/object.h"
#include "progress/nm.h"
#include "sink/annotation.h"
#include "sink/api.h"
#include "sink/status.h"

enum { STEPS_MAX = 64 };

struct hw_kube_call {
    bool busy;
    enum hw_kube_verb verb;
    struct hw_kube_object object; /* resource and verb only, for the explanation */
    bool writing;
    hw_kube_fn *fn;
    void *ctx;
};

/* One for each sink: a sink has at most one request under way. */
static struct hw_kube_call calls[2];
static struct hw_sink *sinks[2];
static bool stopped[2];
static bool conflict;    /* of the status: its uid must be looked at before it is written again */
static char uids[2][65]; /* that the first write carried; "" = none yet */
static struct hw_clock clock_ = { .virtual_time = 1, .mono_ms = 1, .unix_ms = 1767225600000 };

/* ---- the client ---------------------------------------------------------------------------------- */

static void check_infos(json_t *root)
{
    const char *progress = hw_json_text(root, "status", "infos", "progress", NULL);
    const char *line = hw_json_text(root, "status", "infos", "progressMessage", NULL);
    struct hw_nm nm;
    struct hw_err err = { 0 };
    fuzz_check(progress && hw_nm_parse(hw_str(progress), &nm, &err) == 0, "progress", progress);
    fuzz_check_clean(line, "progressMessage");
    fuzz_check(hw_json_text(root, "metadata", "resourceVersion", NULL) != NULL, "no version", line);
}

static void check_annotations(json_t *root)
{
    const char *progress = hw_json_text(root, "metadata", "annotations", HW_ANNOTATION, NULL);
    const char *detail = hw_json_text(root, "metadata", "annotations", HW_ANNOTATION_DETAIL, NULL);
    struct hw_nm nm;
    struct hw_err err = { 0 };
    fuzz_check(!progress || (hw_nm_parse(hw_str(progress), &nm, &err) == 0 && !nm.message.len),
               "annotation", progress);
    fuzz_check(detail && strlen(detail) <= 2048, "detail", detail);
    hw_auto_json value = json_loads(detail, 0, NULL);
    fuzz_check(json_is_object(value), "detail", detail);
}

static bool is_status(const struct hw_kube_request *r)
{
    return r->object.subresource != NULL;
}

/* A patch that carries a value; the others only look. */
static bool check_patch(const struct hw_kube_request *r)
{
    hw_auto_json root = json_loadb(r->body.ptr, r->body.len, 0, NULL);
    const char *uid = hw_json_text(root, "metadata", "uid", NULL);
    struct hw_err err = { 0 };
    bool writing =
        json_object_get(root, "status") || hw_json_at(root, "metadata", "annotations", NULL);
    fuzz_check(json_is_object(root), "body", r->body.ptr);
    fuzz_check(!uid || hw_kube_check_uid("uid", uid, &err) == 0, "uid", uid);
    if (!writing)
        return false;
    fuzz_check(uid != NULL, "a write without a uid", r->body.ptr);
    char *first = uids[is_status(r)];
    if (!first[0])
        snprintf(first, sizeof uids[0], "%s", uid);
    fuzz_check(strcmp(first, uid) == 0, "another object is written", uid);
    fuzz_check(!conflict || !is_status(r), "written after a conflict", r->body.ptr);
    if (is_status(r))
        check_infos(root);
    else
        check_annotations(root);
    return true;
}

struct hw_kube_call *hw_kube_send(struct hw_kube *k, const struct hw_kube_request *r,
                                  hw_kube_fn *fn, void *ctx)
{
    size_t i = ctx == (void *)sinks[0] ? 0 : 1;
    struct hw_err err = { 0 };
    hw_auto_free char *path = hw_kube_path(&r->object, &err);
    (void)k;
    fuzz_check(path != NULL, "a request without a path", err.msg);
    fuzz_check(!stopped[i], "asks after its end", path);
    fuzz_check(!calls[i].busy, "two requests at once", path);
    fuzz_check(r->object.name && r->object.namespace, "a whole collection", path);
    fuzz_check(r->verb == HW_KUBE_GET || r->verb == HW_KUBE_PATCH, "verb", path);
    calls[i] = (struct hw_kube_call){ .busy = true, .verb = r->verb, .fn = fn, .ctx = ctx };
    calls[i].object = (struct hw_kube_object){ .version = "v1", .resource = "pods" };
    calls[i].writing = r->verb == HW_KUBE_PATCH && check_patch(r);
    return &calls[i];
}

void hw_kube_cancel(struct hw_kube_call *call)
{
    if (call)
        call->busy = false;
}

static void answer(struct hw_kube_call *call, int status, struct hw_str body)
{
    if (!call->busy)
        return;
    hw_auto_json root = hw_kube_parse(body);
    struct hw_kube_reply reply = { .outcome = hw_kube_classify(status, root), .status = status };
    reply.cause = status;
    reply.body = root;
    reply.retry_after_ms = status == 429 ? 1000 : -1;
    hw_kube_explain(call->verb, &call->object, status, reply.outcome, root, NULL, &reply.err);
    call->busy = false;
    if (call == &calls[1] && call->verb == HW_KUBE_PATCH)
        conflict = reply.outcome == HW_KUBE_CONFLICT || (conflict && reply.outcome != HW_KUBE_OK);
    call->fn(call->ctx, &reply);
}

/* ---- the reporter -------------------------------------------------------------------------------- */

static void on_pod(void *ctx, json_t *pod)
{
    (void)ctx;
    hw_status_set_pod(sinks[1], pod);
}

static void on_stop(size_t i, const char *reason)
{
    fuzz_check_clean(reason, "reason is not clean");
    fuzz_check(!stopped[i], "stops twice", reason);
    stopped[i] = true;
}

static void on_stop_pod(void *ctx, const char *reason)
{
    (void)ctx;
    on_stop(0, reason);
    hw_status_set_pod(sinks[1], NULL);
}

static void on_stop_status(void *ctx, const char *reason)
{
    (void)ctx;
    on_stop(1, reason);
}

static void on_wrote(void *ctx, struct hw_sink *sink, bool ok, int64_t ms)
{
    (void)ctx;
    (void)ms;
    fuzz_check(calls[sink == sinks[1]].writing, ok ? "nothing was written" : "nothing was refused",
               sink->ops->name);
}

static void on_idle(void *ctx, struct hw_sink *sink)
{
    (void)ctx;
    fuzz_check(!calls[sink == sinks[1]].busy && !sink->ops->is_busy(sink), "busy and idle",
               sink->ops->name);
}

static void drop_line(void *ctx, const char *line)
{
    (void)ctx;
    fuzz_check_clean(line, "log line is not clean");
}

static void publish(uint8_t step)
{
    struct hw_progress p = { .n = step & 0xf, .m = 100, .fraction = -1, .rate = -1, .eta = -1 };
    p.counted = p.n > 0;
    p.count = (struct hw_count){ .done = p.n, .total = 100, .unit = "files" };
    p.state = p.counted ? HW_RUNNING : HW_WAITING;
    strcpy(p.message, "copying");
    for (size_t i = 0; i < 2; i++)
        sinks[i]->ops->publish(sinks[i], &p, (step & 0x10) != 0);
}

/* A retry comes at once. */
static void hasten(struct hw_sink *sink)
{
    uv_timer_t *timer = &((struct hw_api_sink *)(void *)sink)->timer;
    if (uv_is_active((uv_handle_t *)timer))
        uv_timer_start(timer, timer->timer_cb, 0, 0);
}

static void turn(uv_loop_t *loop, uint8_t step)
{
    if (step & 0x20)
        for (size_t i = 0; i < 2; i++)
            hasten(sinks[i]);
    hw_clock_advance(&clock_, clock_.mono_ms + 1000);
    uv_run(loop, UV_RUN_NOWAIT);
}

static void do_step(uv_loop_t *loop, struct hw_str line)
{
    static const int statuses[] = { 200, 200, 201, 401, 403, 404, 409, 410, 413, 422, 429, 500 };
    uint8_t step = (uint8_t)line.ptr[0];
    struct hw_str body = { line.ptr + 1, line.len - 1 };
    if (step & 0x40) /* a letter */
        answer(&calls[step >> 7], statuses[(step & 0x1f) % HW_LEN(statuses)], body);
    else
        publish(step);
    turn(loop, step);
}

static void open_sinks(uv_loop_t *loop, bool named)
{
    struct hw_err err = { 0 };
    struct hw_annotation_opts a = { .namespace = "ns", .pod = "p", .on_pod = on_pod };
    struct hw_status_opts s = { .namespace = "ns", .operation = named ? "dataload/x" : NULL };
    struct hw_sink_events events = { .wrote = on_wrote, .idle = on_idle };
    a.on_stop = on_stop_pod;
    s.on_stop = on_stop_status;
    memset(calls, 0, sizeof calls);
    memset(stopped, 0, sizeof stopped);
    memset(uids, 0, sizeof uids);
    conflict = false;
    fuzz_check(hw_annotation_new(&sinks[0], NULL, loop, &clock_, &a, &err) == 0, err.msg, NULL);
    fuzz_check(hw_status_new(&sinks[1], NULL, loop, &clock_, &s, &err) == 0, err.msg, NULL);
    sinks[0]->events = sinks[1]->events = events;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hw_str rest = { (const char *)data, size }, line;
    uv_loop_t loop;
    if (size < 1 || size > 16384 || uv_loop_init(&loop) < 0)
        return 0;
    hw_log_redirect(drop_line, NULL);
    open_sinks(&loop, data[0] == 'n');
    uv_run(&loop, UV_RUN_NOWAIT);
    for (int i = 0; i < STEPS_MAX && fuzz_next(&rest, '\n', &line); i++)
        if (line.len)
            do_step(&loop, line);
    for (size_t i = 0; i < 2; i++)
        sinks[i]->ops->free(sinks[i]);
    uv_run(&loop, UV_RUN_DEFAULT);
    fuzz_check(uv_loop_close(&loop) == 0, "handles stay open", NULL);
    return 0;
}
