/* kube_probe - the kube room and its sinks, driven by JSON lines: kube_probe < script > events
 * Commands run in order; one line of JSON comes out for each answer of a pure function and for each event.
 * {"do":"wait","for":KIND,"count":N,"ms":M} lets the loop run until N events of that kind came since the last wait. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "kube/backoff.h"
#include "kube/client.h"
#include "kube/exec.h"
#include "kube/owner.h"
#include "kube/secret.h"
#include "kube/watch.h"
#include "sink/annotation.h"
#include "sink/status.h"

enum { CALLS_MAX = 64, KINDS_MAX = 16 };

static struct {
    uv_loop_t loop;
    struct hw_clock clock;
    struct hw_kube *kube;
    struct hw_kube_watch *watch;
    struct hw_sink *annotation, *status;
    struct hw_kube_call *calls[CALLS_MAX];
    bool feed_status;    /* the annotation's pod goes to the status sink */
    const char *in_fn;   /* what the next callback does: "cancel", "free", "free sinks" */
    const char *in_kind; /* which callback; NULL = any */
    struct {
        const char *kind;
        int count;
    } kinds[KINDS_MAX];
    json_t *newer; /* what is published when a retry is due; borrows from the script */
} probe;

static void do_publish(json_t *c);

/* ---- events ---- */

static void count_event(const char *kind)
{
    for (int i = 0; i < KINDS_MAX; i++) {
        if (!probe.kinds[i].kind)
            probe.kinds[i].kind = hw_xstrdup(kind);
        if (strcmp(probe.kinds[i].kind, kind) == 0) {
            probe.kinds[i].count++;
            return;
        }
    }
}

static int take_events(const char *kind, int count)
{
    for (int i = 0; i < KINDS_MAX && probe.kinds[i].kind; i++)
        if (strcmp(probe.kinds[i].kind, kind) == 0 && probe.kinds[i].count >= count) {
            probe.kinds[i].count -= count;
            return 1;
        }
    return 0;
}

static void print_event(const char *kind, json_t *o)
{
    json_object_set_new(o, "event", json_string(kind));
    char *text = json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY);
    puts(text ? text : "{\"event\":\"unprintable\"}");
    fflush(stdout);
    free(text);
    json_decref(o);
    count_event(kind);
    uv_stop(&probe.loop); /* so that wait looks at once, not after the next poll */
}

static json_t *error_object(const struct hw_err *err)
{
    return json_pack("{s:s, s:i}", "error", err->msg, "code", (int)err->code);
}

static void on_log(void *ctx, const char *line)
{
    (void)ctx;
    print_event("log", json_pack("{s:s}", "line", line));
}

static void free_sinks(void)
{
    if (probe.annotation)
        probe.annotation->ops->free(probe.annotation);
    if (probe.status)
        probe.status->ops->free(probe.status);
    probe.annotation = probe.status = NULL;
}

static void act_in_callback(const char *kind)
{
    const char *what = probe.in_fn;
    if (probe.in_kind && strcmp(probe.in_kind, kind) != 0)
        return;
    probe.in_fn = NULL;
    if (!what)
        return;
    if (strcmp(what, "cancel") == 0)
        for (int i = 0; i < CALLS_MAX; i++) {
            hw_kube_cancel(probe.calls[i]);
            probe.calls[i] = NULL;
        }
    if (strcmp(what, "free sinks") == 0 || strcmp(what, "free") == 0)
        free_sinks();
    if (strcmp(what, "free watch") == 0 || strcmp(what, "free") == 0) {
        hw_kube_watch_free(probe.watch);
        probe.watch = NULL;
    }
    if (strcmp(what, "free") == 0) {
        memset(probe.calls, 0, sizeof probe.calls);
        hw_kube_free(probe.kube);
        probe.kube = NULL;
    }
}

