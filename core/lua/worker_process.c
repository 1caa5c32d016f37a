#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/confine.h"
#include "lua/worker_impl.h"

enum {
    TICK_MS = 250,
    TICKS_SLOW = 9,     /* 2 s without a record done: it hangs when it has computed for... */
    SLOW_CPU_MS = 1000, /* ...so long meanwhile */
    TICKS_SILENT =
        24, /* 6 s without a record done and without computing: it is replaced, without blame */
    RETRY_FIRST_MS = 250, /* pause before the second start in a row that comes to nothing */
    RETRY_MAX_MS = 60000,
};

/* ---- start --------------------------------------------------------------------------------------- */

static void on_retry(uv_timer_t *timer);
static void begin_end(struct hw_worker *w);

void hw_worker_want(struct hw_worker *w, int64_t delay_ms)
{
    if (w->state == HW_WORKER_DOWN && !w->freed && !uv_is_active((uv_handle_t *)&w->retry))
        uv_timer_start(&w->retry, on_retry, (uint64_t)delay_ms, 0);
}

void hw_worker_hurry(struct hw_worker *w, bool replace)
{
    bool owes =
        w->state == HW_WORKER_STARTING || (w->state == HW_WORKER_UP && w->ops && w->ops->sent);
    w->fails = 0;
    if (w->state == HW_WORKER_DOWN && uv_is_active((uv_handle_t *)&w->retry))
        uv_timer_start(&w->retry, on_retry, 0, 0);
    if (!owes || !replace)
        return;
    w->innocent = true;
    hw_worker_kill(w, "did not answer in time");
}

int hw_worker_make_beat(struct hw_worker *w, struct hw_err *err)
{
    hw_auto_fd fd = memfd_create("headway-beat", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, sizeof *w->beat) < 0)
        return hw_fail_sys(err, "memory shared with the worker");
    void *p = mmap(NULL, sizeof *w->beat, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return hw_fail_sys(err, "memory shared with the worker");
    w->beat = p;
    w->beat_fd = hw_steal_fd(&fd);
    return 0;
}

/* Nothing of ours is in its environment; a sanitized build hands its settings on. */
static char **environment(char *env[4])
{
    static const char *const names[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" };
    size_t n = 0;
    for (size_t i = 0; HW_SANITIZED && i < HW_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value)
            env[n++] = hw_xasprintf("%s=%s", names[i], value);
    }
    env[n] = NULL;
    return env;
}

static void on_ended(uv_process_t *process, int64_t status, int sig);

