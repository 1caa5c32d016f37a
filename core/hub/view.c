/* From the tasks of an operation to its progress. Of an indexed Job the newest pod of each index counts, of another Job the newest
 * pods, as many as it wants; those that failed go first. One task's word is taken as it is. Several add up as counts when
 * all are there and count the same thing; else as shares, in hundredths of the whole that the Job wants. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "hub/tree.h"

enum { FEW = 16, SHOWN_MAX = 60 /* bytes of a task's reason in the operation's */ };

struct team {
    const struct hw_hub_node **list; /* those that count */
    size_t count;
    int wanted; /* tasks that there will be, at the least count */
    int attempt;
};

/* ---- which tasks count ---- */

static bool has_tasks(const struct hw_hub_node *group)
{
    for (const struct hw_hub_node *c = group->child; c; c = c->next)
        if (c->value)
            return true;
    return false;
}

/* The newest Job with a task below n, through whatever stands between. */
static const struct hw_hub_node *newest_job(const struct hw_hub_node *n,
                                            const struct hw_hub_node *best)
{
    for (const struct hw_hub_node *c = n->child; c; c = c->next) {
        bool fits = c->kind->job && has_tasks(c) &&
                    (!best || c->created > best->created ||
                     (c->created == best->created && strcmp(c->by_uid.key, best->by_uid.key) > 0));
        if (fits)
            best = c;
        if (!c->kind->job && !c->kind->task)
            best = newest_job(c, best);
    }
    return best;
}

static bool failed(const struct hw_hub_node *n)
{
    struct hw_progress p;
    hw_hub_value_get(n->value, &p);
    return p.state == HW_FAILED;
}

/* By index; of one index the newest first. */
static int compare(const void *a, const void *b)
{
    const struct hw_hub_node *x = *(const struct hw_hub_node *const *)a;
    const struct hw_hub_node *y = *(const struct hw_hub_node *const *)b;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    if (x->created != y->created)
        return x->created > y->created ? -1 : 1;
    return strcmp(y->by_uid.key, x->by_uid.key);
}

static size_t collect(const struct hw_hub_node *group, const struct hw_hub_node ***ret)
{
    size_t count = 0, i = 0;
    for (const struct hw_hub_node *c = group->child; c; c = c->next)
        count += c->value != NULL;
    *ret = hw_xcalloc(count + 1, sizeof **ret);
    for (const struct hw_hub_node *c = group->child; c; c = c->next)
        if (c->value)
            (*ret)[i++] = c;
    qsort(*ret, count, sizeof **ret, compare);
    return count;
}

/* Keeps the first of each index, and counts how often it was tried. */
static void keep_newest_of_index(struct team *t)
{
    size_t kept = 0;
    int tries = 0;
    for (size_t i = 0; i < t->count; i++) {
        bool again = kept && t->list[i]->index == t->list[kept - 1]->index;
        tries = again ? tries + 1 : 1;
        if (tries > t->attempt)
            t->attempt = tries;
        if (!again)
            t->list[kept++] = t->list[i];
    }
    t->count = kept;
}

/* Keeps as many as the Job wants, the newest; one that failed makes way for an older one that did not. */
static void keep_newest(struct team *t, size_t wanted)
{
    if (wanted == 1)
        t->attempt = (int)t->count;
    for (size_t i = 0; t->count > wanted && wanted > 1 && i < t->count;)
        if (failed(t->list[i])) {
            memmove(&t->list[i], &t->list[i + 1], (t->count - i - 1) * sizeof *t->list);
            t->count--;
        } else
            i++;
    if (t->count > wanted)
        t->count = wanted;
}

/* False: no task has reported. The list is the caller's to free. */
static bool find_team(const struct hw_hub_node *top, struct team *t)
{
    const struct hw_hub_node *job = top->kind->job ? top : newest_job(top, NULL);
    const struct hw_hub_node *group = job && has_tasks(job) ? job : top;
    *t = (struct team){ .attempt = 1 };
    t->count = collect(group, &t->list);
    if (!t->count) {
        free(t->list);
        t->list = NULL;
        return false;
    }
    bool indexed = group->indexed || t->list[t->count - 1]->index >= 0;
    if (indexed)
        keep_newest_of_index(t);
    else if (group->kind->job)
        keep_newest(t, group->slots > 1 ? (size_t)group->slots : 1);
    t->wanted = group->slots > (int)t->count ? group->slots : (int)t->count;
    return true;
}

