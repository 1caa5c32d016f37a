/* stopwatch.c - a recording's time as real time. */
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "replay/player.h"

static const struct hw_clock real_time = { 0 };

static void on_ring(uv_timer_t *timer)
{
    struct hw_stopwatch *w = HW_CONTAINER(timer, struct hw_stopwatch, timer);
    w->rang = true;
}

void hw_stopwatch_init(struct hw_stopwatch *w, uv_loop_t *loop, double speed)
{
    *w = (struct hw_stopwatch){ .loop = loop, .speed = speed };
    uv_timer_init(loop, &w->timer);
}

void hw_stopwatch_wait(struct hw_stopwatch *w, int64_t ms)
{
    if (w->speed <= 0)
        return;
    int64_t now = hw_now_ms(&real_time);
    if (!w->begun_ms)
        w->begun_ms = now;
    double left = (double)ms / w->speed - (double)(now - w->begun_ms);
    if (left <= 0)
        return;
    w->rang = false;
    uv_update_time(w->loop);
    uv_timer_start(&w->timer, on_ring, (uint64_t)ceil(left), 0);
    while (!w->rang)
        uv_run(w->loop, UV_RUN_ONCE);
}

void hw_stopwatch_done(struct hw_stopwatch *w)
{
    uv_close((uv_handle_t *)&w->timer, NULL);
}
