#include "progress/tracker.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { STALL_GAPS = 10, STALL_MAX_MS = 3600000, MILLION = 1000000 };

static const char *const state_names[] = { "waiting", "scanning", "running",
                                           "stalled", "complete", "failed" };

const char *hw_state_name(enum hw_state state)
{
    return state_names[state];
}

void hw_progress_note(struct hw_progress *p, const char *note)
{
    size_t len = strlen(p->reason);
    char both[2 * HW_TEXT_MAX + 4];
    if (!note[0] || strstr(p->reason, note))
        return;
    snprintf(both, sizeof both, "%s%s%s", p->reason, len ? "; " : "", note);
    hw_clean_text(p->reason, HW_TEXT_MAX, hw_str(both));
}

struct hw_tracker_rules hw_tracker_rules_default(void)
{
    return (struct hw_tracker_rules){ .stall_ms = 180000, .no_match_ms = 300000, .total = -1 };
}

static struct hw_progress nothing_yet(void)
{
    return (struct hw_progress){ .m = 100, .count.total = -1, .fraction = -1, .rate = -1, .eta = -1 };
}

void hw_tracker_init(struct hw_tracker *t, const struct hw_tracker_rules *rules,
                     struct hw_moment now)
{
    *t = (struct hw_tracker){ .rules = *rules,
                              .now = nothing_yet(),
                              .begun_ms = now.mono_ms,
                              .changed_ms = now.mono_ms,
                              .silent_since_ms = -1 };
}

static void set_text(char *dst, size_t size, const char *src)
{
    hw_clean_text(dst, size - 1, hw_str(src));
}

/* Lower is better: the unit that was asked for, then bytes, files, items, any other. */
static int rank(const struct hw_count *c, const char *wanted)
{
    static const char *const order[] = { "bytes", "files", "items" };
    if (wanted[0] && strcmp(c->unit, wanted) == 0)
        return -1;
    for (int i = 0; i < 3; i++)
        if (strcmp(c->unit, order[i]) == 0)
            return i;
    return 3;
}

static bool wants_percent(const struct hw_tracker *t)
{
    return strcmp(t->rules.unit, "%") == 0;
}

static const char *named(const struct hw_count *c)
{
    return c->unit[0] ? c->unit : "no unit";
}

/* The total from outside, where the tool knows none. One that is below the count is no total, or is of something else. */
static void lend_total(struct hw_tracker *t, struct hw_count *c)
{
    if (c->total >= 0 || t->rules.total < 0)
        return;
    if (c->done <= t->rules.total) {
        c->total = t->rules.total;
        return;
    }
    t->outgrown = true;
    snprintf(t->unmet, sizeof t->unmet, "--total %" PRId64 " is below the count %" PRId64 " (%s)",
             t->rules.total, c->done, named(c));
}

/* What unit the total from outside is in; "" = that of the count. */
static const char *total_unit(const struct hw_tracker *t)
{
    return t->rules.total_unit[0] ? t->rules.total_unit : t->rules.unit;
}

static void lend_total_by_unit(struct hw_tracker *t, struct hw_count *c)
{
    if (total_unit(t)[0] && strcmp(c->unit, total_unit(t)) == 0)
        lend_total(t, c);
}

/* Picks the count that is published; the others go to also, in the order they came. */
static void choose_count(struct hw_tracker *t, struct hw_sample *s)
{
    int best = -1;
    if (s->counted)
        lend_total_by_unit(t, &s->main);
    for (int i = 0; i < s->also_count; i++)
        lend_total_by_unit(t, &s->also[i]);
    for (int i = 0; i < s->also_count; i++) {
        const struct hw_count *c = best < 0 ? &s->main : &s->also[best];
        bool have = best >= 0 || s->counted;
        /* A pair with a total tells more than one without. */
        if (!have || (s->also[i].total >= 0) > (c->total >= 0) ||
            ((s->also[i].total >= 0) == (c->total >= 0) &&
             rank(&s->also[i], t->rules.unit) < rank(c, t->rules.unit)))
            best = i;
    }
    if (best < 0)
        return;
    struct hw_count chosen = s->also[best];
    if (s->counted)
        s->also[best] = s->main;
    else {
        s->also_count--;
        memmove(&s->also[best], &s->also[best + 1],
                (size_t)(s->also_count - best) * sizeof s->also[0]);
    }
    s->main = chosen;
    s->counted = true;
}

