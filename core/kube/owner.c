#include "kube/owner.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { STEPS_MAX = 4 };

struct hw_kube_owner {
    struct hw_kube_target
        next; /* what the last reference points to; kind NULL = it points to nothing of ours */
    int steps;
    char why[300]; /* filled: there is none */
};

void hw_kube_target_done(struct hw_kube_target *t)
{
    free(t->version);
    free(t->namespace);
    free(t->name);
    free(t->uid);
    *t = (struct hw_kube_target){ 0 };
}

struct hw_kube_object hw_kube_target_object(const struct hw_kube_target *t, const char *subresource)
{
    return (struct hw_kube_object){
        .group = t->kind->group,
        .version = t->version,
        .resource = t->kind->resource,
        .namespace = t->namespace,
        .name = t->name,
        .subresource = subresource,
    };
}

static int bad_target(const char *text, const char *why, struct hw_err *err)
{
    char clean[81];
    hw_clean_text(clean, sizeof clean - 1, hw_str(text));
    return hw_fail(err, HW_ECONFIG, "operation '%s': %s", clean, why);
}

/* "dataprocess" or "dataprocesses.data.fluid.io" */
static const struct hw_kube_kind *find_operation(char *word)
{
    char *dot = strchr(word, '.');
    if (dot)
        *dot = '\0';
    const struct hw_kube_kind *kind = hw_kube_kind_find(word, dot ? dot + 1 : NULL);
    return kind && kind->operation ? kind : NULL;
}

int hw_kube_target_parse(const char *text, const char *namespace, struct hw_kube_target *ret,
                         struct hw_err *err)
{
    hw_auto_free char *copy = hw_xstrdup(text);
    char *part[3] = { NULL }, *save = NULL;
    int n = 0;
    for (char *p = strtok_r(copy, "/", &save); p; p = strtok_r(NULL, "/", &save)) {
        if (n == 3)
            return bad_target(text, "expected kind/name or namespace/kind/name", err);
        part[n++] = p;
    }
    if (n < 2)
        return bad_target(text, "expected kind/name or namespace/kind/name", err);
    const struct hw_kube_kind *kind = find_operation(part[n - 2]);
    if (!kind)
        return bad_target(text, "expected a dataprocess, dataload, datamigrate or databackup", err);
    if (n == 3)
    namespace = part[0];
    if (hw_kube_check_label("namespace", namespace, err) < 0 ||
        hw_kube_check_name("operation", part[n - 1], err) < 0)
        return -1;
    *ret = (struct hw_kube_target){
        .kind = kind,
        .version = hw_xstrdup(kind->version),
        .namespace = hw_xstrdup(namespace),
        .name = hw_xstrdup(part[n - 1]),
    };
    return 0;
}

json_t *hw_kube_controller_of(json_t *object)
{
    size_t i;
    json_t *ref;
    json_array_foreach(hw_json_at(object, "metadata", "ownerReferences", NULL), i, ref) {
        if (json_is_true(json_object_get(ref, "controller")))
            return ref;
    }
    return NULL;
}

HW_PRINTF(2, 3) static void end_search(struct hw_kube_owner *o, const char *fmt, ...)
{
    char raw[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    hw_clean_text(o->why, sizeof o->why - 1, hw_str(raw));
}

/* All of it comes to stand in a path. */
static bool is_whole(const char *namespace, const char *name, const char *version, const char *uid)
{
    return namespace && hw_kube_check_label("namespace", namespace, NULL) == 0 && name && uid &&
           version[0] && hw_kube_check_name("owner", name, NULL) == 0 &&
           hw_kube_check_label("version", version, NULL) == 0 &&
           hw_kube_check_uid("uid", uid, NULL) == 0;
}

/* From an object to what its controller reference names. */
static void follow(struct hw_kube_owner *o, json_t *object)
{
    json_t *ref = hw_kube_controller_of(object);
    const char *from = hw_json_text(object, "metadata", "name", NULL);
    const char *namespace = hw_json_text(object, "metadata", "namespace", NULL);
    const char *api = hw_json_text(ref, "apiVersion", NULL), *kind = hw_json_text(ref, "kind", NULL);
    const char *name = hw_json_text(ref, "name", NULL), *uid = hw_json_text(ref, "uid", NULL);
    hw_kube_target_done(&o->next);
    if (!ref || !api || !kind) {
        end_search(o, "'%s' has no controller; name the operation with status.operation",
                   from ? from : "?");
        return;
    }
    const char *slash = strchr(api, '/'), *version = slash ? slash + 1 : api;
    hw_auto_free char *group = hw_xstrndup(api, slash ? (size_t)(slash - api) : 0);
    const struct hw_kube_kind *known = hw_kube_kind_find(kind, group);
    if (!known || strcmp(known->resource, "pods") == 0)
        end_search(
            o, "'%s' belongs to %s '%s', which is no data operation; name it with status.operation",
            from ? from : "?", kind, name ? name : "?");
    else if (!is_whole(namespace, name, version, uid))
        end_search(o, "'%s' has an owner reference that can't be followed", from ? from : "?");
    else
        o->next = (struct hw_kube_target){
            .kind = known,
            .version = hw_xstrdup(version),
            .namespace = hw_xstrdup(namespace),
            .name = hw_xstrdup(name),
            .uid = hw_xstrdup(uid),
        };
}

struct hw_kube_owner *hw_kube_owner_new(json_t *pod)
{
    struct hw_kube_owner *o = hw_xzalloc(sizeof *o);
    o->steps = 1;
    follow(o, pod);
    return o;
}

void hw_kube_owner_free(struct hw_kube_owner *o)
{
    if (!o)
        return;
    hw_kube_target_done(&o->next);
    free(o);
}

enum hw_kube_step hw_kube_owner_step(struct hw_kube_owner *o, struct hw_kube_request *ret,
                                     struct hw_err *err)
{
    if (o->why[0] || !o->next.kind) {
        hw_fail(err, HW_EKUBE, "no operation: %s", o->why);
        return HW_KUBE_NONE;
    }
    if (o->next.kind->operation)
        return HW_KUBE_FOUND;
    *ret = (struct hw_kube_request){
        .verb = HW_KUBE_GET,
        .object = hw_kube_target_object(&o->next, NULL),
        .metadata_only = true,
    };
    return HW_KUBE_ASK;
}

void hw_kube_owner_answer(struct hw_kube_owner *o, json_t *body)
{
    const char *uid = hw_json_text(body, "metadata", "uid", NULL);
    if (!hw_streq(uid, o->next.uid))
        end_search(o, "%s '%s' was made anew, its uid is another", o->next.kind->kind, o->next.name);
    else if (++o->steps > STEPS_MAX)
        end_search(o, "more than %d owners above each other", STEPS_MAX);
    else
        follow(o, body);
}

struct hw_kube_target hw_kube_owner_take(struct hw_kube_owner *o)
{
    struct hw_kube_target t = o->next;
    o->next = (struct hw_kube_target){ 0 };
    return t;
}
