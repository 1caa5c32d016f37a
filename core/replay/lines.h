/* lines.h - the items of a replay as text: JSON lines, or a table for people. */
#ifndef HW_REPLAY_LINES_H
#define HW_REPLAY_LINES_H

#include <stdio.h>

#include "replay/player.h"

enum hw_items_form {
    HW_ITEMS_JSON,    /* each sample and refusal, and the end */
    HW_ITEMS_COMPACT, /* one line for each changed value: time, N/M, the line for people */
    HW_ITEMS_COLUMNS, /* the same with a head, for a terminal */
};

struct hw_items_options {
    FILE *out; /* borrows */
    enum hw_items_form form;
    bool timed;    /* else the offset stands in the place of the time */
    bool newest;   /* of the samples of one moment only the last; not where there are no times */
    bool only_end; /* the last line alone */
    bool color;    /* COLUMNS */
};

struct hw_items {
    struct hw_items_options options;
    bool head, held; /* the head was printed; item waits for a newer one */
    struct hw_item item;
    struct hw_progress progress; /* of item */
};

void hw_items_init(struct hw_items *l, const struct hw_items_options *options);
/* HW_ESYS when it can't be written; the text is that of the stream's owner. */
HW_MUST_USE int hw_items_add(struct hw_items *l, const struct hw_item *item, struct hw_err *err);

#endif
