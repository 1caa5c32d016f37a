#include "lua/wire.h"

#include <string.h>

#include "base/mem.h"

void hw_wire_put(struct hw_wire_out *o, const void *bytes, size_t len)
{
    if (o->bad || len > o->size - o->len) {
        o->bad = true;
        return;
    }
    if (len)
        memcpy(o->ptr + o->len, bytes, len);
    o->len += len;
}

void hw_wire_put_u32(struct hw_wire_out *o, uint32_t v)
{
    hw_wire_put(o, &v, sizeof v);
}

void hw_wire_put_u64(struct hw_wire_out *o, uint64_t v)
{
    hw_wire_put(o, &v, sizeof v);
}

void hw_wire_put_text(struct hw_wire_out *o, struct hw_str text)
{
    hw_wire_put_u32(o, (uint32_t)text.len);
    hw_wire_put(o, text.ptr, text.len);
}

void hw_wire_put_cstr(struct hw_wire_out *o, const char *text)
{
    hw_wire_put_text(o, (struct hw_str){ text, strlen(text) + 1 });
}

static void take(struct hw_wire_in *in, void *bytes, size_t len)
{
    if (in->bad || len > in->len) {
        in->bad = true;
        memset(bytes, 0, len);
        return;
    }
    memcpy(bytes, in->ptr, len);
    in->ptr += len;
    in->len -= len;
}

uint32_t hw_wire_get_u32(struct hw_wire_in *in)
{
    uint32_t v;
    take(in, &v, sizeof v);
    return v;
}

uint64_t hw_wire_get_u64(struct hw_wire_in *in)
{
    uint64_t v;
    take(in, &v, sizeof v);
    return v;
}

struct hw_str hw_wire_get_text(struct hw_wire_in *in)
{
    size_t len = hw_wire_get_u32(in);
    if (in->bad || len > in->len) {
        in->bad = true;
        return (struct hw_str){ "", 0 };
    }
    struct hw_str text = { (const char *)in->ptr, len };
    in->ptr += len;
    in->len -= len;
    return text;
}

bool hw_wire_get_record(struct hw_wire_in *in, struct hw_str *ret)
{
    uint32_t len = HW_WIRE_SKIPPED;
    if (in->len >= sizeof len)
        memcpy(&len, in->ptr, sizeof len);
    if (len == HW_WIRE_SKIPPED) {
        hw_wire_get_u32(in); /* marks it bad when there is none */
        return false;
    }
    *ret = hw_wire_get_text(in);
    return !in->bad;
}

const char *hw_wire_get_cstr(struct hw_wire_in *in)
{
    struct hw_str text = hw_wire_get_text(in);
    if (text.len && text.ptr[text.len - 1] == '\0')
        return text.ptr;
    in->bad = true;
    return "";
}

/* ---- samples: a word that says what follows, since most say little and there are millions ---------- */

enum {
    COUNTED = 1 << 0,
    UNIT = 1 << 1,
    FRACTION = 1 << 2,
    ALSO = 1 << 3,
    PHASE = 1 << 4,
    SCANNING = 1 << 5,
    RESTART = 1 << 6,
    ENDED = 1 << 7,
    MESSAGE = 1 << 8,
    EACH = 1 << 9,
};

static void put_double(struct hw_wire_out *o, double v)
{
    hw_wire_put(o, &v, sizeof v);
}

static double get_double(struct hw_wire_in *in)
{
    double v;
    take(in, &v, sizeof v);
    return v;
}

/* A text of at most size - 1 bytes; longer ones are a mark of a bad body. */
static void get_chars(struct hw_wire_in *in, char *dst, size_t size)
{
    struct hw_str text = hw_wire_get_text(in);
    if (text.len >= size) {
        in->bad = true;
        text.len = 0;
    }
    memcpy(dst, text.ptr, text.len);
    dst[text.len] = '\0';
}

