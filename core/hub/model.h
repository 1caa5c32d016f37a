/* model.h - what the hub knows of the cluster: operations, the Jobs between, and tasks (pods that report), as a tree by owners.
 * Objects may come in any order and from several watches; an owner that was named and not seen yet is held as a place that
 * is filled later. Nothing in here asks the API server, and all of it can be built anew from it.
 * new -> [listing object... listed (object | gone)...] for each watch -> view, need, wrote for each operation -> free. */
#ifndef HW_HUB_MODEL_H
#define HW_HUB_MODEL_H

#include "base/clock.h"
#include "base/json.h"
#include "hub/kinds.h"
#include "progress/progress.h"

struct hw_hub_model;
struct hw_hub_node;

/* Where an operation stands with the writer (status.h), whose own this is. */
struct hw_hub_turn {
    struct hw_hub_turn *prev, *next;
    int place;
    bool dirty;
    int64_t due_ms, looked_ms;
    int64_t since_ms; /* since when there is something to write; 0 = there is nothing */
};

enum hw_hub_over { HW_HUB_GOES_ON, HW_HUB_COMPLETE, HW_HUB_FAILED };

/* An operation that was seen. Read only, but for turn. */
struct hw_hub_operation {
    struct hw_hub_node *node;
    const struct hw_hub_kind *kind;
    const char *namespace, *name, *uid;
    char *version; /* resourceVersion that was seen last */
    struct {
        bool any;
        int64_t n, m;
        enum hw_state state;
    } held; /* what is written in it */
    enum hw_hub_over over;
    char *failure; /* why it failed, cleaned; NULL */
    struct hw_hub_turn turn;
};

struct hw_hub_model_events {
    void *ctx;
    void (*changed)(void *ctx, struct hw_hub_operation *op);   /* it, or a task of it */
    void (*forgotten)(void *ctx, struct hw_hub_operation *op); /* it is gone after this call */
};

struct hw_hub_model_counts {
    int64_t objects, tasks, operations; /* known now */
    int64_t refused;                    /* annotations that were no N/M, objects that can't be */
};

/* kinds and clock are borrowed until free. */
struct hw_hub_model *hw_hub_model_new(const struct hw_hub_kinds *kinds, const struct hw_clock *clock,
                                      const struct hw_hub_model_events *events);
void hw_hub_model_free(struct hw_hub_model *m);

enum { HW_HUB_WATCHES_MAX = 32, HW_HUB_UID_MAX = 64 };

/* watch: a number below HW_HUB_WATCHES_MAX; an object belongs to the watch that named it last. */
void hw_hub_model_listing(struct hw_hub_model *m, int watch);
void hw_hub_model_object(struct hw_hub_model *m, int watch, const struct hw_hub_kind *kind,
                         json_t *object);
void hw_hub_model_gone(struct hw_hub_model *m, int watch, json_t *object);
/* What the list did not name is gone. */
void hw_hub_model_listed(struct hw_hub_model *m, int watch);

struct hw_hub_model_counts hw_hub_model_counts(const struct hw_hub_model *m);
/* NULL: it is not known, or no operation. */
struct hw_hub_operation *hw_hub_model_find(const struct hw_hub_model *m, const char *uid);
/* Each operation; fn may not change the model. */
void hw_hub_model_each(struct hw_hub_model *m, void (*fn)(void *ctx, struct hw_hub_operation *op),
                       void *ctx);

/* The progress of an operation, of its tasks and of how it ended. False: nothing is known, or it works for another operation, so
 * nothing is to be written. */
bool hw_hub_view(const struct hw_hub_operation *op, int64_t unix_ms, struct hw_progress *ret);

enum hw_hub_need {
    HW_HUB_FINE, /* what is written says as much */
    HW_HUB_PERCENT,
    HW_HUB_STATE, /* another state, or the first value */
    HW_HUB_LAST,  /* the operation is over */
};
enum hw_hub_need hw_hub_need(const struct hw_hub_operation *op, const struct hw_progress *p);
/* p was written; version: as the answer gave it, NULL = not known. */
void hw_hub_wrote(struct hw_hub_operation *op, const struct hw_progress *p, const char *version);

#endif
