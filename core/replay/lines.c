#include "replay/lines.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "progress/detail.h"
#include "progress/nm.h"

enum { TIME_BYTES = 24 };

void hw_items_init(struct hw_items *l, const struct hw_items_options *options)
{
    *l = (struct hw_items){ .options = *options };
}

/* ---- JSON ---------------------------------------------------------------------------------------- */

/* "refused" is the reason of a refusal here, so the detail's count is left to the last line's "refusals". */
static void add_progress(json_t *o, const struct hw_progress *p)
{
    static const char *const left_out[] = { "v", "refused" };
    char nm[HW_NM_SIZE];
    hw_auto_json detail = hw_detail_object(p, NULL);
    for (size_t i = 0; i < HW_LEN(left_out); i++)
        json_object_del(detail, left_out[i]);
    hw_nm_format(p->n, p->m, nm);
    json_object_set_new(o, "progress", json_string(nm));
    json_object_update(o, detail);
    if (p->said)
        json_object_set_new(o, "ended", json_string(hw_ended_name(p->said)));
}

static void add_counts(json_t *o, const struct hw_play_counts *c)
{
    json_object_set_new(o, "final", json_true());
    json_object_set_new(o, "records", json_integer((json_int_t)c->records));
    json_object_set_new(o, "samples", json_integer((json_int_t)c->samples));
    json_object_set_new(o, "refusals", json_integer((json_int_t)c->refusals));
    json_object_set_new(o, "cut", json_integer((json_int_t)c->cut));
    json_object_set_new(o, "held", json_integer((json_int_t)c->held));
}

static void print_json(const struct hw_items *l, const struct hw_item *item)
{
    hw_auto_json o = json_object();
    if (item->kind == HW_ITEM_STATE)
        return;
    json_object_set_new(o, "t", l->options.timed ? json_real((double)item->ms / 1000) : json_null());
    json_object_set_new(o, "offset", json_integer((json_int_t)item->offset));
    if (item->kind == HW_ITEM_REFUSED)
        json_object_set_new(o, "refused", json_string(item->why));
    else
        add_progress(o, item->progress);
    if (item->held)
        json_object_set_new(o, "held_back", json_true());
    if (item->kind == HW_ITEM_END)
        add_counts(o, item->counts);
    /* Fifteen digits: milliseconds of 31 years, and 0.1 is 0.1. */
    json_dumpf(o, l->options.out, JSON_COMPACT | JSON_REAL_PRECISION(15));
    fputc('\n', l->options.out);
}

/* ---- for people ---------------------------------------------------------------------------------- */

static void format_when(const struct hw_items *l, const struct hw_item *item, char buf[TIME_BYTES])
{
    if (item->kind == HW_ITEM_END)
        snprintf(buf, TIME_BYTES, "end");
    else if (l->options.timed)
        snprintf(buf, TIME_BYTES, "%" PRId64 ".%03ds", item->ms / 1000, (int)(item->ms % 1000));
    else
        snprintf(buf, TIME_BYTES, "@%" PRIu64, item->offset);
}

static void print_compact(const struct hw_items *l, const struct hw_item *item)
{
    char when[TIME_BYTES], nm[HW_NM_SIZE], line[HW_LINE_MAX];
    const struct hw_progress *p = item->progress;
    format_when(l, item, when);
    if (item->kind == HW_ITEM_REFUSED) {
        fprintf(l->options.out, "%9s  refused: %s\n", when, item->why);
        return;
    }
    hw_nm_format(p->n, p->m, nm);
    hw_progress_line(p, p->updated, line, sizeof line);
    fprintf(l->options.out, "%9s  %-9s  %s\n", when, nm, line);
}

static const char *color_of(enum hw_state state)
{
    static const char *const colors[] = {
        [HW_WAITING] = "\x1b[2m",  [HW_SCANNING] = "\x1b[36m", [HW_RUNNING] = "",
        [HW_STALLED] = "\x1b[33m", [HW_COMPLETE] = "\x1b[32m", [HW_FAILED] = "\x1b[31m"
    };
    return colors[state];
}

static void format_percent(const struct hw_progress *p, char *buf, size_t size)
{
    if (p->m > 0 && p->state != HW_SCANNING)
        snprintf(buf, size, "%d%%", (int)((__int128)p->n * 100 / p->m));
    else
        snprintf(buf, size, "-");
}

