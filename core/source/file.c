#include "source/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

static void refuse(struct hw_file_read *ret, const char *why)
{
    ret->kind = HW_FILE_REFUSED;
    snprintf(ret->why, sizeof ret->why, "%s", why);
}

static void open_failed(struct hw_file_read *ret, int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        ret->kind = HW_FILE_MISSING;
        snprintf(ret->why, sizeof ret->why, "no progress file yet");
        return;
    case ELOOP:
        refuse(ret, "progress file is a symbolic link");
        return;
    case ENXIO: /* a socket, or a device without driver */
        refuse(ret, "progress file is no regular file");
        return;
    default:
        ret->kind = HW_FILE_REFUSED;
        snprintf(ret->why, sizeof ret->why, "progress file: %s", strerror(error));
    }
}

static const char *wrong_type(mode_t mode)
{
    return S_ISREG(mode)    ? NULL
           : S_ISDIR(mode)  ? "progress file is a directory"
           : S_ISLNK(mode)  ? "progress file is a symbolic link"
           : S_ISFIFO(mode) ? "progress file is a FIFO"
                            : "progress file is no regular file";
}

/* The end of the file, at most HW_FILE_TAIL bytes; -1 = ret says why not. *whole: it begins at the file's start. */
static ssize_t read_tail(int fd, char *scratch, bool *whole, struct hw_file_read *ret)
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        open_failed(ret, errno);
        return -1;
    }
    const char *wrong = wrong_type(st.st_mode);
    if (wrong) {
        refuse(ret, wrong);
        return -1;
    }
    off_t from = st.st_size > HW_FILE_TAIL ? st.st_size - HW_FILE_TAIL : 0;
    size_t len = 0;
    *whole = from == 0;
    while (len < HW_FILE_TAIL) {
        ssize_t n = pread(fd, scratch + len, HW_FILE_TAIL - len, from + (off_t)len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            open_failed(ret, errno);
            return -1;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static bool is_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Finds the last line that is not blank. *ended: a line end stands after it. */
static void last_line(const char *text, size_t len, bool whole, bool *ended,
                      struct hw_file_read *ret)
{
    size_t end = len;
    *ended = false;
    while (end > 0 && is_blank(text[end - 1]))
        *ended |= is_end(text[--end]);
    size_t begin = end;
    while (begin > 0 && !is_end(text[begin - 1]))
        begin--;
    if (end == 0)
        ret->kind = HW_FILE_EMPTY;
    else if (begin == 0 && !whole && len < HW_FILE_TAIL)
        ret->kind = HW_FILE_UNSURE; /* it was cut while we read */
    else if (end - begin > HW_RECORD_MAX || (begin == 0 && !whole))
        refuse(ret, "last line of the progress file is longer than 4096 bytes");
    else {
        ret->kind = HW_FILE_LINE;
        ret->len = end - begin;
        memcpy(ret->line, text + begin, ret->len);
        ret->line[ret->len] = '\0';
    }
}

/* Whether the same line without an end was seen settle_ms ago. */
static bool has_settled(struct hw_file_memory *m, const struct hw_file_read *r, int64_t now_ms,
                        int64_t settle_ms)
{
    if (m->held && m->len == r->len && memcmp(m->line, r->line, r->len) == 0)
        return now_ms - m->since_ms >= settle_ms;
    memcpy(m->line, r->line, r->len);
    m->len = r->len;
    m->since_ms = now_ms;
    m->held = true;
    return false;
}

/* A file that was handed to us open (memory, where no directory can be written): its path is a link by nature. */
static bool is_descriptor(const char *path)
{
    return strncmp(path, "/proc/self/fd/", 14) == 0;
}

static int open_descriptor(const char *path, struct hw_file_read *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        open_failed(ret, errno);
    return fd;
}

/* Opening a FIFO and closing it again would break the pipe of who writes there, so look first; what is
 * opened after all is looked at again. */
static int open_regular(const char *path, struct hw_file_read *ret)
{
    struct stat st;
    const char *wrong = NULL;
    int fd = -1;
    if (is_descriptor(path))
        return open_descriptor(path, ret);
    if (lstat(path, &st) == 0)
        wrong = wrong_type(st.st_mode);
    if (wrong)
        refuse(ret, wrong);
    else if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)) < 0)
        open_failed(ret, errno);
    return fd;
}

static void clear(struct hw_file_read *ret)
{
    ret->why[0] = ret->line[0] = '\0';
    ret->len = 0;
}

void hw_file_judge(struct hw_str tail, bool whole, struct hw_file_memory *memory, int64_t now_ms,
                   int64_t settle_ms, struct hw_file_read *ret)
{
    bool ended = false;
    clear(ret);
    last_line(tail.ptr, tail.len, whole, &ended, ret);
    if (ret->kind != HW_FILE_LINE || ended)
        memory->held = false;
    else if (!has_settled(memory, ret, now_ms, settle_ms))
        ret->kind = HW_FILE_UNSURE;
}

void hw_file_read(const char *path, struct hw_file_memory *memory, int64_t now_ms,
                  int64_t settle_ms, char *scratch, struct hw_file_read *ret)
{
    bool whole = true;
    clear(ret);
    hw_auto_fd fd = open_regular(path, ret);
    if (fd < 0) {
        memory->held = false;
        return;
    }
    ssize_t len = read_tail(fd, scratch, &whole, ret);
    if (len >= 0)
        hw_file_judge((struct hw_str){ scratch, (size_t)len }, whole, memory, now_ms, settle_ms,
                      ret);
}
