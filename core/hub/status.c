#include "hub/status.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "kube/backoff.h"
#include "progress/detail.h"
#include "progress/nm.h"
#include "progress/pace.h"
#include "sink/annotation.h"
#include "sink/status.h"

enum {
    REST_MS = 100,      /* between two looks: a burst of events costs one */
    AGAIN_MS = 1000,    /* after a conflict */
    BAR_MS = 60000,     /* for a kind that may not be written: the right may come, nobody hurries */
    FLIGHTS_MAX = 4,    /* writes at once */
    DEADLINE_MS = 3000, /* of a write: over before another could lead */
    LOOKS_MAX = 500,    /* in one turn of the loop */
    CAUSES_MAX = 16,
};

/* Where an operation stands. All but the first are lists: those that wait for a time by that, the others in the order in which
 * they were joined. */
enum place {
    IDLE,
    FRESH,   /* something changed, nobody has looked yet */
    RESTING, /* was looked at */
    COOLING, /* was written */
    BARRED,  /* its kind may not be written */
    URGENT,  /* to be written: states, first and last values */
    NORMAL,  /* to be written: another percent */
    WRITING,
    PLACES,
};

struct bar {
    const struct hw_hub_kind *kind;
    int64_t until_ms;
};

struct flight {
    struct hw_hub_writer *w;
    struct hw_hub_operation *op; /* NULL: it is gone */
    struct hw_kube_call *call;   /* NULL = free */
    struct hw_progress value;
};

struct hw_hub_writer {
    struct hw_kube *kube;
    const struct hw_clock *clock;
    struct hw_hub_writer_opts o;
    uv_timer_t timer;
    struct hw_hub_turn lists[PLACES]; /* heads of rings */
    struct flight flights[FLIGHTS_MAX];
    bool allowed;
    int64_t tokens_ms, tokens_at_ms; /* the budget: what one write costs is 1000 / budget */
    struct hw_pace pace;             /* for what it learns of slow answers */
    struct hw_backoff backoff;
    int64_t paused_until_ms;
    struct bar bars[HW_HUB_KINDS_MAX];
    int causes[CAUSES_MAX], cause_count; /* that were told */
    int64_t waiting;
    struct hw_hub_writer_counts counts;
};

static void on_timer(uv_timer_t *timer);

static struct hw_hub_operation *op_of(struct hw_hub_turn *t)
{
    return HW_CONTAINER(t, struct hw_hub_operation, turn);
}

static struct hw_hub_turn *head(struct hw_hub_writer *w, enum place place)
{
    struct hw_hub_turn *first = w->lists[place].next;
    return first == &w->lists[place] ? NULL : first;
}

static bool is_queued(int place)
{
    return place == URGENT || place == NORMAL;
}

static void leave(struct hw_hub_writer *w, struct hw_hub_turn *t)
{
    if (t->place == IDLE)
        return;
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->prev = t->next = NULL;
    w->waiting -= is_queued(t->place);
    t->place = IDLE;
}

/* after: a member of that list, or its head. */
static void join(struct hw_hub_writer *w, struct hw_hub_turn *t, enum place place,
                 struct hw_hub_turn *after)
{
    t->prev = after;
    t->next = after->next;
    after->next->prev = t;
    after->next = t;
    w->waiting += is_queued((int)place);
    if (is_queued((int)place) && !t->since_ms)
        t->since_ms = hw_now_ms(w->clock);
    t->place = (int)place;
}

static void move(struct hw_hub_writer *w, struct hw_hub_turn *t, enum place place)
{
    leave(w, t);
    if (place != IDLE)
        join(w, t, place, w->lists[place].prev);
}

static void wake(struct hw_hub_writer *w)
{
    uv_timer_start(&w->timer, on_timer, 0, 0);
}

/* ---- what is due ---- */

/* For ms; nearly always as long as those before it. */
static void rest(struct hw_hub_writer *w, struct hw_hub_turn *t, enum place place, int64_t ms)
{
    struct hw_hub_turn *list = &w->lists[place], *after;
    leave(w, t);
    t->due_ms = hw_now_ms(w->clock) + ms;
    for (after = list->prev; after != list && after->due_ms > t->due_ms; after = after->prev)
        continue;
    join(w, t, place, after);
}