static void on_reply(void *ctx, const struct hw_kube_reply *reply)
{
    intptr_t id = (intptr_t)ctx;
    json_t *o =
        json_pack("{s:i, s:s, s:i, s:I, s:I}", "id", (int)id, "outcome",
                  hw_kube_outcome_name(reply->outcome), "status", reply->status, "retry_after",
                  (json_int_t)reply->retry_after_ms, "ms", (json_int_t)reply->ms);
    if (reply->err.code)
        json_object_set_new(o, "error", json_string(reply->err.msg));
    if (reply->body)
        json_object_set(o, "body", reply->body);
    act_in_callback("reply"); /* this call itself, too: no effect there */
    probe.calls[id] = NULL;
    print_event("reply", o);
}

/* ---- a collection that is followed ---- */

static void on_listing(void *ctx)
{
    (void)ctx;
    print_event("listing", json_object());
    act_in_callback("listing");
}

static void on_object(void *ctx, json_t *object)
{
    (void)ctx;
    print_event("object",
                json_pack("{s:s?}", "name", hw_json_text(object, "metadata", "name", NULL)));
    act_in_callback("object");
}

static void on_gone(void *ctx, json_t *object)
{
    (void)ctx;
    print_event("gone", json_pack("{s:s?}", "name", hw_json_text(object, "metadata", "name", NULL)));
    act_in_callback("gone");
}

static void on_listed(void *ctx)
{
    (void)ctx;
    print_event("listed", json_object());
    act_in_callback("listed");
}

static void on_trouble(void *ctx, int cause, const struct hw_err *err, int64_t wait_ms)
{
    (void)ctx;
    print_event("trouble", json_pack("{s:i, s:s, s:I}", "cause", cause, "error", err->msg, "wait",
                                     (json_int_t)wait_ms));
    act_in_callback("trouble");
}

static void on_piece(void *ctx, struct hw_str data)
{
    (void)ctx;
    print_event("data", json_pack("{s:i}", "len", (int)data.len));
    act_in_callback("data");
}

static void on_wrote(void *ctx, struct hw_sink *sink, bool ok, int64_t ms)
{
    (void)ctx;
    print_event("wrote", json_pack("{s:s, s:b, s:I}", "sink", sink->ops->name, "ok", ok, "ms",
                                   (json_int_t)ms));
    act_in_callback("wrote");
}

static void on_retry(void *ctx, struct hw_sink *sink)
{
    (void)ctx;
    print_event("retry", json_pack("{s:s}", "sink", sink->ops->name));
    if (probe.newer)
        do_publish(probe.newer);
    act_in_callback("retry");
}

static void on_idle(void *ctx, struct hw_sink *sink)
{
    (void)ctx;
    print_event("idle", json_pack("{s:s}", "sink", sink->ops->name));
    act_in_callback("idle");
}

static void on_pod(void *ctx, json_t *pod)
{
    (void)ctx;
    print_event("pod", json_pack("{s:O}", "metadata", json_object_get(pod, "metadata")));
    act_in_callback("pod");
    if (probe.status && probe.feed_status)
        hw_status_set_pod(probe.status, pod);
}

static void on_stop(void *ctx, const char *reason)
{
    print_event("stop", json_pack("{s:s, s:s}", "sink", (const char *)ctx, "reason", reason));
    act_in_callback("stop");
    if (strcmp(ctx, "annotation") == 0 && probe.status && probe.feed_status)
        hw_status_set_pod(probe.status, NULL);
}

/* ---- pure functions: the result is printed as the event "is" ---- */

static const char *text(json_t *c, const char *key)
{
    return json_string_value(json_object_get(c, key));
}

static json_int_t number(json_t *c, const char *key)
{
    return json_integer_value(json_object_get(c, key));
}

static struct hw_kube_object object_of(json_t *c)
{
    return (struct hw_kube_object){
        .group = text(c, "group"),
        .version = text(c, "version"),
        .resource = text(c, "resource"),
        .namespace = text(c, "namespace"),
        .name = text(c, "name"),
        .subresource = text(c, "subresource"),
    };
}

static enum hw_kube_verb verb_of(json_t *c)
{
    const char *verb = text(c, "verb");
    for (int i = HW_KUBE_GET; verb && i <= HW_KUBE_WATCH; i++)
        if (strcmp(hw_kube_verb_name((enum hw_kube_verb)i), verb) == 0)
            return (enum hw_kube_verb)i;
    return HW_KUBE_GET;
}