static bool same_phase(const struct hw_phase *a, const struct hw_phase *b)
{
    return a->index == b->index && strcmp(a->name, b->name) == 0;
}

/* Share done that the sample itself gives; < 0 = it gives none. */
static double own_fraction(const struct hw_sample *s)
{
    if (s->counted && s->main.total > 0)
        return (double)s->main.done / (double)s->main.total;
    return s->fraction;
}

static void enter_phase(struct hw_tracker *t, const struct hw_sample *s)
{
    if (!s->phase.index || same_phase(&s->phase, &t->now.phase))
        return;
    if (s->phase.index > t->now.phase.index) {
        t->phase_base += t->now.phase.weight;
        if (t->phase_base > 1)
            t->phase_base = 1;
    } else {
        t->phase_base = 0;
        t->fraction_max = 0;
    }
}

/* What the rate is measured in: the count, or millionths for tools that know only a percent. */
static int64_t rate_basis(const struct hw_sample *s)
{
    return s->counted ? s->main.done : s->fraction >= 0 ? (int64_t)(s->fraction * MILLION) : -1;
}

static void begin_anew(struct hw_tracker *t)
{
    t->now.restarts++;
    t->fraction_max = 0;
    t->scanning = false;
}

/* Whether this sample goes below the last one, in the same phase and unit. */
static bool goes_back(const struct hw_tracker *t, const struct hw_sample *s)
{
    if (s->phase.index && !same_phase(&s->phase, &t->now.phase))
        return false;
    if (s->counted && t->now.counted && strcmp(s->main.unit, t->now.count.unit) == 0)
        return s->main.done < t->now.count.done;
    double f = own_fraction(s);
    return !s->counted && !t->now.counted && f >= 0 && f < t->now.fraction;
}

static void floor_hundredths(double fraction, struct hw_progress *p)
{
    int64_t n = (int64_t)floor(fraction * 100 + 1e-9); /* 0.29 * 100 is 28.999999999999996 */
    p->n = n > 99 && fraction < 1 ? 99 : n > 100 ? 100 : n < 0 ? 0 : n;
    p->m = 100;
}

/* docs/reference.md, "From progress to N/M". */
static void map_pair(struct hw_tracker *t, const struct hw_sample *s)
{
    double f = own_fraction(s);
    if (s->phase.index && s->phase.weight > 0) {
        if (f >= 0 && !t->scanning) {
            double whole = t->phase_base + s->phase.weight * f;
            t->fraction_max = whole > t->fraction_max ? fmin(whole, 1) : t->fraction_max;
        } else if (t->phase_base > t->fraction_max)
            t->fraction_max = t->phase_base;
        t->now.fraction = t->fraction_max;
        floor_hundredths(t->fraction_max, &t->now);
        return;
    }
    if (s->counted || f >= 0)
        t->now.fraction = t->scanning ? -1 : f;
    if (t->scanning) { /* the last N/M with a known total stays; one that was too small has proved that it is not all */
        if (t->outgrown && t->now.m > 0 && t->now.n == t->now.m)
            t->now.n--;
        return;
    }
    if (wants_percent(t) && s->fraction >= 0) {
        t->now.fraction = s->fraction;
        floor_hundredths(s->fraction, &t->now);
    } else if (s->counted && s->main.total >= 0) {
        t->now.n = s->main.done;
        t->now.m = s->main.total;
    } else if (f >= 0) /* a percent, perhaps beside a count whose total nobody knows */
        floor_hundredths(f, &t->now);
}

