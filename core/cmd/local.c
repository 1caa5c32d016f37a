/* local.c - the main job without a cluster: runs the script of a DataProcess manifest here and shows what
 * `kubectl get -o yaml` would, annotation and status, live. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/reporting.h"
#include "local/dataprocess.h"
#include "local/view.h"
#include "loop/child.h"
#include "loop/loop.h"
#include "sink/lines.h"

enum { FINISH_MS = 4500, OUTPUT_CHUNK = 16 * 1024, DRAIN_CHUNKS = 64, PATIENCE_MS = 10000 };

extern char **environ;

struct local {
    uv_loop_t loop;
    struct hw_clock clock;
    const struct hw_config *config; /* borrows */
    struct hw_dataprocess process;
    struct hw_objects objects;
    char *dir, *script, *file; /* own: the temporary directory and what is in it */
    char **env;                /* owns */
    struct hw_reporter *reporter;
    struct hw_sink *view; /* borrows: the reporter owns it; NULL with -o json */
    struct hw_child *child;
    struct hw_signals signals;
    uv_timer_t patience; /* with a script that was told to end */
    uv_pipe_t output;    /* what the script prints, on a terminal */
    char chunk[OUTPUT_CHUNK];
    bool live, reading;
    bool unwritten; /* a sink did not take the last value; it was said */
    int interrupts, code;
};

/* ---- what the script needs ----------------------------------------------------------------------- */

/* The file of that name in the temporary directory, if there is one; -1 with errno. Allocates nothing. */
static int remove_file(const struct local *l, const char *name)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", l->dir, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return 0; /* it could not be made either */
    return unlink(path) < 0 && errno != ENOENT ? -1 : 0;
}

static void remove_files(struct local *l)
{
    if (!l->dir)
        return;
    if (remove_file(l, "script") < 0 || remove_file(l, "progress") < 0 ||
        (rmdir(l->dir) < 0 && errno != ENOTEMPTY && errno != EEXIST))
        hw_log(HW_WARN, "local", "remove '%s': %s", l->dir, strerror(errno));
    else if (access(l->dir, F_OK) == 0)
        hw_log(HW_INFO, "local", "kept '%s': the script left files in it", l->dir);
}

/* Neither the script nor its files stay behind. */
static void on_abort(void *ctx)
{
    struct local *l = ctx;
    if (l->child)
        hw_child_destroy(l->child);
    remove_files(l);
}

static int make_files(struct local *l, struct hw_err *err)
{
    const char *tmp = getenv("TMPDIR");
    l->dir = hw_xasprintf("%s/headway-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    if (!mkdtemp(l->dir)) {
        hw_fail_sys(err, "make a directory '%s'", l->dir);
        free(hw_steal(&l->dir));
        return -1;
    }
    hw_set_last_act(on_abort, l);
    l->file = hw_xasprintf("%s/progress", l->dir);
    if (!l->process.source)
        return 0;
    l->script = hw_xasprintf("%s/script", l->dir);
    hw_auto_file f = fopen(l->script, "wxe");
    if (!f || fputs(l->process.source, f) < 0 || fflush(f) != 0)
        return hw_fail_sys(err, "write the script '%s'", l->script);
    return 0;
}

