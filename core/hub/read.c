/* From an object to what the model keeps of it. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "hub/tree.h"
#include "progress/detail_read.h"
#include "sink/annotation.h"

static enum hw_state state_of_line(const char *line)
{
    for (int s = HW_WAITING; line && s <= HW_FAILED; s++) {
        const char *name = hw_state_name((enum hw_state)s);
        size_t n = strlen(name);
        if (s != HW_RUNNING && strncmp(line, name, n) == 0 && (!line[n] || strchr(" ,:", line[n])))
            return (enum hw_state)s;
    }
    return HW_RUNNING;
}

static void take_held(struct hw_hub_operation *op, json_t *object)
{
    bool infos = op->kind->target == HW_HUB_INFOS;
    json_t *at = infos ? hw_json_at(object, "status", "infos", NULL)
                       : hw_json_at(object, "metadata", "annotations", NULL);
    const char *nm = hw_json_text(at, infos ? "progress" : HW_ANNOTATION, NULL);
    struct hw_progress p;
    op->held.any = nm && hw_detail_read(nm, hw_json_text(at, HW_ANNOTATION_DETAIL, NULL), INT64_MAX,
                                        &p, NULL) == 0;
    if (!op->held.any)
        return;
    op->held.n = p.n;
    op->held.m = p.m;
    op->held.state = infos ? state_of_line(hw_json_text(at, "progressMessage", NULL)) : p.state;
}

static void take_failure(struct hw_hub_operation *op, json_t *condition)
{
    char raw[600], clean[HW_TEXT_MAX + 1];
    const char *reason = hw_json_text(condition, "reason", NULL);
    const char *message = hw_json_text(condition, "message", NULL);
    snprintf(raw, sizeof raw, "%.150s%s%.400s", reason ? reason : "", reason && message ? ": " : "",
             message ? message : "");
    hw_clean_private(clean, HW_TEXT_MAX, hw_str(raw));
    free(op->failure);
    op->failure = clean[0] ? hw_xstrdup(clean) : NULL;
}

/* The last condition of that type that is true. */
static json_t *find_condition(json_t *object, const char *type)
{
    size_t i;
    json_t *one, *found = NULL;
    json_array_foreach(hw_json_at(object, "status", "conditions", NULL), i, one) {
        const char *status = hw_json_text(one, "status", NULL);
        if (hw_streq(hw_json_text(one, "type", NULL), type) && hw_streq(status, "True"))
            found = one;
    }
    return found;
}

static void take_outcome(struct hw_hub_operation *op, json_t *object)
{
    json_t *failed = find_condition(object, "Failed");
    op->over = HW_HUB_GOES_ON;
    if (op->kind->proof == HW_HUB_PHASE) {
        const char *phase = hw_json_text(object, "status", "phase", NULL);
        op->over = hw_streq(phase, "Complete") ? HW_HUB_COMPLETE
                   : hw_streq(phase, "Failed") ? HW_HUB_FAILED
                                               : HW_HUB_GOES_ON;
    } else if (failed) {
        op->over = HW_HUB_FAILED;
    } else if (find_condition(object, "Complete") || find_condition(object, "Succeeded")) {
        op->over = HW_HUB_COMPLETE;
    }
    if (op->over == HW_HUB_FAILED)
        take_failure(op, failed);
}

void hw_hub_read_operation(struct hw_hub_operation *op, json_t *object)
{
    take_held(op, object);
    take_outcome(op, object);
}

static int read_slots(json_t *spec, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(spec, key));
    return n > 0 && n <= HW_HUB_SLOTS_MAX ? (int)n : 0;
}

void hw_hub_read_job(struct hw_hub_node *n, json_t *object)
{
    json_t *spec = json_object_get(object, "spec");
    int completions = read_slots(spec, "completions");
    n->slots = completions ? completions : read_slots(spec, "parallelism");
    n->indexed = hw_streq(hw_json_text(spec, "completionMode", NULL), "Indexed");
}
