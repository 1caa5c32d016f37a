#include "base/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t hw_now_ms(const struct hw_clock *clock)
{
    return clock->virtual_time ? clock->mono_ms : read_ms(CLOCK_MONOTONIC);
}

int64_t hw_wall_ms(const struct hw_clock *clock)
{
    return clock->virtual_time ? clock->unix_ms : read_ms(CLOCK_REALTIME);
}

void hw_clock_advance(struct hw_clock *clock, int64_t mono_ms)
{
    if (mono_ms <= clock->mono_ms)
        return;
    clock->unix_ms += mono_ms - clock->mono_ms;
    clock->mono_ms = mono_ms;
}
