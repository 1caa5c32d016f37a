/* set.c - one N/M line for a script: checked, then put into the progress file.
 * A regular file is replaced by rename, so that no reader ever sees half of it. Where that can't be (a read-only
 * directory, a file that is a mount of its own), the line is added at the file's end, since the last line counts.
 * A symbolic link to a file is replaced by a file: the reporter refuses links, so the link would never be read. What is
 * no regular file (FIFO, /proc/1/fd/1, a terminal) gets one line by one write. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "progress/nm.h"
#include "progress/sample.h"

/* GROWN: a file that only grows begins anew here, long before a reader's 64 KiB. */
enum {
    LINE_BYTES = HW_NM_SIZE + 1 + HW_TEXT_MAX + 1,
    JOINED_BYTES = 4096,
    GROWN = 32 * 1024,
    FULL_PIPE_MS = 3000,
};

/* ---- the line ------------------------------------------------------------------------------------ */

/* What stands behind N/M in the first argument, and all other arguments, with one space between. What is over size is
 * left out: far more than is kept of a message. */
static size_t join_message(const struct hw_nm *nm, char **more, char *buf, size_t size)
{
    size_t n = nm->message.len < size ? nm->message.len : size;
    memcpy(buf, nm->message.ptr ? nm->message.ptr : "", n);
    for (; *more && n < size; more++) {
        size_t len = strlen(*more);
        buf[n++] = ' ';
        len = len < size - n ? len : size - n;
        memcpy(buf + n, *more, len);
        n += len;
    }
    return n;
}

/* Line ends and control characters in the message become spaces. line holds LINE_BYTES. */
static int make_line(char **argv, char *line, struct hw_err *err)
{
    struct hw_nm nm;
    char count[HW_NM_SIZE], joined[JOINED_BYTES], message[HW_TEXT_MAX + 1];
    if (hw_nm_parse(hw_str(argv[0]), &nm, err) < 0) {
        err->code = HW_ECONFIG;
        return -1;
    }
    struct hw_str text = { joined, join_message(&nm, argv + 1, joined, sizeof joined) };
    hw_clean_text(message, HW_TEXT_MAX, text);
    hw_nm_format(nm.done, nm.total, count);
    snprintf(line, LINE_BYTES, "%s%s%s\n", count, message[0] ? " " : "", message);
    return 0;
}

/* ---- what is no regular file --------------------------------------------------------------------- */

/* The descriptor does not block, so that a pipe which nobody empties ends in an error. */
static int write_line(int fd, const char *path, const char *line, struct hw_err *err)
{
    struct pollfd full = { .fd = fd, .events = POLLOUT };
    size_t len = strlen(line); /* under PIPE_BUF: a pipe takes all of it or nothing */
    ssize_t n = write(fd, line, len);
    if (n < 0 && errno == EAGAIN && poll(&full, 1, FULL_PIPE_MS) > 0)
        n = write(fd, line, len);
    if (n < 0)
        return hw_fail_sys(err, "write '%s'", path);
    if ((size_t)n != len)
        return hw_fail(err, HW_ESYS, "write '%s': only %zd of %zu bytes", path, n, len);
    return 0;
}

static int write_other(const char *path, mode_t mode, const char *line, struct hw_err *err)
{
    if (S_ISDIR(mode) || S_ISBLK(mode))
        return hw_fail(err, HW_ESYS, "'%s' is a %s, no file", path,
                       S_ISDIR(mode) ? "directory" : "block device");
    hw_auto_fd fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENXIO)
        return hw_fail(err, HW_ESYS, "'%s': nobody has it open for reading (%s)", path,
                       S_ISFIFO(mode) ? "a FIFO" : "a socket or terminal");
    if (fd < 0)
        return hw_fail_sys(err, "open '%s'", path);
    return write_line(fd, path, line, err);
}

/* ---- regular files ------------------------------------------------------------------------------- */

/* As an ordinary creation would leave it, or as the file that it replaces. Another user's file stays his where we may
 * give it back; where not, its mode decides who can read it, as before. */
static void copy_owner(int fd, const struct stat *old)
{
    if (!old) {
        mode_t mask = umask(0);
        umask(mask);
        fchmod(fd, 0666 & ~mask);
        return;
    }
    struct stat now;
    if (fstat(fd, &now) == 0 && (now.st_uid != old->st_uid || now.st_gid != old->st_gid) &&
        fchown(fd, old->st_uid, old->st_gid) < 0)
        errno = 0;
    fchmod(fd, old->st_mode & 0777);
}