static void do_classify(json_t *c)
{
    struct hw_kube_object object = object_of(c);
    const char *body = text(c, "body");
    hw_auto_json parsed = hw_kube_parse(hw_str(body));
    int status = (int)number(c, "status");
    enum hw_kube_outcome outcome = hw_kube_classify(status, parsed);
    struct hw_err err = { .code = HW_OK };
    hw_kube_explain(verb_of(c), &object, status, outcome, parsed, NULL, &err);
    print_event(
        "is", json_pack("{s:s, s:s}", "outcome", hw_kube_outcome_name(outcome), "error", err.msg));
}

static void do_retry_after(json_t *c)
{
    json_int_t ms = hw_kube_retry_after(text(c, "value"), number(c, "now"));
    print_event("is", json_pack("{s:I}", "ms", ms));
}

static void do_backoff(json_t *c)
{
    struct hw_backoff b = { .tries = (int)number(c, "tries") };
    int64_t ms = hw_backoff_next(&b, (uint64_t)number(c, "random"));
    print_event("is", json_pack("{s:I, s:i}", "ms", (json_int_t)ms, "tries", b.tries));
}

static void do_path(json_t *c)
{
    struct hw_kube_object object = object_of(c);
    struct hw_err err;
    hw_auto_free char *path = hw_kube_path(&object, &err);
    hw_auto_free char *what = hw_kube_describe(&object);
    print_event("is",
                path ? json_pack("{s:s, s:s}", "path", path, "what", what) : error_object(&err));
}

static void do_check(json_t *c)
{
    const char *rule = text(c, "rule"), *name = text(c, "name");
    struct hw_err err = { .code = HW_OK };
    int st = strcmp(rule, "label") == 0  ? hw_kube_check_label("x", name, &err)
             : strcmp(rule, "name") == 0 ? hw_kube_check_name("x", name, &err)
             : strcmp(rule, "uid") == 0  ? hw_kube_check_uid("x", name, &err)
                                         : hw_kube_check_server(name, "x", &err);
    print_event("is", st == 0 ? json_pack("{s:b}", "ok", 1) : error_object(&err));
}

static void do_target(json_t *c)
{
    struct hw_kube_target t;
    struct hw_err err;
    if (hw_kube_target_parse(text(c, "text"), text(c, "namespace"), &t, &err) < 0) {
        print_event("is", error_object(&err));
        return;
    }
    print_event("is", json_pack("{s:s, s:s, s:s, s:s}", "kind", t.kind->kind, "version", t.version,
                                "namespace", t.namespace, "name", t.name));
    hw_kube_target_done(&t);
}

static void do_credential(json_t *c)
{
    struct hw_kube_credential got;
    struct hw_err err;
    if (hw_kube_credential_parse(hw_str(text(c, "output")), text(c, "api_version"), &got, &err) < 0) {
        print_event("is", error_object(&err));
        return;
    }
    print_event("is",
                json_pack("{s:s?, s:s?, s:s?, s:I}", "token", got.token.ptr, "cert", got.cert.ptr,
                          "key", got.key.ptr, "expires", (json_int_t)got.expires));
    hw_kube_credential_done(&got);
}

static void do_base64(json_t *c)
{
    struct hw_kube_blob b;
    struct hw_err err;
    if (hw_kube_base64_decode("x", hw_str(text(c, "text")), &b, &err) < 0) {
        print_event("is", error_object(&err));
        return;
    }
    hw_auto_free char *again = hw_kube_base64((struct hw_str){ b.ptr, b.len });
    print_event("is", json_pack("{s:i, s:s}", "len", (int)b.len, "again", again));
    hw_kube_blob_done(&b);
}

