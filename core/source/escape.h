/* escape.h - what a terminal's escape sequence, taken byte by byte, means for the record around it.
 * For records.c. No sequence is kept: the state is a few bytes, however long the sequence is.
 *
 * begin after an ESC, then one byte at a time until it says something else than HW_ESCAPE_MORE.
 * Facts: ECMA-48, and xterm's control sequences (invisible-island.net/xterm/ctlseqs). The one-byte C1 codes (0x9b for CSI...) are not
 * taken: in UTF-8 they are parts of characters. */
#ifndef HW_SOURCE_ESCAPE_H
#define HW_SOURCE_ESCAPE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    HW_ESCAPE_BYTES = 4096, /* a longer one is given up: a title or a link is shorter */
    HW_ESCAPE_PARAM = 65535 /* larger numbers count as this one */
};

enum hw_escape_does {
    HW_ESCAPE_MORE, /* it goes on */
    HW_ESCAPE_NONE, /* over; it changes how text looks, or nothing that we see: colours, titles, modes, ESC[K */
    HW_ESCAPE_END, /* over; it goes to another place or wipes the line: what comes is another record */
    HW_ESCAPE_SPACE, /* over; it goes to the right (some print columns so) */
    HW_ESCAPE_BACK,  /* over; it goes count characters to the left, as backspaces would */
    HW_ESCAPE_ABORT, /* over before this byte, which is no part of it */
    HW_ESCAPE_LONG,  /* over: more than HW_ESCAPE_BYTES */
};

struct hw_escape {
    uint8_t state;
    bool marked;    /* a private marker or an intermediate byte: never a cursor move */
    uint16_t len;   /* bytes so far, without ESC */
    uint32_t first; /* first parameter, 0 = none */
    bool counting;  /* still in the first parameter */
};

void hw_escape_begin(struct hw_escape *e);
/* *ret_count: set for HW_ESCAPE_BACK, 1 and up. */
enum hw_escape_does hw_escape_feed(struct hw_escape *e, unsigned char c, uint32_t *ret_count);

#endif
