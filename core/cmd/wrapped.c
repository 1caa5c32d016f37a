#include "cmd/wrapped.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/publishing.h"
#include "cmd/reporting.h"
#include "loop/loop.h"

enum {
    FINISH_MS = 4500, /* the wrapper's patience is a little longer */
    DRAIN_MS = 1000, /* of it for output that was not parsed yet; all of it where no wrapper waits */
    CHUNK = 64 * 1024,
    GAPS_MAX = 64,
};

struct feed {
    struct wrapped *owner;
    uv_poll_t poll;
    int fd;
    uint64_t at;  /* bytes of the stream that were taken, by us or an earlier reporter */
    uint64_t end; /* known with the command's end */
    bool waiting; /* for room */
    bool over;    /* who copied for a wrapper that was killed has come to the end */
    struct gap {
        uint64_t at, lost; /* just before this byte, so many are missing */
    } gaps[GAPS_MAX];      /* ascending */
    size_t gap_count;
};

struct wrapped {
    const struct hw_wrapped *given; /* borrows */
    uv_loop_t loop;
    struct hw_clock clock;
    struct hw_publishing publishing;
    uv_poll_t control, pid;
    uv_timer_t late;
    int pid_fd; /* owns; -1 = none */
    struct feed feeds[HW_WRAPPED_STREAMS];
    bool idle;     /* nothing is published: only the command's end is awaited */
    bool ended;    /* the command has, the last output is being read */
    bool orphaned; /* the wrapper was killed */
    bool finishing;
    struct hw_word word; /* how it ended */
    char chunk[CHUNK];
};

static void read_feed(struct feed *f);

/* ---- the end ------------------------------------------------------------------------------------- */

static void on_done(void *ctx, bool written)
{
    struct wrapped *w = ctx;
    (void)written; /* the reporter has said so */
    uv_stop(&w->loop);
}

static void describe_end(const struct hw_word *word, char *buf, size_t size)
{
    buf[0] = '\0';
    if (word->kind == HW_WORD_UNSTARTED)
        snprintf(buf, size, "the command can't be started: %s", strerror(word->signal));
    else if (word->signal)
        snprintf(buf, size, "ended by signal %" PRId32 " (%s)", word->signal,
                 strsignal(word->signal));
    else if (word->number)
        snprintf(buf, size, "exit status %" PRId32, word->number);
}

static void pass_gap(struct wrapped *w, struct feed *f);

/* What could not be read in time. */
static void pass_end(struct wrapped *w, struct feed *f)
{
    bool known = f->end != UINT64_MAX && f->end > f->at;
    while (f->gap_count)
        pass_gap(w, f);
    if (known)
        hw_reporter_output_gap(w->publishing.reporter, (int)(f - w->feeds), f->end - f->at);
}

static void finish(struct wrapped *w)
{
    char reason[120];
    if (w->finishing)
        return;
    w->finishing = true;
    uv_timer_stop(&w->late);
    if (w->idle) {
        uv_stop(&w->loop);
        return;
    }
    for (size_t i = 0; i < w->given->count; i++)
        pass_end(w, &w->feeds[i]);
    describe_end(&w->word, reason, sizeof reason);
    struct hw_reporter_end end = { .outcome =
                                       w->word.number ? HW_OUTCOME_FAILURE : HW_OUTCOME_SUCCESS,
                                   .code = w->word.number,
                                   .reason = reason };
    hw_reporter_finish(w->publishing.reporter, w->orphaned ? NULL : &end, FINISH_MS, on_done, w);
}

/* Everything that the command printed has been read. */
static void finish_when_read(struct wrapped *w)
{
    if (!w->ended)
        return;
    for (size_t i = 0; !w->idle && i < w->given->count; i++)
        if (w->feeds[i].at < w->feeds[i].end)
            return;
    finish(w);
}

/* ---- output -------------------------------------------------------------------------------------- */

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    read_feed(HW_CONTAINER(poll, struct feed, poll));
}

static void listen_to(struct feed *f)
{
    f->waiting = false;
    uv_poll_start(&f->poll, UV_READABLE, on_readable);
}

/* How much can be handed on before a gap, at most len. */
static size_t before_gap(const struct feed *f, size_t len)
{
    return f->gap_count && f->gaps[0].at < f->at + len ? (size_t)(f->gaps[0].at - f->at) : len;
}

