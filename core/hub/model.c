#include "hub/model.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "hub/tree.h"
#include "kube/object.h"
#include "kube/owner.h"
#include "progress/detail_read.h"
#include "progress/nm.h"
#include "sink/annotation.h"

enum { VERSION_MAX = 128 };

#define INDEX_KEY "batch.kubernetes.io/job-completion-index"

/* What identifies an object, checked: all of it comes to stand in paths. Borrows from the object. */
struct identity {
    const char *namespace, *name, *uid, *version;
    int64_t created;
};

static bool identify(struct hw_hub_model *m, json_t *object, struct identity *ret)
{
    json_t *meta = json_object_get(object, "metadata");
    const char *created = hw_json_text(meta, "creationTimestamp", NULL);
    struct identity i = { .namespace = hw_json_text(meta, "namespace", NULL),
                          .name = hw_json_text(meta, "name", NULL),
                          .uid = hw_json_text(meta, "uid", NULL),
                          .version = hw_json_text(meta, "resourceVersion", NULL) };
    if (created && hw_parse_time(created, &i.created, NULL) < 0)
        i.created = 0;
    bool fine = i.namespace && i.name && i.uid && i.version && i.version[0] &&
                strlen(i.version) <= VERSION_MAX &&
                hw_kube_check_label("namespace", i.namespace, NULL) == 0 &&
                hw_kube_check_name("name", i.name, NULL) == 0 &&
                hw_kube_check_uid("uid", i.uid, NULL) == 0;
    m->counts.refused += !fine;
    *ret = i;
    return fine;
}

/* ---- owners ---- */

static const struct hw_hub_kind *kind_of_ref(struct hw_hub_model *m, json_t *ref)
{
    const char *api = hw_json_text(ref, "apiVersion", NULL), *kind = hw_json_text(ref, "kind", NULL);
    if (!api || !kind)
        return NULL;
    const char *slash = strchr(api, '/');
    hw_auto_free char *group = hw_xstrndup(api, slash ? (size_t)(slash - api) : 0);
    const struct hw_hub_kind *k = hw_hub_kinds_find(m->kinds, group, kind);
    return k && !k->task ? k : NULL;
}

/* The owner's node, made when it was not seen yet; NULL when it is none of ours. Owners live in the same namespace. */
static struct hw_hub_node *owner_node(struct hw_hub_model *m, json_t *object, const char *namespace)
{
    json_t *ref = hw_kube_controller_of(object);
    const struct hw_hub_kind *kind = kind_of_ref(m, ref);
    const char *uid = hw_json_text(ref, "uid", NULL);
    if (!kind || !uid || hw_kube_check_uid("uid", uid, NULL) < 0)
        return NULL;
    return hw_hub_owner_place(m, kind, namespace, uid);
}

static struct hw_hub_node *by_suffix(struct hw_hub_model *m, const struct hw_hub_kind *kind,
                                     const struct identity *pod)
{
    size_t len = strlen(pod->name), tail = strlen(kind->pod_suffix);
    if (len <= tail || strcmp(pod->name + len - tail, kind->pod_suffix) != 0)
        return NULL;
    hw_auto_free char *name = hw_xstrndup(pod->name, len - tail);
    return hw_hub_named_place(m, kind, pod->namespace, name);
}

/* A pod's place in the tree. */
static struct hw_hub_node *place_of_pod(struct hw_hub_model *m, json_t *object,
                                        const struct identity *pod)
{
    bool owned = hw_kube_controller_of(object) != NULL;
    struct hw_hub_node *n = owner_node(m, object, pod->namespace);
    for (int i = 0; !n && i < m->kinds->count; i++) {
        const struct hw_hub_kind *kind = &m->kinds->list[i];
        const char *label = kind->pod_label
                                ? hw_json_text(object, "metadata", "labels", kind->pod_label, NULL)
                                : NULL;
        if (label)
            n = hw_hub_named_place(m, kind, pod->namespace, label);
        else if (kind->pod_suffix && !owned)
            n = by_suffix(m, kind, pod);
    }
    return n;
}

/* ---- tasks ---- */