/* What was asked for and is not in the sample whose count is chosen. */
static void find_unmet(struct hw_tracker *t, const struct hw_sample *s)
{
    const struct hw_tracker_rules *r = &t->rules;
    const struct hw_count *c = &s->main;
    const char *unit = s->counted ? named(c) : "percent";
    bool other = wants_percent(t) ? s->fraction < 0 : !s->counted || strcmp(c->unit, r->unit) != 0;
    if (t->unmet[0])
        return;
    if (r->unit[0] && other)
        snprintf(t->unmet, sizeof t->unmet, "--unit %s: the progress is in %s", r->unit, unit);
    else if (r->total >= 0 && r->total_unit[0] && s->counted && c->total < 0)
        snprintf(t->unmet, sizeof t->unmet, "--total is in %s: the count is in %s", r->total_unit,
                 unit);
}

/* Which count is published, and its total. */
static void settle_count(struct hw_tracker *t, struct hw_sample *s)
{
    if (!s->counted && !s->also_count && s->fraction < 0)
        return;
    t->unmet[0] = '\0';
    t->outgrown = false;
    choose_count(t, s);
    if (s->counted && !total_unit(t)[0])
        lend_total(t, &s->main);
    find_unmet(t, s);
    if (s->counted && s->main.total >= 0 && s->main.done > s->main.total) {
        s->main.done = s->main.total;
        t->corrected++;
    }
}

static bool count_differs(const struct hw_progress *p, const struct hw_sample *s)
{
    if (s->counted)
        return !p->counted || s->main.done != p->count.done || s->main.total != p->count.total ||
               strcmp(s->main.unit, p->count.unit) != 0;
    return s->fraction >= 0 && s->fraction != p->fraction;
}

static void take_count(struct hw_tracker *t, const struct hw_sample *s, bool anew,
                       struct hw_moment now)
{
    int64_t basis = rate_basis(s);
    bool other = s->counted != t->now.counted ||
                 (s->counted && strcmp(t->now.count.unit, s->main.unit) != 0);
    if (basis >= 0 && (other || anew || basis < t->rate.last_done))
        hw_rate_restart(&t->rate, basis, now.mono_ms);
    else if (basis >= 0)
        hw_rate_add(&t->rate, basis, now.mono_ms);
    if (!s->counted)
        return;
    t->now.counted = true;
    t->now.count = s->main;
}

static int64_t stall_at(const struct hw_tracker *t);

/* A claim of the end holds until the counts go on. */
static bool take_claim(struct hw_tracker *t, const struct hw_sample *s, bool changed)
{
    enum hw_ended before = t->now.said;
    if (s->ended || changed)
        t->now.said = s->ended;
    return t->now.said != before;
}

/* The task itself named another total; 0/0 -> 0/500 is no restart, the total just became known. */
static bool renames_total(const struct hw_tracker *t, const struct hw_sample *s)
{
    return s->counted && t->now.counted && t->now.count.total > 0 &&
           s->main.total != t->now.count.total;
}

static void take_rest(struct hw_tracker *t, const struct hw_sample *s, const char *parser)
{
    if (s->phase.index)
        t->now.phase = s->phase;
    if (s->counted || s->also_count) {
        memcpy(t->now.also, s->also, sizeof s->also);
        t->now.also_count = s->also_count;
    }
    set_text(t->now.parser, sizeof t->now.parser, parser);
}

static bool take_message(struct hw_tracker *t, const struct hw_sample *s)
{
    bool says = t->own_word || s->message[0]; /* a file without a message takes the old one away */
    if (t->rules.hide_message || !says || strcmp(t->now.message, s->message) == 0)
        return false;
    memcpy(t->now.message, s->message, sizeof s->message);
    return true;
}

