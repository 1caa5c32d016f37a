/* reporter.h - one flow, wired: progress file -> parser -> tracker -> pace -> sinks.
 * new -> add_sink... -> start -> finish -> [done] -> free. One thread; nothing blocks.
 *
 * The first publish waits for the first look at the file (at most one second), so that a reporter which was
 * restarted says what the file says and nothing older. Refusals are logged once for each cause. */
#ifndef HW_REPORT_REPORTER_H
#define HW_REPORT_REPORTER_H

#include <uv.h>

#include "base/clock.h"
#include "lua/parsers.h"
#include "lua/worker.h"
#include "progress/pace.h"
#include "progress/tracker.h"
#include "sink/sink.h"

struct hw_reporter;

enum { HW_REPORTER_SINKS = 6, HW_REPORTER_PARSER_OPTIONS = 32 };

/* Borrowed for the call of new. */
struct hw_reporter_options {
    const char *file; /* the progress file */
    int64_t poll_ms;
    bool events;
    const char *parser;     /* NULL = "nm" */
    const char *parser_dir; /* the user's parsers; NULL = none */
    struct hw_parser_option parser_options[HW_REPORTER_PARSER_OPTIONS];
    size_t parser_option_count;
    struct hw_tracker_rules rules;
};

HW_MUST_USE int hw_reporter_new(struct hw_reporter **ret, uv_loop_t *loop,
                                const struct hw_clock *clock,
                                const struct hw_reporter_options *options, struct hw_err *err);
/* The event slots to make a sink with: the reporter listens to each sink that it is given. */
struct hw_sink_events hw_reporter_sink_events(struct hw_reporter *r);
/* Takes the sink. At most HW_REPORTER_SINKS of them, before start. */
void hw_reporter_add_sink(struct hw_reporter *r, struct hw_sink *sink,
                          const struct hw_pace_rules *rules);
HW_MUST_USE int hw_reporter_start(struct hw_reporter *r, struct hw_err *err);

/* How the task ended, where that is known; else the last true value is what is published. */
struct hw_reporter_end {
    enum hw_outcome outcome;
    const char *reason; /* "" or "exit status 3"; borrowed for the call */
};

/* Reads once more, publishes the last value everywhere and calls fn when all of it was written, or after
 * limit_ms. written: whether every sink has taken it. */
typedef void hw_reporter_done_fn(void *ctx, bool written);
void hw_reporter_finish(struct hw_reporter *r, const struct hw_reporter_end *end, int64_t limit_ms,
                        hw_reporter_done_fn *fn, void *ctx);

/* Frees the sinks too. The loop must turn once more for the handles to close. */
void hw_reporter_free(struct hw_reporter *r);

#endif
