/* view.h - what `headway local` shows: the two objects as YAML, live at the bottom of a terminal, or as one document
 * after the other where there is none. A sink like any other. */
#ifndef HW_LOCAL_VIEW_H
#define HW_LOCAL_VIEW_H

#include "base/clock.h"
#include "base/str.h"
#include "sink/objects.h"

struct hw_view_options {
    int fd;    /* borrows */
    bool live; /* a terminal: redraw; else print each value */
    bool color, ascii;
};

/* objects are borrowed until free; their holder must not be freed before. */
struct hw_sink *hw_view_new(const struct hw_view_options *options, struct hw_objects *objects,
                            const struct hw_clock *clock, const struct hw_sink_events *events);
/* What the script printed: above the view on a terminal, else to stderr. Any bytes, unchanged. */
void hw_view_print(struct hw_sink *sink, struct hw_str bytes);

#endif