/* Into the queue that it belongs to, where it keeps its place; or to rest. */
static void look(struct hw_hub_writer *w, struct hw_hub_turn *t)
{
    struct hw_progress p;
    struct hw_hub_operation *op = op_of(t);
    enum hw_hub_need need = HW_HUB_FINE;
    t->dirty = false;
    t->looked_ms = hw_now_ms(w->clock);
    if (hw_hub_view(op, hw_wall_ms(w->clock), &p))
        need = hw_hub_need(op, &p);
    if (need == HW_HUB_FINE)
        t->since_ms = 0;
    enum place place = need == HW_HUB_FINE ? RESTING : need == HW_HUB_PERCENT ? NORMAL : URGENT;
    if (place == RESTING)
        rest(w, t, RESTING, REST_MS);
    else if (t->place != (int)place)
        move(w, t, place);
}

void hw_hub_writer_touch(struct hw_hub_writer *w, struct hw_hub_operation *op)
{
    struct hw_hub_turn *t = &op->turn;
    bool rests = t->place == RESTING || t->place == COOLING;
    t->dirty = true;
    if (t->place == IDLE || (rests && op->over != HW_HUB_GOES_ON))
        move(w, t, FRESH);
    else if (is_queued(t->place) && (op->over != HW_HUB_GOES_ON ||
                                     !w->allowed || /* who does not write sees what others do */
                                     hw_now_ms(w->clock) - t->looked_ms >= REST_MS))
        look(w, t);
    else
        return;
    wake(w);
}

void hw_hub_writer_forget(struct hw_hub_writer *w, struct hw_hub_operation *op)
{
    for (int i = 0; i < FLIGHTS_MAX; i++)
        if (w->flights[i].op == op)
            w->flights[i].op = NULL;
    move(w, &op->turn, IDLE);
}

static struct bar *bar_of(struct hw_hub_writer *w, const struct hw_hub_kind *kind)
{
    struct bar *b = w->bars;
    while (b->kind && b->kind != kind)
        b++;
    b->kind = kind;
    return b;
}

/* Those whose rest is over. */
static void rouse(struct hw_hub_writer *w, enum place place)
{
    struct hw_hub_turn *t;
    int64_t now = hw_now_ms(w->clock);
    while ((t = head(w, place)) && t->due_ms <= now)
        move(w, t, t->dirty ? FRESH : IDLE);
}

/* ---- writing ---- */

static struct hw_kube_object object_of(const struct hw_hub_operation *op)
{
    return (struct hw_kube_object){ .group = op->kind->group,
                                    .version = op->kind->version,
                                    .resource = op->kind->resource,
                                    .namespace = op->namespace,
                                    .name = op->name,
                                    .subresource =
                                        op->kind->target == HW_HUB_INFOS ? "status" : NULL };
}

static json_t *make_patch(const struct hw_hub_operation *op, const struct hw_progress *p,
                          int64_t unix_ms)
{
    json_t *patch = hw_kube_patch(op->uid);
    json_object_set_new(json_object_get(patch, "metadata"), "resourceVersion",
                        json_string(op->version));
    if (op->kind->target == HW_HUB_INFOS) {
        json_object_set_new(patch, "status",
                            json_pack("{s:o}", "infos", hw_status_infos(p, unix_ms)));
        return patch;
    }
    char nm[HW_NM_SIZE];
    hw_auto_free char *detail = hw_detail_json(p, "hub");
    hw_nm_format(p->n, p->m, nm);
    hw_kube_patch_annotation(patch, HW_ANNOTATION, nm);
    hw_kube_patch_annotation(patch, HW_ANNOTATION_DETAIL, detail);
    return patch;
}

static void on_reply(void *ctx, const struct hw_kube_reply *reply);

/* False: it needs no write any more. */
static bool launch(struct hw_hub_writer *w, struct flight *f, struct hw_hub_operation *op)
{
    int64_t unix_ms = hw_wall_ms(w->clock);
    int64_t bar = bar_of(w, op->kind)->until_ms - hw_now_ms(w->clock);
    if (bar > 0) {
        op->turn.dirty = true;
        rest(w, &op->turn, BARRED, bar);
        return false;
    }
    op->turn.dirty = false;
    if (!hw_hub_view(op, unix_ms, &f->value) || hw_hub_need(op, &f->value) == HW_HUB_FINE) {
        op->turn.since_ms = 0;
        rest(w, &op->turn, RESTING, REST_MS);
        return false;
    }
    hw_auto_json patch = make_patch(op, &f->value, unix_ms);
    hw_auto_free char *body = hw_json_dump(patch);
    struct hw_kube_request request = { .verb = HW_KUBE_PATCH,
                                       .object = object_of(op),
                                       .body = hw_str(body),
                                       .metadata_only = true,
                                       .deadline_ms = DEADLINE_MS };
    f->w = w;
    f->op = op;
    f->call = hw_kube_send(w->kube, &request, on_reply, f);
    move(w, &op->turn, WRITING);
    return true;
}

