#include "sink/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "progress/detail.h"
#include "progress/pace.h"

enum {
    BAR_GAP_MS = 100,
    TEXT_GAP_MS = 10000,
    RETRY_MS = 100,
    TICK_MS = 1000,
    TRIES_MAX = 5, /* of a value that is not the last; the next one tries again */
    TEXT_BYTES = HW_DETAIL_MAX + 512,
};

struct lines {
    struct hw_sink sink;
    uv_timer_t timer;
    const struct hw_clock *clock; /* borrows */
    struct hw_lines_options options;
    char *name; /* owns */
    struct hw_progress value;
    bool pending, last, drawn, wrote_any, broken;
    enum hw_state wrote_state;
    int64_t wrote_ms;
    int failures;          /* in a row; 0 = the last write went well */
    char rest[TEXT_BYTES]; /* of a line that was written in part: goes out before anything else */
    size_t rest_len;
};

static bool is_utf8_locale(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < HW_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value && value[0])
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

struct hw_lines_options hw_lines_detect(int fd)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    bool redraws = isatty(fd) && term && term[0] && strcmp(term, "dumb") != 0;
    return (struct hw_lines_options){ .fd = fd,
                                      .form = redraws ? HW_LINES_BAR : HW_LINES_TEXT,
                                      .color = redraws && !(no_color && no_color[0]),
                                      .ascii = !is_utf8_locale() };
}

static int columns(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 80;
}

static const char *color_of(enum hw_state state)
{
    switch (state) {
    case HW_COMPLETE:
        return "\033[32m";
    case HW_FAILED:
        return "\033[31m";
    case HW_STALLED:
        return "\033[33m";
    case HW_WAITING:
    case HW_SCANNING:
    case HW_RUNNING:
        break;
    }
    return "\033[36m";
}

/* Eighths of a character cell, so that the bar moves evenly. */
static void draw_cells(double fraction, int cells, bool ascii, char *buf, size_t size)
{
    static const char *const parts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    int eighths = (int)(fraction * cells * 8), full = eighths / 8;
    size_t n = 0;
    for (int i = 0; i < cells && n + 4 < size; i++) {
        const char *cell = i < full                             ? (ascii ? "#" : "█")
                           : i == full && eighths % 8 && !ascii ? parts[eighths % 8]
                                                                : (ascii ? "." : " ");
        n += (size_t)snprintf(buf + n, size - n, "%s", cell);
    }
}

/* Cuts text to a number of columns, at characters; wide characters count as one. */
static void cut_columns(char *text, int max)
{
    int n = 0;
    for (char *p = text; *p; p++) {
        if (((unsigned char)*p & 0xc0) == 0x80)
            continue;
        if (n++ == max) {
            *p = '\0';
            return;
        }
    }
}

void hw_bar_draw(const struct hw_progress *p, int64_t unix_ms, int width, bool color, bool ascii,
                 char *buf, size_t size)
{
    char cells[200] = "", line[HW_LINE_MAX];
    int bar = width >= 100 ? 30 : width >= 60 ? 20 : 10;
    double fraction = p->m > 0 ? (double)p->n / (double)p->m : 0;
    hw_progress_line(p, unix_ms, line, sizeof line);
    draw_cells(fraction, bar, ascii, cells, sizeof cells);
    cut_columns(line, width - bar - 4); /* two edges, a blank, and the last column stays free */
    snprintf(buf, size, "%s%s%s%s%s %s", ascii ? "[" : "▕", color ? color_of(p->state) : "", cells,
             color ? "\033[0m" : "", ascii ? "]" : "▏", line);
}

