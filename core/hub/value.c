#include "hub/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct hw_hub_value {
    int64_t n, m, done, total, started, updated;
    double fraction, rate, eta, weight;
    int attempt, restarts;
    short phase_index, phase_count;
    unsigned char state;
    bool counted;
    /* Four texts, each ended: unit, message, reason, name of the phase. Most are empty. */
    char texts[];
};

static char *put(char *at, const char *text)
{
    size_t n = strlen(text) + 1;
    memcpy(at, text, n);
    return at + n;
}

static const char *take(const char *at, char *dst, size_t size)
{
    snprintf(dst, size, "%s", at);
    return at + strlen(at) + 1;
}

struct hw_hub_value *hw_hub_value_new(const struct hw_progress *p)
{
    size_t texts =
        strlen(p->count.unit) + strlen(p->message) + strlen(p->reason) + strlen(p->phase.name) + 4;
    struct hw_hub_value *v = hw_xmalloc(sizeof *v + texts);
    *v = (struct hw_hub_value){
        .n = p->n,
        .m = p->m,
        .done = p->count.done,
        .total = p->count.total,
        .started = p->started,
        .updated = p->updated,
        .fraction = p->fraction,
        .rate = p->rate,
        .eta = p->eta,
        .weight = p->phase.weight,
        .attempt = p->attempt,
        .restarts = p->restarts,
        .phase_index = (short)p->phase.index,
        .phase_count = (short)p->phase.count,
        .state = (unsigned char)p->state,
        .counted = p->counted,
    };
    put(put(put(put(v->texts, p->count.unit), p->message), p->reason), p->phase.name);
    return v;
}

void hw_hub_value_free(struct hw_hub_value *v)
{
    free(v);
}

void hw_hub_value_get(const struct hw_hub_value *v, struct hw_progress *ret)
{
    *ret = (struct hw_progress){
        .n = v->n,
        .m = v->m,
        .counted = v->counted,
        .count = { .done = v->done, .total = v->total },
        .fraction = v->fraction,
        .state = (enum hw_state)v->state,
        .phase = { .index = v->phase_index, .count = v->phase_count, .weight = v->weight },
        .attempt = v->attempt,
        .restarts = v->restarts,
        .rate = v->rate,
        .eta = v->eta,
        .started = v->started,
        .updated = v->updated,
    };
    const char *at = take(v->texts, ret->count.unit, sizeof ret->count.unit);
    at = take(at, ret->message, sizeof ret->message);
    at = take(at, ret->reason, sizeof ret->reason);
    take(at, ret->phase.name, sizeof ret->phase.name);
}