static void format_speed(const struct hw_progress *p, char *rate, char *left, size_t size)
{
    char amount[48];
    snprintf(rate, size, "-");
    snprintf(left, size, "-");
    if (p->rate > 0) {
        hw_format_amount(p->rate, strcmp(p->count.unit, "bytes") == 0 ? "bytes" : "", amount,
                         sizeof amount);
        snprintf(rate, size, "%s/s", amount);
    }
    if (p->eta >= 0)
        hw_format_duration((int64_t)(p->eta * 1000), left, size);
}

/* What the columns do not say: an unknown total, the phase, the reason or the tool's own words. */
static void format_rest(const struct hw_progress *p, char *buf, size_t size)
{
    char amount[48];
    int n = 0;
    buf[0] = '\0';
    if (p->counted && p->count.total < 0) {
        hw_format_amount((double)p->count.done, p->count.unit, amount, sizeof amount);
        n = snprintf(buf, size, "%s, total unknown", amount);
    }
    if (p->phase.index && p->phase.count)
        n += snprintf(buf + n, size - (size_t)n, "%sphase %d of %d", n ? "; " : "", p->phase.index,
                      p->phase.count);
    const char *text = p->reason[0] ? p->reason : p->message;
    if (text[0])
        snprintf(buf + n, size - (size_t)n, "%s%s", n ? "; " : "", text);
}

static void print_row(struct hw_items *l, const struct hw_item *item)
{
    char when[TIME_BYTES], nm[HW_NM_SIZE], percent[8], rate[64], left[64], rest[400];
    const struct hw_progress *p = item->progress;
    const char *color = l->options.color ? color_of(p->state) : "";
    if (!l->head)
        fprintf(l->options.out, "%10s  %17s  %4s  %-7s  %12s  %8s  %-8s  %s\n",
                l->options.timed ? "TIME" : "BYTE", "N/M", "", "UNIT", "RATE", "LEFT", "STATE",
                "MESSAGE");
    l->head = true;
    format_when(l, item, when);
    if (item->kind == HW_ITEM_REFUSED) {
        fprintf(l->options.out, "%10s  %17s  %s\n", when, "refused:", item->why);
        return;
    }
    hw_nm_format(p->n, p->m, nm);
    format_percent(p, percent, sizeof percent);
    format_speed(p, rate, left, sizeof left);
    format_rest(p, rest, sizeof rest);
    fprintf(l->options.out, "%10s  %17s  %4s  %-7s  %12s  %8s  %s%-8s%s  %s\n", when, nm, percent,
            p->counted && p->count.unit[0] ? p->count.unit : "-", rate, left, color,
            hw_state_name(p->state), color[0] ? "\x1b[0m" : "", rest);
}

static void print_counts(const struct hw_items *l, const struct hw_play_counts *c)
{
    fprintf(l->options.out, "%" PRIu64 " records, %" PRIu64 " samples, %" PRIu64 " refused",
            c->records, c->samples, c->refusals);
    if (c->held)
        fprintf(l->options.out, ", %" PRIu64 " held back (went backwards)", c->held);
    if (c->cut)
        fprintf(l->options.out, ", %" PRIu64 " cut (too long)", c->cut);
    fputc('\n', l->options.out);
}

/* ---- which are printed --------------------------------------------------------------------------- */

static void print(struct hw_items *l, const struct hw_item *item)
{
    bool end = item->kind == HW_ITEM_END;
    if (l->options.only_end && !end)
        return;
    if (l->options.form == HW_ITEMS_JSON) {
        print_json(l, item);
        return;
    }
    if (!end && item->kind != HW_ITEM_REFUSED && !item->changed)
        return;
    if (l->options.form == HW_ITEMS_COLUMNS)
        print_row(l, item);
    else
        print_compact(l, item);
    if (end)
        print_counts(l, item->counts);
}

static void let_go(struct hw_items *l)
{
    if (!l->held)
        return;
    l->held = false;
    l->item.progress = &l->progress;
    print(l, &l->item);
}

static void hold(struct hw_items *l, const struct hw_item *item)
{
    bool changed = l->held && l->item.changed;
    l->item = *item;
    l->item.changed |= changed;
    l->progress = *item->progress;
    l->held = true;
}

int hw_items_add(struct hw_items *l, const struct hw_item *item, struct hw_err *err)
{
    bool sample = item->kind == HW_ITEM_SAMPLE, newest = l->options.newest && l->options.timed;
    if (l->held && !(sample && item->ms == l->item.ms && !item->ended_last))
        let_go(l);
    if (sample && newest)
        hold(l, item);
    else if (item->kind != HW_ITEM_WAIT)
        print(l, item);
    return ferror(l->options.out) ? hw_fail(err, HW_ESYS, "write standard output") : 0;
}