static void format(const struct lines *s, char *buf, size_t size)
{
    int64_t unix_ms = hw_wall_ms(s->clock);
    const char *colon = s->name ? ": " : "", *name = s->name ? s->name : "";
    if (s->options.form == HW_LINES_JSON) {
        hw_auto_free char *json = hw_progress_json(&s->value, s->options.by, unix_ms);
        snprintf(buf, size, "%s\n", json);
        return;
    }
    if (s->options.form == HW_LINES_TEXT) {
        char line[HW_LINE_MAX];
        hw_progress_line(&s->value, unix_ms, line, sizeof line);
        snprintf(buf, size, "%s%s%s\n", name, colon, line);
        return;
    }
    char bar[HW_LINE_MAX * 2];
    int width = columns(s->options.fd) - (int)strlen(name) - (int)strlen(colon);
    hw_bar_draw(&s->value, unix_ms, width < 20 ? 20 : width, s->options.color, s->options.ascii,
                bar, sizeof bar);
    snprintf(buf, size, "\r\033[K%s%s%s%s", name, colon, bar, s->last ? "\n" : "");
}

static const char *fd_name(int fd)
{
    return fd == STDERR_FILENO ? "standard error" : "standard output";
}

/* Says the first of several failures. -1 = nobody reads any more. */
static int write_failed(struct lines *s, int error)
{
    bool gone = error == EPIPE || error == EBADF;
    if (error == EAGAIN || error == EINTR)
        return 0;
    if (s->failures++ == 0)
        hw_log(HW_WARN, "report", "write %s: %s; %s", fd_name(s->options.fd), strerror(error),
               gone ? "nothing more is written there" : "trying again");
    return gone ? -1 : 0;
}

/* Bytes written, 0 = not now, -1 = nobody reads any more. Pipes take PIPE_BUF bytes whole once POLLOUT says so; a file on a
 * full disk may take a part. */
static ssize_t write_some(struct lines *s, const char *bytes, size_t len)
{
    struct pollfd fd = { .fd = s->options.fd, .events = POLLOUT };
    if (poll(&fd, 1, 0) != 1)
        return 0;
    if (!(fd.revents & POLLOUT))
        return fd.revents & (POLLERR | POLLNVAL) ? write_failed(s, EPIPE) : 0;
    ssize_t n = write(s->options.fd, bytes, len);
    if (n > 0)
        s->failures = 0;
    return n < 0 ? write_failed(s, errno) : n;
}

/* 1 = written, but for what is in rest then; 0 = not now, -1 = nobody reads any more. */
static int write_now(struct lines *s, const char *text)
{
    size_t len = strlen(text);
    if (s->rest_len) {
        ssize_t n = write_some(s, s->rest, s->rest_len);
        if (n <= 0)
            return (int)n;
        s->rest_len -= (size_t)n;
        memmove(s->rest, s->rest + n, s->rest_len);
        if (s->rest_len)
            return 0;
    }
    ssize_t n = len ? write_some(s, text, len) : 1;
    if (n > 0 && (size_t)n < len) {
        s->rest_len = len - (size_t)n;
        memcpy(s->rest, text + n, s->rest_len);
    }
    return n > 0 ? 1 : (int)n;
}

static int64_t gap_ms(const struct lines *s)
{
    bool at_once = s->last || !s->wrote_any || s->options.form == HW_LINES_JSON;
    if (at_once || (s->options.form == HW_LINES_TEXT && s->value.state != s->wrote_state))
        return 0;
    return s->options.form == HW_LINES_TEXT ? TEXT_GAP_MS : BAR_GAP_MS;
}

static void flush(struct lines *s);

static void on_timer(uv_timer_t *timer)
{
    struct lines *s = HW_CONTAINER(timer, struct lines, timer);
    s->pending |=
        s->options.form == HW_LINES_BAR && s->wrote_any && !s->last; /* the time left runs on */
    flush(s);
}

static void tell_idle(struct lines *s)
{
    if (s->sink.events.idle)
        s->sink.events.idle(s->sink.events.ctx, &s->sink);
}

