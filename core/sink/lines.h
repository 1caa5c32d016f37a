/* lines.h - the sinks of this machine: a bar on a terminal, a line now and then where there is none, JSON
 * lines. They write to a descriptor that somebody else may hold up (a pipe that is not read), so they write
 * only what is taken at once, and otherwise try again later with the newest value. */
#ifndef HW_SINK_LINES_H
#define HW_SINK_LINES_H

#include <uv.h>

#include "base/clock.h"
#include "sink/sink.h"

enum hw_lines_form {
    HW_LINES_BAR,  /* one line that is redrawn, at most ten times a second */
    HW_LINES_TEXT, /* a line every 10 s, and for each change of state */
    HW_LINES_JSON, /* a line for each value: hw_progress_json */
};

struct hw_lines_options {
    int fd; /* borrows */
    enum hw_lines_form form;
    bool color;       /* BAR */
    bool ascii;       /* BAR: no block characters */
    const char *by;   /* JSON; borrows, static text */
    const char *name; /* shown in front of BAR and TEXT, or NULL; copied */
};

/* BAR when fd is a terminal that can redraw, else TEXT; color and ascii after NO_COLOR, TERM and locale. */
struct hw_lines_options hw_lines_detect(int fd);

struct hw_sink *hw_lines_new(uv_loop_t *loop, const struct hw_clock *clock,
                             const struct hw_lines_options *options,
                             const struct hw_sink_events *events);

/* The bar as drawn, without line end: width columns at most. For specs and other views. */
void hw_bar_draw(const struct hw_progress *p, int64_t unix_ms, int width, bool color, bool ascii,
                 char *buf, size_t size);

#endif
