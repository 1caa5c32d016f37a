#include "source/escape.h"

enum state {
    AFTER_ESC,
    INTERMEDIATE, /* ESC ( B: charsets and their like */
    CSI,          /* ESC [ ... */
    STRING,       /* ESC ] P X ^ _ k ... up to BEL or ESC \ */
    STRING_ESC,   /* an ESC in a string: its end, or the begin of another sequence */
};

enum { BEL = 0x07, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f };

void hw_escape_begin(struct hw_escape *e)
{
    *e = (struct hw_escape){ .state = AFTER_ESC, .counting = true };
}

static enum hw_escape_does enter(struct hw_escape *e, enum state state)
{
    e->state = (uint8_t)state;
    return HW_ESCAPE_MORE;
}

static enum hw_escape_does after_esc(struct hw_escape *e, unsigned char c)
{
    if (c >= DEL)
        return HW_ESCAPE_ABORT;
    if (c < 0x30)
        return enter(e, INTERMEDIATE);
    switch (c) {
    case '[':
        return enter(e, CSI);
    case ']': /* OSC: titles, links */
    case 'P': /* DCS */
    case 'X': /* SOS */
    case '^': /* PM */
    case '_': /* APC */
    case 'k': /* the title of a screen or tmux window */
        return enter(e, STRING);
    case '8': /* back to the saved place */
    case 'D': /* down */
    case 'E': /* to the next line */
    case 'M': /* up */
    case 'c': /* reset, which wipes all */
        return HW_ESCAPE_END;
    default:
        return HW_ESCAPE_NONE;
    }
}

/* ESC[K and ESC[0K wipe what stands right of the cursor, where nothing stands that we know: grep and gcc print them
 * with each colour. The other two wipe the text before it. */
static enum hw_escape_does csi_final(const struct hw_escape *e, unsigned char c, uint32_t *ret_count)
{
    if (e->marked)
        return HW_ESCAPE_NONE;
    switch (c) {
    case 'A': /* up */
    case 'B': /* down */
    case 'E': /* down, to column 1 */
    case 'F': /* up, to column 1 */
    case 'G': /* to a column */
    case '`':
    case 'H': /* to a place */
    case 'f':
    case 'd': /* to a row */
    case 'e': /* down */
    case 'k': /* up */
    case 'Z': /* to the tab stop before */
    case 'J': /* wipe the screen, or what is below */
    case 'L': /* lines put in, taken out, scrolled */
    case 'M':
    case 'S':
    case 'T':
    case 'u': /* back to the saved place */
        return HW_ESCAPE_END;
    case 'K':
        return e->first == 1 || e->first == 2 ? HW_ESCAPE_END : HW_ESCAPE_NONE;
    case 'C': /* right */
    case 'a':
    case 'I': /* to the next tab stop */
        return HW_ESCAPE_SPACE;
    case 'D': /* left */
    case 'j':
        *ret_count = e->first ? e->first : 1;
        return HW_ESCAPE_BACK;
    default:
        return HW_ESCAPE_NONE;
    }
}

static enum hw_escape_does csi(struct hw_escape *e, unsigned char c, uint32_t *ret_count)
{
    if (c > DEL)
        return HW_ESCAPE_ABORT;
    if (c == DEL)
        return HW_ESCAPE_MORE;
    if (c >= 0x40)
        return csi_final(e, c, ret_count);
    if (c < 0x30 || c >= '<')
        e->marked = true;
    else if (c > '9')
        e->counting = false;
    else if (e->counting) {
        e->first = e->first * 10 + (c - '0');
        if (e->first > HW_ESCAPE_PARAM)
            e->first = HW_ESCAPE_PARAM;
    }
    return HW_ESCAPE_MORE;
}

/* A line end breaks any sequence off: a stray ESC] must not swallow the lines that follow. */
static enum hw_escape_does control(struct hw_escape *e, unsigned char c)
{
    switch (c) {
    case ESC:
        if (e->state == STRING)
            return enter(e, STRING_ESC);
        hw_escape_begin(e);
        return HW_ESCAPE_MORE;
    case BEL:
        return e->state == STRING ? HW_ESCAPE_NONE : HW_ESCAPE_MORE;
    case CAN:
    case SUB:
        return HW_ESCAPE_NONE;
    case '\0':
    case '\n':
    case '\v':
    case '\f':
    case '\r':
        return HW_ESCAPE_ABORT;
    default:
        return HW_ESCAPE_MORE;
    }
}

enum hw_escape_does hw_escape_feed(struct hw_escape *e, unsigned char c, uint32_t *ret_count)
{
    if (++e->len > HW_ESCAPE_BYTES)
        return HW_ESCAPE_LONG;
    if (e->state == STRING_ESC && c != ESC) {
        if (c == '\\')
            return HW_ESCAPE_NONE;
        hw_escape_begin(e);
    }
    if (c < 0x20)
        return control(e, c);
    switch ((enum state)e->state) {
    case AFTER_ESC:
        return after_esc(e, c);
    case INTERMEDIATE:
        return c >= DEL ? HW_ESCAPE_ABORT : c < 0x30 ? HW_ESCAPE_MORE : HW_ESCAPE_NONE;
    case CSI:
        return csi(e, c, ret_count);
    case STRING:
    case STRING_ESC:
        return HW_ESCAPE_MORE;
    }
    return HW_ESCAPE_ABORT;
}
