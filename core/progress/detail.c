#include "progress/detail.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "progress/nm.h"

static void set_text(json_t *o, const char *key, const char *text)
{
    if (text && text[0])
        json_object_set_new(o, key, json_string(text));
}

static void set_positive(json_t *o, const char *key, int64_t value)
{
    if (value > 0)
        json_object_set_new(o, key, json_integer(value));
}

/* Three significant digits say all that a rate or an estimate knows. */
static void set_rounded(json_t *o, const char *key, double value)
{
    if (value < 0 || !isfinite(value))
        return;
    double scale = value > 0 ? pow(10, 2 - floor(log10(value))) : 1;
    double rounded = scale < 1 ? round(value) : round(value * scale) / scale;
    json_object_set_new(o, key,
                        rounded == floor(rounded) && rounded < 1e15
                            ? json_integer((json_int_t)rounded)
                            : json_real(rounded));
}

static void set_time(json_t *o, const char *key, int64_t unix_ms)
{
    char text[21];
    if (!unix_ms)
        return;
    hw_format_time(unix_ms, text);
    set_text(o, key, text);
}

static void set_count(json_t *o, const struct hw_count *c)
{
    json_object_set_new(o, "done", json_integer(c->done));
    json_object_set_new(o, "total", c->total < 0 ? json_null() : json_integer(c->total));
    set_text(o, "unit", c->unit);
}

static json_t *also_array(const struct hw_progress *p)
{
    json_t *list = json_array();
    for (int i = 0; i < p->also_count; i++) {
        json_t *one = json_object();
        set_count(one, &p->also[i]);
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *phase_object(const struct hw_phase *phase)
{
    json_t *o = json_object();
    set_text(o, "name", phase->name);
    set_positive(o, "index", phase->index);
    set_positive(o, "count", phase->count);
    if (phase->weight > 0)
        set_rounded(o, "weight", phase->weight);
    return o;
}

json_t *hw_detail_object(const struct hw_progress *p, const char *by)
{
    json_t *o = json_object();
    json_object_set_new(o, "v", json_integer(1));
    set_text(o, "by", by);
    if (p->counted)
        set_count(o, &p->count);
    if (p->fraction >= 0)
        json_object_set_new(o, "fraction", json_real(floor(p->fraction * 1e6) / 1e6));
    if (p->also_count)
        json_object_set_new(o, "also", also_array(p));
    set_text(o, "state", hw_state_name(p->state));
    set_text(o, "reason", p->reason);
    if (p->phase.index)
        json_object_set_new(o, "phase", phase_object(&p->phase));
    set_positive(o, "attempt", p->attempt);
    set_positive(o, "restarts", p->restarts);
    set_rounded(o, "rate", p->rate);
    if (p->eta >= 0)
        json_object_set_new(o, "eta", json_integer((json_int_t)ceil(p->eta)));
    set_time(o, "started", p->started);
    set_time(o, "updated", p->updated);
    set_text(o, "parser", p->parser);
    set_positive(o, "refused", p->refused);
    set_text(o, "message", p->message);
    return o;
}

static char *dump(const json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9));
    return text ? text : hw_xstrdup("{}"); /* only when memory is out */
}

static void drop_unknown_totals(json_t *o)
{
    if (json_is_null(json_object_get(o, "total")))
        json_object_del(o, "total");
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(o, "also"), i, one)
        drop_unknown_totals(one);
}

char *hw_detail_json(const struct hw_progress *p, const char *by)
{
    static const char *const cut_first[] = { "message", "reason", "also" };
    hw_auto_json o = hw_detail_object(p, by);
    drop_unknown_totals(o);
    char *text = dump(o);
    for (size_t i = 0; i < HW_LEN(cut_first) && strlen(text) > HW_DETAIL_MAX; i++) {
        free(text);
        json_object_del(o, cut_first[i]);
        text = dump(o);
    }
    return text;
}

char *hw_progress_json(const struct hw_progress *p, const char *by, int64_t unix_ms)
{
    hw_auto_json o = json_object();
    hw_auto_json detail = hw_detail_object(p, by);
    char nm[HW_NM_SIZE];
    hw_nm_format(p->n, p->m, nm);
    set_time(o, "time", unix_ms);
    set_text(o, "progress", nm);
    json_object_update(o, detail);
    return dump(o);
}

