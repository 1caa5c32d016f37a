#include "hub/tally.h"

const int hw_tally_ends[HW_TALLY_BUCKETS] = { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000 };

static void add_status(struct hw_tally *t, int status)
{
    int i = 0;
    while (t->statuses[i].count && t->statuses[i].status != status && i < HW_TALLY_STATUSES - 1)
        i++;
    if (!t->statuses[i].count)
        t->statuses[i].status = i < HW_TALLY_STATUSES - 1 ? status : -1;
    t->statuses[i].count++;
}

void hw_tally_add(struct hw_tally *t, int status, int64_t ms)
{
    add_status(t, status);
    t->count++;
    t->sum_ms += ms;
    for (int i = 0; i < HW_TALLY_BUCKETS; i++)
        if (ms <= hw_tally_ends[i]) {
            t->buckets[i]++;
            return;
        }
}
