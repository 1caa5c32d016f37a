/* collect.c - the items of a replay, however many, as a bounded number of points. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "replay/plot.h"

static double share(const struct hw_progress *p)
{
    if (p->state == HW_SCANNING)
        return -1;
    if (p->fraction >= 0)
        return p->fraction;
    return p->m > 0 ? (double)p->n / (double)p->m : -1;
}

/* The last point of each of HW_PLOT_POINTS / 2 equal parts of x stays, and the first of all. */
static void thin(struct hw_plot *plot)
{
    const double parts = HW_PLOT_POINTS * 0.5 - 2;
    double begin = plot->points[0].x;
    double width = (plot->points[plot->count - 1].x - begin) / parts;
    size_t kept = 1;
    for (size_t i = 1; i < plot->count; i++) {
        bool last = i + 1 == plot->count;
        double here = (plot->points[i].x - begin) / width;
        /* Without a width they all are at one place. */
        if (last ||
            (width > 0 && (int64_t)here != (int64_t)((plot->points[i + 1].x - begin) / width)))
            plot->points[kept++] = plot->points[i];
    }
    plot->count = kept;
    plot->rated = 0;
}

static void add_point(struct hw_plot *plot, double x, const struct hw_progress *p)
{
    if (plot->count == HW_PLOT_POINTS)
        thin(plot);
    plot->points[plot->count++] =
        (struct hw_plot_point){ .x = x, .fraction = share(p), .rate = p->rate, .eta = p->eta };
}

/* One axis is one unit: the rates of another one before are forgotten. */
static void take_unit(struct hw_plot *plot, const char *unit)
{
    if (strcmp(plot->unit, unit) == 0)
        return;
    for (; plot->rated < plot->count; plot->rated++)
        plot->points[plot->rated].rate = -1;
    memcpy(plot->unit, unit, sizeof plot->unit);
}

static void add_span(struct hw_plot *plot, double x, enum hw_state state)
{
    struct hw_plot_span *last = plot->span_count ? &plot->spans[plot->span_count - 1] : NULL;
    if (last)
        last->to = x;
    if (last && (last->state == state || plot->span_count == HW_PLOT_SPANS))
        return;
    plot->spans[plot->span_count++] = (struct hw_plot_span){ x, x, state };
}

static void add_mark(struct hw_plot *plot, double x, const char *text)
{
    if (plot->mark_count == HW_PLOT_MARKS)
        return;
    struct hw_plot_mark *m = &plot->marks[plot->mark_count++];
    m->x = x;
    hw_clean_text(m->text, sizeof m->text - 1, hw_str(text));
}

static void add_phase(struct hw_plot *plot, double x, const struct hw_phase *phase)
{
    char text[120], of[16] = "";
    if (!phase->index ||
        (phase->index == plot->phase.index && strcmp(phase->name, plot->phase.name) == 0))
        return;
    plot->phase = *phase;
    if (phase->count)
        snprintf(of, sizeof of, " of %d", phase->count);
    snprintf(text, sizeof text, "phase %d%s%s%s", phase->index, of, phase->name[0] ? ": " : "",
             phase->name);
    add_mark(plot, x, text);
}

void hw_plot_init(struct hw_plot *plot, const char *name, const char *parser, const char *command,
                  bool timed)
{
    const char *slash = strrchr(name, '/');
    memset(plot, 0, sizeof *plot);
    plot->timed = timed;
    plot->last.fraction = plot->last.rate = plot->last.eta = -1;
    hw_clean_text(plot->title, sizeof plot->title - 1,
                  hw_str(strcmp(name, "-") == 0 ? "standard input"
                         : slash                ? slash + 1
                                                : name));
    hw_auto_free char *text =
        hw_xasprintf("parser %s%s%s", parser, command ? "  ·  " : "", command ? command : "");
    hw_clean_private(plot->subtitle, 140, hw_str(text));
    add_span(plot, 0, HW_WAITING);
}

void hw_plot_add(struct hw_plot *plot, const struct hw_item *item)
{
    const struct hw_progress *p = item->progress;
    double x = plot->timed ? (double)item->ms / 1000 : (double)item->offset;
    if (item->kind == HW_ITEM_WAIT)
        return;
    plot->end = x > plot->end ? x : plot->end;
    plot->counts = *item->counts;
    add_span(plot, plot->end, p->state);
    if (item->kind == HW_ITEM_REFUSED)
        return;
    if (p->counted)
        take_unit(plot, p->count.unit);
    add_phase(plot, plot->end, &p->phase);
    if (p->restarts > plot->restarts)
        add_mark(plot, plot->end, "restart");
    plot->restarts = p->restarts;
    add_point(plot, plot->end, p);
    plot->last = *p;
}