static void group_digits(int64_t n, char *buf, size_t size)
{
    char plain[24];
    int len = snprintf(plain, sizeof plain, "%" PRId64, n);
    size_t out = 0;
    for (int i = 0; i < len && out + 2 < size; i++) {
        if (i && (len - i) % 3 == 0)
            buf[out++] = ',';
        buf[out++] = plain[i];
    }
    buf[out] = '\0';
}

static void format_bytes(double n, char *buf, size_t size)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    size_t i = 0;
    for (; n >= 1024 && i + 1 < HW_LEN(units); i++)
        n /= 1024;
    snprintf(buf, size, i && n < 100 ? "%.1f %s" : "%.0f %s", n, units[i]);
}

void hw_format_amount(double amount, const char *unit, char *buf, size_t size)
{
    if (strcmp(unit, "bytes") == 0) {
        format_bytes(amount, buf, size);
        return;
    }
    char digits[32];
    if (amount != floor(amount) && amount < 100)
        snprintf(digits, sizeof digits, amount < 10 ? "%.2f" : "%.1f", amount);
    else
        group_digits(amount < 9e18 ? (int64_t)amount : INT64_MAX, digits, sizeof digits);
    snprintf(buf, size, "%s%s%s", digits, unit[0] ? " " : "", unit);
}

/* snprintf at the end of what stands there. */
HW_PRINTF(3, 4) static void append(char *buf, size_t size, const char *fmt, ...)
{
    size_t len = strlen(buf);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf + len, size - len, fmt, ap);
    va_end(ap);
}

static void append_count(const struct hw_progress *p, char *buf, size_t size)
{
    const struct hw_count *c = &p->count;
    char done[48], total[48];
    hw_format_amount((double)c->done, c->unit, done, sizeof done);
    if (c->total < 0) {
        append(buf, size, "%s, total unknown", done);
        return;
    }
    hw_format_amount((double)c->total, c->unit, total, sizeof total);
    if (strcmp(c->unit, "bytes") == 0)
        append(buf, size, "%s of %s", done, total);
    else
        append(buf, size, "%" PRId64 "/%s", c->done, total);
}

static void append_speed(const struct hw_progress *p, char *buf, size_t size)
{
    char text[48];
    if (p->rate > 0) {
        hw_format_amount(p->rate, p->count.unit[0] ? p->count.unit : "", text, sizeof text);
        append(buf, size, ", %s/s", text);
    }
    if (p->eta >= 0) {
        hw_format_duration((int64_t)(p->eta * 1000), text, sizeof text);
        append(buf, size, ", %s left", text);
    }
}

static void append_state(const struct hw_progress *p, int64_t unix_ms, char *buf, size_t size)
{
    char text[32];
    append(buf, size, "%s", hw_state_name(p->state));
    if (p->state != HW_STALLED || !p->updated || unix_ms <= p->updated)
        return;
    hw_format_duration(unix_ms - p->updated, text, sizeof text);
    append(buf, size, " %s", text);
}

void hw_progress_line(const struct hw_progress *p, int64_t unix_ms, char *buf, size_t size)
{
    buf[0] = '\0';
    if (p->state != HW_RUNNING)
        append_state(p, unix_ms, buf, size);
    if (p->state == HW_STALLED || p->state == HW_WAITING || p->state == HW_FAILED)
        append(buf, size, "%s%s", p->reason[0] ? ": " : "", p->reason);
    if (p->state != HW_WAITING) {
        if (buf[0])
            append(buf, size, ", ");
        bool percent = p->m > 0 && p->state != HW_SCANNING;
        if (percent)
            append(buf, size, "%d%%", (int)((__int128)p->n * 100 / p->m));
        if (percent && p->counted)
            append(buf, size, ", ");
        if (p->counted)
            append_count(p, buf, size);
        append_speed(p, buf, size);
    }
    if (p->state == HW_RUNNING && p->reason[0])
        append(buf, size, " (%s)", p->reason);
    if (p->phase.index && p->phase.count)
        append(buf, size, ", phase %d of %d", p->phase.index, p->phase.count);
    if (p->message[0])
        append(buf, size, ": %s", p->message);
}