static const char *env_value(char *const *env, const char *name)
{
    size_t len = strlen(name);
    for (; *env; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
            return *env + len + 1;
    return NULL;
}

/* The manifest's variables, then the progress file, then ours that neither of them names. A progress file that the
 * manifest names is kept. */
static void make_env(struct local *l)
{
    size_t ours = 0, n = 0;
    while (environ[ours])
        ours++;
    l->env = hw_xzalloc((ours + HW_ENV_MAX + 2) * sizeof *l->env);
    for (char **e = l->process.env; *e; e++)
        l->env[n++] = hw_xstrdup(*e);
    const char *named = env_value(l->process.env, "FLUID_PROGRESS_FILE");
    if (named && named[0]) {
        free(l->file);
        l->file = hw_xstrdup(named);
    } else
        l->env[n++] = hw_xasprintf("FLUID_PROGRESS_FILE=%s", l->file);
    for (char **e = environ; *e; e++) {
        hw_auto_free char *name = hw_xstrndup(*e, strcspn(*e, "="));
        if (!env_value(l->env, name))
            l->env[n++] = hw_xstrdup(*e);
    }
}

/* ---- its output and its end ---------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret)
{
    struct local *l = handle->data;
    (void)size;
    *ret = uv_buf_init(l->chunk, sizeof l->chunk);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct local *l = stream->data;
    if (n > 0 && l->view)
        hw_view_print(l->view, (struct hw_str){ buf->base, (size_t)n });
    else if (n < 0)
        uv_read_stop(stream);
}

static void on_done(void *ctx, bool written)
{
    struct local *l = ctx;
    l->unwritten = !written;
    uv_stop(&l->loop);
}

/* What still stands in the pipe; who else holds its other end is not waited for. */
static void drain_output(struct local *l)
{
    uv_os_fd_t fd;
    ssize_t n;
    if (!l->reading || uv_fileno((uv_handle_t *)&l->output, &fd) < 0)
        return;
    for (int i = 0; i < DRAIN_CHUNKS && (n = read(fd, l->chunk, sizeof l->chunk)) > 0; i++)
        hw_view_print(l->view, (struct hw_str){ l->chunk, (size_t)n });
}

static void on_exit_status(void *ctx, int code, int number)
{
    struct local *l = ctx;
    char reason[80] = "";
    l->code = code;
    uv_timer_stop(&l->patience);
    drain_output(l);
    if (number)
        snprintf(reason, sizeof reason, "ended by signal %d (%s)", number, strsignal(number));
    else if (code)
        snprintf(reason, sizeof reason, "exit status %d", code);
    struct hw_reporter_end end = { .outcome = code ? HW_OUTCOME_FAILURE : HW_OUTCOME_SUCCESS,
                                   .code = code,
                                   .reason = reason };
    hw_reporter_finish(l->reporter, &end, FINISH_MS, on_done, l);
}

static void on_patience(uv_timer_t *timer)
{
    struct local *l = timer->data;
    hw_log(HW_WARN, "local", "the script does not end: killing it");
    hw_child_kill(l->child, SIGKILL);
}

/* The first signal is the script's; the second, or ten seconds, kill it. */
static void on_signal(uv_signal_t *handle, int number)
{
    struct local *l = handle->data;
    if (!l->child)
        return;
    hw_child_kill(l->child, l->interrupts++ ? SIGKILL : number);
    if (l->interrupts == 1)
        uv_timer_start(&l->patience, on_patience, PATIENCE_MS, 0);
}

/* ---- wiring -------------------------------------------------------------------------------------- */

static void add_view(struct local *l)
{
    struct hw_sink_events events = hw_reporter_sink_events(l->reporter);
    struct hw_pace_rules here = hw_pace_local(), as_in_cluster = hw_pace_annotation();
    struct hw_lines_options look = hw_lines_detect(STDOUT_FILENO);
    if (l->config->color != HW_COLOR_AUTO)
        look.color = l->config->color == HW_COLOR_ALWAYS;
    if (l->config->output == HW_OUTPUT_JSON) {
        look.form = HW_LINES_JSON;
        look.by = l->objects.by;
        hw_reporter_add_sink(l->reporter, hw_lines_new(&l->loop, &l->clock, &look, &events), &here);
        return;
    }
    struct hw_view_options options = { .fd = STDOUT_FILENO,
                                       .live = look.form == HW_LINES_BAR,
                                       .color = look.color,
                                       .ascii = look.ascii };
    l->live = options.live;
    l->view = hw_view_new(&options, &l->objects, &l->clock, &events);
    hw_reporter_add_sink(l->reporter, l->view, l->live ? &here : &as_in_cluster);
}

static int add_dir(struct local *l, struct hw_err *err)
{
    struct hw_sink_events events = hw_reporter_sink_events(l->reporter);
    struct hw_pace_rules pace = hw_pace_local();
    struct hw_sink *sink = NULL;
    struct hw_objects copy = { .pod = json_deep_copy(l->objects.pod),
                               .operation = json_deep_copy(l->objects.operation),
                               .by = l->objects.by,
                               .begun_ms = l->objects.begun_ms };
    if (hw_dir_new(&sink, &l->loop, l->config->dir.path, &copy, &l->clock, &events, err) < 0) {
        hw_objects_done(&copy);
        return -1;
    }
    hw_reporter_add_sink(l->reporter, sink, &pace);
    return 0;
}

static int report(struct local *l, struct hw_err *err)
{
    struct hw_reporter_options options = { 0 };
    if (hw_reporting_options(l->config, &options, err) < 0)
        return -1;
    options.file = l->file;
    if (hw_reporter_new(&l->reporter, &l->loop, &l->clock, &options, err) < 0)
        return -1;
    add_view(l);
    if (l->config->dir.path && add_dir(l, err) < 0)
        return -1;
    return hw_reporter_start(l->reporter, err);
}

/* On a terminal the script's output goes through us, so that it scrolls above the view; else it is stderr. */
static int open_output(struct local *l, int *ret_fd, struct hw_err *err)
{
    uv_file ends[2];
    *ret_fd = STDERR_FILENO;
    if (!l->live)
        return 0;
    int st = uv_pipe(ends, UV_NONBLOCK_PIPE, 0);
    if (st < 0)
        return hw_fail(err, HW_ESYS, "make a pipe: %s", uv_strerror(st));
    uv_pipe_init(&l->loop, &l->output, 0);
    uv_pipe_open(&l->output, ends[0]);
    l->output.data = l;
    uv_read_start((uv_stream_t *)&l->output, on_alloc, on_output);
    l->reading = true;
    *ret_fd = ends[1];
    return 0;
}

static int start_script(struct local *l, struct hw_err *err)
{
    char *argv[HW_ARGV_MAX + 2] = { 0 };
    int out;
    size_t n = 0;
    for (; l->process.argv[n]; n++)
        argv[n] = l->process.argv[n];
    argv[n] = l->script;
    if (open_output(l, &out, err) < 0)
        return -1;
    struct hw_child_options options = { .argv = argv,
                                        .env = l->env,
                                        .stdin_fd = -1,
                                        .stdout_fd = out,
                                        .stderr_fd = out,
                                        .own_group = true };
    int st = hw_child_new(&l->child, &l->loop, &options, on_exit_status, l, err);
    if (out != STDERR_FILENO)
        close(out);
    return st;
}

static int set_up(struct local *l, const char *path, struct hw_err *err)
{
    if (hw_dataprocess_load(path, &l->process, err) < 0)
        return -1;
    for (char **hint = l->process.hints; *hint; hint++)
        hw_log(HW_INFO, "local", "%s", *hint);
    l->objects = (struct hw_objects){ .pod = json_incref(l->process.pod),
                                      .operation = json_incref(l->process.operation),
                                      .by = "sidecar",
                                      .begun_ms = hw_wall_ms(&l->clock) };
    if (make_files(l, err) < 0)
        return -1;
    make_env(l);
    if (report(l, err) < 0)
        return -1;
    return start_script(l, err);
}

static void close_all(struct local *l)
{
    hw_reporter_free(l->reporter);
    hw_child_free(l->child);
    if (l->reading)
        uv_close((uv_handle_t *)&l->output, NULL);
    hw_signals_release(&l->signals);
    uv_close((uv_handle_t *)&l->patience, NULL);
    uv_run(&l->loop, UV_RUN_DEFAULT);
    uv_loop_close(&l->loop);
    remove_files(l);
    hw_set_last_act(NULL, NULL);
    hw_objects_done(&l->objects);
    hw_dataprocess_done(&l->process);
    for (char **e = l->env; e && *e; e++)
        free(*e);
    free(l->env);
    free(l->dir);
    free(l->script);
    free(l->file);
}

static int local_main(struct hw_cmd_ctx *ctx)
{
    struct local *l = hw_xzalloc(sizeof *l);
    const char *path = hw_cmd_flag(ctx, "filename");
    struct hw_err err;
    if (!path) {
        free(l);
        return hw_cmd_misuse(ctx, "which manifest: -f FILE, or -f - for standard input");
    }
    l->config = ctx->config;
    if (hw_loop_init(&l->loop, &err) < 0) {
        free(l);
        return hw_cmd_fail(ctx, &err);
    }
    uv_timer_init(&l->loop, &l->patience);
    l->patience.data = l;
    int status;
    if (hw_signals_catch(&l->signals, &l->loop, on_signal, l, &err) < 0 || set_up(l, path, &err) < 0)
        status = hw_cmd_fail(ctx, &err);
    else {
        uv_run(&l->loop, UV_RUN_DEFAULT);
        status = l->code ? 1 : l->unwritten ? hw_exit_status(HW_ESYS) : 0;
    }
    close_all(l);
    free(l);
    return status;
}

static const struct hw_cmd_flag flags[] = {
    { "filename", 'f', "FILE", "the manifest of a DataProcess; - for standard input" },
    { 0 },
};

const struct hw_cmd hw_cmd_local = {
    .name = "local",
    .args = "-f FILE",
    .summary = "run the script of a DataProcess manifest here and show annotation and status, live",
    .description =
        "The script runs on this machine, with FLUID_PROGRESS_FILE set; its output goes to stderr, or\n"
        "scrolls above the view on a terminal. Exit status 1 when the script failed. A signal goes to\n"
        "the script; a second one, or ten seconds, kill it.",
    .takes = HW_FOR_LOCAL | HW_FOR_PRINT,
    .outputs = 1 << HW_OUTPUT_YAML | 1 << HW_OUTPUT_JSON,
    .flags = flags,
    .run = local_main,
};
