#include "progress/rate.h"

#include <math.h>
#include <string.h>

enum { FIRST_WIDTH_MS = 1000, HISTORY_MS = 3000, ETA_HISTORY_MS = 10000, CHANGES_MAX = 1000 };
static const double eta_max_s = 99 * 86400.0, burst = 10;

/* Puts value into its place among the n that are sorted already. */
static void insert_sorted(double *sorted, int n, double value)
{
    int at = n;
    for (; at > 0 && sorted[at - 1] > value; at--)
        sorted[at] = sorted[at - 1];
    sorted[at] = value;
}

static void learn_gap(struct hw_rate *r, int64_t gap_ms)
{
    double sorted[HW_RATE_GAPS];
    int n = 0;
    if (gap_ms <= 0)
        return;
    memmove(r->gaps_ms + 1, r->gaps_ms, sizeof r->gaps_ms - sizeof r->gaps_ms[0]);
    r->gaps_ms[0] = gap_ms;
    for (; n < HW_RATE_GAPS && r->gaps_ms[n]; n++)
        insert_sorted(sorted, n, (double)r->gaps_ms[n]);
    r->gap_ms = (int64_t)sorted[n / 2];
}

void hw_rate_restart(struct hw_rate *r, int64_t done, int64_t now_ms)
{
    struct hw_rate begun = *r;
    if (r->width_ms)
        learn_gap(&begun, now_ms - r->last_ms);
    memset(begun.bucket, 0, sizeof begun.bucket);
    begun.width_ms = FIRST_WIDTH_MS;
    begun.begin_ms = begun.first_ms = begun.last_ms = now_ms;
    begun.last_done = done;
    begun.changes = 0;
    *r = begun;
}

static int busy(const struct hw_rate *r)
{
    int n = 0;
    for (int i = 0; i < HW_RATE_BUCKETS; i++)
        n += r->bucket[i] > 0;
    return n;
}

static void widen(struct hw_rate *r)
{
    for (int i = 0; i < HW_RATE_BUCKETS; i++)
        r->bucket[i] = i < HW_RATE_BUCKETS / 2 ? r->bucket[2 * i] + r->bucket[2 * i + 1] : 0;
    r->width_ms *= 2;
}

static void shift(struct hw_rate *r)
{
    memmove(r->bucket, r->bucket + 1, sizeof r->bucket - sizeof r->bucket[0]);
    r->bucket[HW_RATE_BUCKETS - 1] = 0;
    r->begin_ms += r->width_ms;
}

/* The window of 16 buckets covers at least 64 s, and more when fewer than half of them are busy. */
static void make_room(struct hw_rate *r, int64_t now_ms)
{
    while (now_ms - r->begin_ms > r->width_ms * HW_RATE_BUCKETS) {
        if (r->width_ms < 4 * FIRST_WIDTH_MS || busy(r) < HW_RATE_BUCKETS / 2)
            widen(r);
        else
            shift(r);
    }
}

void hw_rate_add(struct hw_rate *r, int64_t done, int64_t now_ms)
{
    if (!r->width_ms) {
        hw_rate_restart(r, done, now_ms);
        return;
    }
    if (done <= r->last_done)
        return;
    make_room(r, now_ms);
    /* What is counted now was done before now: at a border it belongs to the bucket that ends there. */
    int64_t at = now_ms > r->begin_ms ? (now_ms - r->begin_ms - 1) / r->width_ms : 0;
    r->bucket[at] += (double)(done - r->last_done);
    learn_gap(r, now_ms - r->last_ms);
    r->last_done = done;
    r->changes += now_ms > r->last_ms && r->changes < CHANGES_MAX; /* of one moment: one */
    r->last_ms = now_ms;
}

static double median_busy(const struct hw_rate *r)
{
    double sorted[HW_RATE_BUCKETS];
    int n = 0;
    for (int i = 0; i < HW_RATE_BUCKETS; i++)
        if (r->bucket[i] > 0)
            insert_sorted(sorted, n++, r->bucket[i]);
    return n ? sorted[(n - 1) / 2] : 0;
}

double hw_rate_value(const struct hw_rate *r, int64_t now_ms)
{
    if (!r->width_ms || r->changes < 2)
        return -1;
    /* Between two changes the rate stands; it sinks when the next one is overdue. */
    int64_t end = r->last_ms;
    if (now_ms - end > 2 * r->gap_ms)
        end = now_ms - 2 * r->gap_ms;
    double limit = burst * median_busy(r), units = 0, ms = 0;
    for (int i = 0; i < HW_RATE_BUCKETS; i++) {
        int64_t from = r->begin_ms + i * r->width_ms, to = from + r->width_ms;
        if (to > end)
            to = end;
        if (from >= end || r->bucket[i] > limit)
            continue;
        units += r->bucket[i];
        ms += (double)(to - from);
    }
    /* Overdue: the silent time after the last bucket counts too. */
    int64_t after = end - (r->begin_ms + HW_RATE_BUCKETS * r->width_ms);
    ms += after > 0 ? (double)after : 0;
    if (end - r->first_ms < HISTORY_MS || ms <= 0)
        return -1;
    return units * 1000 / ms;
}

double hw_rate_eta(const struct hw_rate *r, int64_t total, int64_t now_ms)
{
    double rate = hw_rate_value(r, now_ms);
    if (!(rate > 0) || r->changes < 3 || r->last_ms - r->first_ms < ETA_HISTORY_MS ||
        total < r->last_done)
        return -1;
    double left = (double)(total - r->last_done) / rate - (double)(now_ms - r->last_ms) / 1000;
    return left > eta_max_s ? -1 : left < 0 ? 0 : left;
}
