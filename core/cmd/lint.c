#include "cmd/lint.h"

#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include "base/mem.h"
#include "loop/loop.h"
#include "lua/worker.h"

enum {
    WAIT_MS = 10000
}; /* the worker's own deadlines are shorter: this is for a worker that never comes */

struct trial {
    uv_loop_t loop;
    uv_timer_t timer;
    struct hw_worker *worker;
    struct hw_lint *lint;
    bool ok, over;
};

static void end(struct trial *t, bool ok)
{
    t->ok = ok;
    t->over = true;
    uv_stop(&t->loop);
}

static void on_loaded(void *ctx, unsigned id, const struct hw_parser_meta *meta)
{
    struct trial *t = ctx;
    (void)id;
    snprintf(t->lint->unit, sizeof t->lint->unit, "%s", meta->unit);
    end(t, true);
}

static void on_refused(void *ctx, unsigned id, const char *why)
{
    struct trial *t = ctx;
    (void)id;
    hw_fail(&t->lint->err, HW_ELUA, "%s", why);
    end(t, false);
}

static void on_trouble(void *ctx, const struct hw_err *why, int64_t retry_ms)
{
    struct trial *t = ctx;
    (void)retry_ms;
    t->lint->err = *why;
    end(t, false);
}

static void on_late(uv_timer_t *timer)
{
    struct trial *t = HW_CONTAINER(timer, struct trial, timer);
    hw_fail(&t->lint->err, HW_ELUA, "no answer in %d s", WAIT_MS / 1000);
    end(t, false);
}

static int load(struct trial *t, const struct hw_parser_source *source, const char *user_dir,
                const struct hw_pairs *pairs, bool strict)
{
    struct hw_worker_options options = { .user_dir = user_dir };
    struct hw_worker_events events = { .ctx = t,
                                       .loaded = on_loaded,
                                       .load_failed = on_refused,
                                       .set_aside = on_refused,
                                       .trouble = on_trouble };
    size_t count = pairs ? pairs->count : 0;
    unsigned id;
    hw_auto_free struct hw_parser_option *list = hw_xzalloc((count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = (struct hw_parser_option){ pairs->list[i].key, pairs->list[i].value };
    if (hw_worker_new(&t->worker, &t->loop, &options, &events, &t->lint->err) < 0)
        return -1;
    return hw_worker_load(t->worker, source, list, count, strict, &id, &t->lint->err);
}

static bool try_source(struct hw_lint *lint, const struct hw_parser_source *source,
                       const char *user_dir, const struct hw_pairs *options, bool strict)
{
    struct trial t = { .lint = lint };
    if (hw_loop_init(&t.loop, &lint->err) < 0)
        return false;
    uv_timer_init(&t.loop, &t.timer);
    if (load(&t, source, user_dir, options, strict) == 0) {
        uv_timer_start(&t.timer, on_late, WAIT_MS, 0);
        while (!t.over)
            uv_run(&t.loop, UV_RUN_ONCE);
    }
    hw_worker_free(t.worker);
    uv_close((uv_handle_t *)&t.timer, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    uv_loop_close(&t.loop);
    return t.ok;
}

int hw_lint_parser(const char *what, const char *user_dir, const struct hw_pairs *options,
                   bool strict, struct hw_lint *ret)
{
    struct hw_parser_source source = { 0 };
    *ret = (struct hw_lint){ 0 };
    if (hw_parsers_find(what, user_dir, &source, &ret->err) < 0)
        return -1;
    bool ok = try_source(ret, &source, user_dir, options, strict);
    ret->name = hw_xstrdup(source.name);
    ret->where = hw_xstrdup(source.where);
    hw_parser_source_done(&source);
    return ok ? 0 : -1;
}

void hw_lint_done(struct hw_lint *lint)
{
    free(lint->name);
    free(lint->where);
    *lint = (struct hw_lint){ 0 };
}