/* What can't be written is tried again: the last value until it is too late, others some times. */
static void try_later(struct lines *s)
{
    if (s->last || s->failures < TRIES_MAX) {
        bool failing = s->failures && !s->last;
        uv_timer_start(&s->timer, on_timer, failing ? TICK_MS : RETRY_MS, 0);
        return;
    }
    s->pending = false;
    tell_idle(s);
}

static void wrote(struct lines *s)
{
    s->pending = false;
    s->wrote_any = s->drawn = true;
    s->wrote_state = s->value.state;
    s->wrote_ms = hw_now_ms(s->clock);
    if (s->rest_len)
        uv_timer_start(&s->timer, on_timer, RETRY_MS, 0);
    else if (s->options.form == HW_LINES_BAR && !s->last)
        uv_timer_start(&s->timer, on_timer, TICK_MS, 0);
}

static void flush(struct lines *s)
{
    int64_t wait = s->pending ? s->wrote_ms + gap_ms(s) - hw_now_ms(s->clock) : 0;
    char text[TEXT_BYTES] = "";
    if (s->broken || !(s->pending || s->rest_len))
        return;
    if (wait > 0) {
        uv_timer_start(&s->timer, on_timer, (uint64_t)wait, 0);
        return;
    }
    if (s->pending)
        format(s, text, sizeof text);
    int st = write_now(s, text);
    s->broken = st < 0;
    if (st == 0) {
        try_later(s);
        return;
    }
    if (st > 0 && text[0])
        wrote(s);
    if (s->broken || !s->rest_len)
        tell_idle(s);
}

static void publish(struct hw_sink *sink, const struct hw_progress *p, bool last)
{
    struct lines *s = HW_CONTAINER(sink, struct lines, sink);
    bool told = s->options.form != HW_LINES_BAR && s->wrote_any && !s->pending && !s->failures &&
                hw_pace_is_same(p, &s->value);
    s->value = *p;
    s->last = last;
    if (last && told)
        return;
    s->pending = true;
    uv_timer_start(&s->timer, on_timer, 0, 0); /* never calls back from within publish */
}

static bool is_busy(const struct hw_sink *sink)
{
    const struct lines *s = HW_CONTAINER(sink, struct lines, sink);
    return (s->pending || s->rest_len) && !s->broken;
}

/* A log line takes the bar's place, and the bar comes back below it. */
static void on_log(void *ctx, const char *line)
{
    struct lines *s = ctx;
    char text[1200];
    snprintf(text, sizeof text, "%s%s\n", s->drawn && !s->last ? "\r\033[K" : "", line);
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* nobody can be told */
    s->drawn = false;
    s->pending |= s->wrote_any && !s->last;
    uv_timer_start(&s->timer, on_timer, 0, 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct lines *s = HW_CONTAINER(handle, struct lines, timer);
    free(s->name);
    free(s);
}

static void free_lines(struct hw_sink *sink)
{
    if (!sink)
        return;
    struct lines *s = HW_CONTAINER(sink, struct lines, sink);
    if (s->options.form == HW_LINES_BAR)
        hw_log_redirect(NULL, NULL);
    if (s->options.form == HW_LINES_BAR && s->drawn && !s->last && write(s->options.fd, "\n", 1) < 0)
        s->broken = true;
    uv_close((uv_handle_t *)&s->timer, on_closed);
}

struct hw_sink *hw_lines_new(uv_loop_t *loop, const struct hw_clock *clock,
                             const struct hw_lines_options *options,
                             const struct hw_sink_events *events)
{
    static const struct hw_sink_ops ops = {
        .name = "lines", .publish = publish, .is_busy = is_busy, .free = free_lines
    };
    struct lines *s = hw_xzalloc(sizeof *s);
    s->sink = (struct hw_sink){ .ops = &ops, .events = *events };
    s->clock = clock;
    s->options = *options;
    s->name = hw_xstrdup(options->name);
    uv_timer_init(loop, &s->timer);
    if (options->form == HW_LINES_BAR)
        hw_log_redirect(on_log, s);
    return &s->sink;
}
