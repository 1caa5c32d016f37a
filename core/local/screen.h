/* screen.h - a few lines that stay at the bottom of a terminal and are redrawn, while what a script prints
 * scrolls by above them. For terminals only. One thread; writes block as the terminal does. */
#ifndef HW_LOCAL_SCREEN_H
#define HW_LOCAL_SCREEN_H

#include <stdbool.h>

#include "base/str.h"

struct hw_screen {
    int fd;         /* borrows; a terminal */
    int lines;      /* drawn now */
    bool open_line; /* what was printed above does not end in a line end */
};

/* Replaces the lines by text; each is cut to the terminal's width, and the first ones are left out when there are
 * more than fit. Colours (SGR sequences) are kept. */
void hw_screen_draw(struct hw_screen *s, const char *text);
/* Takes the lines away; what is written to fd by others stands above the next draw. */
void hw_screen_clear(struct hw_screen *s);
/* The lines stay where they are, the cursor goes below them. */
void hw_screen_leave(struct hw_screen *s);
/* Any bytes, above the lines, unchanged; the caller draws again. */
void hw_screen_print(struct hw_screen *s, struct hw_str bytes);

#endif