static int spawn(struct hw_worker *w, int in, int out)
{
    char name[] = "headway", word[] = "worker", *args[] = { name, word, NULL }, *env[4];
    bool talks = w->debug || HW_SANITIZED;
    uv_stdio_container_t stdio[] = {
        [HW_WIRE_IN] = { .flags = UV_INHERIT_FD, .data.fd = in },
        [HW_WIRE_OUT] = { .flags = UV_INHERIT_FD, .data.fd = out },
        [HW_WIRE_STDERR] = { .flags = talks ? UV_INHERIT_FD : UV_IGNORE, .data.fd = STDERR_FILENO },
        [HW_WIRE_BEAT] = { .flags = UV_INHERIT_FD, .data.fd = w->beat_fd },
    };
    uv_process_options_t options = { .exit_cb = on_ended,
                                     .file = w->exe,
                                     .args = args,
                                     .env = environment(env),
                                     .stdio_count = (int)HW_LEN(stdio),
                                     .stdio = stdio };
    int st = uv_spawn(w->loop, &w->process, &options);
    for (size_t i = 0; env[i]; i++)
        free(env[i]);
    w->process_open = true; /* a failed one has to be closed too */
    w->handles++;
    return st;
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct hw_worker *w = HW_CONTAINER(handle, struct hw_worker, from);
    (void)hint;
    *buf = uv_buf_init((char *)w->in + w->in_len, (unsigned)(HW_WORKER_IN_SIZE - w->in_len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct hw_worker *w = HW_CONTAINER(stream, struct hw_worker, from);
    (void)buf;
    if (n > 0)
        hw_worker_take(w, (size_t)n);
    else if (n < 0) {
        w->eof = true;
        uv_read_stop(stream);
        begin_end(w);
    }
}

/* Takes the file descriptors, and leaves -1; on failure one or both are still the caller's. */
static int open_pipes(struct hw_worker *w, int *to, int *from, struct hw_err *err)
{
    uv_pipe_init(w->loop, &w->to, 0);
    uv_pipe_init(w->loop, &w->from, 0);
    w->to_open = w->from_open = true;
    w->handles += 2;
    int st = uv_pipe_open(&w->to, *to);
    if (st == 0) {
        hw_steal_fd(to);
        st = uv_pipe_open(&w->from, *from);
    }
    if (st == 0) {
        hw_steal_fd(from);
        st = uv_read_start((uv_stream_t *)&w->from, on_alloc, on_read);
    }
    return st < 0 ? hw_fail(err, HW_ESYS, "pipe for the worker: %s", uv_strerror(st)) : 0;
}

static int start_process(struct hw_worker *w, struct hw_err *err)
{
    int down[2], up[2];
    int st = uv_pipe(down, 0, 0);
    if (st < 0)
        return hw_fail(err, HW_ESYS, "pipe for the worker: %s", uv_strerror(st));
    hw_auto_fd child_in = down[0], to = down[1];
    st = uv_pipe(up, 0, 0);
    if (st < 0)
        return hw_fail(err, HW_ESYS, "pipe for the worker: %s", uv_strerror(st));
    hw_auto_fd from = up[0], child_out = up[1];
    st = spawn(w, child_in, child_out);
    if (st < 0)
        return hw_fail(err, HW_ESYS, "start the worker '%s': %s", w->exe, uv_strerror(st));
    if (open_pipes(w, &to, &from, err) < 0) {
        w->eof = true; /* nothing is read of it */
        hw_worker_kill(w, err->msg);
    }
    return 0;
}

static void on_retry(uv_timer_t *timer)
{
    struct hw_worker *w = HW_CONTAINER(timer, struct hw_worker, retry);
    struct hw_err err;
    w->state = HW_WORKER_STARTING;
    w->exited = w->eof = w->deaf = w->overdue = w->innocent = false;
    w->in_len = 0;
    w->why[0] = '\0';
    if (start_process(w, &err) < 0) {
        snprintf(w->why, sizeof w->why, "%.150s", err.msg);
        w->exited = w->eof = true;
        begin_end(w);
        return;
    }
    hw_worker_watch(w);
}

/* ---- writing ------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *req, int status)
{
    (void)status; /* whatever is wrong with the pipe, the end of the process will say it */
    free(req);
}

void hw_worker_write(struct hw_worker *w, enum hw_wire_kind kind, struct hw_str part,
                     struct hw_str more)
{
    struct hw_wire_head head = { .len = (uint32_t)(part.len + more.len), .kind = kind };
    uv_write_t *req = hw_xzalloc(sizeof *req + sizeof head + head.len);
    struct hw_wire_out o = { .ptr = (unsigned char *)(req + 1), .size = sizeof head + head.len };
    hw_wire_put(&o, &head, sizeof head);
    hw_wire_put(&o, part.ptr, part.len);
    hw_wire_put(&o, more.ptr, more.len);
    uv_buf_t buf = uv_buf_init((char *)o.ptr, (unsigned)o.len);
    if (uv_write(req, (uv_stream_t *)&w->to, &buf, 1, on_written) < 0)
        free(req);
}

/* ---- deadline ------------------------------------------------------------------------------------ */

/* CPU time of another process; not the time of day, so no clock is handed in for it. */
static int64_t cpu_ms_of(int pid)
{
    clockid_t id;
    struct timespec t;
    if (clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &t) < 0)
        return INT64_MAX / 2;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum stuck { NOT_STUCK, BUSY, SILENT };

/* A parser can't wait for anything but its next record, so one that uses no processor time is not at fault: the worker
 * was stopped, or gets no share of a busy machine. */
static enum stuck is_stuck(struct hw_worker *w)
{
    uint64_t now = atomic_load_explicit(&w->beat->count, memory_order_relaxed);
    if (now != w->seen || w->cpu_ms < 0) {
        w->ticks = 0;
        w->cpu_ms = cpu_ms_of(w->process.pid);
    }
    w->seen = now;
    w->ticks++;
    if (w->ticks >= TICKS_SLOW && cpu_ms_of(w->process.pid) - w->cpu_ms >= SLOW_CPU_MS)
        return BUSY;
    return w->ticks >= TICKS_SILENT ? SILENT : NOT_STUCK;
}

static void close_all(struct hw_worker *w);

static void on_tick(uv_timer_t *timer)
{
    struct hw_worker *w = HW_CONTAINER(timer, struct hw_worker, tick);
    if (w->state == HW_WORKER_ENDING) {
        if (w->exited) /* some stranger holds the other end of the pipe: what was to come has come */
            close_all(w);
        else /* it is reaped before anything goes on, so it must surely end */
            uv_process_kill(&w->process, SIGKILL);
        return;
    }
    atomic_fetch_add_explicit(&w->beat->wanted, 1, memory_order_relaxed);
    enum stuck stuck = is_stuck(w);
    if (stuck == NOT_STUCK)
        return;
    if (w->state == HW_WORKER_STARTING) {
        hw_worker_kill(w, "did not start");
        return;
    }
    if (stuck == SILENT) {
        w->innocent = true;
        hw_worker_kill(w, "did not answer");
        return;
    }
    w->overdue = true;
    w->guilty = (struct hw_worker_mark){ w->ops->kind, w->ops->seq, w->ops->upto };
    hw_worker_kill(w, "took too long");
}

/* Ticks are counted, not milliseconds: a main process that was stopped itself gives no verdict. */
void hw_worker_watch(struct hw_worker *w)
{
    bool awaited = w->state == HW_WORKER_STARTING || w->state == HW_WORKER_ENDING ||
                   (w->state == HW_WORKER_UP && w->ops && w->ops->sent);
    bool ticking = uv_is_active((uv_handle_t *)&w->tick);
    if (awaited && !ticking) {
        w->ticks = 0;
        w->cpu_ms = -1;
        uv_timer_start(&w->tick, on_tick, TICK_MS, TICK_MS);
    } else if (!awaited && ticking)
        uv_timer_stop(&w->tick);
}

/* ---- end ----------------------------------------------------------------------------------------- */

void hw_worker_kill(struct hw_worker *w, const char *why)
{
    if (w->state == HW_WORKER_ENDING || w->state == HW_WORKER_DOWN)
        return;
    snprintf(w->why, sizeof w->why, "%s", why);
    w->state = HW_WORKER_ENDING;
    if (!w->exited)
        uv_process_kill(&w->process, SIGKILL);
    hw_worker_watch(w);
    begin_end(w);
}

static void on_ended(uv_process_t *process, int64_t status, int sig)
{
    struct hw_worker *w = HW_CONTAINER(process, struct hw_worker, process);
    if (!w->why[0] && sig)
        snprintf(w->why, sizeof w->why, "ended by signal %d", sig);
    else if (!w->why[0])
        snprintf(w->why, sizeof w->why, "ended with status %d", (int)status);
    w->exited = true;
    begin_end(w);
}

/* The answers that a dead worker left in the pipe are still taken; a pipe that ends under a living one is its end. */
static void begin_end(struct hw_worker *w)
{
    if (w->state == HW_WORKER_STARTING || w->state == HW_WORKER_UP) {
        w->state = HW_WORKER_ENDING;
        if (!w->exited)
            uv_process_kill(&w->process, SIGKILL);
    }
    hw_worker_watch(w);
    if (w->exited && (w->eof || w->freed))
        close_all(w);
}

static void restart(struct hw_worker *w);

static void on_closed(struct hw_worker *w)
{
    if (--w->handles > 0)
        return;
    w->state = HW_WORKER_DOWN;
    hw_worker_watch(w);
    restart(w);
}

static void on_process_closed(uv_handle_t *h)
{
    on_closed(HW_CONTAINER(h, struct hw_worker, process));
}

static void on_to_closed(uv_handle_t *h)
{
    on_closed(HW_CONTAINER(h, struct hw_worker, to));
}

static void on_from_closed(uv_handle_t *h)
{
    on_closed(HW_CONTAINER(h, struct hw_worker, from));
}

static void close_one(bool *open, uv_handle_t *handle, uv_close_cb closed)
{
    if (*open)
        uv_close(handle, closed);
    *open = false;
}

static void close_all(struct hw_worker *w)
{
    if (w->handles == 0) { /* it never came to a process */
        w->handles = 1;
        on_closed(w);
        return;
    }
    close_one(&w->process_open, (uv_handle_t *)&w->process, on_process_closed);
    close_one(&w->to_open, (uv_handle_t *)&w->to, on_to_closed);
    close_one(&w->from_open, (uv_handle_t *)&w->from, on_from_closed);
}

/* ---- and again ----------------------------------------------------------------------------------- */

/* Whose fault it was: a parser that hung, or one that was at the very same record when the worker before died. */
static void blame(struct hw_worker *w)
{
    struct hw_worker_op *op = w->ops;
    struct hw_worker_parser *p = op && op->sent ? hw_worker_find(w, op->id) : NULL;
    if (!p || w->innocent)
        return;
    struct hw_worker_mark at = { op->kind, op->seq, op->upto };
    struct hw_worker_mark was = w->overdue ? w->guilty : p->died;
    char why[sizeof w->why + 64];
    if (!w->overdue)
        p->died = at;
    if (was.kind != at.kind || was.seq != at.seq || was.upto != at.upto)
        return;
    const char *what = op->kind == HW_WIRE_LOAD ? "loading it" : "a record";
    if (w->overdue)
        snprintf(why, sizeof why, "%s took longer than 2 s", what);
    else
        snprintf(why, sizeof why, "%s ended the worker twice (it %s)", what, w->why);
    hw_worker_drop(w, p->id, why);
}

static int64_t retry_ms(const struct hw_worker *w)
{
    int doublings = w->fails - 2;
    if (doublings < 0)
        return 0;
    int64_t ms = doublings < 10 ? (int64_t)RETRY_FIRST_MS << doublings : RETRY_MAX_MS;
    return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

static void tell_trouble(struct hw_worker *w)
{
    struct hw_err err;
    w->fails += w->fails < 100;
    hw_fail(&err, HW_ELUA, "parser worker: %s", w->why);
    if (w->events.trouble)
        w->events.trouble(w->events.ctx, &err, retry_ms(w));
}

static void free_when_closed(struct hw_worker *w);

static void restart(struct hw_worker *w)
{
    if (!w->freed)
        blame(w);
    if (!w->freed && !w->overdue)
        tell_trouble(w);
    if (w->freed) {
        free_when_closed(w);
        return;
    }
    hw_worker_rewind(w);
    hw_log(HW_DEBUG, "lua", "worker: %s", w->why);
    if (w->parsers)
        hw_worker_want(w, w->overdue ? 0 : retry_ms(w));
}

/* ---- free ---------------------------------------------------------------------------------------- */

static void on_timer_closed(struct hw_worker *w)
{
    w->timers--;
    free_when_closed(w);
}

static void on_retry_closed(uv_handle_t *h)
{
    on_timer_closed(HW_CONTAINER(h, struct hw_worker, retry));
}

static void on_tick_closed(uv_handle_t *h)
{
    on_timer_closed(HW_CONTAINER(h, struct hw_worker, tick));
}

static void free_when_closed(struct hw_worker *w)
{
    if (w->state != HW_WORKER_DOWN)
        return;
    if (!uv_is_closing((uv_handle_t *)&w->tick))
        uv_close((uv_handle_t *)&w->tick, on_tick_closed);
    if (w->timers)
        return;
    if (w->beat)
        munmap(w->beat, sizeof *w->beat);
    if (w->beat_fd >= 0)
        close(w->beat_fd);
    hw_worker_forget_all(w);
    free(w->exe);
    free(w->user_dir);
    free(w->in);
    free(w);
}

void hw_worker_close(struct hw_worker *w)
{
    uv_close((uv_handle_t *)&w->retry, on_retry_closed);
    if (w->state == HW_WORKER_STARTING || w->state == HW_WORKER_UP)
        hw_worker_kill(w, "closed");
    else if (w->state == HW_WORKER_ENDING)
        begin_end(w);
    free_when_closed(w); /* the tick stays for as long as the process does */
}
