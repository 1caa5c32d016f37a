#include "hub/model.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "hub/node.h"
#include "kube/backoff.h"
#include "kube/object.h"
#include "progress/detail_read.h"
#include "progress/nm.h"
#include "sink/annotation.h"

enum { DEPTH_MAX = 6 /* of owners above each other */, VERSION_MAX = 128, SLOTS_MAX = 100000 };

#define INDEX_KEY "batch.kubernetes.io/job-completion-index"

struct hw_hub_space {
    struct hw_entry by_name;
    int users;
    char name[];
};

/* An operation that pods find by its name: it may be waited for. */
struct named {
    struct hw_entry entry; /* key: "resource.group/namespace/name" */
    struct hw_hub_node *node;
    char key[];
};

struct hw_hub_model {
    const struct hw_hub_kinds *kinds;
    const struct hw_clock *clock;
    struct hw_hub_model_events events;
    struct hw_table nodes, spaces, names;
    uint32_t generation[HW_HUB_WATCHES_MAX];
    struct hw_hub_model_counts counts;
};

static struct hw_hub_node *node_of(struct hw_entry *e)
{
    return HW_CONTAINER(e, struct hw_hub_node, by_uid);
}

/* ---- names ---- */

static struct hw_hub_space *use_space(struct hw_hub_model *m, const char *name)
{
    struct hw_entry *e = hw_table_find(&m->spaces, name);
    struct hw_hub_space *s = e ? HW_CONTAINER(e, struct hw_hub_space, by_name) : NULL;
    if (!s) {
        s = hw_xzalloc(sizeof *s + strlen(name) + 1);
        memcpy(s->name, name, strlen(name) + 1);
        hw_table_add(&m->spaces, &s->by_name, s->name);
    }
    s->users++;
    return s;
}

static void leave_space(struct hw_hub_model *m, struct hw_hub_space *s)
{
    if (!s || --s->users)
        return;
    hw_table_del(&m->spaces, &s->by_name);
    free(s);
}

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

/* ---- the tree ---- */

static void unlink_child(struct hw_hub_node *n)
{
    if (!n->parent)
        return;
    if (n->prev)
        n->prev->next = n->next;
    else
        n->parent->child = n->next;
    if (n->next)
        n->next->prev = n->prev;
    n->parent = n->prev = n->next = NULL;
}

static void link_child(struct hw_hub_node *n, struct hw_hub_node *parent)
{
    n->parent = parent;
    n->next = parent->child;
    if (n->next)
        n->next->prev = n;
    parent->child = n;
}

static bool stands_below(const struct hw_hub_node *n, const struct hw_hub_node *above)
{
    int depth = 0;
    for (; n; n = n->parent)
        if (n == above || ++depth > DEPTH_MAX)
            return true;
    return false;
}

/* The operation at the top, or NULL; it may be one that was not seen yet. */
static struct hw_hub_node *top_operation(struct hw_hub_node *n)
{
    struct hw_hub_node *top = NULL;
    for (; n; n = n->parent)
        if (n->kind->operation)
            top = n;
    return top;
}

static void touch(struct hw_hub_model *m, struct hw_hub_node *n)
{
    struct hw_hub_node *top = top_operation(n);
    if (top && top->op)
        m->events.changed(m->events.ctx, top->op);
}

static void forget_operation(struct hw_hub_model *m, struct hw_hub_node *n)
{
    if (!n->op)
        return;
    m->events.forgotten(m->events.ctx, n->op);
    m->counts.operations--;
    free(n->op->version);
    free(n->op->failure);
    free(n->op);
    n->op = NULL;
}

static void forget_name(struct hw_hub_model *m, struct hw_hub_node *n)
{
    if (!n->named)
        return;
    hw_table_del(&m->names, &n->named->entry);
    free(n->named);
    n->named = NULL;
}

static void forget_value(struct hw_hub_model *m, struct hw_hub_node *n)
{
    m->counts.tasks -= n->value != NULL;
    hw_hub_value_free(n->value);
    n->value = NULL;
    n->said = 0;
}

