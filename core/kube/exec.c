#include "kube/exec.h"

#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    LIMIT_MS = 30000,
    LINGER_MS = 1000, /* a grandchild may hold the pipe open after the plugin's end */
    OUTPUT_MAX = 1 << 20,
    COMPLAINT_MAX = 4096, /* of stderr, its end is shown */
};

struct hw_kube_plugin {
    const struct hw_kube_config *config;
    hw_kube_plugin_fn *fn; /* NULL after it was called, or after cancel */
    void *ctx;
    uv_process_t process;
    uv_pipe_t out, complaints;
    uv_timer_t timer;
    int open; /* handles that are not closed yet */
    int ends; /* of three: exit and the two ends of file */
    int spawned;
    bool stopped; /* what still runs was killed */
    int exit_code;
    struct hw_buf output;
    struct hw_buf stderr_text;
    char room[8192];   /* what was read last, of either pipe */
    struct hw_err err; /* filled by a start that failed, a time-out or an overflow */
};

static void on_close(uv_handle_t *handle)
{
    struct hw_kube_plugin *p = handle->data;
    if (--p->open)
        return;
    hw_wipe(p->output.ptr, p->output.len);
    hw_buf_done(&p->output);
    hw_buf_done(&p->stderr_text);
    free(p);
}

/* Kills what still runs, with the children it has made, and closes the handles. */
static void stop(struct hw_kube_plugin *p)
{
    bool runs = p->spawned && p->exit_code < 0;
    if (runs) /* not reaped yet, so the group is surely its own */
        kill(-p->process.pid, SIGKILL);
    uv_handle_t *all[] = { (uv_handle_t *)&p->out, (uv_handle_t *)&p->complaints,
                           (uv_handle_t *)&p->timer, (uv_handle_t *)&p->process };
    p->stopped = true;
    /* The process's handle of a child that was just killed is closed when it is reaped, else it stays a zombie. */
    for (size_t i = 0; i < HW_LEN(all) - runs; i++)
        if (all[i]->data && !uv_is_closing(all[i]))
            uv_close(all[i], on_close);
}

/* The last line of what it said on stderr: there plugins say what to do ("please run ... login"). */
static void last_words(struct hw_kube_plugin *p, char *dst, size_t size)
{
    struct hw_str s = { p->stderr_text.ptr, p->stderr_text.len };
    while (s.len && strchr("\r\n ", s.ptr[s.len - 1]))
        s.len--;
    const char *line = s.len ? memrchr(s.ptr, '\n', s.len) : NULL;
    if (line) {
        s.len -= (size_t)(line + 1 - s.ptr);
        s.ptr = line + 1;
    }
    hw_clean_private(dst, size - 1, s);
}

static int judge(struct hw_kube_plugin *p, struct hw_kube_credential *got, struct hw_err *err)
{
    const struct hw_kube_exec *exec = p->config->exec;
    char words[161];
    last_words(p, words, sizeof words);
    if (p->err.code)
        *err = p->err;
    else if (p->exit_code)
        hw_fail(err, HW_ECONFIG, "ended with status %d%s%s", p->exit_code, words[0] ? ": " : "",
                words);
    else if (hw_kube_credential_parse((struct hw_str){ p->output.ptr, p->output.len },
                                      exec->api_version, got, err) == 0)
        return 0;
    return hw_wrap(err, "plugin '%s' (%s)", exec->command, exec->where);
}

static void finish(struct hw_kube_plugin *p)
{
    hw_kube_plugin_fn *fn = p->fn;
    struct hw_kube_credential got = { 0 };
    struct hw_err err;
    if (!fn)
        return;
    p->fn = NULL;
    int st = judge(p, &got, &err);
    stop(p);
    fn(p->ctx, &got, st < 0 ? &err : NULL);
}

static void on_time(uv_timer_t *timer)
{
    struct hw_kube_plugin *p = HW_CONTAINER(timer, struct hw_kube_plugin, timer);
    if (p->spawned && p->exit_code < 0)
        hw_fail(&p->err, HW_ECONFIG, "no answer in %d s, killed", LIMIT_MS / 1000);
    finish(p);
}

static void count_end(struct hw_kube_plugin *p)
{
    if (++p->ends == 3)
        finish(p);
}

static void on_child_exit(uv_process_t *process, int64_t status, int sig)
{
    struct hw_kube_plugin *p = HW_CONTAINER(process, struct hw_kube_plugin, process);
    p->exit_code = sig ? 128 + sig : (int)status;
    if (p->stopped) {
        uv_close((uv_handle_t *)process, on_close);
        return;
    }
    uv_timer_start(&p->timer, on_time, LINGER_MS, 0);
    count_end(p);
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct hw_kube_plugin *p = handle->data;
    (void)hint;
    *buf = uv_buf_init(p->room, sizeof p->room);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct hw_kube_plugin *p = stream->data;
    if (n < 0) {
        uv_read_stop(stream);
        count_end(p);
        return;
    }
    if (hw_buf_add(&p->output, buf->base, (size_t)n, &p->err) < 0) {
        hw_wrap(&p->err, "output");
        finish(p);
    }
    hw_wipe(buf->base, (size_t)n);
}

