/* tree.h - the inside of the model, for model.c, read.c and view.c: nodes below their owners. A node is an object that was seen, or
 * a place: somebody named it as an owner, and it is held until it is seen or nobody names it any more. */
#ifndef HW_HUB_TREE_H
#define HW_HUB_TREE_H

#include "hub/model.h"
#include "hub/table.h"
#include "hub/value.h"

enum { HW_HUB_SLOTS_MAX = 100000 }; /* pods that a Job may want */

struct hw_hub_space; /* a namespace's name, shared */
struct hw_hub_name;

struct hw_hub_node {
    struct hw_entry by_uid; /* owns its key; NULL: a place that is known by name alone */
    struct hw_hub_node *parent, *child, *prev, *next;
    const struct hw_hub_kind *kind; /* as it is, or as it was named */
    struct hw_hub_space *space;     /* counted */
    char *name;                     /* NULL until it was seen */
    int64_t created;                /* Unix ms; 0 = not said */
    uint32_t generation;            /* of the list that named it last */
    int index;                      /* of an indexed Job's pod; -1 = none */
    int slots;                      /* pods that a Job wants at once or in all; 0 = not known */
    unsigned char watch;
    bool seen, indexed;
    uint64_t said;               /* hash of a task's annotations */
    struct hw_hub_value *value;  /* owns; of a task */
    struct hw_hub_operation *op; /* owns; of an operation */
    struct hw_hub_name *named;   /* owns; of an operation that is found by name */
};

struct hw_hub_model {
    const struct hw_hub_kinds *kinds;
    const struct hw_clock *clock;
    struct hw_hub_model_events events;
    struct hw_table nodes, spaces, names;
    uint32_t generation[HW_HUB_WATCHES_MAX];
    struct hw_hub_model_counts counts;
};

void hw_hub_tree_init(struct hw_hub_model *m);
void hw_hub_tree_done(struct hw_hub_model *m);

static inline struct hw_hub_node *hw_hub_node_of(struct hw_entry *e)
{
    return (struct hw_hub_node *)(void *)e; /* by_uid is the first member */
}
const char *hw_hub_namespace(const struct hw_hub_node *n);
/* By uid; NULL. */
struct hw_hub_node *hw_hub_find_node(const struct hw_hub_model *m, const char *uid);
/* The node of an object that comes: n, what stands under its uid (whoever named that as something else is moved out), or a new one. */
struct hw_hub_node *hw_hub_obtain(struct hw_hub_model *m, struct hw_hub_node *n,
                                  const struct hw_hub_kind *kind, const char *namespace,
                                  const char *uid);
/* What an ownerReference points to, made when it was not seen yet; NULL: it is something else than the reference says. */
struct hw_hub_node *hw_hub_owner_place(struct hw_hub_model *m, const struct hw_hub_kind *kind,
                                       const char *namespace, const char *uid);
/* The operation of that name, made when it was not seen yet; NULL: it can be no name. */
struct hw_hub_node *hw_hub_named_place(struct hw_hub_model *m, const struct hw_hub_kind *kind,
                                       const char *namespace, const char *name);
/* n is the object of that name now; takes over the place that was held for it. */
void hw_hub_settle_name(struct hw_hub_model *m, struct hw_hub_node *n, const char *name);
/* parent NULL: below nobody. Owners in a circle are not followed. */
void hw_hub_move_below(struct hw_hub_model *m, struct hw_hub_node *n, struct hw_hub_node *parent);
/* Tells that the operation above n changed; where there is none, that those below it may be ones. */
void hw_hub_touch(struct hw_hub_model *m, struct hw_hub_node *n);
void hw_hub_forget_value(struct hw_hub_model *m, struct hw_hub_node *n);
/* The object is gone; its node stays as a place while something is below it. */
void hw_hub_lose(struct hw_hub_model *m, struct hw_hub_node *n);

/* read.c: what the object says of itself. */
void hw_hub_read_operation(struct hw_hub_operation *op, json_t *object);
void hw_hub_read_job(struct hw_hub_node *n, json_t *object);

#endif
