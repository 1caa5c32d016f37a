#include "local/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char clear_line[] = "\r\033[K", up[] = "\033[1A\033[2K";

static void put(const struct hw_screen *s, const char *text, size_t len)
{
    while (len) {
        ssize_t n = write(s->fd, text, len);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd fd = { .fd = s->fd, .events = POLLOUT };
            poll(&fd, 1, 1000);
        } else if (n < 0 && errno != EINTR)
            return; /* the terminal is gone */
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
}

static struct winsize size_of(const struct hw_screen *s)
{
    struct winsize size;
    if (ioctl(s->fd, TIOCGWINSZ, &size) < 0 || size.ws_col < 20 || size.ws_row < 4)
        size = (struct winsize){ .ws_col = 80, .ws_row = 24 };
    return size;
}

/* Bytes of the line's first max columns; escape sequences and the later bytes of a character take none. */
static size_t fitting(const char *line, size_t len, int max)
{
    int columns = 0;
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\033') {
            while (i + 1 < len && line[i] != 'm')
                i++;
            continue;
        }
        if (((unsigned char)line[i] & 0xc0) != 0x80 && columns++ == max)
            return i;
    }
    return len;
}

static int count_lines(const char *text)
{
    int n = 0;
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
        n++;
    return n;
}

void hw_screen_clear(struct hw_screen *s)
{
    if (!s->lines)
        return;
    put(s, clear_line, strlen(clear_line));
    for (; s->lines > 1; s->lines--)
        put(s, up, strlen(up));
    s->lines = 0;
}

void hw_screen_leave(struct hw_screen *s)
{
    if (s->lines)
        put(s, "\n", 1);
    s->lines = 0;
}

void hw_screen_draw(struct hw_screen *s, const char *text)
{
    struct winsize size = size_of(s);
    int left_out = count_lines(text) - (size.ws_row - 1);
    hw_screen_clear(s);
    if (s->open_line)
        put(s, "\n", 1);
    s->open_line = false;
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (left_out-- <= 0) {
            if (s->lines++)
                put(s, "\n", 1);
            put(s, text, fitting(text, len, size.ws_col - 1));
            put(s, "\033[0m", 4);
        }
        text += len;
        text += *text == '\n';
    }
}

void hw_screen_print(struct hw_screen *s, struct hw_str bytes)
{
    if (!bytes.len)
        return;
    hw_screen_clear(s);
    put(s, bytes.ptr, bytes.len);
    s->open_line = bytes.ptr[bytes.len - 1] != '\n';
}
