#include "source/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "source/open.h"

static void refuse(struct hw_file_read *ret, const char *why)
{
    ret->kind = HW_FILE_REFUSED;
    snprintf(ret->why, sizeof ret->why, "%s", why);
}

static const char what[] = "progress file";

static void failed(struct hw_file_read *ret, enum hw_open_kind kind)
{
    ret->kind = kind == HW_OPEN_MISSING ? HW_FILE_MISSING : HW_FILE_REFUSED;
    ret->failed = kind == HW_OPEN_FAILED;
}

/* The end of the file, at most HW_FILE_TAIL bytes; -1 = ret says why not. *whole: it begins at the file's start. */
static ssize_t read_tail(int fd, char *scratch, bool *whole, struct hw_file_read *ret)
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        failed(ret, hw_open_failed(what, errno, ret->why, sizeof ret->why));
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
            failed(ret, hw_open_failed(what, errno, ret->why, sizeof ret->why));
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

static void clear(struct hw_file_read *ret)
{
    ret->why[0] = ret->line[0] = '\0';
    ret->len = 0;
    ret->failed = false;
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
    hw_auto_fd fd = -1;
    enum hw_open_kind kind = hw_open_regular(path, what, &fd, ret->why, sizeof ret->why);
    if (kind != HW_OPEN_DONE) {
        failed(ret, kind);
        memory->held = false;
        return;
    }
    ssize_t len = read_tail(fd, scratch, &whole, ret);
    if (len >= 0)
        hw_file_judge((struct hw_str){ scratch, (size_t)len }, whole, memory, now_ms, settle_ms,
                      ret);
}
