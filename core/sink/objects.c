#include "sink/objects.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "progress/detail.h"
#include "progress/nm.h"
#include "sink/annotation.h"
#include "yaml/convert.h"

void hw_objects_done(struct hw_objects *o)
{
    json_decref(o->pod);
    json_decref(o->operation);
    o->pod = o->operation = NULL;
}

json_t *hw_objects_bare_pod(const char *namespace, const char *name)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "v1", "kind", "Pod", "metadata",
                     "name", name, "namespace", namespace);
}

/* The object under key, made when it is missing. Borrowed. */
static json_t *child(json_t *parent, const char *key)
{
    json_t *found = json_object_get(parent, key);
    if (json_is_object(found))
        return found;
    json_object_set_new(parent, key, json_object());
    return json_object_get(parent, key);
}

static void set_text(json_t *o, const char *key, const char *text)
{
    json_object_set_new(o, key, json_string(text));
}

static void set_time(json_t *o, const char *key, int64_t unix_ms)
{
    char text[21];
    hw_format_time(unix_ms, text);
    set_text(o, key, text);
}

/* As Go prints a duration of whole seconds, which is what Fluid stores: "1h0m5s". */
static void go_duration(int64_t ms, char *buf, size_t size)
{
    int64_t s = (ms + 500) / 1000;
    if (s >= 3600)
        snprintf(buf, size, "%" PRId64 "h%" PRId64 "m%" PRId64 "s", s / 3600, s / 60 % 60, s % 60);
    else if (s >= 60)
        snprintf(buf, size, "%" PRId64 "m%" PRId64 "s", s / 60, s % 60);
    else
        snprintf(buf, size, "%" PRId64 "s", s);
}

static void apply_condition(json_t *status, const char *phase, const struct hw_progress *p,
                            int64_t unix_ms)
{
    json_t *list = json_array(), *one = json_object();
    set_text(one, "type", phase);
    set_text(one, "status", "True");
    set_time(one, "lastProbeTime", unix_ms);
    set_time(one, "lastTransitionTime", unix_ms);
    if (p->reason[0])
        set_text(one, "message", p->reason);
    json_array_append_new(list, one);
    json_object_set_new(status, "conditions", list);
}

static void apply_status(struct hw_objects *o, const char *nm, const struct hw_progress *p,
                         int64_t unix_ms)
{
    bool over = p->state == HW_COMPLETE || p->state == HW_FAILED;
    const char *phase = p->state == HW_COMPLETE ? "Complete" : over ? "Failed" : "Executing";
    char text[HW_LINE_MAX] = "Unfinished"; /* Fluid's own word while it runs */
    json_t *status = child(o->operation, "status");
    set_text(status, "phase", phase);
    if (over) {
        go_duration(unix_ms - o->begun_ms, text, sizeof text);
        apply_condition(status, phase, p, unix_ms);
    }
    set_text(status, "duration", text);
    json_t *infos = child(status, "infos");
    set_text(infos, "progress", nm);
    hw_progress_line(p, unix_ms, text, sizeof text);
    set_text(infos, "progressMessage", text);
    set_time(infos, "progressUpdated", p->updated ? p->updated : o->begun_ms);
}

void hw_objects_apply(struct hw_objects *o, const struct hw_progress *p, int64_t unix_ms)
{
    char nm[HW_NM_SIZE];
    hw_nm_format(p->n, p->m, nm);
    hw_auto_free char *detail = hw_detail_json(p, o->by);
    json_t *annotations = child(child(o->pod, "metadata"), "annotations");
    set_text(annotations, HW_ANNOTATION, nm);
    set_text(annotations, HW_ANNOTATION_DETAIL, detail);
    if (o->operation)
        apply_status(o, nm, p, unix_ms);
}

int hw_objects_yaml(const struct hw_objects *o, struct hw_buf *ret, struct hw_err *err)
{
    if (o->operation &&
        (hw_yaml_dump(o->operation, ret, err) < 0 || hw_buf_add(ret, "---\n", 4, err) < 0))
        return -1;
    return hw_yaml_dump(o->pod, ret, err);
}