static void mark_changed(struct hw_tracker *t, struct hw_moment now)
{
    t->changed_ms = now.mono_ms;
    t->now.updated = now.unix_ms;
    if (!t->now.started)
        t->now.started = now.unix_ms;
}

/* ---- what an earlier reporter has published ------------------------------------------------------ */

/* Whether what is counted now is no less. */
static bool reaches(const struct hw_tracker *t, const struct hw_floor *f)
{
    const struct hw_progress *p = &t->now;
    if (!p->counted && p->fraction < 0)
        return f->n == 0 && (!f->counted || f->count.done == 0);
    if (p->counted && f->counted && strcmp(p->count.unit, f->count.unit) == 0)
        return p->count.done >= f->count.done;
    return (__int128)p->n * f->m >= (__int128)f->n * p->m;
}

static void settle_floor(struct hw_tracker *t, bool lifted)
{
    t->floored = t->floored && !lifted && !reaches(t, &t->floor);
}

static void raise_to_floor(const struct hw_floor *f, struct hw_progress *p)
{
    p->n = f->n;
    p->m = f->m;
    p->fraction = f->m > 0 ? (double)f->n / (double)f->m : -1;
    p->counted = f->counted;
    p->count = f->count;
    p->also_count = 0;
    p->eta = -1;
}

void hw_tracker_floor(struct hw_tracker *t, const struct hw_floor *floor)
{
    struct hw_progress *p = &t->now;
    if (t->own_word || t->ended)
        return;
    t->floor = *floor;
    if (t->scanning || (!p->counted && p->fraction < 0)) { /* the last N/M with a known total */
        p->n = floor->n;
        p->m = floor->m;
    }
    t->floored = !reaches(t, floor);
}

/* -------------------------------------------------------------------------------------------------- */

bool hw_tracker_sample(struct hw_tracker *t, const struct hw_sample *sample, bool own_word,
                       const char *parser, struct hw_moment now)
{
    struct hw_sample s = *sample;
    if (t->ended)
        return false;
    t->silent_since_ms = -1;
    t->refusal[0] = t->source_reason[0] = '\0';
    settle_count(t, &s);
    bool back = goes_back(t, &s);
    if (back && !own_word && !s.restart) {
        t->held++;
        return take_claim(t, &s, false);
    }
    bool restarts = s.restart || (own_word && (back || renames_total(t, &s)));
    bool next_phase = s.phase.index && !same_phase(&s.phase, &t->now.phase);
    bool moves_on = t->now.phase.index && next_phase;
    bool changed = restarts || next_phase || count_differs(&t->now, &s);
    bool was_idle = now.mono_ms >= stall_at(t); /* the idle time must not count */
    t->own_word = own_word;
    enter_phase(t, &s);
    if (restarts)
        begin_anew(t);
    if (s.counted || s.fraction >= 0 || s.scanning)
        t->scanning = s.scanning || (s.counted && s.main.total < 0 && s.fraction < 0);
    take_count(t, &s, s.restart || next_phase || (changed && was_idle), now);
    map_pair(t, &s);
    settle_floor(t, own_word || s.restart || moves_on);
    take_rest(t, &s, parser);
    bool news = take_claim(t, &s, changed);
    news |= take_message(t, &s);
    if (changed)
        mark_changed(t, now);
    return changed || news;
}

void hw_tracker_refused(struct hw_tracker *t, const char *why, struct hw_moment now)
{
    (void)now;
    t->now.refused++;
    t->source_reason[0] = '\0';
    set_text(t->refusal, sizeof t->refusal, why);
}

void hw_tracker_silent(struct hw_tracker *t, const char *parser, struct hw_moment now)
{
    if (t->silent_since_ms < 0)
        t->silent_since_ms = now.mono_ms;
    set_text(t->now.parser, sizeof t->now.parser, parser);
}

void hw_tracker_source(struct hw_tracker *t, const char *why)
{
    set_text(t->source_reason, sizeof t->source_reason, why);
}

