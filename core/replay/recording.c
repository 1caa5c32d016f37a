#include "replay/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum { CHUNK = 64 * 1024 };

struct hw_recording {
    int fd;     /* owns, but for standard input */
    char *path; /* owns; as it is shown */
    bool over;
    struct hw_cast *cast; /* owns */
    char chunk[CHUNK];
};

const struct hw_cast_about *hw_recording_about(const struct hw_recording *r)
{
    return hw_cast_about(r->cast);
}

void hw_recording_close(struct hw_recording *r)
{
    if (!r)
        return;
    if (r->fd > STDIN_FILENO)
        close(r->fd);
    hw_cast_free(r->cast);
    free(r->path);
    free(r);
}

/* Adds one read to the cast. */
static int read_more(struct hw_recording *r, struct hw_err *err)
{
    ssize_t n;
    do
        n = read(r->fd, r->chunk, sizeof r->chunk);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return hw_fail_sys(err, "read '%s'", r->path);
    if (n == 0) {
        r->over = true;
        hw_cast_end(r->cast);
    } else
        hw_cast_add(r->cast, (struct hw_str){ r->chunk, (size_t)n });
    return 0;
}

static bool is_ready(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    return poll(&p, 1, 0) != 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);
    return len >= n && strcmp(text + len - n, end) == 0;
}

static int read_header(struct hw_recording *r, struct hw_err *err)
{
    for (;;) {
        int st = hw_cast_sniff(r->cast, err);
        if (st < 0)
            return hw_wrap(err, "read '%s'", r->path);
        if (st > 0 || r->over)
            return 0;
        if (read_more(r, err) < 0)
            return -1;
    }
}

/* A FIFO that nobody writes to yet is waited for, as `cat` does; it is said, since it looks like a hang. */
static int open_patiently(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -1;
    struct pollfd p = { .fd = fd, .events = POLLIN };
    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && poll(&p, 1, 0) == 0) {
        hw_log(HW_INFO, "replay", "'%s' is a FIFO: waiting for somebody who writes to it", path);
        while (poll(&p, 1, -1) < 0 && errno == EINTR)
            ;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

int hw_recording_open(struct hw_recording **ret, const char *path, struct hw_err *err)
{
    struct hw_recording *r = hw_xzalloc(sizeof *r);
    bool standard = strcmp(path, "-") == 0;
    r->fd = standard ? STDIN_FILENO : open_patiently(path);
    r->path = hw_xstrdup(standard ? "standard input" : path);
    r->cast = hw_cast_new(ends_with(path, ".cast"));
    int st = r->fd < 0 ? hw_fail_sys(err, "open '%s'", r->path) : read_header(r, err);
    if (st < 0) {
        hw_recording_close(r);
        return -1;
    }
    *ret = r;
    return 0;
}

int hw_recording_next(struct hw_recording *r, struct hw_cast_event *ret,
                      hw_recording_wait_fn *before_wait, void *ctx, struct hw_err *err)
{
    for (;;) {
        int st = hw_cast_next(r->cast, ret, err);
        if (st < 0)
            return hw_wrap(err, "read '%s'", r->path);
        if (st > 0 || r->over)
            return st;
        if (before_wait && !is_ready(r->fd) && before_wait(ctx, err) < 0)
            return -1;
        if (read_more(r, err) < 0)
            return -1;
    }
}