static uint64_t hash_text(uint64_t h, const char *text)
{
    for (; text && *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

/* True when the pod says something new, and it is valid. */
static bool take_value(struct hw_hub_model *m, struct hw_hub_node *n, const char *nm,
                       const char *detail)
{
    struct hw_progress p;
    int64_t now = hw_wall_ms(m->clock);
    uint64_t said = hash_text(hash_text(m->nodes.seed, nm), detail);
    if (n->said == said)
        return false;
    n->said = said;
    if (hw_detail_read(nm, detail, now, &p, NULL) < 0) {
        m->counts.refused++;
        return false;
    }
    if (!p.updated)
        p.updated = now;
    m->counts.tasks += n->value == NULL;
    hw_hub_value_free(n->value);
    n->value = hw_hub_value_new(&p);
    return true;
}

static int index_of(json_t *object)
{
    const char *text = hw_json_text(object, "metadata", "annotations", INDEX_KEY, NULL);
    struct hw_nm nm;
    char pair[32];
    if (!text || snprintf(pair, sizeof pair, "%s/%d", text, HW_HUB_SLOTS_MAX) >= (int)sizeof pair ||
        hw_nm_parse(hw_str(pair), &nm, NULL) < 0)
        return -1;
    return (int)nm.done;
}

static void see(struct hw_hub_model *m, struct hw_hub_node *n, int watch,
                const struct hw_hub_kind *kind, const struct identity *i)
{
    n->seen = true;
    n->kind = kind;
    n->watch = (unsigned char)watch;
    n->generation = m->generation[watch];
    n->created = i->created;
    if (!n->name)
        n->name = hw_xstrdup(i->name);
}

/* A pod that never reported is of no interest. */
static void take_pod(struct hw_hub_model *m, int watch, const struct hw_hub_kind *kind,
                     json_t *object, const struct identity *i)
{
    json_t *annotations = hw_json_at(object, "metadata", "annotations", NULL);
    const char *nm = hw_json_text(annotations, HW_ANNOTATION, NULL);
    struct hw_hub_node *n = hw_hub_find_node(m, i->uid);
    if (!n && !nm)
        return;
    n = hw_hub_obtain(m, n, kind, i->namespace, i->uid);
    n->index = index_of(object);
    see(m, n, watch, kind, i);
    hw_hub_move_below(m, n, place_of_pod(m, object, i));
    if (nm && take_value(m, n, nm, hw_json_text(annotations, HW_ANNOTATION_DETAIL, NULL)))
        hw_hub_touch(m, n);
}

/* ---- operations and what is between ---- */

static void take_operation(struct hw_hub_model *m, struct hw_hub_node *n, json_t *object,
                           const struct identity *i)
{
    if (!n->op) {
        n->op = hw_xzalloc(sizeof *n->op);
        m->counts.operations++;
    }
    struct hw_hub_operation *op = n->op;
    op->node = n;
    op->kind = n->kind;
    op->namespace = hw_hub_namespace(n);
    op->name = n->name;
    op->uid = n->by_uid.key;
    if (!hw_streq(op->version, i->version)) {
        free(op->version);
        op->version = hw_xstrdup(i->version);
    }
    hw_hub_read_operation(op, object);
}

static void take_other(struct hw_hub_model *m, int watch, const struct hw_hub_kind *kind,
                       json_t *object, const struct identity *i)
{
    struct hw_hub_node *n =
        hw_hub_obtain(m, hw_hub_find_node(m, i->uid), kind, i->namespace, i->uid);
    see(m, n, watch, kind, i);
    hw_hub_settle_name(m, n, i->name);
    hw_hub_move_below(m, n, owner_node(m, object, i->namespace));
    if (kind->job)
        hw_hub_read_job(n, object);
    if (kind->operation)
        take_operation(m, n, object, i);
    hw_hub_touch(m, n);
}

/* ---- what the watches say ---- */

void hw_hub_model_object(struct hw_hub_model *m, int watch, const struct hw_hub_kind *kind,
                         json_t *object)
{
    struct identity i;
    if (!identify(m, object, &i))
        return;
    if (kind->task)
        take_pod(m, watch, kind, object, &i);
    else
        take_other(m, watch, kind, object, &i);
}

void hw_hub_model_gone(struct hw_hub_model *m, int watch, json_t *object)
{
    const char *uid = hw_json_text(object, "metadata", "uid", NULL);
    struct hw_hub_node *n = uid ? hw_hub_find_node(m, uid) : NULL;
    if (n && n->seen && n->watch == watch)
        hw_hub_lose(m, n);
}

void hw_hub_model_listing(struct hw_hub_model *m, int watch)
{
    m->generation[watch]++;
}

/* In two passes: losing one may free another. */
void hw_hub_model_listed(struct hw_hub_model *m, int watch)
{
    size_t count = 0;
    char **uids = hw_xcalloc(m->nodes.count + 1, sizeof *uids);
    for (size_t i = 0; i < m->nodes.size; i++)
        for (struct hw_entry *e = m->nodes.slots[i]; e; e = e->next) {
            struct hw_hub_node *n = hw_hub_node_of(e);
            if (n->seen && n->watch == watch && n->generation != m->generation[watch])
                uids[count++] = hw_xstrdup(e->key);
        }
    for (size_t i = 0; i < count; i++) {
        struct hw_hub_node *n = hw_hub_find_node(m, uids[i]);
        if (n && n->seen)
            hw_hub_lose(m, n);
        free(uids[i]);
    }
    free(uids);
}

struct hw_hub_model_counts hw_hub_model_counts(const struct hw_hub_model *m)
{
    return m->counts;
}

struct hw_hub_operation *hw_hub_model_find(const struct hw_hub_model *m, const char *uid)
{
    struct hw_hub_node *n = hw_hub_find_node(m, uid);
    return n && n->seen ? n->op : NULL;
}

void hw_hub_model_each(struct hw_hub_model *m, void (*fn)(void *ctx, struct hw_hub_operation *op),
                       void *ctx)
{
    for (size_t i = 0; i < m->nodes.size; i++)
        for (struct hw_entry *e = m->nodes.slots[i]; e; e = e->next)
            if (hw_hub_node_of(e)->op)
                fn(ctx, hw_hub_node_of(e)->op);
}

/* ---- life ---- */

struct hw_hub_model *hw_hub_model_new(const struct hw_hub_kinds *kinds, const struct hw_clock *clock,
                                      const struct hw_hub_model_events *events)
{
    struct hw_hub_model *m = hw_xzalloc(sizeof *m);
    m->kinds = kinds;
    m->clock = clock;
    m->events = *events;
    hw_hub_tree_init(m);
    return m;
}

void hw_hub_model_free(struct hw_hub_model *m)
{
    if (!m)
        return;
    hw_hub_tree_done(m);
    free(m);
}
