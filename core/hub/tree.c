#include "hub/tree.h"

#include <string.h>

#include "base/mem.h"
#include "kube/backoff.h"
#include "kube/object.h"

enum { DEPTH_MAX = 6 /* of owners above each other */ };

struct hw_hub_space {
    struct hw_entry by_name;
    int users;
    char name[];
};

/* An operation that pods find by its name: it may be waited for. */
struct hw_hub_name {
    struct hw_entry entry; /* key: "resource.group/namespace/name" */
    struct hw_hub_node *node;
    char key[];
};

/* ---- namespaces ---- */

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

const char *hw_hub_namespace(const struct hw_hub_node *n)
{
    return n->space->name;
}

/* ---- nodes ---- */

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

void hw_hub_touch(struct hw_hub_model *m, struct hw_hub_node *n)
{
    struct hw_hub_node *top = top_operation(n);
    if (top && top->op)
        m->events.changed(m->events.ctx, top->op);
    for (struct hw_hub_node *c = top ? NULL : n->child; c; c = c->next)
        if (c->op)
            m->events.changed(m->events.ctx, c->op);
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

void hw_hub_forget_value(struct hw_hub_model *m, struct hw_hub_node *n)
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
    hw_hub_forget_value(m, n);
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

void hw_hub_move_below(struct hw_hub_model *m, struct hw_hub_node *n, struct hw_hub_node *parent)
{
    struct hw_hub_node *old = n->parent;
    if (old == parent)
        return;
    unlink_child(n);
    if (parent && !stands_below(parent, n))
        link_child(n, parent);
    if (old)
        hw_hub_touch(m, old);
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

struct hw_hub_node *hw_hub_find_node(const struct hw_hub_model *m, const char *uid)
{
    struct hw_entry *e = hw_table_find(&m->nodes, uid);
    return e ? hw_hub_node_of(e) : NULL;
}

static void give_uid(struct hw_hub_model *m, struct hw_hub_node *n, const char *uid)
{
    hw_table_add(&m->nodes, &n->by_uid, hw_xstrdup(uid));
}

/* ---- places: what was named and not seen yet ---- */

struct hw_hub_node *hw_hub_owner_place(struct hw_hub_model *m, const struct hw_hub_kind *kind,
                                       const char *namespace, const char *uid)
{
    struct hw_hub_node *n = hw_hub_find_node(m, uid);
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

static struct hw_hub_name *find_named(struct hw_hub_model *m, const char *key)
{
    struct hw_entry *e = hw_table_find(&m->names, key);
    return e ? HW_CONTAINER(e, struct hw_hub_name, entry) : NULL;
}

static void give_name(struct hw_hub_model *m, struct hw_hub_node *n, const char *key)
{
    struct hw_hub_name *named = hw_xzalloc(sizeof *named + strlen(key) + 1);
    memcpy(named->key, key, strlen(key) + 1);
    named->node = n;
    n->named = named;
    hw_table_add(&m->names, &named->entry, named->key);
}

/* The operation of that name, made when it was not seen yet. */
struct hw_hub_node *hw_hub_named_place(struct hw_hub_model *m, const struct hw_hub_kind *kind,
                                       const char *namespace, const char *name)
{
    if (hw_kube_check_name("name", name, NULL) < 0)
        return NULL;
    hw_auto_free char *key = name_key(kind, namespace, name);
    struct hw_hub_name *named = find_named(m, key);
    if (named)
        return named->node;
    struct hw_hub_node *n = new_node(m, kind, namespace);
    give_name(m, n, key);
    return n;
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

void hw_hub_settle_name(struct hw_hub_model *m, struct hw_hub_node *n, const char *name)
{
    if (!n->kind->pod_suffix && !n->kind->pod_label)
        return;
    hw_auto_free char *key = name_key(n->kind, n->space->name, name);
    struct hw_hub_name *named = find_named(m, key);
    if (named && named->node == n)
        return;
    if (named && !named->node->by_uid.key)
        merge(m, n, named->node);
    else if (named)
        forget_name(m, named->node); /* the one before, under the same name */
    if (!n->named)
        give_name(m, n, key);
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
struct hw_hub_node *hw_hub_obtain(struct hw_hub_model *m, struct hw_hub_node *n,
                                  const struct hw_hub_kind *kind, const char *namespace,
                                  const char *uid)
{
    if (n) {
        expel_strangers(m, n, kind, namespace);
        return n;
    }
    n = new_node(m, kind, namespace);
    give_uid(m, n, uid);
    return n;
}

/* Its last word was the word of all its tasks; that they are cleared away changes nothing. */
static bool is_over(struct hw_hub_node *n)
{
    struct hw_hub_node *top = top_operation(n);
    return top && top->op && top->op->over != HW_HUB_GOES_ON;
}

void hw_hub_lose(struct hw_hub_model *m, struct hw_hub_node *n)
{
    struct hw_hub_node *parent = n->parent;
    n->seen = false;
    forget_operation(m, n);
    forget_name(m, n);
    hw_hub_forget_value(m, n);
    if (n->child) /* its tasks are going, too; until then it is a place */
        return;
    unlink_child(n);
    free_node(m, n);
    if (parent && !is_over(parent))
        hw_hub_touch(m, parent);
    prune(m, parent);
}

/* ---- life ---- */

void hw_hub_tree_init(struct hw_hub_model *m)
{
    uint64_t seed = hw_backoff_random();
    hw_table_init(&m->nodes, seed);
    hw_table_init(&m->spaces, seed);
    hw_table_init(&m->names, seed);
}

/* All of them go, so no table needs to be right any more. */
void hw_hub_tree_done(struct hw_hub_model *m)
{
    struct hw_entry *next;
    for (size_t i = 0; i < m->names.size; i++)
        for (struct hw_entry *e = m->names.slots[i]; e; e = next) {
            struct hw_hub_name *name = HW_CONTAINER(e, struct hw_hub_name, entry);
            next = e->next;
            name->node->named = NULL;
            if (!name->node->by_uid.key)
                free_node(m, name->node);
            free(name);
        }
    for (size_t i = 0; i < m->nodes.size; i++)
        for (struct hw_entry *e = m->nodes.slots[i]; e; e = next) {
            next = e->next;
            free_node(m, hw_hub_node_of(e));
        }
    hw_table_done(&m->nodes);
    hw_table_done(&m->spaces);
    hw_table_done(&m->names);
}
