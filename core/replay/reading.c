#include "replay/reading.h"

struct reading {
    hw_reading_fn *fn;
    void *ctx;
    struct hw_err *err;
    bool failed; /* *err is filled */
};

static void on_record(void *ctx, const struct hw_record *record)
{
    struct reading *r = ctx;
    r->failed = r->failed || r->fn(r->ctx, record, r->err) < 0;
}

int hw_reading_run(struct hw_recording *recording, hw_reading_fn *fn, void *ctx, struct hw_err *err)
{
    struct reading r = { .fn = fn, .ctx = ctx, .err = err };
    struct hw_records *records = hw_records_new(HW_RECORDS_MAX);
    struct hw_cast_event event;
    int64_t now_us = 0;
    int st = 0;
    while (!r.failed && (st = hw_recording_next(recording, &event, NULL, NULL, err)) > 0) {
        if (event.us - now_us >= (int64_t)HW_RECORDS_PAUSE_MS * 1000)
            hw_records_pause(records, on_record, &r);
        now_us = event.us;
        if (!r.failed)
            hw_records_feed(records, event.bytes, on_record, &r);
    }
    if (st == 0 && !r.failed)
        hw_records_end(records, !hw_recording_about(recording)->is_cut, on_record, &r);
    hw_records_free(records);
    return st < 0 || r.failed ? -1 : 0;
}