static void put_count(struct hw_wire_out *o, const struct hw_count *c, bool unit)
{
    hw_wire_put_u64(o, (uint64_t)c->done);
    hw_wire_put_u64(o, (uint64_t)c->total);
    if (unit)
        hw_wire_put_text(o, hw_str(c->unit));
}

static struct hw_count get_count(struct hw_wire_in *in, bool unit)
{
    struct hw_count c = { .done = (int64_t)hw_wire_get_u64(in) };
    c.total = (int64_t)hw_wire_get_u64(in);
    if (unit)
        get_chars(in, c.unit, sizeof c.unit);
    return c;
}

static void put_phase(struct hw_wire_out *o, const struct hw_phase *p)
{
    hw_wire_put_text(o, hw_str(p->name));
    hw_wire_put_u32(o, (uint32_t)p->index);
    hw_wire_put_u32(o, (uint32_t)p->count);
    put_double(o, p->weight);
}

static struct hw_phase get_phase(struct hw_wire_in *in)
{
    struct hw_phase p = { 0 };
    get_chars(in, p.name, sizeof p.name);
    p.index = (int)hw_wire_get_u32(in);
    p.count = (int)hw_wire_get_u32(in);
    p.weight = get_double(in);
    return p;
}

static uint32_t parts_of(const struct hw_sample *s)
{
    uint32_t parts = 0;
    parts |= s->counted ? COUNTED : 0u;
    parts |= s->counted && s->main.unit[0] ? UNIT : 0u;
    parts |= s->fraction < 0 ? 0u : FRACTION;
    parts |= s->also_count ? ALSO : 0u;
    parts |= s->phase.index || s->phase.name[0] ? PHASE : 0u;
    parts |= s->scanning ? SCANNING : 0u;
    parts |= s->restart ? RESTART : 0u;
    parts |= s->ended ? ENDED : 0u;
    parts |= s->each ? EACH : 0u;
    parts |= s->message[0] ? MESSAGE : 0u;
    return parts;
}

void hw_wire_put_sample(struct hw_wire_out *o, const struct hw_sample *s)
{
    uint32_t parts = parts_of(s);
    hw_wire_put_u32(o, parts);
    if (parts & COUNTED)
        put_count(o, &s->main, parts & UNIT);
    if (parts & FRACTION)
        put_double(o, s->fraction);
    if (parts & ALSO)
        hw_wire_put_u32(o, (uint32_t)s->also_count);
    for (int i = 0; i < s->also_count; i++)
        put_count(o, &s->also[i], true);
    if (parts & PHASE)
        put_phase(o, &s->phase);
    if (parts & ENDED)
        hw_wire_put_u32(o, s->ended);
    if (parts & MESSAGE)
        hw_wire_put_text(o, hw_str(s->message));
}

static void get_also(struct hw_wire_in *in, struct hw_sample *s)
{
    uint32_t count = hw_wire_get_u32(in);
    if (count > HW_ALSO_MAX) {
        in->bad = true;
        return;
    }
    s->also_count = (int)count;
    for (uint32_t i = 0; i < count; i++)
        s->also[i] = get_count(in, true);
}

struct hw_sample hw_wire_get_sample(struct hw_wire_in *in)
{
    struct hw_sample s = hw_sample_none();
    uint32_t parts = hw_wire_get_u32(in);
    s.counted = parts & COUNTED;
    if (s.counted)
        s.main = get_count(in, parts & UNIT);
    if (parts & FRACTION)
        s.fraction = get_double(in);
    if (parts & ALSO)
        get_also(in, &s);
    if (parts & PHASE)
        s.phase = get_phase(in);
    s.scanning = parts & SCANNING;
    s.restart = parts & RESTART;
    s.each = parts & EACH;
    if (parts & ENDED) {
        uint32_t ended = hw_wire_get_u32(in);
        in->bad |= ended > HW_ENDED_FAILED; /* before it is an enum of ours */
        s.ended = in->bad ? HW_ENDED_NO : (enum hw_ended)ended;
    }
    if (parts & MESSAGE)
        get_chars(in, s.message, sizeof s.message);
    return s;
}
