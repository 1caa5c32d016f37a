#include "source/follow.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "source/open.h"

static const char what[] = "log file";

void hw_follow_init(struct hw_follow *f, const char *path)
{
    *f = (struct hw_follow){ .path = hw_xstrdup(path) };
    f->buf = hw_xzalloc(HW_FOLLOW_MARK + HW_TAIL_CHUNK);
}

void hw_follow_done(struct hw_follow *f)
{
    for (size_t i = 0; i < f->count; i++)
        close(f->files[i].fd);
    free(f->path);
    free(f->buf);
}

/* ---- which file ------------------------------------------------------------------------------------ */

static void set_seam(struct hw_follow *f, enum hw_tail_seam seam)
{
    if (f->seam < seam)
        f->seam = seam;
}

static void begin_file(struct hw_follow *f)
{
    f->offset = f->mark_len = f->head_len = 0;
    f->leaving = false;
}

/* A file that is held open can't lose its number to another. */
static bool is_known(const struct hw_follow *f, const struct stat *st)
{
    const struct hw_follow_file *last = f->count ? &f->files[f->count - 1] : NULL;
    return last && last->dev == st->st_dev && last->ino == st->st_ino;
}

static void add_file(struct hw_follow *f, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || is_known(f, &st)) {
        close(fd);
        return;
    }
    f->files[f->count++] = (struct hw_follow_file){ fd, st.st_dev, st.st_ino };
}

void hw_follow_look(struct hw_follow *f)
{
    struct stat st;
    int fd;
    if (lstat(f->path, &st) == 0 && is_known(f, &st)) {
        f->why[0] = '\0';
        return;
    }
    if (f->count == HW_TAIL_FILES) /* again once there is room */
        return;
    enum hw_open_kind kind = hw_open_regular(f->path, what, &fd, f->why, sizeof f->why);
    if (kind == HW_OPEN_DONE)
        add_file(f, fd);
    if (kind == HW_OPEN_DONE || (kind == HW_OPEN_MISSING && f->count)) /* moved away, or deleted */
        f->why[0] = '\0';
}

static uint64_t size_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

uint64_t hw_follow_left(const struct hw_follow *f)
{
    uint64_t size = f->count ? size_of(f->files[0].fd) : 0;
    return size > f->offset ? size - f->offset : 0;
}

static void next_file(struct hw_follow *f, enum hw_tail_seam seam)
{
    close(f->files[0].fd);
    f->count--;
    memmove(f->files, f->files + 1, f->count * sizeof f->files[0]);
    begin_file(f);
    set_seam(f, seam);
}

/* All of the first file has been read. Whether there is more to read after this. */
static bool go_on_after_end(struct hw_follow *f)
{
    if (f->count < 2)
        return false;
    if (f->leaving)
        next_file(f, HW_TAIL_NEXT);
    else if (f->count > 2 || size_of(f->files[1].fd))
        f->leaving = true; /* what was written before the new file's first byte is read once more */
    else
        return false;
    return true;
}

/* ---- from where ------------------------------------------------------------------------------------ */

static ssize_t read_at(int fd, char *buf, size_t len, uint64_t at)
{
    ssize_t n;
    do
        n = pread(fd, buf, len, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n;
}

static bool head_is_same(const struct hw_follow *f)
{
    char head[HW_FOLLOW_MARK];
    ssize_t n = read_at(f->files[0].fd, head, f->head_len, 0);
    return n == (ssize_t)f->head_len && memcmp(head, f->head, f->head_len) == 0;
}

/* The bytes in buf, mark_len + n of them, have been read. */
static void remember(struct hw_follow *f, size_t n)
{
    size_t all = f->mark_len + n, keep = all < HW_FOLLOW_MARK ? all : HW_FOLLOW_MARK;
    size_t room = HW_FOLLOW_MARK - f->head_len;
    if (f->head_len == f->offset && room) {
        size_t more = n < room ? n : room;
        memcpy(f->head + f->head_len, f->buf + f->mark_len, more);
        f->head_len += more;
    }
    memcpy(f->mark, f->buf + all - keep, keep);
    f->mark_len = keep;
    f->offset += n;
}

static void move_to(struct hw_follow *f, uint64_t offset)
{
    size_t len = offset < HW_FOLLOW_MARK ? (size_t)offset : HW_FOLLOW_MARK;
    ssize_t n = read_at(f->files[0].fd, f->mark, len, offset - len);
    f->mark_len = n < 0 ? 0 : (size_t)n;
    f->offset = offset;
}

/* A hole reads as NULs, each of which ends a record; one piece of them does. */
static void skip_hole(struct hw_follow *f, struct hw_str bytes)
{
    if (bytes.len < HW_TAIL_CHUNK || bytes.ptr[0] ||
        memcmp(bytes.ptr, bytes.ptr + 1, bytes.len - 1) != 0)
        return;
    off_t data = lseek(f->files[0].fd, (off_t)f->offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO)
        data = (off_t)size_of(f->files[0].fd);
    if (data > (off_t)f->offset)
        move_to(f, (uint64_t)data);
}

enum step { BYTES, END, AGAIN };

static enum step failed(struct hw_follow *f)
{
    if (f->count > 1) {
        f->lost += hw_follow_left(f);
        next_file(f, HW_TAIL_GAP);
        return AGAIN;
    }
    hw_open_failed(what, errno, f->why, sizeof f->why);
    return END;
}

/* Mark and bytes come by one call, so that hardly anything can happen between them. */
static enum step step(struct hw_follow *f, struct hw_str *ret)
{
    size_t mark = f->mark_len;
    ssize_t n = read_at(f->files[0].fd, f->buf, mark + HW_TAIL_CHUNK, f->offset - mark);
    if (n < 0)
        return failed(f);
    if ((size_t)n < mark || memcmp(f->buf, f->mark, mark) != 0 || !head_is_same(f)) {
        begin_file(f);
        set_seam(f, HW_TAIL_SEAM);
        return AGAIN;
    }
    *ret = (struct hw_str){ f->buf + mark, (size_t)n - mark };
    if (!ret->len)
        return END;
    remember(f, ret->len);
    skip_hole(f, *ret);
    return BYTES;
}

struct hw_str hw_follow_read(struct hw_follow *f)
{
    struct hw_str bytes = { f->buf, 0 };
    while (f->count) {
        enum step s = step(f, &bytes);
        if (s == BYTES)
            return bytes;
        if (s == END && !go_on_after_end(f))
            break;
    }
    return (struct hw_str){ f->buf, 0 };
}

void hw_follow_skip(struct hw_follow *f, uint64_t keep)
{
    uint64_t left = hw_follow_left(f);
    if (left <= keep)
        return;
    move_to(f, f->offset + left - keep);
    f->lost += left - keep;
    set_seam(f, HW_TAIL_GAP);
}