/* Walks a list of answers, as if they came for each GET. */
static void do_owner(json_t *c)
{
    struct hw_kube_owner *o = hw_kube_owner_new(json_object_get(c, "pod"));
    json_t *asked = json_array(), *answers = json_object_get(c, "answers");
    struct hw_kube_request ask;
    struct hw_err err;
    enum hw_kube_step step;
    size_t i = 0;
    while ((step = hw_kube_owner_step(o, &ask, &err)) == HW_KUBE_ASK &&
           i < json_array_size(answers)) {
        hw_auto_free char *path = hw_kube_path(&ask.object, NULL);
        json_array_append_new(asked, json_string(path));
        hw_kube_owner_answer(o, json_array_get(answers, i++));
    }
    json_t *out = json_pack("{s:o}", "asked", asked);
    if (step == HW_KUBE_FOUND) {
        struct hw_kube_target t = hw_kube_owner_take(o);
        json_object_set_new(out, "found",
                            json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", t.kind->kind, "version",
                                      t.version, "namespace", t.namespace, "name", t.name, "uid",
                                      t.uid));
        hw_kube_target_done(&t);
    } else if (step == HW_KUBE_NONE)
        json_object_set_new(out, "error", json_string(err.msg));
    hw_kube_owner_free(o);
    print_event("is", out);
}

static json_t *list_of(char **list)
{
    json_t *out = json_array();
    for (; list && *list; list++)
        json_array_append_new(out, json_string(*list));
    return out;
}

static json_t *blob_json(const struct hw_kube_blob *b)
{
    return b->ptr ? json_stringn_nocheck(b->ptr, b->len) : json_null();
}

static int load_config(json_t *c, struct hw_kube_config **ret)
{
    struct hw_kube_config_opts opts = {
        .kubeconfig = text(c, "kubeconfig"),
        .context = text(c, "context"),
        .namespace = text(c, "namespace"),
        .service_account_dir = text(c, "service_account_dir"),
    };
    struct hw_err err;
    if (hw_kube_config_load(&opts, ret, &err) == 0)
        return 0;
    print_event("is", error_object(&err));
    return -1;
}

static void do_config(json_t *c)
{
    struct hw_kube_config *k = NULL;
    if (load_config(c, &k) < 0)
        return;
    json_t *o = json_pack(
        "{s:s, s:s?, s:s?, s:s?, s:o, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:s, s:s?, s:s, s:b}",
        "server", k->server, "tls_server_name", k->tls_server_name, "proxy_url", k->proxy_url,
        "ca_file", k->ca_file, "ca_data", blob_json(&k->ca_data), "token", k->token, "token_file",
        k->token_file, "cert_file", k->cert_file, "key_file", k->key_file, "cert_data",
        blob_json(&k->cert_data), "key_data", blob_json(&k->key_data), "namespace", k->namespace,
        "context", k->context, "from", k->from, "in_cluster", k->in_cluster);
    if (k->exec) {
        hw_auto_free char *info = hw_kube_exec_info(k);
        json_object_set_new(o, "exec",
                            json_pack("{s:s, s:s, s:o, s:o, s:s?, s:s, s:s}", "api_version",
                                      k->exec->api_version, "command", k->exec->command, "args",
                                      list_of(k->exec->args), "env", list_of(k->exec->env), "hint",
                                      k->exec->hint, "where", k->exec->where, "info", info));
    }
    hw_kube_config_free(k);
    print_event("is", o);
}

/* ---- live ---- */

static void do_open(json_t *c)
{
    struct hw_kube_config *config = NULL;
    struct hw_kube_opts opts = { .parallel = (int)number(c, "parallel") };
    struct hw_err err;
    if (load_config(c, &config) < 0)
        return;
    if (hw_kube_new(&probe.kube, &probe.loop, &probe.clock, config, &opts, &err) < 0) {
        hw_kube_config_free(config);
        print_event("is", error_object(&err));
    }
}

static void do_send(json_t *c)
{
    intptr_t id = (intptr_t)number(c, "id");
    struct hw_kube_request request = {
        .verb = verb_of(c),
        .object = object_of(c),
        .query = text(c, "query"),
        .body = hw_str(text(c, "body")),
        .metadata_only = json_is_true(json_object_get(c, "metadata_only")),
        .deadline_ms = number(c, "deadline"),
        .answer_max = (size_t)number(c, "answer_max"),
        .data = json_is_true(json_object_get(c, "stream")) ? on_piece : NULL,
    };
    if (probe.kube && id >= 0 && id < CALLS_MAX)
        probe.calls[id] = hw_kube_send(probe.kube, &request, on_reply, (void *)id);
}

