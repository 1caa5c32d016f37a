/* record.c - runs a command as `exec` does and writes what it prints as asciicast v2. The wrapper's second copy of the bytes, exact
 * here, goes to a process of its own, which writes the file: it may be killed and leaves a recording that can be read. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "exec/wrapper.h"
#include "replay/cast_out.h"

enum { FINISH_MS = 10000, COMMAND_MAX = 4096 };

extern char **environ;

struct recorder {
    int fd;           /* owns: the recording */
    const char *path; /* for messages */
    int64_t begun_us; /* monotonic */
    struct hw_cast_header header;
    struct winsize size; /* as it was recorded last */

    /* in the recorder's process */
    const struct hw_wrapped *given;
    struct hw_cast_out *out; /* NULL: it could not be written, and what comes is thrown away */
    uint64_t at[HW_WRAPPED_STREAMS];
    bool over[HW_WRAPPED_STREAMS]; /* end of file: who copied for a wrapper that was killed has come to the end */
    struct hw_word word; /* how the command ended */
    bool ended, orphaned;
    int gone; /* becomes readable with the command's end, when the wrapper was killed; -1 = unknown */
    char chunk[HW_CAST_OUT_PIECE];
};

static void say(const char *text)
{
    char clean[500], line[600];
    hw_clean_text(clean, sizeof clean - 1, hw_str(text));
    int n = snprintf(line, sizeof line, "headway record: %s\n", clean);
    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        return; /* nobody can be told */
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the recorder's process ---------------------------------------------------------------------- */

static int64_t since(const struct recorder *r)
{
    return now_us() - r->begun_us;
}

/* The command goes on, unrecorded. */
static void give_up(struct recorder *r, const struct hw_err *err)
{
    hw_auto_free char *text = hw_xasprintf("%s: %s; the recording ends here", r->path, err->msg);
    say(text);
    hw_cast_out_free(r->out);
    r->out = NULL;
}

/* Another size of the terminal shows in what is printed from now on. */
static void check_size(struct recorder *r, size_t stream)
{
    struct winsize now;
    struct hw_err err;
    int src = r->given->copies[stream].src;
    if (!r->out || src < 0 || ioctl(src, TIOCGWINSZ, &now) < 0 || !now.ws_col || !now.ws_row ||
        (now.ws_col == r->size.ws_col && now.ws_row == r->size.ws_row))
        return;
    r->size = now;
    if (hw_cast_out_size(r->out, since(r), now.ws_col, now.ws_row, &err) < 0)
        give_up(r, &err);
}

/* One read, one event. */
static void read_feed(struct recorder *r, size_t stream)
{
    struct hw_err err;
    ssize_t n = read(r->given->feeds[stream], r->chunk, sizeof r->chunk);
    r->over[stream] = n == 0;
    if (n <= 0)
        return;
    r->at[stream] += (uint64_t)n;
    check_size(r, stream);
    if (r->out && hw_cast_out_bytes(r->out, since(r), stream,
                                    (struct hw_str){ r->chunk, (size_t)n }, &err) < 0)
        give_up(r, &err);
}

static void become_orphan(struct recorder *r)
{
    r->orphaned = true;
    r->gone = hw_wrapped_carry_on(r->given);
    r->ended = r->gone < 0;
}

static void hear(struct recorder *r)
{
    struct hw_word word;
    ssize_t n = read(r->given->control, &word, sizeof word);
    if (n < 0)
        return;
    if (n != (ssize_t)sizeof word)
        become_orphan(r);
    else if (word.kind == HW_WORD_OVER)
        hw_wrapped_let_go(r->given, word.number);
    else if (word.kind != HW_WORD_GAP) {
        r->word = word;
        r->ended = true;
    }
}

static bool is_awaited(const struct recorder *r, size_t stream)
{
    return r->given->feeds[stream] >= 0 && !r->over[stream];
}

/* Everything that was fed has been read. */
static bool has_all(const struct recorder *r)
{
    for (size_t i = 0; i < r->given->count; i++)
        if (r->orphaned ? is_awaited(r, i) : r->at[i] < r->word.fed[i])
            return false;
    return true;
}

static void record_all(struct recorder *r)
{
    while (!r->ended || !has_all(r)) {
        struct pollfd fds[HW_WRAPPED_STREAMS + 2];
        size_t n = r->given->count;
        for (size_t i = 0; i < n; i++)
            fds[i] = (struct pollfd){ .fd = is_awaited(r, i) ? r->given->feeds[i] : -1,
                                      .events = POLLIN };
        fds[n] = (struct pollfd){ .fd = r->ended || r->orphaned ? -1 : r->given->control,
                                  .events = POLLIN };
        fds[n + 1] = (struct pollfd){ .fd = r->ended ? -1 : r->gone, .events = POLLIN };
        /* Somebody who outlives the command may hold an orphan's output open. */
        int ready = poll(fds, n + 2, r->ended && r->orphaned ? FINISH_MS : -1);
        if (ready == 0)
            return;
        if (ready < 0)
            continue;
        for (size_t i = 0; i < n; i++)
            if (fds[i].revents)
                read_feed(r, i);
        if (fds[n].revents)
            hear(r);
        r->ended |= fds[n + 1].revents != 0;
    }
}

static void tell_end(struct recorder *r)
{
    struct hw_err err;
    if (!r->out)
        return;
    if (hw_cast_out_end(r->out, since(r), &err) < 0) {
        give_up(r, &err);
        return;
    }
    struct hw_cast_out_counts c = hw_cast_out_counts(r->out);
    hw_auto_free char *text =
        c.replaced
            ? hw_xasprintf("%s: %llu bytes are no UTF-8, which JSON can't hold: each is U+FFFD now",
                           r->path, (unsigned long long)c.replaced)
            : NULL;
    if (text)
        say(text);
}

static int record_process(void *ctx, const struct hw_wrapped *given)
{
    struct recorder *r = ctx;
    struct hw_err err;
    r->given = given;
    r->gone = -1;
    if (given->count == 0)
        say("no pipe or terminal to be had for the command: nothing is recorded");
    if (hw_cast_out_new(&r->out, r->fd, &r->header, &err) < 0)
        give_up(r, &err);
    record_all(r);
    tell_end(r);
    hw_cast_out_free(r->out);
    return 0;
}

/* ---- the command --------------------------------------------------------------------------------- */

/* As a person would type it. What is over COMMAND_MAX bytes is left out. */
static char *command_line(char *const *argv)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    struct hw_buf b;
    struct hw_err ignored;
    hw_buf_init(&b, COMMAND_MAX);
    for (; *argv; argv++) {
        bool quoted = !**argv || strspn(*argv, plain) != strlen(*argv);
        if (hw_buf_addf(&b, &ignored, "%s%s", b.len ? " " : "", quoted ? "'" : "") < 0)
            break;
        for (const char *p = *argv; *p; p++)
            if (hw_buf_addf(&b, &ignored, *p == '\'' ? "'\\%c'" : "%c", *p) < 0)
                break;
        if (quoted && hw_buf_add(&b, "'", 1, &ignored) < 0)
            break;
    }
    return hw_buf_take(&b);
}