static void pass_gap(struct wrapped *w, struct feed *f)
{
    hw_reporter_output_gap(w->publishing.reporter, (int)(f - w->feeds), f->gaps[0].lost);
    f->gap_count--;
    memmove(f->gaps, f->gaps + 1, f->gap_count * sizeof f->gaps[0]);
}

static bool hand_on(struct wrapped *w, struct feed *f, const char *bytes, size_t len)
{
    bool room = true;
    if (w->idle) /* read all the same: nobody shall keep it for us */
        return true;
    while (len) {
        size_t n = before_gap(f, len);
        if (n == 0) {
            pass_gap(w, f);
            continue;
        }
        room = hw_reporter_output(w->publishing.reporter, (int)(f - w->feeds),
                                  (struct hw_str){ bytes, n });
        f->at += n;
        bytes += n;
        len -= n;
    }
    return room;
}

static bool take_word(struct wrapped *w);

/* A gap is told before what follows it is fed: the words are heard after the bytes were read, and before they are handed on. */
static void read_feed(struct feed *f)
{
    struct wrapped *w = f->owner;
    ssize_t n = read(f->fd, w->chunk, sizeof w->chunk);
    while (n > 0 && !w->orphaned && take_word(w))
        continue;
    if (n > 0 && !hand_on(w, f, w->chunk, (size_t)n)) {
        f->waiting = true;
        uv_poll_stop(&f->poll);
    }
    if (n == 0) {
        uv_poll_stop(&f->poll);
        f->over = true;
        f->end = f->at;
    }
    finish_when_read(w);
}

/* All but the newest of what was not read is left out. */
static void read_newest(struct wrapped *w, struct feed *f)
{
    uint64_t lost = 0;
    ssize_t n = 1;
    while (n > 0 && f->end - f->at > CHUNK) {
        uint64_t more = f->end - f->at - CHUNK;
        n = read(f->fd, w->chunk, more < CHUNK ? (size_t)more : CHUNK);
        if (n > 0) {
            f->at += (uint64_t)n;
            lost += (uint64_t)n;
        }
    }
    while (f->gap_count && f->gaps[0].at <= f->at)
        pass_gap(w, f);
    if (lost)
        hw_reporter_output_gap(w->publishing.reporter, (int)(f - w->feeds), lost);
    while (f->at < f->end && (n = read(f->fd, w->chunk, sizeof w->chunk)) > 0)
        hand_on(w, f, w->chunk, (size_t)n);
}

static void on_late(uv_timer_t *timer)
{
    struct wrapped *w = HW_CONTAINER(timer, struct wrapped, late);
    for (size_t i = 0; !w->idle && i < w->given->count; i++)
        if (w->feeds[i].end != UINT64_MAX && w->feeds[i].at < w->feeds[i].end)
            read_newest(w, &w->feeds[i]);
    finish(w);
}

static void on_room(void *ctx)
{
    struct wrapped *w = ctx;
    for (size_t i = 0; i < w->given->count; i++)
        if (w->feeds[i].waiting)
            listen_to(&w->feeds[i]);
}

/* ---- words of the wrapper ------------------------------------------------------------------------ */

/* One that has no place is counted with the last, a little too early. */
static void take_gap(struct wrapped *w, const struct hw_word *word)
{
    if (word->number < 0 || (size_t)word->number >= w->given->count || w->idle)
        return;
    struct feed *f = &w->feeds[word->number];
    if (f->gap_count == GAPS_MAX)
        f->gaps[GAPS_MAX - 1].lost += word->lost;
    else
        f->gaps[f->gap_count++] = (struct gap){ word->at < f->at ? f->at : word->at, word->lost };
}

static void end(struct wrapped *w)
{
    w->ended = true;
    uv_timer_start(&w->late, on_late, w->orphaned ? FINISH_MS : DRAIN_MS, 0);
    finish_when_read(w);
}

static void on_command_gone(uv_poll_t *poll, int status, int events)
{
    struct wrapped *w = HW_CONTAINER(poll, struct wrapped, pid);
    (void)status, (void)events;
    uv_poll_stop(poll);
    for (size_t i = 0; i < w->given->count; i++)
        if (w->feeds[i].fd >= 0 && !w->feeds[i].over)
            w->feeds[i].end = UINT64_MAX;
    end(w);
}