void hw_tracker_attempt(struct hw_tracker *t, int attempt, struct hw_moment now)
{
    struct hw_tracker_rules rules = t->rules;
    hw_tracker_init(t, &rules, now);
    t->now.attempt = attempt;
}

void hw_tracker_end(struct hw_tracker *t, enum hw_outcome outcome, const char *reason,
                    struct hw_moment now)
{
    if (t->ended)
        return;
    t->over = true;
    if (outcome == HW_OUTCOME_UNKNOWN)
        return;
    t->ended = true;
    t->outcome = outcome;
    set_text(t->end_reason, sizeof t->end_reason, reason);
    t->now.updated = now.unix_ms;
    if (!t->now.started)
        t->now.started = now.unix_ms;
    if (outcome == HW_OUTCOME_FAILURE || t->now.said == HW_ENDED_PARTIAL)
        return; /* no more is done than was counted */
    struct hw_progress *p = &t->now;
    if (t->floored)
        raise_to_floor(&t->floor, p);
    t->floored = false;
    bool weighted = p->phase.index && p->phase.weight > 0;
    if (t->scanning && p->counted &&
        !weighted) /* the total was unknown to the end: it is what was done */
        p->n = p->m = p->count.total = p->count.done;
    else if (p->counted && p->count.total >= 0)
        p->count.done = p->count.total;
    t->scanning = false;
    p->fraction = 1;
    p->n = p->m;
}

/* Monotonic time from which on the task counts as stalled. */
static int64_t stall_at(const struct hw_tracker *t)
{
    int64_t wait = t->rate.gap_ms * STALL_GAPS;
    if (wait > STALL_MAX_MS)
        wait = STALL_MAX_MS;
    if (wait < t->rules.stall_ms)
        wait = t->rules.stall_ms;
    return t->changed_ms + wait;
}

static int64_t no_match_at(const struct hw_tracker *t)
{
    return t->silent_since_ms < 0 ? INT64_MAX : t->silent_since_ms + t->rules.no_match_ms;
}

static bool all_counted(const struct hw_progress *p)
{
    return p->m > 0 && p->n == p->m && (p->counted || p->fraction >= 0);
}

/* What the last words claim, as a reason; "" = nothing. */
static const char *claim(const struct hw_progress *p)
{
    static const char *const texts[] = {
        [HW_ENDED_NO] = "",
        [HW_ENDED_COMPLETE] = "the log says it is complete",
        [HW_ENDED_PARTIAL] = "partial: the log says that not all of it is done",
        [HW_ENDED_FAILED] = "the log says it failed",
    };
    return texts[p->said];
}

static bool claims_failure(const struct hw_progress *p)
{
    return p->said == HW_ENDED_FAILED || p->said == HW_ENDED_PARTIAL;
}

static void set_reason(struct hw_progress *p, const char *why)
{
    snprintf(p->reason, sizeof p->reason, "%s", why);
}

static void stalled(const struct hw_tracker *t, struct hw_moment now, struct hw_progress *p)
{
    p->state = HW_STALLED;
    p->rate = p->eta = -1;
    if (now.mono_ms >= no_match_at(t))
        snprintf(p->reason, sizeof p->reason, "no record matched (%s)", p->parser);
    else if (t->refusal[0])
        set_reason(p, t->refusal);
    else if (t->source_reason[0])
        set_reason(p, t->source_reason);
    else
        set_reason(p, "no change");
}

/* Phases with weights: straight on from the share of the whole that is done. */
static double weighted_eta(const struct hw_tracker *t, struct hw_moment now)
{
    double elapsed = (double)(now.mono_ms - t->begun_ms) / 1000, f = t->fraction_max;
    return f > 0.02 && elapsed > 10 && t->rate.changes >= 2 ? elapsed * (1 - f) / f : -1;
}

