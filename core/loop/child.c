#include "loop/child.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

enum { GONE_MS = 1000 };

struct hw_child {
    uv_process_t process;
    hw_child_fn *fn; /* NULL: nobody wants to know any more */
    void *ctx;
    bool own_group, ended;
};

static void on_exit_status(uv_process_t *process, int64_t status, int signal)
{
    struct hw_child *c = HW_CONTAINER(process, struct hw_child, process);
    c->ended = true;
    if (c->fn)
        c->fn(c->ctx, signal ? 128 + signal : (int)status, signal);
}

static void on_closed(uv_handle_t *handle)
{
    free(HW_CONTAINER(handle, struct hw_child, process));
}

static uv_stdio_container_t inherit(int fd)
{
    return (uv_stdio_container_t){ .flags = fd < 0 ? UV_IGNORE : UV_INHERIT_FD, .data.fd = fd };
}

int hw_child_new(struct hw_child **ret, uv_loop_t *loop, const struct hw_child_options *options,
                 hw_child_fn *fn, void *ctx, struct hw_err *err)
{
    struct hw_child *c = hw_xzalloc(sizeof *c);
    uv_stdio_container_t stdio[3] = { inherit(options->stdin_fd), inherit(options->stdout_fd),
                                      inherit(options->stderr_fd) };
    uv_process_options_t o = {
        .file = options->argv[0],
        .args = (char **)options->argv,
        .env = (char **)options->env,
        .cwd = options->cwd,
        .exit_cb = on_exit_status,
        .flags = options->own_group ? UV_PROCESS_DETACHED : 0, /* setsid */
        .stdio = stdio,
        .stdio_count = 3,
    };
    c->fn = fn;
    c->ctx = ctx;
    c->own_group = options->own_group;
    int st = uv_spawn(loop, &c->process, &o);
    if (st < 0) {
        uv_close((uv_handle_t *)&c->process, on_closed);
        return hw_fail(err, HW_ESYS, "start '%s': %s", options->argv[0], uv_strerror(st));
    }
    *ret = c;
    return 0;
}

void hw_child_kill(struct hw_child *c, int signal)
{
    if (c->ended)
        return;
    if (!c->own_group || kill(-c->process.pid, signal) < 0)
        uv_process_kill(&c->process, signal);
}

void hw_child_destroy(struct hw_child *c)
{
    if (c->ended)
        return;
    struct pollfd gone = { .fd = (int)syscall(SYS_pidfd_open, c->process.pid, 0), .events = POLLIN };
    hw_child_kill(c, SIGKILL);
    if (gone.fd < 0)
        return;
    poll(&gone, 1, GONE_MS);
    close(gone.fd);
}

void hw_child_free(struct hw_child *c)
{
    if (!c)
        return;
    c->fn = NULL;
    uv_close((uv_handle_t *)&c->process, on_closed);
}
