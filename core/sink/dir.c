#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "sink/objects.h"
#include "yaml/convert.h"

enum { OBJECT_MAX = 1024 * 1024, RETRY_MS = 1000, LAST_RETRY_MS = 100 };

struct dir {
    struct hw_sink sink;
    struct hw_objects objects;    /* owns */
    const struct hw_clock *clock; /* borrows */
    char *path;                   /* owns */
    uv_timer_t timer;             /* runs while a value is not written that should be */
    bool failed;                  /* the last write failed and was logged */
    bool last;                    /* value of all */
};

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static int replace_file(const char *path, const struct hw_buf *text, struct hw_err *err)
{
    hw_auto_free char *temp = hw_xasprintf("%s.new", path);
    hw_auto_fd fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return hw_fail_sys(err, "write '%s'", temp);
    if (write_all(fd, text->ptr, text->len) < 0 || rename(temp, path) < 0) {
        hw_fail_sys(err, "write '%s'", path);
        unlink(temp);
        return -1;
    }
    return 0;
}

/* Names of objects hold no "/"; what is no name at all is written as "-". */
static const char *part(json_t *object, const char *key)
{
    const char *text =
        key ? hw_json_text(object, "metadata", key, NULL) : hw_json_text(object, "kind", NULL);
    return text && text[0] && !strchr(text, '/') && text[0] != '.' ? text : "-";
}

static char *manifest_path(const char *dir, json_t *object)
{
    return hw_xasprintf("%s/%s-%s-%s.yaml", dir, part(object, NULL), part(object, "namespace"),
                        part(object, "name"));
}

static int write_object(const struct dir *d, json_t *object, struct hw_err *err)
{
    hw_auto_buf text;
    hw_buf_init(&text, OBJECT_MAX);
    if (hw_yaml_dump(object, &text, err) < 0)
        return -1;
    hw_auto_free char *path = manifest_path(d->path, object);
    return replace_file(path, &text, err);
}

static int write_objects(struct dir *d, struct hw_err *err)
{
    if (write_object(d, d->objects.pod, err) < 0)
        return -1;
    return d->objects.operation ? write_object(d, d->objects.operation, err) : 0;
}

static void on_timer(uv_timer_t *timer);

/* A disk is full or memory is out: the value is tried again until it is there, or a newer one is. */
static void write_or_retry(struct dir *d)
{
    struct hw_err err;
    int st = write_objects(d, &err);
    if (st < 0 && !d->failed)
        hw_log(HW_WARN, "dir", "%s; trying again", err.msg);
    if (st < 0)
        uv_timer_start(&d->timer, on_timer, d->last ? LAST_RETRY_MS : RETRY_MS, 0);
    else
        uv_timer_stop(&d->timer);
    d->failed = st < 0;
}

static void on_timer(uv_timer_t *timer)
{
    struct dir *d = HW_CONTAINER(timer, struct dir, timer);
    write_or_retry(d);
    if (!d->failed && d->sink.events.idle)
        d->sink.events.idle(d->sink.events.ctx, &d->sink);
}

static void publish(struct hw_sink *sink, const struct hw_progress *p, bool last)
{
    struct dir *d = HW_CONTAINER(sink, struct dir, sink);
    d->last = last;
    hw_objects_apply(&d->objects, p, hw_wall_ms(d->clock));
    write_or_retry(d);
}

static bool is_busy(const struct hw_sink *sink)
{
    const struct dir *d = HW_CONTAINER(sink, struct dir, sink);
    return d->failed;
}

static void on_closed(uv_handle_t *handle)
{
    struct dir *d = HW_CONTAINER(handle, struct dir, timer);
    hw_objects_done(&d->objects);
    free(d->path);
    free(d);
}

static void free_dir(struct hw_sink *sink)
{
    if (!sink)
        return;
    struct dir *d = HW_CONTAINER(sink, struct dir, sink);
    uv_close((uv_handle_t *)&d->timer, on_closed);
}

json_t *hw_dir_pod(const char *dir, const char *namespace, const char *name)
{
    hw_auto_json bare = hw_objects_bare_pod(namespace, name);
    hw_auto_free char *path = manifest_path(dir, bare);
    struct hw_yaml *file = NULL;
    struct hw_err err;
    if (hw_yaml_load_file(path, OBJECT_MAX, &file, &err) < 0)
        return NULL;
    json_t *pod = hw_yaml_to_json(hw_yaml_root(file, 0), &err);
    hw_yaml_free(file);
    return pod;
}

int hw_dir_new(struct hw_sink **ret, uv_loop_t *loop, const char *path, struct hw_objects *objects,
               const struct hw_clock *clock, const struct hw_sink_events *events, struct hw_err *err)
{
    static const struct hw_sink_ops ops = {
        .name = "dir", .publish = publish, .is_busy = is_busy, .free = free_dir
    };
    struct stat st;
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return hw_fail_sys(err, "make directory '%s'", path);
    if (stat(path, &st) < 0)
        return hw_fail_sys(err, "look at directory '%s'", path);
    if (!S_ISDIR(st.st_mode))
        return hw_fail(err, HW_ECONFIG, "'%s' is no directory", path);
    struct dir *d = hw_xzalloc(sizeof *d);
    d->sink = (struct hw_sink){ .ops = &ops, .events = *events };
    d->objects = *objects;
    *objects = (struct hw_objects){ 0 };
    d->clock = clock;
    d->path = hw_xstrdup(path);
    uv_timer_init(loop, &d->timer);
    *ret = &d->sink;
    return 0;
}