static double time_left(const struct hw_tracker *t, const struct hw_progress *p,
                        struct hw_moment now)
{
    if (p->state != HW_RUNNING || all_counted(p))
        return -1;
    if (p->phase.index && p->phase.weight > 0)
        return weighted_eta(t, now);
    if (p->phase.index && p->phase.index < p->phase.count)
        return -1;
    if (p->counted && p->count.total < 0 && p->fraction > 0) {
        /* A percent beside a count: a guess at its total, which is shown nowhere. */
        double total = (double)p->count.done / p->fraction;
        return total < 9e18 ? hw_rate_eta(&t->rate, (int64_t)total, now.mono_ms) : -1;
    }
    if (p->counted)
        return p->count.total > 0 ? hw_rate_eta(&t->rate, p->count.total, now.mono_ms) : -1;
    return p->fraction >= 0 ? hw_rate_eta(&t->rate, MILLION, now.mono_ms) : -1;
}

static void running(const struct hw_tracker *t, struct hw_moment now, struct hw_progress *p)
{
    bool something = p->counted || p->fraction >= 0 || p->phase.index;
    bool nothing_known = p->counted && p->count.done == 0 && p->count.total == 0;
    p->state = t->scanning ? HW_SCANNING : !something || nothing_known ? HW_WAITING : HW_RUNNING;
    p->rate = p->counted ? hw_rate_value(&t->rate, now.mono_ms) : -1;
    p->eta = time_left(t, p, now);
    if (t->refusal[0])
        set_reason(p, t->refusal);
    else if (p->said)
        set_reason(p, claim(p));
    else if (t->unmet[0])
        set_reason(p, t->unmet);
    else if (p->state == HW_RUNNING && all_counted(p))
        set_reason(p, "all counted, task still working");
    else if (t->source_reason[0])
        set_reason(p, t->source_reason);
}

/* The exit status decides; that a failure is a partial one, or that the log says other than a success, is told beside it. */
static void ended(const struct hw_tracker *t, struct hw_progress *p)
{
    bool silent = !p->counted && t->source_reason[0] && !t->end_reason[0];
    bool success = t->outcome == HW_OUTCOME_SUCCESS;
    p->state = success ? HW_COMPLETE : HW_FAILED;
    if (success && claims_failure(p))
        set_reason(p, claim(p));
    else if (!success && p->said == HW_ENDED_PARTIAL && t->end_reason[0])
        snprintf(p->reason, sizeof p->reason, "partial: %.180s", t->end_reason);
    else
        set_reason(p, silent ? t->source_reason : t->end_reason);
    hw_progress_note(p, t->unmet);
}

static void view_floor(const struct hw_tracker *t, struct hw_progress *p)
{
    raise_to_floor(&t->floor, p);
    if (p->state == HW_WAITING && p->n > 0)
        p->state = HW_RUNNING;
    if (!t->ended && !t->refusal[0] && p->state != HW_STALLED)
        set_reason(p,
                   "the reporter was restarted: nothing less than what it had published is shown");
}

void hw_tracker_view(const struct hw_tracker *t, struct hw_moment now, struct hw_progress *ret)
{
    *ret = t->now;
    bool stuck = now.mono_ms >= stall_at(t) || now.mono_ms >= no_match_at(t);
    if (t->ended)
        ended(t, ret);
    else if (t->over && claims_failure(ret)) {
        ret->state = HW_FAILED;
        set_reason(ret, claim(ret));
    } else if (stuck && !ret->said && !(all_counted(ret) && !t->scanning))
        stalled(t, now, ret);
    else
        running(t, now, ret);
    if (t->floored)
        view_floor(t, ret);
}

int64_t hw_tracker_next(const struct hw_tracker *t, int64_t now_ms)
{
    if (t->ended || t->now.said)
        return -1;
    int64_t stall = stall_at(t), match = no_match_at(t);
    int64_t next = stall < match ? stall : match;
    int64_t later = stall < match ? match : stall;
    if (next > now_ms)
        return next;
    return later > now_ms && later != INT64_MAX ? later : -1;
}
