#include "progress/sample.h"

#include <math.h>
#include <string.h>

#include "base/str.h"

struct hw_sample hw_sample_none(void)
{
    return (struct hw_sample){ .main.total = -1, .fraction = -1 };
}

const char *hw_ended_name(enum hw_ended ended)
{
    static const char *const names[] = {
        [HW_ENDED_NO] = "", [HW_ENDED_COMPLETE] = "complete", [HW_ENDED_PARTIAL] = "partial", [HW_ENDED_FAILED] = "failed"
    };
    return names[ended];
}

static bool is_unit_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("_-/%. ", c);
}

static int check_unit(const char *unit, const char *what, struct hw_err *err)
{
    size_t len = strnlen(unit, HW_UNIT_MAX + 1);
    if (len > HW_UNIT_MAX)
        return hw_fail(err, HW_EINPUT, "%s: unit is longer than %d bytes", what, HW_UNIT_MAX);
    for (size_t i = 0; i < len; i++)
        if (!is_unit_char(unit[i]))
            return hw_fail(err, HW_EINPUT,
                           "%s: unit holds a character other than letters, digits, "
                           "space and _-/%%.",
                           what);
    return 0;
}

static int check_count(const struct hw_count *c, const char *what, struct hw_err *err)
{
    if (c->done < 0)
        return hw_fail(err, HW_EINPUT, "%s: done is negative", what);
    if (c->total < -1)
        return hw_fail(err, HW_EINPUT, "%s: total is negative", what);
    return check_unit(c->unit, what, err);
}

static int check_phase(struct hw_phase *p, struct hw_err *err)
{
    if (p->index < 0 || p->index > HW_PHASE_MAX || p->count < 0 || p->count > HW_PHASE_MAX)
        return hw_fail(err, HW_EINPUT, "phase: index and count must be 1 to %d", HW_PHASE_MAX);
    if (p->count && p->index > p->count)
        return hw_fail(err, HW_EINPUT, "phase: index %d is over count %d", p->index, p->count);
    if (!(p->weight >= 0 && p->weight <= 1))
        return hw_fail(err, HW_EINPUT, "phase: weight must be above 0 and at most 1");
    if (!p->name[0])
        return 0;
    char name[sizeof p->name];
    hw_clean_text(name, sizeof name - 1,
                  (struct hw_str){ p->name, strnlen(p->name, sizeof p->name) });
    memcpy(p->name, name, sizeof name);
    return 0;
}

static void clean_message(struct hw_sample *s)
{
    char clean[sizeof s->message];
    if (!s->message[0])
        return;
    hw_clean_private(clean, HW_TEXT_MAX,
                     (struct hw_str){ s->message, strnlen(s->message, sizeof s->message) });
    memcpy(s->message, clean, sizeof clean);
}

int hw_sample_check(struct hw_sample *s, struct hw_err *err)
{
    if (s->counted && check_count(&s->main, "sample", err) < 0)
        return -1;
    if (!s->counted)
        s->main = hw_sample_none().main;
    if (!(s->fraction < 0) && !(s->fraction <= 1))
        return hw_fail(err, HW_EINPUT, "fraction: must be 0 to 1");
    if (s->also_count < 0 || s->also_count > HW_ALSO_MAX)
        return hw_fail(err, HW_EINPUT, "also: at most %d counts", HW_ALSO_MAX);
    for (int i = 0; i < s->also_count; i++)
        if (check_count(&s->also[i], "also", err) < 0)
            return -1;
    if (check_phase(&s->phase, err) < 0)
        return -1;
    if ((unsigned)s->ended > HW_ENDED_FAILED)
        return hw_fail(err, HW_EINPUT, "ended: must be complete, partial or failed");
    clean_message(s);
    if (!s->counted && s->fraction < 0 && !s->also_count && !s->phase.index && !s->scanning &&
        !s->restart && !s->ended && !s->message[0])
        return hw_fail(err, HW_EINPUT, "sample: says nothing; return nil for that");
    return 0;
}
