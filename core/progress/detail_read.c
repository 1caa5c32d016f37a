#include "progress/detail_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "progress/detail.h"
#include "progress/nm.h"

enum {
    NM_MAX = 100, /* bytes, with leading zeros and blanks */
    ETA_MAX_S = 99 * 24 * 3600,
    COUNTER_MAX = 1000000,
};

static void read_text(json_t *o, const char *key, char *dst, size_t size)
{
    json_t *text = json_object_get(o, key);
    if (json_is_string(text))
        hw_clean_private(dst, size - 1,
                         (struct hw_str){ json_string_value(text), json_string_length(text) });
}

/* 0 when it is absent, no integer or out of range. */
static int64_t read_integer(json_t *o, const char *key, int64_t max)
{
    json_int_t n = json_integer_value(json_object_get(o, key));
    return n > 0 && n <= max ? n : 0;
}

static double read_number(json_t *o, const char *key, double max)
{
    json_t *value = json_object_get(o, key);
    double n = json_number_value(value);
    return json_is_number(value) && isfinite(n) && n >= 0 && n <= max ? n : -1;
}

static int64_t read_time(json_t *o, const char *key, int64_t unix_ms)
{
    const char *text = hw_json_text(o, key, NULL);
    int64_t at = 0;
    if (!text || strlen(text) > 40 || hw_parse_time(text, &at, NULL) < 0 || at <= 0)
        return 0;
    return at < unix_ms ? at : unix_ms;
}

static bool read_count(json_t *o, struct hw_count *c)
{
    json_t *done = json_object_get(o, "done"), *total = json_object_get(o, "total");
    if (!json_is_integer(done) || (total && !json_is_integer(total)))
        return false;
    *c = (struct hw_count){ .done = json_integer_value(done),
                            .total = total ? json_integer_value(total) : -1 };
    const char *unit = hw_json_text(o, "unit", NULL);
    if (unit)
        snprintf(c->unit, sizeof c->unit, "%s", unit);
    return c->total < 0 || c->done <= c->total;
}

static void read_phase(json_t *o, struct hw_phase *phase)
{
    read_text(o, "name", phase->name, sizeof phase->name);
    phase->index = (int)read_integer(o, "index", HW_PHASE_MAX);
    phase->count = (int)read_integer(o, "count", HW_PHASE_MAX);
    double weight = read_number(o, "weight", 1);
    phase->weight = weight > 0 ? weight : 0;
    if (!phase->index)
        *phase = (struct hw_phase){ .index = 0 };
}

static void read_also(json_t *list, struct hw_sample *s)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) {
        if (s->also_count < HW_ALSO_MAX && read_count(one, &s->also[s->also_count]))
            s->also_count++;
    }
}

/* What a parser may say is checked as a parser's word is. */
static void read_sample(json_t *o, struct hw_progress *p)
{
    struct hw_sample s = hw_sample_none();
    s.counted = read_count(o, &s.main);
    s.fraction = read_number(o, "fraction", 1);
    read_also(json_object_get(o, "also"), &s);
    read_phase(json_object_get(o, "phase"), &s.phase);
    if (hw_sample_check(&s, NULL) < 0)
        return;
    p->counted = s.counted;
    p->count = s.main;
    p->fraction = s.fraction;
    memcpy(p->also, s.also, sizeof p->also);
    p->also_count = s.also_count;
    p->phase = s.phase;
}

static enum hw_state read_state(json_t *o, enum hw_state otherwise)
{
    const char *name = hw_json_text(o, "state", NULL);
    for (int i = HW_WAITING; name && i <= HW_FAILED; i++)
        if (strcmp(hw_state_name((enum hw_state)i), name) == 0)
            return (enum hw_state)i;
    return otherwise;
}

static void read_detail(json_t *o, int64_t unix_ms, struct hw_progress *p)
{
    read_sample(o, p);
    p->state = read_state(o, p->state);
    read_text(o, "reason", p->reason, sizeof p->reason);
    read_text(o, "message", p->message, sizeof p->message);
    read_text(o, "parser", p->parser, sizeof p->parser);
    p->attempt = (int)read_integer(o, "attempt", COUNTER_MAX);
    p->restarts = (int)read_integer(o, "restarts", COUNTER_MAX);
    p->refused = read_integer(o, "refused", INT64_MAX);
    p->rate = read_number(o, "rate", 1e18);
    p->eta = read_number(o, "eta", ETA_MAX_S);
    p->started = read_time(o, "started", unix_ms);
    p->updated = read_time(o, "updated", unix_ms);
}

/* A new reference; NULL = there is none, or it is too long or no object. */
static json_t *load(const char *detail)
{
    if (!detail || strnlen(detail, HW_DETAIL_MAX + 1) > HW_DETAIL_MAX)
        return NULL;
    json_t *o = json_loads(detail, 0, NULL);
    if (json_is_object(o))
        return o;
    json_decref(o);
    return NULL;
}

int hw_detail_read(const char *nm, const char *detail, int64_t unix_ms, struct hw_progress *ret,
                   struct hw_err *err)
{
    struct hw_nm n;
    if (strnlen(nm, NM_MAX + 1) > NM_MAX)
        return hw_fail(err, HW_EINPUT, "N/M of more than %d bytes", NM_MAX);
    if (hw_nm_parse(hw_str(nm), &n, err) < 0)
        return -1;
    if (n.message.len)
        return hw_fail(err, HW_EINPUT, "something stands behind N/M");
    struct hw_progress p = { .n = n.done,
                             .m = n.total,
                             .fraction = -1,
                             .rate = -1,
                             .eta = -1,
                             .state = n.done ? HW_RUNNING : HW_WAITING };
    hw_auto_json o = load(detail);
    if (o) {
        read_detail(o, unix_ms, &p);
    } else if (n.done) {
        p.counted = true;
        p.count = (struct hw_count){ .done = n.done, .total = n.total };
    }
    *ret = p;
    return 0;
}

bool hw_detail_floor(const char *nm, const char *detail, struct hw_floor *ret)
{
    struct hw_nm value;
    struct hw_progress p = { .count.total = -1 };
    if (!nm || hw_nm_parse(hw_str(nm), &value, NULL) < 0)
        return false;
    hw_auto_json o = load(detail);
    read_sample(o, &p);
    *ret = (struct hw_floor){
        .n = value.done, .m = value.total, .counted = p.counted, .count = p.count
    };
    return true;
}