/* ---- what they say together ---- */

struct sum {
    int64_t n, m;
    double shares, rate;
    bool same; /* all count the same thing, with totals, and the sums fit */
    char unit[HW_UNIT_MAX + 1];
    int complete, stalled, waiting, scanning, attempt, restarts;
    int64_t started, updated;
    char reason[HW_TEXT_MAX + 1]; /* of one that is stalled */
};

static double share_of(const struct hw_progress *p)
{
    if (p->state == HW_COMPLETE)
        return 1;
    return p->m > 0 ? (double)p->n / (double)p->m : 0;
}

static void add_counts(struct sum *s, const struct hw_progress *p, bool first)
{
    const char *unit = p->counted ? p->count.unit : "";
    if (first)
        snprintf(s->unit, sizeof s->unit, "%s", unit);
    bool unknown = p->state == HW_SCANNING || (p->counted && p->count.total < 0);
    if (unknown || strcmp(unit, s->unit) != 0 || __builtin_add_overflow(s->n, p->n, &s->n) ||
        __builtin_add_overflow(s->m, p->m, &s->m))
        s->same = false;
}

static void add(struct sum *s, const struct hw_progress *p, bool first)
{
    bool full = p->state == HW_COMPLETE || (p->m > 0 && p->n == p->m);
    add_counts(s, p, first);
    s->shares += share_of(p);
    s->rate += p->rate > 0 && !full ? p->rate : 0;
    s->complete += full;
    s->stalled += p->state == HW_STALLED;
    s->waiting += p->state == HW_WAITING;
    s->scanning += p->state == HW_SCANNING;
    s->restarts += p->restarts;
    if (p->attempt > s->attempt)
        s->attempt = p->attempt;
    if (p->started && (!s->started || p->started < s->started))
        s->started = p->started;
    if (p->updated > s->updated)
        s->updated = p->updated;
    if (p->state == HW_STALLED && !s->reason[0])
        snprintf(s->reason, sizeof s->reason, "%.*s", SHOWN_MAX, p->reason);
}

/* Stalled only when nothing moves any more. */
static enum hw_state state_of(const struct sum *s, int count)
{
    if (s->stalled && s->stalled + s->complete == count)
        return HW_STALLED;
    if (s->scanning)
        return HW_SCANNING;
    return s->waiting == count ? HW_WAITING : HW_RUNNING;
}

static void add_up(const struct team *t, struct hw_progress *ret)
{
    struct sum s = { .same = true };
    struct hw_progress p;
    for (size_t i = 0; i < t->count; i++) {
        hw_hub_value_get(t->list[i]->value, &p);
        add(&s, &p, i == 0);
    }
    bool counted = s.same && (int)t->count == t->wanted && s.m > 0;
    double share = s.shares / t->wanted;
    p = (struct hw_progress){ .n = counted ? s.n : (int64_t)floor(share * 100 + 1e-9),
                              .m = counted ? s.m : 100,
                              .counted = counted,
                              .fraction = share,
                              .state = state_of(&s, (int)t->count),
                              .attempt = s.attempt,
                              .restarts = s.restarts,
                              .rate = counted && s.rate > 0 ? s.rate : -1,
                              .eta = -1,
                              .started = s.started,
                              .updated = s.updated };
    if (counted) {
        p.count = (struct hw_count){ .done = s.n, .total = s.m };
        memcpy(p.count.unit, s.unit, sizeof p.count.unit);
    }
    if (p.rate > 0 && p.state == HW_RUNNING)
        p.eta = (double)(s.m - s.n) / p.rate;
    if (p.state == HW_STALLED)
        memcpy(p.reason, s.reason, sizeof p.reason);
    else if (s.stalled)
        snprintf(p.reason, sizeof p.reason, "%d of %d tasks stalled", s.stalled, t->wanted);
    snprintf(p.message, sizeof p.message, "%d of %d tasks complete", s.complete, t->wanted);
    *ret = p;
}

/* ---- how it ends ---- */