static void on_complaint(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct hw_kube_plugin *p = stream->data;
    if (n < 0) {
        uv_read_stop(stream);
        count_end(p);
        return;
    }
    size_t len = (size_t)n < COMPLAINT_MAX ? (size_t)n : COMPLAINT_MAX;
    if (p->stderr_text.len + len > COMPLAINT_MAX)
        hw_buf_drop(&p->stderr_text, p->stderr_text.len + len - COMPLAINT_MAX);
    if (hw_buf_add(&p->stderr_text, buf->base + (size_t)n - len, len, NULL) < 0)
        hw_buf_clear(&p->stderr_text);
}

/* Ours in front, then what we were started with, less the names that ours replace. Free the array and info. */
static char **make_env(const struct hw_kube_exec *exec, char *info)
{
    size_t ours = 0, n = 0, total = 0;
    while (exec->env[ours])
        ours++;
    while (environ[total])
        total++;
    char **env = hw_xzalloc((ours + total + 2) * sizeof *env);
    env[n++] = info;
    for (size_t i = 0; i < ours; i++)
        env[n++] = exec->env[i];
    for (size_t i = 0; i < total; i++) {
        size_t name = strcspn(environ[i], "=") + 1, j = 0;
        while (j <= ours && strncmp(env[j], environ[i], name) != 0)
            j++;
        if (j > ours)
            env[n++] = environ[i];
    }
    return env;
}

static char **make_argv(const struct hw_kube_exec *exec)
{
    size_t n = 0;
    while (exec->args[n])
        n++;
    char **argv = hw_xzalloc((n + 2) * sizeof *argv);
    argv[0] = exec->command;
    memcpy(argv + 1, exec->args, n * sizeof *argv);
    return argv;
}

static int spawn(struct hw_kube_plugin *p, uv_loop_t *loop)
{
    const struct hw_kube_exec *exec = p->config->exec;
    hw_auto_free char *json = hw_kube_exec_info(p->config);
    hw_auto_free char *info = hw_xasprintf("KUBERNETES_EXEC_INFO=%s", json);
    hw_auto_free char **env = make_env(exec, info);
    hw_auto_free char **argv = make_argv(exec);
    uv_stdio_container_t stdio[] = {
        { .flags = UV_IGNORE },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->out },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->complaints },
    };
    uv_process_options_t options = {
        .file = exec->command,
        .args = argv,
        .env = env,
        .flags = UV_PROCESS_DETACHED, /* setsid: no terminal, and a group to kill */
        .stdio = stdio,
        .stdio_count = HW_LEN(stdio),
        .exit_cb = on_child_exit,
    };
    /* Some of curl's descriptors are not marked; where the kernel can't, the plugin inherits those. */
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    return uv_spawn(loop, &p->process, &options);
}

struct hw_kube_plugin *hw_kube_plugin_start(uv_loop_t *loop, const struct hw_kube_config *config,
                                            hw_kube_plugin_fn *fn, void *ctx)
{
    struct hw_kube_plugin *p = hw_xzalloc(sizeof *p);
    *p =
        (struct hw_kube_plugin){ .config = config, .fn = fn, .ctx = ctx, .exit_code = -1, .open = 4 };
    hw_buf_init(&p->output, OUTPUT_MAX);
    hw_buf_init(&p->stderr_text, COMPLAINT_MAX);
    uv_timer_init(loop, &p->timer);
    uv_pipe_init(loop, &p->out, 0);
    uv_pipe_init(loop, &p->complaints, 0);
    int st = spawn(p, loop); /* makes a handle of process in any case */
    p->process.data = p->out.data = p->complaints.data = p->timer.data = p;
    p->spawned = st == 0;
    if (st < 0)
        hw_fail(&p->err, HW_ECONFIG, "%s%s%s", uv_strerror(st), config->exec->hint ? "; " : "",
                config->exec->hint ? config->exec->hint : "");
    uv_timer_start(&p->timer, on_time, st < 0 ? 0 : LIMIT_MS, 0);
    if (st == 0) {
        uv_read_start((uv_stream_t *)&p->out, on_room, on_output);
        uv_read_start((uv_stream_t *)&p->complaints, on_room, on_complaint);
    }
    return p;
}

void hw_kube_plugin_cancel(struct hw_kube_plugin *p)
{
    if (!p || !p->fn)
        return;
    p->fn = NULL;
    stop(p);
}
