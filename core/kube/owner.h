/* owner.h - from a pod to the operation it works for, through the ownerReferences of controllers:
 * Pod -> Job -> (CronJob ->) DataProcess, DataLoad, DataMigrate, DataBackup.
 * At most 4 steps, one GET for each Job or CronJob on the way; the operation itself is not read. The uid of what
 * is read must be the one that the reference names: an owner that was made anew is not ours.
 * A pure state machine, the caller sends: new -> step -> [ASK: send, answer, step again] -> FOUND -> target. */
#ifndef HW_KUBE_OWNER_H
#define HW_KUBE_OWNER_H

#include "base/err.h"
#include "base/json.h"
#include "kube/client.h"

/* An operation. Owns its strings. */
struct hw_kube_target {
    const struct hw_kube_kind *kind; /* static */
    char *version;
    char *namespace;
    char *name;
    char *uid; /* NULL: named by a setting, not seen yet */
};
void hw_kube_target_done(struct hw_kube_target *t);
/* Borrows from t. subresource: NULL or "status". */
struct hw_kube_object hw_kube_target_object(const struct hw_kube_target *t, const char *subresource);

/* "dataprocess/name", "namespace/dataprocess/name", the kind also as "dataprocesses.data.fluid.io". namespace is
 * used when the text names none. HW_ECONFIG. */
HW_MUST_USE int hw_kube_target_parse(const char *text, const char *namespace,
                                     struct hw_kube_target *ret, struct hw_err *err);

/* The ownerReference of the one that controls an object, borrowed; NULL = nobody does. */
json_t *hw_kube_controller_of(json_t *object);

struct hw_kube_owner;

/* pod: as the server gave it; copied as far as needed. */
struct hw_kube_owner *hw_kube_owner_new(json_t *pod);
void hw_kube_owner_free(struct hw_kube_owner *o);

enum hw_kube_step {
    HW_KUBE_FOUND, /* target says which */
    HW_KUBE_ASK,   /* ret is a GET to send; borrows from o */
    HW_KUBE_NONE,  /* no operation for this pod, for good; err says why */
};
enum hw_kube_step hw_kube_owner_step(struct hw_kube_owner *o, struct hw_kube_request *ret,
                                     struct hw_err *err);
/* The object that answered ASK; step goes on from there. */
void hw_kube_owner_answer(struct hw_kube_owner *o, json_t *body);
/* After FOUND; gives: the owner holds none any more. */
struct hw_kube_target hw_kube_owner_take(struct hw_kube_owner *o);

#endif
