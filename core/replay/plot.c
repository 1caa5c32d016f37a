/* plot.c - collected points as an SVG. Colors are in the style sheet alone, once for light and once for dark. */
#include "replay/plot.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "progress/detail.h"
#include "progress/nm.h"

enum {
    WIDTH = 960,
    LEFT = 84,
    RIGHT = 40,
    INNER = WIDTH - LEFT - RIGHT,
    TOP = 96,
    GAP = 52, /* between panels: a caption */
    TALL = 250,
    LOW = 110,
    FOOT = 56,
    TICKS_X = 8,
    LABEL_BYTES = 48,
};

struct drawing {
    const struct hw_plot *plot; /* borrows */
    FILE *out;                  /* borrows */
    double x_max;
    int y; /* top of the panel at hand */
};

struct axis {
    double min, max, step;
    void (*label)(double value, const char *unit, char *buf, size_t size);
    const char *unit;
};

static const char style[] =
    "text{font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2328}"
    ".bg{fill:#fff}.title{font-size:17px;font-weight:600}.mute{fill:#59636e}.cap{font-weight:600}"
    ".grid{stroke:#e4e8ec}.axis{stroke:#afb8c1}"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    ".progress{stroke:#1f6feb}.area{fill:#1f6feb;fill-opacity:.12}.rate{stroke:#0f8a6d}"
    ".ratearea{fill:#0f8a6d;fill-opacity:.12}.end{stroke:#8250df}.dot{fill:#1f6feb;stroke:#fff;stroke-width:2}"
    ".mark{stroke:#59636e;stroke-dasharray:2 3}.real{stroke:#59636e;stroke-dasharray:6 4}"
    ".waiting{fill:#6e7781;fill-opacity:.10}.scanning{fill:#0598bc;fill-opacity:.13}"
    ".stalled{fill:#d4a72c;fill-opacity:.28}.failed{fill:#cf222e}.complete{fill:#1a7f37}"
    "@media(prefers-color-scheme:dark){"
    "text{fill:#e6edf3}.bg{fill:#0d1117}.mute{fill:#9198a1}.grid{stroke:#21262d}.axis{stroke:#484f58}"
    ".progress{stroke:#58a6ff}.area{fill:#58a6ff;fill-opacity:.16}.rate{stroke:#3fd0a4}"
    ".ratearea{fill:#3fd0a4;fill-opacity:.14}.end{stroke:#bc8cff}.dot{fill:#58a6ff;stroke:#0d1117}"
    ".mark,.real{stroke:#9198a1}.waiting{fill:#8b949e;fill-opacity:.13}"
    ".scanning{fill:#39c5cf;fill-opacity:.14}.stalled{fill:#e3b341;fill-opacity:.24}"
    ".failed{fill:#ff7b72}.complete{fill:#56d364}}";

/* ---- text ---------------------------------------------------------------------------------------- */

/* The text is clean; of what is left XML takes all but U+FFFE and U+FFFF. */
static void put_text(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (strncmp(p, "\xEF\xBF\xBE", 3) == 0 || strncmp(p, "\xEF\xBF\xBF", 3) == 0)
            p += 2;
        else if (*p == '<')
            fputs("&lt;", out);
        else if (*p == '>')
            fputs("&gt;", out);
        else if (*p == '&')
            fputs("&amp;", out);
        else if (*p == '"')
            fputs("&quot;", out);
        else
            fputc(*p, out);
    }
}

/* anchor: "start", "middle", "end". */
static void put_label(FILE *out, double x, double y, const char *anchor, const char *class,
                      const char *text)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor,
            class);
    put_text(out, text);
    fputs("</text>\n", out);
}

static void put_line(FILE *out, double x1, double y1, double x2, double y2, const char *class)
{
    fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1,
            x2, y2, class);
}

/* ---- axes ---------------------------------------------------------------------------------------- */

static void label_time(double s, const char *unit, char *buf, size_t size)
{
    (void)unit;
    int64_t whole = (int64_t)s;
    int days = (int)(whole / 86400), h = (int)(whole / 3600 % 24), m = (int)(whole / 60 % 60);
    if (s < 10 && s != floor(s))
        snprintf(buf, size, s * 10 == floor(s * 10) ? "%.1f s" : "%.2f s", s);
    else if (s < 60)
        snprintf(buf, size, "%d s", (int)whole);
    else if (whole < 3600)
        snprintf(buf, size, "%d:%02d", m, (int)(whole % 60));
    else if (days == 0)
        snprintf(buf, size, "%d:%02d:%02d", h, m, (int)(whole % 60));
    else
        snprintf(buf, size, h ? "%d d %d h" : "%d d", days, h);
}

