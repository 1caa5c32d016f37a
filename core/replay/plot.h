/* plot.h - a replay as a picture: progress, rate and estimated end over time, in one SVG without script or outside reference,
 * readable on light and dark. Two steps: items are collected, in bounded memory; what was collected is drawn, by a pure function.
 *   init -> add... -> write */
#ifndef HW_REPLAY_PLOT_H
#define HW_REPLAY_PLOT_H

#include <stdio.h>

#include "replay/player.h"

enum {
    HW_PLOT_POINTS = 4096, /* when they are all used, half of them go */
    HW_PLOT_SPANS = 128,   /* of states; what comes behind is one more of the last kind */
    HW_PLOT_MARKS = 48,
};

struct hw_plot_point {
    double x;        /* seconds, or bytes of output where there are no times */
    double fraction; /* 0..1; < 0 = unknown */
    double rate;     /* units a second; < 0 = unknown */
    double eta;      /* seconds left; < 0 = unknown */
};

struct hw_plot_span {
    double from, to;
    enum hw_state state;
};

struct hw_plot_mark {
    double x;
    char text[80]; /* clean */
};

struct hw_plot {
    char title[200], subtitle[300]; /* clean */
    bool timed;
    char unit[HW_UNIT_MAX + 1]; /* of the rate; "" = not said */
    struct hw_plot_point points[HW_PLOT_POINTS];
    size_t count;
    size_t rated; /* points before this one have no rate, or one in another unit: none */
    struct hw_plot_span spans[HW_PLOT_SPANS];
    size_t span_count;
    struct hw_plot_mark marks[HW_PLOT_MARKS];
    size_t mark_count;
    double end; /* x of the last item */
    struct hw_phase phase;
    int restarts;
    struct hw_progress last;
    struct hw_play_counts counts;
};

/* name: of the recording; command: NULL = not known. */
void hw_plot_init(struct hw_plot *plot, const char *name, const char *parser, const char *command,
                  bool timed);
void hw_plot_add(struct hw_plot *plot, const struct hw_item *item);
/* The owner looks at ferror. */
void hw_plot_write(const struct hw_plot *plot, FILE *out);

#endif