static void do_cancel(json_t *c)
{
    intptr_t id = (intptr_t)number(c, "id");
    hw_kube_cancel(probe.calls[id]);
    probe.calls[id] = NULL;
}

static void do_watch(json_t *c)
{
    struct hw_kube_watch_opts opts = {
        .collection = object_of(c),
        .labels = text(c, "labels"),
        .metadata_only = json_is_true(json_object_get(c, "metadata_only")),
        .page = (int)number(c, "page"),
        .event_max = (size_t)number(c, "event_max"),
        .silence_ms = number(c, "silence"),
        .grant_ms = number(c, "grant"),
    };
    struct hw_kube_watch_events events = { .listing = on_listing,
                                           .object = on_object,
                                           .gone = on_gone,
                                           .listed = on_listed,
                                           .trouble = on_trouble };
    struct hw_err err;
    if (hw_kube_watch_new(&probe.watch, probe.kube, &probe.loop, &probe.clock, &opts, &events,
                          &err) < 0)
        print_event("is", error_object(&err));
}

static void do_counts(json_t *c)
{
    struct hw_kube_watch_counts n = hw_kube_watch_counts(probe.watch);
    (void)c;
    print_event("is", json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "lists", (json_int_t)n.lists,
                                "watches", (json_int_t)n.watches, "expired", (json_int_t)n.expired,
                                "failures", (json_int_t)n.failures, "events", (json_int_t)n.events,
                                "skipped", (json_int_t)n.skipped));
}

static void watch_sink(struct hw_sink *sink)
{
    sink->events = (struct hw_sink_events){ .wrote = on_wrote, .retry = on_retry, .idle = on_idle };
}

static void do_annotation(json_t *c)
{
    struct hw_err err;
    struct hw_annotation_opts opts = {
        .namespace = text(c, "namespace"),
        .pod = text(c, "pod"),
        .uid = text(c, "uid"),
        .by = "sidecar",
        .on_pod = on_pod,
        .on_stop = on_stop,
        .ctx = (void *)(uintptr_t) "annotation",
    };
    if (hw_annotation_new(&probe.annotation, probe.kube, &probe.loop, &probe.clock, &opts, &err) < 0)
        print_event("is", error_object(&err));
    else
        watch_sink(probe.annotation);
}

static void do_status(json_t *c)
{
    struct hw_err err;
    struct hw_status_opts opts = {
        .namespace = text(c, "namespace"),
        .operation = text(c, "operation"),
        .on_stop = on_stop,
        .ctx = (void *)(uintptr_t) "status",
    };
    probe.feed_status = true;
    if (hw_status_new(&probe.status, probe.kube, &probe.loop, &probe.clock, &opts, &err) < 0)
        print_event("is", error_object(&err));
    else
        watch_sink(probe.status);
}

static enum hw_state state_of(const char *name)
{
    for (int i = HW_WAITING; name && i <= HW_FAILED; i++)
        if (strcmp(hw_state_name((enum hw_state)i), name) == 0)
            return (enum hw_state)i;
    return HW_RUNNING;
}

static void do_publish(json_t *c)
{
    struct hw_progress p = {
        .n = number(c, "n"),
        .m = json_object_get(c, "m") ? number(c, "m") : 100,
        .counted = !json_is_false(json_object_get(c, "counted")),
        .state = state_of(text(c, "state")),
        .fraction = -1,
        .rate = -1,
        .eta = -1,
    };
    p.count = (struct hw_count){ .done = p.n, .total = p.m };
    bool last = json_is_true(json_object_get(c, "last"));
    if (probe.annotation)
        probe.annotation->ops->publish(probe.annotation, &p, last);
    if (probe.status)
        probe.status->ops->publish(probe.status, &p, last);
}

static void do_newer(json_t *c)
{
    probe.newer = c;
}