static void label_amount(double v, const char *unit, char *buf, size_t size)
{
    hw_format_amount(v, strcmp(unit, "bytes") == 0 ? unit : "", buf, size);
}

static void label_percent(double v, const char *unit, char *buf, size_t size)
{
    (void)unit;
    snprintf(buf, size, "%.0f%%", v * 100);
}

/* The least of 1, 2, 5 times a power of the base that gives at most ticks steps; of bytes: powers of two. */
static double even_step(double span, int ticks, bool bytes)
{
    double least = span / ticks;
    if (!(least > 0))
        return 1;
    if (bytes)
        return least <= 1 ? 1 : exp2(ceil(log2(least)));
    double power = pow(10, floor(log10(least)));
    double times = least / power;
    return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

static double time_step(double span, int ticks)
{
    static const double steps[] = { 1,     2,     5,     10,    15,     30,    60,
                                    120,   300,   600,   900,   1800,   3600,  7200,
                                    10800, 21600, 43200, 86400, 172800, 604800 };
    for (size_t i = 0; i < HW_LEN(steps); i++)
        if (span <= 5)
            break;
        else if (span / steps[i] <= ticks)
            return steps[i];
    return span <= 5 ? even_step(span, ticks, false) : 604800 * ceil(span / 604800 / ticks);
}

static double place_x(const struct drawing *d, double x)
{
    return LEFT + x / d->x_max * INNER;
}

static double place_y(const struct drawing *d, const struct axis *a, int height, double v)
{
    double share = (v - a->min) / (a->max - a->min);
    return d->y + height - fmin(fmax(share, 0), 1) * height;
}

static double x_step(const struct drawing *d)
{
    return d->plot->timed ? time_step(d->x_max, TICKS_X) : even_step(d->x_max, TICKS_X, true);
}

/* ---- panels -------------------------------------------------------------------------------------- */

static void draw_spans(const struct drawing *d, int height)
{
    for (size_t i = 0; i < d->plot->span_count; i++) {
        const struct hw_plot_span *s = &d->plot->spans[i];
        bool shown = s->state == HW_STALLED || s->state == HW_SCANNING || s->state == HW_WAITING;
        double from = place_x(d, s->from), to = place_x(d, s->to);
        if (shown && to - from > 0.3)
            fprintf(d->out,
                    "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" class=\"%s\"/>\n", from,
                    d->y, to - from, height, hw_state_name(s->state));
    }
}

static void draw_grid(const struct drawing *d, const struct axis *a, int height, bool last)
{
    char text[LABEL_BYTES];
    double step = x_step(d), bottom = d->y + height;
    for (int i = 0; a->min + i * a->step <= a->max * (1 + 1e-9); i++) {
        double v = a->min + i * a->step;
        double y = place_y(d, a, height, v);
        put_line(d->out, LEFT, y, LEFT + INNER, y, "grid");
        a->label(v, a->unit, text, sizeof text);
        put_label(d->out, LEFT - 10, y + 4, "end", "mute", text);
    }
    for (int i = 0; i * step <= d->x_max * (1 + 1e-9); i++) {
        double x = place_x(d, i * step);
        put_line(d->out, x, bottom, x, bottom + 5, "axis");
        if (!last)
            continue;
        (d->plot->timed ? label_time : label_amount)(i * step, "bytes", text, sizeof text);
        put_label(d->out, x, bottom + 21, "middle", "mute", text);
    }
    put_line(d->out, LEFT, bottom, LEFT + INNER, bottom, "axis");
}

/* < 0: there is none. */
typedef double value_fn(const struct hw_plot *plot, size_t i);

static double fraction_of(const struct hw_plot *plot, size_t i)
{
    return plot->points[i].fraction;
}

static double rate_of(const struct hw_plot *plot, size_t i)
{
    return plot->points[i].rate;
}

/* First guesses may be far off: what is over twice the time it took is left out. */
static double end_of(const struct hw_plot *plot, size_t i)
{
    const struct hw_plot_point *p = &plot->points[i];
    return p->eta < 0 || p->x + p->eta > 2 * plot->end ? -1 : p->x + p->eta;
}

/* One run of points that have a value, from i on; each pixel's first, lowest, highest and last are enough. Returns the index
 * behind it. */
static size_t draw_run(const struct drawing *d, const struct axis *a, int height, value_fn *value,
                       bool steps, size_t i)
{
    const struct hw_plot *plot = d->plot;
    char head = 'M';
    double before = -1;
    while (i < plot->count && value(plot, i) >= 0) {
        size_t first = i, low = i, high = i;
        double x = place_x(d, plot->points[i].x);
        for (; i < plot->count && value(plot, i) >= 0 && place_x(d, plot->points[i].x) < x + 1; i++) {
            low = value(plot, i) < value(plot, low) ? i : low;
            high = value(plot, i) > value(plot, high) ? i : high;
        }
        size_t order[] = { first, low < high ? low : high, low < high ? high : low, i - 1 };
        for (size_t k = 0; k < HW_LEN(order); k++) {
            double px = place_x(d, plot->points[order[k]].x);
            double py = place_y(d, a, height, value(plot, order[k]));
            if (k && order[k] == order[k - 1])
                continue;
            if (steps && before >= 0)
                fprintf(d->out, "H%.1f", px);
            if (!steps || py != before)
                fprintf(d->out, "%c%.1f %.1f", head, px, py);
            head = 'L';
            before = py;
        }
    }
    /* A value holds until the next is known, or is known to be none. */
    if (steps && i < plot->count)
        fprintf(d->out, "H%.1f", place_x(d, plot->points[i].x));
    return i;
}

/* Each run of points with a value: what is below it, then the line. */
static void draw_line(const struct drawing *d, const struct axis *a, int height, value_fn *value,
                      bool steps, const char *line, const char *area)
{
    for (size_t i = 0; i < d->plot->count;) {
        size_t next = i + 1;
        if (value(d->plot, i) >= 0) {
            double begin = place_x(d, d->plot->points[i].x);
            if (area) {
                fprintf(d->out, "<path class=\"%s\" d=\"", area);
                draw_run(d, a, height, value, steps, i);
                fprintf(d->out, "V%dH%.1fZ\"/>\n", d->y + height, begin);
            }
            fprintf(d->out, "<path class=\"line %s\" d=\"", line);
            next = draw_run(d, a, height, value, steps, i);
            fputs("h0\"/>\n", d->out); /* a lone value is a point: no length, but round ends */
        }
        i = next;
    }
}

static void draw_marks(const struct drawing *d, int height, bool labels)
{
    double free_from[3] = { 0 };
    for (size_t i = 0; i < d->plot->mark_count; i++) {
        const struct hw_plot_mark *m = &d->plot->marks[i];
        double x = place_x(d, m->x), wide = 6.6 * (double)strlen(m->text);
        bool left = x + wide + 8 > LEFT + INNER;
        double from = left ? x - wide - 8 : x;
        put_line(d->out, x, d->y, x, d->y + height, "mark");
        for (int row = 0; labels && row < 3; row++) {
            if (free_from[row] > from)
                continue;
            put_label(d->out, left ? x - 4 : x + 4, d->y + 14 + 15 * row, left ? "end" : "start",
                      "mute", m->text);
            free_from[row] = from + wide + 12;
            break;
        }
    }
}

static void caption(const struct drawing *d, const char *text)
{
    put_label(d->out, LEFT, d->y - 12, "start", "cap", text);
}

static void draw_progress(const struct drawing *d, bool last)
{
    struct axis a = { 0, 1, 0.25, label_percent, "" };
    const struct hw_plot_point *p = d->plot->points;
    caption(d, "Progress");
    draw_spans(d, TALL);
    draw_grid(d, &a, TALL, last);
    draw_line(d, &a, TALL, fraction_of, true, "progress", "area");
    draw_marks(d, TALL, true);
    if (d->plot->count && p[d->plot->count - 1].fraction >= 0)
        fprintf(d->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" class=\"dot\"/>\n",
                place_x(d, p[d->plot->count - 1].x),
                place_y(d, &a, TALL, p[d->plot->count - 1].fraction));
}

static double highest(const struct hw_plot *plot, value_fn *value)
{
    double most = -1;
    for (size_t i = 0; i < plot->count; i++)
        most = fmax(most, value(plot, i));
    return most;
}

static void draw_rate(const struct drawing *d, bool last)
{
    char text[80];
    bool bytes = strcmp(d->plot->unit, "bytes") == 0;
    struct axis a = { 0, highest(d->plot, rate_of), 1, label_amount, d->plot->unit };
    a.step = even_step(a.max > 0 ? a.max : 1, 4, bytes);
    a.max = a.step * fmax(1, ceil(a.max / a.step));
    snprintf(text, sizeof text, "Rate, %s/s", d->plot->unit[0] ? d->plot->unit : "items");
    caption(d, text);
    draw_spans(d, LOW);
    draw_grid(d, &a, LOW, last);
    draw_line(d, &a, LOW, rate_of, false, "rate", "ratearea");
    draw_marks(d, LOW, false);
}

/* The dashed line is where it really ended. */
static void draw_end(const struct drawing *d)
{
    struct axis a = { 0, fmax(highest(d->plot, end_of), d->plot->end), 1, label_time, "" };
    a.step = time_step(a.max, 4);
    a.max = a.step * ceil(a.max / a.step);
    caption(d, "Estimated end");
    put_label(d->out, LEFT + INNER, d->y - 12, "end", "mute", "dashed: when it ended");
    draw_spans(d, LOW);
    draw_grid(d, &a, LOW, true);
    double y = place_y(d, &a, LOW, d->plot->end);
    put_line(d->out, LEFT, y, LEFT + INNER, y, "real");
    draw_line(d, &a, LOW, end_of, false, "end", NULL);
    draw_marks(d, LOW, false);
}

/* ---- the whole ----------------------------------------------------------------------------------- */

/* Whether it is wide enough to be seen. */
static bool has_span(const struct drawing *d, enum hw_state state)
{
    for (size_t i = 0; i < d->plot->span_count; i++) {
        const struct hw_plot_span *s = &d->plot->spans[i];
        if (s->state == state && place_x(d, s->to) - place_x(d, s->from) >= 1)
            return true;
    }
    return false;
}

static void draw_legend(const struct drawing *d)
{
    static const enum hw_state states[] = { HW_STALLED, HW_SCANNING, HW_WAITING };
    double x = LEFT + INNER;
    for (size_t i = 0; i < HW_LEN(states); i++) {
        const char *name = hw_state_name(states[i]);
        if (!has_span(d, states[i]))
            continue;
        x -= 6.8 * (double)strlen(name);
        put_label(d->out, x, TOP - 12, "start", "mute", name);
        x -= 18;
        fprintf(d->out,
                "<rect x=\"%.1f\" y=\"%d\" width=\"12\" height=\"12\" rx=\"2\" class=\"%s\"/>\n", x,
                TOP - 22, name);
        x -= 16;
    }
}

/* "65/65  ·  running" and what came, at the right. */
static void draw_head(const struct drawing *d)
{
    const struct hw_plot *plot = d->plot;
    char nm[HW_NM_SIZE], text[160];
    hw_nm_format(plot->last.n, plot->last.m, nm);
    snprintf(text, sizeof text, "%s  ·  %s", nm, hw_state_name(plot->last.state));
    const char *class = plot->last.state == HW_FAILED     ? "title failed"
                        : plot->last.state == HW_COMPLETE ? "title complete"
                                                          : "title";
    put_label(d->out, LEFT, 34, "start", "title", plot->title);
    put_label(d->out, LEFT, 54, "start", "mute", plot->subtitle);
    put_label(d->out, LEFT + INNER, 34, "end", class, text);
    snprintf(text, sizeof text, "%" PRIu64 " samples of %" PRIu64 " records, %" PRIu64 " refused",
             plot->counts.samples, plot->counts.records, plot->counts.refusals);
    put_label(d->out, LEFT + INNER, 54, "end", "mute", text);
    draw_legend(d);
}

static void open_svg(const struct drawing *d, int height)
{
    fprintf(
        d->out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
        "role=\"img\">\n<title>",
        WIDTH, height, WIDTH, height);
    put_text(d->out, d->plot->title);
    fprintf(d->out, "</title>\n<style>%s</style>\n<rect width=\"%d\" height=\"%d\" class=\"bg\"/>\n",
            style, WIDTH, height);
}

void hw_plot_write(const struct hw_plot *plot, FILE *out)
{
    struct drawing d = { .plot = plot, .out = out, .y = TOP };
    bool rate = highest(plot, rate_of) > 0, end = plot->timed && highest(plot, end_of) > 0;
    d.x_max = plot->end > 0 ? plot->end : 1;
    open_svg(&d, TOP + TALL + rate * (GAP + LOW) + end * (GAP + LOW) + FOOT);
    draw_head(&d);
    draw_progress(&d, !rate && !end);
    d.y += TALL + GAP;
    if (rate) {
        draw_rate(&d, !end);
        d.y += LOW + GAP;
    }
    if (end) {
        draw_end(&d);
        d.y += LOW + GAP;
    }
    put_label(out, LEFT + INNER, d.y - GAP + 42, "end", "mute",
              plot->timed ? "time since the start" : "bytes of output (a plain log has no times)");
    fputs("</svg>\n", out);
}