static struct flight *free_flight(struct hw_hub_writer *w)
{
    for (int i = 0; i < FLIGHTS_MAX; i++)
        if (!w->flights[i].call)
            return &w->flights[i];
    return NULL;
}

/* Milliseconds until the budget has room for one write; one second's worth can be saved. */
static int64_t budget_wait(struct hw_hub_writer *w, int64_t cost)
{
    int64_t now = hw_now_ms(w->clock);
    w->tokens_ms += now - w->tokens_at_ms;
    w->tokens_at_ms = now;
    if (w->tokens_ms > 1000 + cost)
        w->tokens_ms = 1000 + cost;
    return cost > w->tokens_ms ? cost - w->tokens_ms : 0;
}

/* Writes what may be written now; returns in how many milliseconds there may be more, -1 = when something happens. */
static int64_t write_some(struct hw_hub_writer *w)
{
    int64_t cost = w->o.budget ? (int64_t)1000 * w->pace.slower / w->o.budget : 0;
    while (w->allowed && w->waiting) {
        struct flight *f = free_flight(w);
        int64_t wait = w->paused_until_ms - hw_now_ms(w->clock);
        if (!f || !w->o.may_write(w->o.ctx))
            return -1;
        if (wait <= 0)
            wait = budget_wait(w, cost);
        if (wait > 0)
            return wait;
        struct hw_hub_turn *t = head(w, URGENT) ? head(w, URGENT) : head(w, NORMAL);
        if (launch(w, f, op_of(t)))
            w->tokens_ms -= cost;
    }
    return -1;
}

/* ---- answers ---- */

static void pause_all(struct hw_hub_writer *w, const struct hw_kube_reply *reply)
{
    int64_t wait = hw_backoff_next(&w->backoff, hw_backoff_random());
    if (reply->retry_after_ms > 0)
        wait += reply->retry_after_ms;
    w->paused_until_ms = hw_now_ms(w->clock) + wait;
}

/* Once for each cause, until a write is taken. */
static bool is_news(struct hw_hub_writer *w, const struct hw_kube_reply *reply)
{
    int key = (int)reply->outcome << 16 | reply->cause;
    for (int i = 0; i < w->cause_count; i++)
        if (w->causes[i] == key)
            return false;
    if (w->cause_count == CAUSES_MAX)
        return false;
    w->causes[w->cause_count++] = key;
    return true;
}

static void written(struct hw_hub_writer *w, struct flight *f, const struct hw_kube_reply *reply)
{
    struct hw_hub_operation *op = f->op;
    const char *uid = hw_json_text(reply->body, "metadata", "uid", NULL);
    const char *version = hw_json_text(reply->body, "metadata", "resourceVersion", NULL);
    hw_log(HW_DEBUG, "hub", "%s %s/%s: %" PRId64 "/%" PRId64 " written in %" PRId64 " ms",
           op->kind->kind, op->namespace, op->name, f->value.n, f->value.m, reply->ms);
    w->counts.written++;
    op->turn.since_ms = 0;
    w->cause_count = 0;
    hw_backoff_reset(&w->backoff);
    if (hw_streq(uid, op->uid))
        hw_hub_wrote(op, &f->value, version);
    rest(w, &op->turn, COOLING, w->o.gap_ms);
}

/* True: it is a matter of the whole kind; one of it asks again when the time is over. */
static bool bars(struct hw_hub_writer *w, struct hw_hub_operation *op,
                 const struct hw_kube_reply *reply)
{
    if (reply->outcome != HW_KUBE_FORBIDDEN)
        return false;
    struct bar *bar = bar_of(w, op->kind);
    hw_log(bar->until_ms ? HW_DEBUG : HW_WARN, "hub", "%s", reply->err.msg);
    bar->until_ms = hw_now_ms(w->clock) + BAR_MS;
    w->counts.refused++;
    op->turn.dirty = true;
    rest(w, &op->turn, BARRED, BAR_MS);
    return true;
}

/* True: it is a matter of this operation, and an event will tell when to try again. It is gone, or somebody else wrote, or Fluid
 * has not written its first status yet. */
static bool concerns_one(struct hw_hub_writer *w, struct hw_hub_operation *op,
                         const struct hw_kube_reply *reply)
{
    bool conflict = reply->outcome == HW_KUBE_CONFLICT, invalid = reply->outcome == HW_KUBE_INVALID;
    if (!conflict && !invalid && reply->outcome != HW_KUBE_GONE &&
        reply->outcome != HW_KUBE_NOT_FOUND)
        return false;
    hw_log(invalid && op->held.any ? HW_WARN : HW_DEBUG, "hub", "%s", reply->err.msg);
    w->counts.conflicts += conflict;
    w->counts.refused += !conflict;
    op->turn.dirty = op->turn.dirty || conflict;
    rest(w, &op->turn, conflict ? RESTING : COOLING, conflict ? AGAIN_MS : w->o.gap_ms);
    return true;
}

