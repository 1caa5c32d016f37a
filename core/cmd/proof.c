#include "cmd/proof.h"

#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "loop/loop.h"

enum {
    WAIT_MS = 10000
}; /* the worker's own deadlines are shorter: this is for a worker that never comes */

/* ---- events -------------------------------------------------------------------------------------- */

static void on_loaded(void *ctx, unsigned id, const struct hw_parser_meta *meta)
{
    struct hw_proof *p = ctx;
    (void)id;
    p->meta = *meta;
    p->over = true;
}

static void take_over(struct hw_proof *p, const struct hw_count *c)
{
    if (c->total >= 0 && c->done > c->total)
        p->answer.over = *c;
}

static void on_sample(void *ctx, unsigned id, uint64_t seq, size_t index,
                      const struct hw_sample *sample)
{
    struct hw_proof *p = ctx;
    (void)id, (void)seq, (void)index;
    p->answer.kind = HW_SAYS_SAMPLE;
    p->answer.over = (struct hw_count){ .total = -1 };
    if (sample->counted)
        take_over(p, &sample->main);
    for (int i = 0; i < sample->also_count; i++)
        take_over(p, &sample->also[i]);
}

static void on_fault(void *ctx, unsigned id, uint64_t seq, size_t index, const char *trace)
{
    struct hw_proof *p = ctx;
    (void)id, (void)seq, (void)index, (void)trace;
    p->answer.kind = HW_SAYS_FAULT;
}

static void on_refused(void *ctx, unsigned id, uint64_t seq, size_t index, const char *why)
{
    struct hw_proof *p = ctx;
    (void)id, (void)seq, (void)index;
    if (p->answer.kind != HW_SAYS_FAULT)
        p->answer.kind = HW_SAYS_REFUSED;
    hw_clean_text(p->answer.why, HW_TEXT_MAX, hw_str(why));
}

static void on_fed(void *ctx, unsigned id, uint64_t seq)
{
    struct hw_proof *p = ctx;
    (void)id;
    p->over |= seq == p->seq;
}

static void give_up(struct hw_proof *p, const char *why)
{
    p->set_aside = p->over = true;
    hw_fail(&p->err, HW_ELUA, "%s", why);
}

static void on_failed(void *ctx, unsigned id, const char *why)
{
    (void)id;
    give_up(ctx, why);
}

static void on_trouble(void *ctx, const struct hw_err *why, int64_t retry_ms)
{
    struct hw_proof *p = ctx;
    (void)retry_ms;
    give_up(p, why->msg);
}

static void on_late(uv_timer_t *timer)
{
    struct hw_proof *p = HW_CONTAINER(timer, struct hw_proof, timer);
    give_up(p, "no answer in 10 s");
}

static int wait_for_it(struct hw_proof *p)
{
    uv_update_time(&p->loop);
    uv_timer_start(&p->timer, on_late, WAIT_MS, 0);
    while (!p->over)
        uv_run(&p->loop, UV_RUN_ONCE);
    uv_timer_stop(&p->timer);
    return p->set_aside ? -1 : 0;
}

/* ---- asking -------------------------------------------------------------------------------------- */

/* What the worker's process has used of the processor: on a busy machine wall time says nothing. < 0 = not known. */
static double cpu_ms(const struct hw_proof *p)
{
    clockid_t id;
    struct timespec ts;
    int pid = hw_worker_pid(p->worker);
    if (pid <= 0 || clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &ts) != 0)
        return -1;
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int await_answer(struct hw_proof *p, double before)
{
    if (wait_for_it(p) < 0)
        return -1;
    double after = cpu_ms(p);
    p->answer.cpu_ms = before < 0 || after < before ? -1 : after - before;
    return 0;
}

int hw_proof_ask(struct hw_proof *p, struct hw_str record)
{
    double before = cpu_ms(p);
    p->answer = (struct hw_answer){ .kind = HW_SAYS_NOTHING };
    p->over = false;
    if (hw_worker_feed(p->worker, p->id, &record, 1, ++p->seq, &p->err) != 0) {
        p->set_aside = true;
        return -1;
    }
    return await_answer(p, before);
}

int hw_proof_finish(struct hw_proof *p, int code)
{
    double before = cpu_ms(p);
    p->answer = (struct hw_answer){ .kind = HW_SAYS_NOTHING };
    p->over = false;
    if (hw_worker_finish(p->worker, p->id, code, ++p->seq, &p->err) < 0) {
        p->set_aside = true;
        return -1;
    }
    return await_answer(p, before);
}

/* ---- life ---------------------------------------------------------------------------------------- */

int hw_proof_open(struct hw_proof *p, const struct hw_parser_source *source, const char *user_dir,
                  const struct hw_pairs *pairs, bool strict)
{
    struct hw_worker_options options = { .user_dir = user_dir };
    struct hw_worker_events events = { .ctx = p,
                                       .loaded = on_loaded,
                                       .load_failed = on_failed,
                                       .sample = on_sample,
                                       .fault = on_fault,
                                       .refused = on_refused,
                                       .fed = on_fed,
                                       .set_aside = on_failed,
                                       .trouble = on_trouble };
    size_t count = pairs ? pairs->count : 0;
    hw_auto_free struct hw_parser_option *list = hw_xzalloc((count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = (struct hw_parser_option){ pairs->list[i].key, pairs->list[i].value };
    *p = (struct hw_proof){ 0 };
    if (hw_loop_init(&p->loop, &p->err) < 0) {
        p->set_aside = true;
        return -1;
    }
    p->open = true;
    uv_timer_init(&p->loop, &p->timer);
    if (hw_worker_new(&p->worker, &p->loop, &options, &events, &p->err) < 0 ||
        hw_worker_load(p->worker, source, list, count, strict, &p->id, &p->err) < 0) {
        p->set_aside = true;
        return -1;
    }
    return wait_for_it(p);
}

void hw_proof_close(struct hw_proof *p)
{
    if (!p->open)
        return;
    p->open = false;
    hw_worker_free(p->worker);
    uv_close((uv_handle_t *)&p->timer, NULL);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
    p->worker = NULL;
}