/* Sets *ret_elsewhere when the directory is what refused, so that writing in place may still do. */
static int replace(const char *path, const struct stat *old, const char *line, bool *ret_elsewhere,
                   struct hw_err *err)
{
    const char *slash = strrchr(path, '/');
    int dir_len = slash ? (int)(slash - path + 1) : 0;
    hw_auto_free char *temp = hw_xasprintf("%.*s.headway-XXXXXX", dir_len, path);
    hw_auto_fd fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        *ret_elsewhere = true;
        return hw_fail_sys(err, "make a file in '%.*s'", dir_len ? dir_len : 1,
                           dir_len ? path : ".");
    }
    copy_owner(fd, old);
    int st = write_line(fd, temp, line, err);
    if (st == 0 && rename(temp, path) < 0) {
        *ret_elsewhere = true;
        st = hw_fail_sys(err, "rename to '%s'", path);
    }
    if (st < 0)
        unlink(temp);
    return st;
}

/* Adds the line at the end: a reader sees the old last line or the new one. A file that was not ended by a line end
 * gets one; empty lines don't count. What is reached through a link (a log behind /proc/1/fd/1) is never cut. */
static int write_in_place(const char *path, const struct stat *old, bool is_link, const char *line,
                          struct hw_err *err)
{
    char both[LINE_BYTES + 1];
    hw_auto_fd fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return hw_fail_sys(err, "open '%s'", path);
    bool begin_anew = !is_link && old->st_size > GROWN && ftruncate(fd, 0) == 0;
    snprintf(both, sizeof both, "%s%s", old->st_size && !begin_anew ? "\n" : "", line);
    return write_line(fd, path, both, err);
}

/* /dev/stdout, /proc/1/fd/1, and links to such: not ours to replace; nor is a link that can't be read. */
static bool is_of_the_system(const char *path)
{
    char text[8] = "";
    if (readlink(path, text, sizeof text - 1) < 0)
        return true;
    return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0 ||
           strncmp(text, "/dev/", 5) == 0 || strncmp(text, "/proc/", 6) == 0;
}

/* -1: it can't be told whether something is there, so nothing may be put in its place. */
static int look(const char *path, int flags, struct stat *st, bool *ret_exists, struct hw_err *err)
{
    *ret_exists = fstatat(AT_FDCWD, path, st, flags) == 0;
    if (*ret_exists || errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
        return 0;
    return hw_fail_sys(err, "look at '%s'", path);
}

static int write_file(const char *path, const char *line, struct hw_err *err)
{
    struct stat own, target;
    struct hw_err first;
    bool elsewhere = false, any = false, exists = false;
    if (look(path, AT_SYMLINK_NOFOLLOW, &own, &any, err) < 0 ||
        look(path, 0, &target, &exists, err) < 0)
        return -1;
    bool is_link = any && S_ISLNK(own.st_mode);
    if (exists && !S_ISREG(target.st_mode))
        return write_other(path, target.st_mode, line, err);
    if (exists && is_link && is_of_the_system(path))
        return write_in_place(path, &target, true, line, err);
    if (replace(path, exists ? &target : NULL, line, &elsewhere, &first) == 0)
        return 0;
    if (exists && elsewhere && write_in_place(path, &target, is_link, line, err) == 0)
        return 0;
    if (exists && elsewhere)
        return hw_wrap(err, "%s, and in place", first.msg);
    *err = first;
    return -1;
}

/* -------------------------------------------------------------------------------------------------- */

/* Other settings that are wrong are not this command's affair. */
static const struct hw_problem *file_problem(const struct hw_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        if (hw_streq(problems->list[i].name, "source.file"))
            return &problems->list[i];
    return NULL;
}

static int set_main(struct hw_cmd_ctx *ctx)
{
    char line[LINE_BYTES];
    struct hw_err err;
    const char *path = ctx->config->source.file;
    const struct hw_problem *problem = file_problem(ctx->problems);
    if (problem) {
        hw_auto_free char *text = hw_problem_text(problem);
        return hw_cmd_misuse(ctx, "%s", text);
    }
    if (make_line(ctx->argv, line, &err) < 0)
        return hw_cmd_fail(ctx, &err);
    if (!path)
        return hw_cmd_misuse(
            ctx, "which file? FLUID_PROGRESS_FILE is not set, and --file was not given");
    if (write_file(path, line, &err) < 0)
        return hw_cmd_fail(ctx, &err);
    return 0;
}

const struct hw_cmd hw_cmd_set = {
    .name = "set",
    .args = "N/M [MESSAGE...]",
    .summary = "write N/M to the progress file, for scripts",
    .description =
        "The file is replaced by rename, so that no reader sees half a line. A symbolic link is replaced\n"
        "by a file, since the reporter reads no links. A FIFO, a terminal, /dev/stdout or /proc/1/fd/1 gets\n"
        "one line at its end.\n"
        "Behind -- the message may begin with a dash.",
    .takes = HW_FOR_SET,
    .args_min = 1,
    .args_max = -1,
    .lenient = true,
    .run = set_main,
};