static void refused(struct hw_hub_writer *w, struct hw_hub_operation *op,
                    const struct hw_kube_reply *reply)
{
    if (bars(w, op, reply) || concerns_one(w, op, reply))
        return;
    hw_log(is_news(w, reply) ? HW_WARN : HW_DEBUG, "hub", "%s", reply->err.msg);
    pause_all(w, reply);
    move(w, &op->turn, URGENT);
}

static void learn(struct hw_hub_writer *w, const struct hw_kube_reply *reply)
{
    bool throttled = reply->outcome == HW_KUBE_THROTTLED;
    bool failed = reply->outcome == HW_KUBE_SERVER || reply->outcome == HW_KUBE_NETWORK;
    hw_tally_add(&w->counts.answers, reply->status, reply->ms);
    w->counts.throttled += throttled;
    w->counts.failed += failed;
    hw_pace_feedback(&w->pace, !throttled && !failed, reply->ms);
}

static void on_reply(void *ctx, const struct hw_kube_reply *reply)
{
    struct flight *f = ctx;
    struct hw_hub_writer *w = f->w;
    f->call = NULL;
    learn(w, reply);
    if (f->op && reply->outcome == HW_KUBE_OK)
        written(w, f, reply);
    else if (f->op)
        refused(w, f->op, reply);
    f->op = NULL;
    wake(w);
}

/* ---- the turn of the loop ---- */

static int64_t until(struct hw_hub_writer *w, enum place place, int64_t wait)
{
    struct hw_hub_turn *t = head(w, place);
    int64_t mine = t ? t->due_ms - hw_now_ms(w->clock) : -1;
    if (!t)
        return wait;
    if (mine < 0)
        mine = 0;
    return wait < 0 || mine < wait ? mine : wait;
}

static void on_timer(uv_timer_t *timer)
{
    struct hw_hub_writer *w = HW_CONTAINER(timer, struct hw_hub_writer, timer);
    struct hw_hub_turn *t;
    rouse(w, RESTING);
    rouse(w, COOLING);
    rouse(w, BARRED);
    for (int i = 0; i < LOOKS_MAX && (t = head(w, FRESH)); i++)
        look(w, t);
    int64_t wait = write_some(w);
    wait = until(w, BARRED, until(w, COOLING, until(w, RESTING, wait)));
    if (head(w, FRESH))
        wait = 0;
    if (wait >= 0)
        uv_timer_start(&w->timer, on_timer, (uint64_t)wait, 0);
}

void hw_hub_writer_allow(struct hw_hub_writer *w, bool allowed)
{
    w->allowed = allowed;
    for (int i = 0; !allowed && i < FLIGHTS_MAX; i++) {
        struct flight *f = &w->flights[i];
        hw_kube_cancel(f->call);
        f->call = NULL;
        if (f->op) {
            f->op->turn.dirty = true;
            rest(w, &f->op->turn, RESTING, AGAIN_MS);
        }
        f->op = NULL;
    }
    wake(w);
}

struct hw_hub_writer_counts hw_hub_writer_counts(const struct hw_hub_writer *w)
{
    struct hw_hub_writer_counts c = w->counts;
    c.waiting = w->waiting;
    return c;
}

struct hw_hub_writer *hw_hub_writer_new(struct hw_kube *kube, uv_loop_t *loop,
                                        const struct hw_clock *clock,
                                        const struct hw_hub_writer_opts *opts)
{
    struct hw_hub_writer *w = hw_xzalloc(sizeof *w);
    struct hw_pace_rules rules = hw_pace_status();
    int64_t now = hw_now_ms(clock);
    w->kube = kube;
    w->clock = clock;
    w->o = *opts;
    w->tokens_at_ms = now;
    hw_pace_init(&w->pace, &rules, now);
    for (int i = 0; i < PLACES; i++)
        w->lists[i].next = w->lists[i].prev = &w->lists[i];
    uv_timer_init(loop, &w->timer);
    return w;
}

static void on_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct hw_hub_writer, timer));
}

void hw_hub_writer_free(struct hw_hub_writer *w)
{
    if (!w)
        return;
    for (int i = 0; i < FLIGHTS_MAX; i++)
        hw_kube_cancel(w->flights[i].call);
    uv_close((uv_handle_t *)&w->timer, on_closed);
}
