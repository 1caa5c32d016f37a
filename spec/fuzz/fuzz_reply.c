/* fuzz_reply.c - any bytes as an answer of the API server: its judgement, its explanation, and the search for the owner
 * in it. The first two bytes give the status and the verb. */
#include "base/json.h"
#include "fuzz.h"
#include "kube/owner.h"
#include "kube/reply.h"

static const int statuses[] = { 0,   100, 200, 201, 204, 302, 400, 401, 403, 404, 405, 408,
                                409, 410, 413, 422, 429, 499, 500, 503, 599, 600, -1 };

static bool is_word_of_server(json_t *body)
{
    const char *message = hw_json_text(body, "message", NULL);
    return hw_streq(hw_json_text(body, "kind", NULL), "Status") && message && message[0];
}

/* What must hold whatever the server says; only its own words may end a sink for good. */
static void check_outcome(int status, json_t *body, enum hw_kube_outcome outcome)
{
    bool good = status >= 200 && status < 300, answer = status >= 200 && status < 600;
    fuzz_check((outcome == HW_KUBE_OK) == (good && json_is_object(body)), "ok", NULL);
    fuzz_check(outcome != HW_KUBE_NETWORK && outcome != HW_KUBE_LOCAL, "no answer", NULL);
    fuzz_check(outcome != HW_KUBE_NOT_FOUND || (status == 404 && is_word_of_server(body)),
               "not found", NULL);
    fuzz_check(outcome != HW_KUBE_GONE || json_is_object(body), "gone", NULL);
    fuzz_check(outcome != HW_KUBE_UNAUTHORIZED || status == 401, "unauthorized", NULL);
    fuzz_check((outcome == HW_KUBE_THROTTLED) == (status == 429), "throttled", NULL);
    fuzz_check((status >= 500 && status < 600) || status == 408 || outcome != HW_KUBE_SERVER,
               "server", NULL);
    fuzz_check(answer || outcome == HW_KUBE_ODD, "no status of an answer", NULL);
}

static void check_explanation(enum hw_kube_verb verb, int status, enum hw_kube_outcome outcome,
                              json_t *body, const char *cause)
{
    static const struct hw_kube_object object = { "data.fluid.io", "v1alpha1",
                                                  "dataprocesses", "ns",
                                                  "name",          "status" };
    struct hw_err err = { .code = HW_ELUA, .msg = "old" };
    int st = hw_kube_explain(verb, &object, status, outcome, body, cause, &err);
    fuzz_check((st == 0) == (outcome == HW_KUBE_OK), "explained", err.msg);
    if (st == 0) {
        fuzz_check(err.code == HW_OK, "an error of an answer that is fine", err.msg);
        return;
    }
    fuzz_check_err(&err);
    hw_auto_free char *head =
        hw_xasprintf("%s dataprocesses/status 'ns/name': ", hw_kube_verb_name(verb));
    fuzz_check(strncmp(err.msg, head, strlen(head)) == 0 && err.msg[strlen(head)], "explained",
               err.msg);
}

static void check_target(const struct hw_kube_target *t)
{
    struct hw_err err = { 0 };
    fuzz_check(t->kind && t->kind->operation, "no operation", t->name);
    fuzz_check(hw_kube_check_label("x", t->namespace, &err) == 0, "namespace", t->namespace);
    fuzz_check(hw_kube_check_name("x", t->name, &err) == 0, "name", t->name);
    fuzz_check(hw_kube_check_uid("x", t->uid, &err) == 0, "uid", t->uid);
    struct hw_kube_object o = hw_kube_target_object(t, "status");
    hw_auto_free char *path = hw_kube_path(&o, &err);
    fuzz_check(path != NULL, err.msg, t->version);
}

/* The pod first, then an answer to each question: the items of the body in turn, or the body itself. */
static void check_search(json_t *body)
{
    json_t *items = json_object_get(body, "items");
    struct hw_err err = { 0 };
    struct hw_kube_request ask;
    enum hw_kube_step step;
    size_t asked = 0;
    struct hw_kube_owner *o = hw_kube_owner_new(items ? json_array_get(items, 0) : body);
    while ((step = hw_kube_owner_step(o, &ask, &err)) == HW_KUBE_ASK) {
        hw_auto_free char *path = hw_kube_path(&ask.object, &err);
        fuzz_check(path != NULL && ask.object.name, "a question without a path", err.msg);
        fuzz_check(++asked <= 4, "asks on and on", path);
        hw_kube_owner_answer(o, items ? json_array_get(items, asked) : body);
    }
    if (step == HW_KUBE_NONE)
        fuzz_check_err(&err);
    else {
        struct hw_kube_target t = hw_kube_owner_take(o);
        check_target(&t);
        hw_kube_target_done(&t);
    }
    hw_kube_owner_free(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 16384)
        return 0;
    int status = statuses[data[0] % HW_LEN(statuses)];
    enum hw_kube_verb verb = (enum hw_kube_verb)(data[1] % (HW_KUBE_DELETE + 1));
    hw_auto_json body = hw_kube_parse((struct hw_str){ (const char *)data + 2, size - 2 });
    hw_auto_free char *text = fuzz_text(data + 2, size - 2);
    enum hw_kube_outcome outcome = hw_kube_classify(status, body);
    check_outcome(status, body, outcome);
    check_explanation(verb, status, outcome, body, NULL);
    check_explanation(verb, 0, data[0] & 1 ? HW_KUBE_NETWORK : HW_KUBE_LOCAL, NULL, text);
    check_search(body);
    return 0;
}