/* The wrapper was killed; the command goes on, and how it will end is not to be known. */
static void become_orphan(struct wrapped *w)
{
    uv_poll_stop(&w->control);
    w->orphaned = true;
    w->pid_fd = hw_wrapped_carry_on(w->given);
    hw_log(HW_WARN, "exec",
           "the wrapper was killed; the command goes on, its exit status will not be known");
    if (w->pid_fd < 0 || uv_poll_init(&w->loop, &w->pid, w->pid_fd) < 0)
        end(w);
    else
        uv_poll_start(&w->pid, UV_READABLE, on_command_gone);
}

/* False: there is none, or no more will come. */
static bool take_word(struct wrapped *w)
{
    struct hw_word word;
    ssize_t n = read(w->given->control, &word, sizeof word);
    if (n < 0)
        return false;
    if (n != (ssize_t)sizeof word) {
        if (w->ended)
            uv_poll_stop(&w->control);
        else
            become_orphan(w);
        return false;
    }
    if (word.kind == HW_WORD_OVER)
        hw_wrapped_let_go(w->given, word.number);
    else if (word.kind == HW_WORD_GAP)
        take_gap(w, &word);
    else {
        w->word = word;
        for (size_t i = 0; i < w->given->count; i++)
            w->feeds[i].end = word.fed[i];
        end(w);
    }
    return true;
}

static void on_control(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    take_word(HW_CONTAINER(poll, struct wrapped, control));
}

/* ---- wiring -------------------------------------------------------------------------------------- */

static int publish(struct wrapped *w, const struct hw_config *c, const char *file,
                   const char *parser, const char *note, struct hw_err *err)
{
    struct hw_reporter_options options = { 0 };
    if (hw_publishing_limits(err) < 0 || hw_reporting_options(c, &options, err) < 0)
        return -1;
    if (!hw_publishing_sinks(&w->publishing))
        return hw_fail(
            err, HW_ECONFIG,
            "no pod to write to: name one (HEADWAY_POD_NAME), or a place by --sinks or --dir");
    options.file = file;
    options.parser = NULL;
    options.note = note;
    if (w->given->count)
        options.output_parser = parser;
    else if (!file)
        return hw_fail(err, HW_ESYS, "neither file nor output can be watched");
    return hw_publishing_start(&w->publishing, &options, err);
}

static void start_feeds(struct wrapped *w)
{
    if (!w->idle)
        hw_reporter_on_room(w->publishing.reporter, on_room, w);
    for (size_t i = 0; i < w->given->count; i++) {
        struct feed *f = &w->feeds[i];
        *f = (struct feed){ .owner = w, .fd = w->given->feeds[i], .at = w->given->taken[i] };
        if (f->fd < 0 || uv_poll_init(&w->loop, &f->poll, f->fd) < 0)
            continue;
        if (w->given->again && !w->idle)
            hw_reporter_output_gap(w->publishing.reporter, (int)i, 0);
        listen_to(f);
    }
}

bool hw_wrapped_report(const struct hw_wrapped *given, const struct hw_config *config,
                       const char *file, const char *parser, const char *note)
{
    struct wrapped *w = hw_xzalloc(sizeof *w);
    struct hw_err err;
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* huge pages would make our few pages many */
    w->given = given;
    w->pid_fd = -1;
    w->publishing = (struct hw_publishing){ .loop = &w->loop,
                                            .clock = &w->clock,
                                            .config = config,
                                            .by = "wrapper",
                                            .resumes = given->again,
                                            .guest = true };
    if (hw_loop_init(&w->loop, &err) < 0) {
        hw_log(HW_WARN, "exec", "%s; nothing is published, the command is not disturbed", err.msg);
        return false;
    }
    uv_timer_init(&w->loop, &w->late);
    if (publish(w, config, file, parser, note, &err) < 0) {
        hw_log(HW_WARN, "exec", "%s; nothing is published, the command is not disturbed", err.msg);
        hw_publishing_stop(&w->publishing);
        w->idle = true;
    }
    start_feeds(w);
    if (uv_poll_init(&w->loop, &w->control, given->control) < 0 ||
        uv_poll_start(&w->control, UV_READABLE, on_control) < 0)
        return false; /* without its words we would never end: another one has a try */
    uv_run(&w->loop, UV_RUN_DEFAULT);
    /* Not freed: the process ends, and what hangs in the network or a file system must not hold it up. */
    return w->orphaned;
}
