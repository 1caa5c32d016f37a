/* fuzz_hub.c - any lines as what watches of the hub say: "<watch><verb><kind> <object>". Whatever comes, each view is a valid N/M
 * in clean text, and when all is said to be gone nothing is left. */
#include "base/clock.h"
#include "base/json.h"
#include "fuzz.h"
#include "hub/model.h"
#include "progress/detail.h"

enum { LINES_MAX = 64 };

struct world {
    struct hw_hub_model *model;
    struct hw_hub_kinds kinds;
    int operations;
};

static void check_view(struct hw_hub_operation *op)
{
    struct hw_progress p;
    char line[HW_LINE_MAX];
    fuzz_check(op->name && op->namespace && op->uid && op->version, "an operation without a name",
               NULL);
    if (!hw_hub_view(op, 1767225600000, &p))
        return;
    fuzz_check(p.n >= 0 && p.n <= p.m, "no N/M", op->name);
    fuzz_check(op->over != HW_HUB_COMPLETE || (p.n == p.m && p.state == HW_COMPLETE),
               "complete, but not all", op->name);
    fuzz_check(op->over != HW_HUB_GOES_ON || (p.state != HW_COMPLETE && p.state != HW_FAILED),
               "over before its end", op->name);
    hw_progress_line(&p, 1767225600000, line, sizeof line);
    fuzz_check_clean(line, "the line is not clean");
    hw_hub_need(op, &p);
}

static void on_changed(void *ctx, struct hw_hub_operation *op)
{
    (void)ctx;
    check_view(op);
}

static void on_forgotten(void *ctx, struct hw_hub_operation *op)
{
    (void)ctx;
    fuzz_check(op->name != NULL, "forgotten without a name", NULL);
}

static void each(void *ctx, struct hw_hub_operation *op)
{
    struct world *w = ctx;
    w->operations++;
    check_view(op);
}

static void say(struct world *w, struct hw_str line)
{
    if (line.len < 4 || line.ptr[0] < '0' || line.ptr[0] > '9')
        return;
    int watch = line.ptr[0] - '0', kind = (unsigned char)line.ptr[2] % w->kinds.count;
    hw_auto_json object =
        json_loadb(line.ptr + 3, line.len - 3, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    if (line.ptr[1] == 'l')
        hw_hub_model_listing(w->model, watch);
    else if (line.ptr[1] == 'L')
        hw_hub_model_listed(w->model, watch);
    else if (line.ptr[1] == '-')
        hw_hub_model_gone(w->model, watch, object);
    else
        hw_hub_model_object(w->model, watch, &w->kinds.list[kind], object);
}

static void say_all(struct world *w, const uint8_t *data, size_t size)
{
    struct hw_str rest = { (const char *)data, size };
    for (int i = 0; i < LINES_MAX && rest.len; i++) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t n = end ? (size_t)(end - rest.ptr) : rest.len;
        say(w, (struct hw_str){ rest.ptr, n });
        n += end != NULL;
        rest = (struct hw_str){ rest.ptr + n, rest.len - n };
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = { .operations = 0 };
    struct hw_clock clock = { .virtual_time = 1, .unix_ms = 1767225600000 };
    struct hw_hub_model_events events = { .changed = on_changed, .forgotten = on_forgotten };
    if (size > 65536)
        return 0;
    hw_hub_kinds_init(&w.kinds, true);
    fuzz_check(hw_hub_kinds_add(&w.kinds, "copies.v1.example.org", "kind=Copy pods=a value=infos",
                                NULL) == 0,
               "no kind", NULL);
    w.model = hw_hub_model_new(&w.kinds, &clock, &events);
    say_all(&w, data, size);
    hw_hub_model_each(w.model, each, &w);
    fuzz_check(w.operations == hw_hub_model_counts(w.model).operations, "operations are miscounted",
               NULL);
    for (int watch = 0; watch < 10; watch++) {
        hw_hub_model_listing(w.model, watch);
        hw_hub_model_listed(w.model, watch);
    }
    struct hw_hub_model_counts left = hw_hub_model_counts(w.model);
    fuzz_check(!left.objects && !left.tasks && !left.operations, "something is left", NULL);
    hw_hub_model_free(w.model);
    hw_hub_kinds_done(&w.kinds);
    return 0;
}