static void free_node(struct hw_hub_model *m, struct hw_hub_node *n)
{
    forget_operation(m, n);
    forget_name(m, n);
    forget_value(m, n);
    leave_space(m, n->space);
    if (n->by_uid.key)
        hw_table_del(&m->nodes, &n->by_uid);
    free((char *)(uintptr_t)n->by_uid.key);
    free(n->name);
    free(n);
    m->counts.objects--;
}

/* Those that nobody has seen and nobody names, upwards. */
static void prune(struct hw_hub_model *m, struct hw_hub_node *n)
{
    while (n && !n->seen && !n->child) {
        struct hw_hub_node *parent = n->parent;
        unlink_child(n);
        free_node(m, n);
        n = parent;
    }
}

static void move_below(struct hw_hub_model *m, struct hw_hub_node *n, struct hw_hub_node *parent)
{
    struct hw_hub_node *old = n->parent;
    if (old == parent)
        return;
    unlink_child(n);
    if (parent && !stands_below(parent, n))
        link_child(n, parent);
    if (old)
        touch(m, old);
    prune(m, old);
}

static struct hw_hub_node *new_node(struct hw_hub_model *m, const struct hw_hub_kind *kind,
                                    const char *namespace)
{
    struct hw_hub_node *n = hw_xzalloc(sizeof *n);
    n->kind = kind;
    n->index = -1;
    n->space = use_space(m, namespace);
    m->counts.objects++;
    return n;
}

static struct hw_hub_node *find_node(struct hw_hub_model *m, const char *uid)
{
    struct hw_entry *e = hw_table_find(&m->nodes, uid);
    return e ? node_of(e) : NULL;
}

static void give_uid(struct hw_hub_model *m, struct hw_hub_node *n, const char *uid)
{
    hw_table_add(&m->nodes, &n->by_uid, hw_xstrdup(uid));
}

/* ---- owners ---- */

static json_t *controller_of(json_t *object)
{
    size_t i;
    json_t *ref;
    json_array_foreach(hw_json_at(object, "metadata", "ownerReferences", NULL), i, ref) {
        if (json_is_true(json_object_get(ref, "controller")))
            return ref;
    }
    return NULL;
}

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
    json_t *ref = controller_of(object);
    const struct hw_hub_kind *kind = kind_of_ref(m, ref);
    const char *uid = hw_json_text(ref, "uid", NULL);
    if (!kind || !uid || hw_kube_check_uid("uid", uid, NULL) < 0)
        return NULL;
    struct hw_hub_node *n = find_node(m, uid);
    if (!n) {
        n = new_node(m, kind, namespace);
        give_uid(m, n, uid);
    }
    return n->kind == kind && strcmp(n->space->name, namespace) == 0 ? n : NULL;
}

static char *name_key(const struct hw_hub_kind *kind, const char *namespace, const char *name)
{
    return hw_xasprintf("%s.%s/%s/%s", kind->resource, kind->group, namespace, name);
}

static struct named *find_named(struct hw_hub_model *m, const char *key)
{
    struct hw_entry *e = hw_table_find(&m->names, key);
    return e ? HW_CONTAINER(e, struct named, entry) : NULL;
}

static void give_name(struct hw_hub_model *m, struct hw_hub_node *n, const char *key)
{
    struct named *named = hw_xzalloc(sizeof *named + strlen(key) + 1);
    memcpy(named->key, key, strlen(key) + 1);
    named->node = n;
    n->named = named;
    hw_table_add(&m->names, &named->entry, named->key);
}

/* The operation of that name, made when it was not seen yet. */
static struct hw_hub_node *named_node(struct hw_hub_model *m, const struct hw_hub_kind *kind,
                                      const char *namespace, const char *name)
{
    if (hw_kube_check_name("name", name, NULL) < 0)
        return NULL;
    hw_auto_free char *key = name_key(kind, namespace, name);
    struct named *named = find_named(m, key);
    if (named)
        return named->node;
    struct hw_hub_node *n = new_node(m, kind, namespace);
    give_name(m, n, key);
    return n;
}