static void do_busy(json_t *c)
{
    (void)c;
    bool a = probe.annotation && probe.annotation->ops->is_busy(probe.annotation);
    bool s = probe.status && probe.status->ops->is_busy(probe.status);
    print_event("is", json_pack("{s:b, s:b}", "annotation", a, "status", s));
}

static void do_sh(json_t *c)
{
    if (system(text(c, "run")) != 0)
        print_event("is", json_pack("{s:s}", "error", "sh failed"));
}

static void do_in_callback(json_t *c)
{
    probe.in_fn = text(c, "act"); /* the script lives until the end */
    probe.in_kind = text(c, "when");
}

static void do_free(json_t *c)
{
    (void)c;
    probe.in_fn = "free";
    probe.in_kind = NULL;
    act_in_callback("end");
}

static void do_free_sinks(json_t *c)
{
    (void)c;
    free_sinks();
}

static void on_tick(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
    uv_stop(timer->loop);
}

static void do_wait(json_t *c)
{
    const char *kind = text(c, "for");
    int count = json_object_get(c, "count") ? (int)number(c, "count") : 1;
    bool over = false;
    uv_timer_t timer;
    uv_timer_init(&probe.loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_tick, json_object_get(c, "ms") ? (uint64_t)number(c, "ms") : 10000, 0);
    bool came = false;
    while (!over && !(came = kind && take_events(kind, count)))
        uv_run(&probe.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&probe.loop, UV_RUN_NOWAIT);
    if (kind && !came)
        print_event("timeout", json_pack("{s:s}", "for", kind));
}

static void count_handle(uv_handle_t *handle, void *ctx)
{
    if (uv_is_active(handle))
        ++*(int *)ctx;
}

/* What would wake the process now: active handles of the loop. */
static void do_idle(json_t *c)
{
    int active = 0;
    struct timespec cpu;
    (void)c;
    uv_walk(&probe.loop, count_handle, &active);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    print_event("is",
                json_pack("{s:i, s:I}", "active", active, "switches", (json_int_t)use.ru_nvcsw));
}

static const struct {
    const char *name;
    void (*run)(json_t *c);
} commands[] = {
    { "classify", do_classify },
    { "retry_after", do_retry_after },
    { "backoff", do_backoff },
    { "path", do_path },
    { "check", do_check },
    { "target", do_target },
    { "credential", do_credential },
    { "base64", do_base64 },
    { "owner", do_owner },
    { "config", do_config },
    { "open", do_open },
    { "send", do_send },
    { "cancel", do_cancel },
    { "watch", do_watch },
    { "counts", do_counts },
    { "annotation", do_annotation },
    { "status", do_status },
    { "publish", do_publish },
    { "newer", do_newer },
    { "busy", do_busy },
    { "sh", do_sh },
    { "wait", do_wait },
    { "idle", do_idle },
    { "in_callback", do_in_callback },
    { "free", do_free },
    { "free sinks", do_free_sinks },
};

static int run(json_t *c)
{
    const char *name = text(c, "do");
    for (size_t i = 0; name && i < HW_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0) {
            commands[i].run(c);
            return 0;
        }
    fprintf(stderr, "kube_probe: no command '%s'\n", name ? name : "?");
    return -1;
}

int main(void)
{
    hw_auto_json script = json_array();
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    while ((len = getline(&line, &size, stdin)) > 0) {
        json_t *c = json_loadb(line, (size_t)len, 0, NULL);
        if (!c)
            fprintf(stderr, "kube_probe: not JSON: %s", line);
        json_array_append_new(script, c ? c : json_object());
    }
    free(line);
    uv_loop_init(&probe.loop);
    hw_log_redirect(on_log, NULL);
    size_t i;
    json_t *c;
    int st = 0;
    json_array_foreach(script, i, c) {
        st |= run(c);
    }
    do_free(NULL);
    while (uv_run(&probe.loop, UV_RUN_DEFAULT))
        continue;
    int left = uv_loop_close(&probe.loop);
    print_event("end", json_pack("{s:b}", "clean", left == 0));
    for (i = 0; i < KINDS_MAX; i++)
        free((char *)(uintptr_t)probe.kinds[i].kind);
    return st ? 2 : left ? 1 : 0;
}
