#include "local/view.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"
#include "base/mem.h"
#include "local/screen.h"
#include "progress/detail.h"
#include "sink/lines.h"

enum { VIEW_MAX = 1024 * 1024 };

struct view {
    struct hw_sink sink;
    struct hw_view_options options;
    struct hw_objects *objects;   /* borrows */
    const struct hw_clock *clock; /* borrows */
    struct hw_screen screen;
    struct hw_progress value;
    bool drawing;
    bool any; /* something was published */
};

static int terminal_width(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 ? size.ws_col : 80;
}

/* On a terminal the manifest's own part is known; what moves is shown: names, annotations, status. */
static json_t *without_spec(const json_t *object)
{
    json_t *copy = json_copy((json_t *)object);
    json_object_del(copy, "spec");
    return copy;
}

static void draw(struct view *v)
{
    v->drawing = true;
    struct hw_err err;
    hw_auto_buf text;
    hw_buf_init(&text, VIEW_MAX);
    struct hw_objects shown = { .pod = without_spec(v->objects->pod),
                                .operation = without_spec(v->objects->operation) };
    char bar[HW_LINE_MAX * 2];
    hw_bar_draw(&v->value, hw_wall_ms(v->clock), terminal_width(v->options.fd) - 1,
                v->options.color, v->options.ascii, bar, sizeof bar);
    if (hw_objects_yaml(&shown, &text, &err) < 0 || hw_buf_addf(&text, &err, "%s", bar) < 0)
        hw_log(HW_WARN, "local", "can't show the objects: %s", err.msg);
    else
        hw_screen_draw(&v->screen, text.ptr);
    hw_objects_done(&shown);
    v->drawing = false;
}

static int print_documents(struct view *v, struct hw_err *err)
{
    hw_auto_buf text;
    hw_buf_init(&text, VIEW_MAX);
    if (hw_objects_yaml(v->objects, &text, err) < 0)
        return -1;
    printf("%s%s", v->any ? "---\n" : "", text.ptr);
    fflush(stdout);
    v->any = true;
    return 0;
}

static void print_or_say(struct view *v, bool last)
{
    struct hw_err err;
    int st = print_documents(v, &err);
    if (st < 0 && last) /* no other value comes */
        st = print_documents(v, &err);
    if (st < 0)
        hw_log(HW_WARN, "local", "can't show the objects: %s", err.msg);
}

static void publish(struct hw_sink *sink, const struct hw_progress *p, bool last)
{
    struct view *v = HW_CONTAINER(sink, struct view, sink);
    v->value = *p;
    hw_objects_apply(v->objects, p, hw_wall_ms(v->clock));
    if (!v->options.live) {
        print_or_say(v, last);
        return;
    }
    draw(v);
    v->any = true;
}

void hw_view_print(struct hw_sink *sink, struct hw_str bytes)
{
    struct view *v = HW_CONTAINER(sink, struct view, sink);
    if (!v->options.live) {
        fwrite(bytes.ptr, 1, bytes.len, stderr);
        return;
    }
    hw_screen_print(&v->screen, bytes);
    if (v->any && bytes.len)
        draw(v);
}

static void on_log(void *ctx, const char *line)
{
    struct view *v = ctx;
    hw_screen_clear(&v->screen);
    fprintf(stderr, "%s\n", line);
    if (v->any && !v->drawing) /* drawing itself may have something to say */
        draw(v);
}

static bool is_busy(const struct hw_sink *sink)
{
    (void)sink;
    return false;
}

static void free_view(struct hw_sink *sink)
{
    if (!sink)
        return;
    struct view *v = HW_CONTAINER(sink, struct view, sink);
    if (v->options.live)
        hw_log_redirect(NULL, NULL);
    if (v->options.live && v->screen.lines)
        hw_screen_leave(&v->screen);
    free(v);
}

struct hw_sink *hw_view_new(const struct hw_view_options *options, struct hw_objects *objects,
                            const struct hw_clock *clock, const struct hw_sink_events *events)
{
    static const struct hw_sink_ops ops = {
        .name = "view", .publish = publish, .is_busy = is_busy, .free = free_view
    };
    struct view *v = hw_xzalloc(sizeof *v);
    v->sink = (struct hw_sink){ .ops = &ops, .events = *events };
    v->options = *options;
    v->objects = objects;
    v->clock = clock;
    v->screen.fd = options->fd;
    if (options->live)
        hw_log_redirect(on_log, v);
    return &v->sink;
}
