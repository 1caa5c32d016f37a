#include "progress/pace.h"

#include <string.h>

enum { TOKEN_MS = 30000, TOKENS_MAX = 120, SLOWER_MAX = 16, SLOW_REPLY_MS = 1000 };

struct hw_pace_rules hw_pace_annotation(void)
{
    return (struct hw_pace_rules){ .percent_ms = 3000, .other_ms = 30000, .state_at_once = true };
}

struct hw_pace_rules hw_pace_status(void)
{
    return (struct hw_pace_rules){ .percent_ms = 15000 };
}

struct hw_pace_rules hw_pace_local(void)
{
    return (struct hw_pace_rules){ .percent_ms = 0, .other_ms = 1, .state_at_once = true };
}

void hw_pace_init(struct hw_pace *p, const struct hw_pace_rules *rules, int64_t now_ms)
{
    *p = (struct hw_pace){ .rules = *rules,
                           .started_ms = now_ms,
                           .tokens_ms = (int64_t)TOKENS_MAX * TOKEN_MS,
                           .tokens_at_ms = now_ms,
                           .slower = 1 };
}

static int64_t percent(const struct hw_progress *p)
{
    return p->m > 0 ? (int64_t)((__int128)p->n * 100 / p->m) : 0;
}

static bool count_differs(const struct hw_count *a, const struct hw_count *b)
{
    return a->done != b->done || a->total != b->total || strcmp(a->unit, b->unit) != 0;
}

static bool other_differs(const struct hw_progress *a, const struct hw_progress *b)
{
    if (a->n != b->n || a->m != b->m || a->counted != b->counted ||
        count_differs(&a->count, &b->count) || a->also_count != b->also_count)
        return true;
    for (int i = 0; i < a->also_count; i++)
        if (count_differs(&a->also[i], &b->also[i]))
            return true;
    return a->phase.index != b->phase.index || strcmp(a->phase.name, b->phase.name) != 0 ||
           a->attempt != b->attempt || a->restarts != b->restarts || a->refused != b->refused ||
           strcmp(a->reason, b->reason) != 0 || strcmp(a->message, b->message) != 0;
}

bool hw_pace_is_same(const struct hw_progress *a, const struct hw_progress *b)
{
    return a->state == b->state && !other_differs(a, b);
}

/* Time since the last write that value must wait for; -1 = for ever. */
static int64_t gap(const struct hw_pace *p, const struct hw_progress *value, int64_t now_ms)
{
    if (value->state != p->wrote.state)
        return p->rules.state_at_once ? 0 : p->rules.percent_ms;
    if (percent(value) != percent(&p->wrote))
        return p->rules.percent_ms;
    if (!p->rules.other_ms || !other_differs(value, &p->wrote))
        return -1;
    bool known = value->state == HW_RUNNING && value->m > 0;
    int64_t least = p->rules.other_ms * (known ? 2 : 1), share = (now_ms - p->started_ms) / 20;
    return p->rules.other_ms > 1 && share > least ? share : least;
}

static int64_t tokens(const struct hw_pace *p, int64_t now_ms)
{
    int64_t have = p->tokens_ms + (now_ms - p->tokens_at_ms), max = (int64_t)TOKENS_MAX * TOKEN_MS;
    return have < max ? have : max;
}

int64_t hw_pace_due(const struct hw_pace *p, const struct hw_progress *value, bool last,
                    int64_t now_ms)
{
    if (last)
        return p->wrote_last && hw_pace_is_same(value, &p->wrote) ? -1 : 0;
    if (!p->writes)
        return 0;
    int64_t wait = gap(p, value, now_ms);
    if (wait < 0)
        return -1;
    wait = wait * p->slower - (now_ms - p->wrote_ms);
    int64_t bucket = p->rules.percent_ms ? TOKEN_MS - tokens(p, now_ms) : 0;
    if (wait < bucket)
        wait = bucket;
    return wait > 0 ? wait : 0;
}

void hw_pace_wrote(struct hw_pace *p, const struct hw_progress *value, bool last, int64_t now_ms)
{
    p->tokens_ms = tokens(p, now_ms) - TOKEN_MS;
    p->tokens_at_ms = now_ms;
    p->wrote_ms = now_ms;
    p->wrote = *value;
    p->wrote_last = last;
    p->writes++;
}

void hw_pace_feedback(struct hw_pace *p, bool ok, int64_t took_ms)
{
    if (!ok || took_ms > SLOW_REPLY_MS)
        p->slower = p->slower * 2 > SLOWER_MAX ? SLOWER_MAX : p->slower * 2;
    else if (p->slower > 1)
        p->slower /= 2;
}
