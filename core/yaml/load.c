/* load.c - from a file or text to the tree's owner; build.c makes the nodes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "yaml/build.h"

int hw_yaml_load_text(struct hw_str text, const char *name, struct hw_yaml **ret, struct hw_err *err)
{
    struct hw_yaml *y = hw_xzalloc(sizeof *y);
    y->name = hw_xstrdup(name);
    if (hw_yaml_build(y, text, err) < 0) {
        hw_yaml_free(y);
        return -1;
    }
    *ret = y;
    return 0;
}

/* A pipe (`-f <(helm template ...)`) is waited for, unless a signal comes. */
static int await(int fd, const char *name, struct hw_err *err)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    return poll(&p, 1, -1) < 0 ? hw_fail_sys(err, "read '%s'", name) : 0;
}

/* Until the end; more than buf takes is refused. */
static int read_all(int fd, const char *name, struct hw_buf *buf, struct hw_err *err)
{
    char block[16384];
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (await(fd, name, err) < 0)
                return -1;
            continue;
        }
        if (n < 0)
            return hw_fail_sys(err, "read '%s'", name);
        if (n == 0)
            return 0;
        if (hw_buf_add(buf, block, (size_t)n, err) < 0)
            return hw_wrap(err, "%s", name);
    }
}

static struct hw_str text_of(const struct hw_buf *buf)
{
    return (struct hw_str){ buf->ptr ? buf->ptr : "", buf->len };
}

int hw_yaml_load_fd(int fd, const char *name, size_t max_bytes, struct hw_yaml **ret,
                    struct hw_err *err)
{
    hw_auto_buf buf;
    hw_buf_init(&buf, max_bytes ? max_bytes : HW_YAML_MAX);
    if (read_all(fd, name, &buf, err) < 0)
        return -1;
    return hw_yaml_load_text(text_of(&buf), name, ret, err);
}

int hw_yaml_load_file(const char *path, size_t max_bytes, struct hw_yaml **ret, struct hw_err *err)
{
    /* Without O_NONBLOCK a FIFO that has no writer would be waited for without end; with it, it reads as empty. */
    hw_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    hw_auto_buf buf;
    struct stat st;
    hw_buf_init(&buf, max_bytes ? max_bytes : HW_YAML_MAX);
    if (fd < 0 || fstat(fd, &st) < 0)
        return hw_fail_sys(err, "open '%s'", path);
    if (read_all(fd, path, &buf, err) < 0)
        return -1;
    if (S_ISFIFO(st.st_mode) && buf.len == 0)
        return hw_fail(err, HW_EINPUT, "'%s' is a FIFO that nobody writes to", path);
    return hw_yaml_load_text(text_of(&buf), path, ret, err);
}

void hw_yaml_free(struct hw_yaml *y)
{
    if (!y)
        return;
    while (y->blocks) {
        struct hw_yaml_block *next = y->blocks->next;
        free(y->blocks);
        y->blocks = next;
    }
    free(y->name);
    free(y);
}

const char *hw_yaml_name(const struct hw_yaml *y)
{
    return y->name;
}

size_t hw_yaml_count(const struct hw_yaml *y)
{
    return y->count;
}

const struct hw_yaml_node *hw_yaml_root(const struct hw_yaml *y, size_t i)
{
    const struct hw_yaml_node *n = y->roots;
    while (n && i--)
        n = n->next;
    return n;
}