static void complete(struct hw_progress *p, int tasks)
{
    if (p->counted && p->count.total < 0 && p->count.done > 0)
        p->n = p->m = p->count.done;
    else if (p->m > 0)
        p->n = p->m;
    else
        p->n = p->m = 100;
    if (p->counted && p->count.total >= 0)
        p->count.done = p->count.total;
    p->state = HW_COMPLETE;
    p->fraction = 1;
    p->reason[0] = '\0';
    if (tasks > 1)
        snprintf(p->message, sizeof p->message, "%d of %d tasks complete", tasks, tasks);
}

static void fail(struct hw_progress *p, const char *why)
{
    p->state = HW_FAILED;
    snprintf(p->reason, sizeof p->reason, "%s", why ? why : "the operation failed");
}

/* A task that ended does not end the operation: it may be tried again, and what is proven is not for it to say. */
static void go_on(struct hw_progress *p)
{
    if (p->state == HW_FAILED) {
        char why[HW_TEXT_MAX + 1];
        snprintf(why, sizeof why, "%s", p->reason);
        snprintf(p->reason, sizeof p->reason, "the task failed%s%.*s", why[0] ? ": " : "",
                 SHOWN_MAX, why);
    } else if (p->state == HW_COMPLETE) {
        p->reason[0] = '\0';
    }
    if (p->state == HW_FAILED || p->state == HW_COMPLETE)
        p->state = HW_RUNNING;
}

static void show_attempt(struct hw_progress *p, int attempt)
{
    char why[HW_TEXT_MAX + 1];
    if (attempt > p->attempt)
        p->attempt = attempt;
    if (p->attempt < 2 || p->state == HW_COMPLETE)
        return;
    snprintf(why, sizeof why, "%s", p->reason);
    snprintf(p->reason, sizeof p->reason, "%.*s%sattempt %d", HW_TEXT_MAX - 24, why,
             why[0] ? ", " : "", p->attempt);
}

/* Its tasks are gone, or never reported: what is written in it is all that is known. */
static bool recall(const struct hw_hub_operation *op, struct hw_progress *ret)
{
    if (!op->held.any || op->over == HW_HUB_GOES_ON)
        return false;
    *ret = (struct hw_progress){
        .n = op->held.n, .m = op->held.m, .fraction = -1, .rate = -1, .eta = -1
    };
    return true;
}

/* A Job that works for another operation is none itself, and what an owner works for is not known until it was seen. */
static bool is_top(const struct hw_hub_node *n)
{
    for (n = n->parent; n; n = n->parent)
        if (n->kind->operation || !n->seen)
            return false;
    return true;
}

bool hw_hub_view(const struct hw_hub_operation *op, int64_t unix_ms, struct hw_progress *ret)
{
    struct team t;
    struct hw_progress p;
    if (!is_top(op->node))
        return false;
    bool found = find_team(op->node, &t);
    if (!found && !recall(op, &p))
        return false;
    if (found && t.wanted == 1)
        hw_hub_value_get(t.list[0]->value, &p);
    else if (found)
        add_up(&t, &p);
    free(t.list);
    if (op->over == HW_HUB_COMPLETE)
        complete(&p, found ? t.wanted : 1);
    else if (op->over == HW_HUB_FAILED)
        fail(&p, op->failure);
    else
        go_on(&p);
    if (op->over != HW_HUB_GOES_ON) {
        p.rate = p.eta = -1;
        p.updated = unix_ms;
    }
    show_attempt(&p, found ? t.attempt : 0);
    *ret = p;
    return true;
}

static int64_t percent(int64_t n, int64_t m)
{
    return m > 0 ? (int64_t)((__int128)n * 100 / m) : 0;
}

enum hw_hub_need hw_hub_need(const struct hw_hub_operation *op, const struct hw_progress *p)
{
    bool same = op->held.any && op->held.state == p->state;
    if (op->over != HW_HUB_GOES_ON)
        return same && op->held.n == p->n && op->held.m == p->m ? HW_HUB_FINE : HW_HUB_LAST;
    if (!same)
        return HW_HUB_STATE;
    return percent(op->held.n, op->held.m) == percent(p->n, p->m) ? HW_HUB_FINE : HW_HUB_PERCENT;
}

void hw_hub_wrote(struct hw_hub_operation *op, const struct hw_progress *p, const char *version)
{
    op->held.any = true;
    op->held.n = p->n;
    op->held.m = p->m;
    op->held.state = p->state;
    if (!version || hw_streq(version, op->version))
        return;
    free(op->version);
    op->version = hw_xstrdup(version);
}
