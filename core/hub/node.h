/* node.h - the tree of the model, for model.c and view.c. */
#ifndef HW_HUB_NODE_H
#define HW_HUB_NODE_H

#include "hub/model.h"
#include "hub/table.h"
#include "hub/value.h"

struct hw_hub_space; /* a namespace's name, shared */
struct named;

struct hw_hub_node {
    struct hw_entry by_uid; /* owns its key */
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
    struct named *named;         /* owns; of an operation that is found by name */
};

#endif
