/* rate.h - how fast a count grows, robust against bursts.
 * Time since the first value is cut into equal buckets; a bucket that runs more than ten times faster
 * than the median busy one (a resumed tool that skips what is there) is left out. The buckets widen until
 * half of them are busy, so that a task which counts once in ten minutes has a rate too.
 * A plain value: restart at the first count, whenever counts begin anew and after a stall, then add. */
#ifndef HW_PROGRESS_RATE_H
#define HW_PROGRESS_RATE_H

#include <stdint.h>

enum { HW_RATE_BUCKETS = 16, HW_RATE_GAPS = 5 };

struct hw_rate {
    int64_t width_ms; /* of one bucket, 1 s and up; 0 = no count yet */
    int64_t begin_ms; /* where bucket 0 begins */
    int64_t first_ms; /* when the first count came */
    int64_t last_done;
    int64_t last_ms;               /* when it changed last */
    int64_t gaps_ms[HW_RATE_GAPS]; /* the last times between two changes, newest first; 0 = none yet */
    int64_t gap_ms; /* the usual one: their median, which one long stall does not move; 0 = unknown */
    int changes;    /* since the restart, up to 1000 */
    double bucket[HW_RATE_BUCKETS]; /* units that came in that time */
};

/* Forgets the speed; the usual gap is kept, and the time since the last change is one more. */
void hw_rate_restart(struct hw_rate *r, int64_t done, int64_t now_ms);
void hw_rate_add(struct hw_rate *r, int64_t done, int64_t now_ms);
/* Units a second; < 0 while unknown (fewer than two changes, or under 3 s of history). */
double hw_rate_value(const struct hw_rate *r, int64_t now_ms);
/* Seconds until total; < 0 when it means nothing: no rate, fewer than three changes, under 10 s of
 * history, or more than 99 days. */
double hw_rate_eta(const struct hw_rate *r, int64_t total, int64_t now_ms);

#endif