static void find_size(struct recorder *r)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (ioctl(fd, TIOCGWINSZ, &r->size) == 0 && r->size.ws_col && r->size.ws_row)
            return;
    r->size = (struct winsize){ .ws_col = 80, .ws_row = 24 };
}

static int open_file(struct recorder *r, bool force, struct hw_err *err)
{
    r->fd =
        open(r->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (force ? O_TRUNC : O_EXCL), 0666);
    if (r->fd < 0 && errno == EEXIST)
        return hw_fail(err, HW_ECONFIG, "'%s' is there already; --force records over it", r->path);
    return r->fd < 0 ? hw_fail_sys(err, "write '%s'", r->path) : 0;
}

static int run_command(struct hw_cmd_ctx *ctx, struct recorder *r)
{
    const int keep[] = { r->fd, -1 };
    struct hw_wrapper_options o = { .argv = ctx->argv,
                                    .env = environ,
                                    .inherited = ctx->inherited,
                                    .pty = hw_cmd_flag(ctx, "pty") ? HW_PTY_ON : HW_PTY_OFF,
                                    .watch = true,
                                    .report = record_process,
                                    .exact = true,
                                    .say = say,
                                    .warn = say,
                                    .ctx = r,
                                    .keep = keep,
                                    .finish_ms = FINISH_MS };
    r->begun_us = now_us();
    return hw_wrapper_run(&o);
}

/* packit.cast for /opt/bin/packit */
static char *default_path(const char *program)
{
    const char *slash = strrchr(program, '/');
    return hw_xasprintf("%s.cast", slash ? slash + 1 : program);
}

static int record_main(struct hw_cmd_ctx *ctx)
{
    struct hw_err err;
    struct recorder *r = hw_xzalloc(sizeof *r);
    hw_auto_free char *own = default_path(ctx->argv[0]);
    hw_auto_free char *command = command_line(ctx->argv);
    const char *path = hw_cmd_flag(ctx, "out");
    r->path = path ? path : own;
    r->header = (struct hw_cast_header){ .command = command,
                                         .title = hw_cmd_flag(ctx, "title"),
                                         .shell = getenv("SHELL"),
                                         .term = getenv("TERM"),
                                         .unix_ms = (int64_t)time(NULL) * 1000 };
    find_size(r);
    r->header.width = r->size.ws_col;
    r->header.height = r->size.ws_row;
    int status = open_file(r, hw_cmd_flag(ctx, "force"), &err) == 0 ? run_command(ctx, r)
                                                                    : hw_cmd_fail(ctx, &err);
    if (r->fd >= 0)
        close(r->fd);
    free(r);
    return status;
}

static const struct hw_cmd_flag flags[] = {
    { "out", 'o', "FILE", "the recording; else the program's name with .cast behind it" },
    { "pty", 0, NULL, "the command gets a terminal; else pipes, as in a pod" },
    { "title", 0, "TEXT", "of the recording" },
    { "force", 0, NULL, "record over a file that is there" },
    { .name = NULL },
};

const struct hw_cmd hw_cmd_record = {
    .name = "record",
    .args = "[--] COMMAND [ARGUMENT...]",
    .summary = "run a command and record what it prints, as asciicast v2",
    .description =
        "The command runs as under exec: its output goes on to ours, signals to it, and its exit status is ours (126\n"
        "when it can't be run, 127 when there is none, 128 + the signal that ended it). Each read is an event, stdout\n"
        "and stderr together as in a pod's log. The file is written as the output comes. Bytes that are no UTF-8\n"
        "can't stand in a recording: each becomes U+FFFD, which is said at the end.",
    .flags = flags,
    .args_min = 1,
    .args_max = -1,
    .stop_early = true,
    .run = record_main,
};