static struct hw_hub_node *by_suffix(struct hw_hub_model *m, const struct hw_hub_kind *kind,
                                     const struct identity *pod)
{
    size_t len = strlen(pod->name), tail = strlen(kind->pod_suffix);
    if (len <= tail || strcmp(pod->name + len - tail, kind->pod_suffix) != 0)
        return NULL;
    hw_auto_free char *name = hw_xstrndup(pod->name, len - tail);
    return named_node(m, kind, pod->namespace, name);
}

/* A pod's place in the tree. */
static struct hw_hub_node *place_of_pod(struct hw_hub_model *m, json_t *object,
                                        const struct identity *pod)
{
    bool owned = controller_of(object) != NULL;
    struct hw_hub_node *n = owner_node(m, object, pod->namespace);
    for (int i = 0; !n && i < m->kinds->count; i++) {
        const struct hw_hub_kind *kind = &m->kinds->list[i];
        const char *label = kind->pod_label
                                ? hw_json_text(object, "metadata", "labels", kind->pod_label, NULL)
                                : NULL;
        if (label)
            n = named_node(m, kind, pod->namespace, label);
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
    if (!text || snprintf(pair, sizeof pair, "%s/%d", text, SLOTS_MAX) >= (int)sizeof pair ||
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

/* A place is filled: whoever named it otherwise than it is did not mean it. */
static void expel_strangers(struct hw_hub_model *m, struct hw_hub_node *n,
                            const struct hw_hub_kind *kind, const char *namespace)
{
    if (n->kind == kind && strcmp(n->space->name, namespace) == 0)
        return;
    n->seen = true; /* is not pruned */
    while (n->child)
        unlink_child(n->child);
    forget_operation(m, n);
    forget_name(m, n);
    leave_space(m, n->space);
    n->space = use_space(m, namespace);
    n->kind = kind;
}

/* n: what stands under its uid, or NULL. */
static struct hw_hub_node *obtain(struct hw_hub_model *m, struct hw_hub_node *n,
                                  const struct hw_hub_kind *kind, const struct identity *i)
{
    if (n) {
        expel_strangers(m, n, kind, i->namespace);
        return n;
    }
    n = new_node(m, kind, i->namespace);
    give_uid(m, n, i->uid);
    return n;
}

/* A pod that never reported is of no interest. */
static void take_pod(struct hw_hub_model *m, int watch, const struct hw_hub_kind *kind,
                     json_t *object, const struct identity *i)
{
    json_t *annotations = hw_json_at(object, "metadata", "annotations", NULL);
    const char *nm = hw_json_text(annotations, HW_ANNOTATION, NULL);
    struct hw_hub_node *n = find_node(m, i->uid);
    if (!n && !nm)
        return;
    n = obtain(m, n, kind, i);
    n->index = index_of(object);
    see(m, n, watch, kind, i);
    move_below(m, n, place_of_pod(m, object, i));
    if (nm && take_value(m, n, nm, hw_json_text(annotations, HW_ANNOTATION_DETAIL, NULL)))
        touch(m, n);
}

/* ---- operations and what is between ---- */

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
    op->namespace = n->space->name;
    op->name = n->name;
    op->uid = n->by_uid.key;
    if (!hw_streq(op->version, i->version)) {
        free(op->version);
        op->version = hw_xstrdup(i->version);
    }
    take_held(op, object);
    take_outcome(op, object);
}

static int read_slots(json_t *spec, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(spec, key));
    return n > 0 && n <= SLOTS_MAX ? (int)n : 0;
}

static void take_job(struct hw_hub_node *n, json_t *object)
{
    json_t *spec = json_object_get(object, "spec");
    int completions = read_slots(spec, "completions");
    n->slots = completions ? completions : read_slots(spec, "parallelism");
    n->indexed = hw_streq(hw_json_text(spec, "completionMode", NULL), "Indexed");
}

/* A place that pods hold by name, and one that others hold by uid, turn out to be the same. */
static void merge(struct hw_hub_model *m, struct hw_hub_node *n, struct hw_hub_node *other)
{
    forget_name(m, other);
    for (struct hw_hub_node *c = other->child, *next; c; c = next) {
        next = c->next;
        unlink_child(c);
        link_child(c, n);
    }
    prune(m, other);
}

static void settle_name(struct hw_hub_model *m, struct hw_hub_node *n, const struct identity *i)
{
    if (!n->kind->pod_suffix && !n->kind->pod_label)
        return;
    hw_auto_free char *key = name_key(n->kind, i->namespace, i->name);
    struct named *named = find_named(m, key);
    if (named && named->node == n)
        return;
    if (named && !named->node->by_uid.key)
        merge(m, n, named->node);
    else if (named)
        forget_name(m, named->node); /* the one before, under the same name */
    if (!n->named)
        give_name(m, n, key);
}

static void take_other(struct hw_hub_model *m, int watch, const struct hw_hub_kind *kind,
                       json_t *object, const struct identity *i)
{
    struct hw_hub_node *n = obtain(m, find_node(m, i->uid), kind, i);
    see(m, n, watch, kind, i);
    settle_name(m, n, i);
    move_below(m, n, owner_node(m, object, i->namespace));
    if (kind->job)
        take_job(n, object);
    if (kind->operation)
        take_operation(m, n, object, i);
    touch(m, n);
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

static void lose(struct hw_hub_model *m, struct hw_hub_node *n)
{
    struct hw_hub_node *parent = n->parent;
    n->seen = false;
    forget_operation(m, n);
    forget_name(m, n);
    forget_value(m, n);
    if (n->child) /* its tasks are going, too; until then it is a place */
        return;
    unlink_child(n);
    free_node(m, n);
    if (parent)
        touch(m, parent);
    prune(m, parent);
}

void hw_hub_model_gone(struct hw_hub_model *m, int watch, json_t *object)
{
    const char *uid = hw_json_text(object, "metadata", "uid", NULL);
    struct hw_hub_node *n = uid ? find_node(m, uid) : NULL;
    if (n && n->seen && n->watch == watch)
        lose(m, n);
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
            struct hw_hub_node *n = node_of(e);
            if (n->seen && n->watch == watch && n->generation != m->generation[watch])
                uids[count++] = hw_xstrdup(e->key);
        }
    for (size_t i = 0; i < count; i++) {
        struct hw_hub_node *n = find_node(m, uids[i]);
        if (n && n->seen)
            lose(m, n);
        free(uids[i]);
    }
    free(uids);
}

struct hw_hub_model_counts hw_hub_model_counts(const struct hw_hub_model *m)
{
    return m->counts;
}

void hw_hub_model_each(struct hw_hub_model *m, void (*fn)(void *ctx, struct hw_hub_operation *op),
                       void *ctx)
{
    for (size_t i = 0; i < m->nodes.size; i++)
        for (struct hw_entry *e = m->nodes.slots[i]; e; e = e->next)
            if (node_of(e)->op)
                fn(ctx, node_of(e)->op);
}

/* ---- life ---- */

struct hw_hub_model *hw_hub_model_new(const struct hw_hub_kinds *kinds, const struct hw_clock *clock,
                                      const struct hw_hub_model_events *events)
{
    struct hw_hub_model *m = hw_xzalloc(sizeof *m);
    uint64_t seed = hw_backoff_random();
    m->kinds = kinds;
    m->clock = clock;
    m->events = *events;
    hw_table_init(&m->nodes, seed);
    hw_table_init(&m->spaces, seed);
    hw_table_init(&m->names, seed);
    return m;
}

void hw_hub_model_free(struct hw_hub_model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->names.size; i++) /* some of these have no uid */
        while (m->names.slots[i]) {
            struct hw_hub_node *n = HW_CONTAINER(m->names.slots[i], struct named, entry)->node;
            forget_name(m, n);
            if (!n->by_uid.key)
                free_node(m, n);
        }
    for (size_t i = 0; i < m->nodes.size; i++)
        while (m->nodes.slots[i])
            free_node(m, node_of(m->nodes.slots[i]));
    hw_table_done(&m->nodes);
    hw_table_done(&m->spaces);
    hw_table_done(&m->names);
    free(m);
}
