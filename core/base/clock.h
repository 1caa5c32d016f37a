/* clock.h - the one place where time enters. Code below cmd asks the hw_clock that it was handed, so
 * that replay and specs run on a virtual one. */
#ifndef HW_BASE_CLOCK_H
#define HW_BASE_CLOCK_H

#include <stdint.h>

/* A virtual clock stands where its owner puts it, by hw_clock_advance. */
struct hw_clock {
    int virtual_time; /* 0: the system's clocks; 1: the two values below */
    int64_t mono_ms;  /* never steps back; its zero means nothing */
    int64_t unix_ms;  /* wall clock, may step: only for times that people and objects show */
};

int64_t hw_now_ms(const struct hw_clock *clock);  /* monotonic */
int64_t hw_wall_ms(const struct hw_clock *clock); /* since 1970, UTC */
/* Moves a virtual clock forward to mono_ms, the wall clock by as much. Going back is ignored. */
void hw_clock_advance(struct hw_clock *clock, int64_t mono_ms);

#endif
