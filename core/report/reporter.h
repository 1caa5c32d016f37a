/* reporter.h - everything wired: progress file or output -> parser -> tracker -> pace -> sinks.
 * new -> add_sink... -> start -> output... -> finish -> [done] -> free. One thread; nothing blocks.
 *
 * Output is what a command prints, what comes to stand in a log, or a metrics page: bytes that somebody else brings (following.h).
 * File and output may both be watched: the file wins once it held a valid N/M.
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

enum { HW_REPORTER_SINKS = 6, HW_REPORTER_PARSER_OPTIONS = 32, HW_REPORTER_STREAMS = 2 };

/* Borrowed for the call of new. */
struct hw_reporter_options {
    const char *file; /* the progress file; NULL = none */
    int64_t poll_ms;
    bool events;
    const char *parser;        /* of the file; NULL = "nm" */
    const char *output_parser; /* of what hw_reporter_output is given; NULL = there is no output */
    const char *note;          /* stands behind the reason while the output counts; NULL = none */
    const char *output_name;   /* "log", "metrics"; NULL = "output"; lives as long as we */
    bool await_output;         /* the first publish waits for hw_reporter_caught_up, up to 30 s */
    const char *parser_dir;    /* the user's parsers; NULL = none */
    /* For output_parser, else for parser. */
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

/* What an earlier reporter of the same task has published: nothing less goes out (tracker.h). At any time; what waits in a sink is
 * replaced. */
void hw_reporter_floor(struct hw_reporter *r, const struct hw_floor *floor);

/* What the command printed, in any pieces; stream 0 or 1, each a text of its own. False: as much waits for the parser as may,
 * and no more should come before fn was called (from the loop, or from within a call here). */
bool hw_reporter_output(struct hw_reporter *r, int stream, struct hw_str bytes);
/* Bytes of that stream were lost here: the record that is cut by it is dropped. lost: so many that the parser should have seen,
 * which is told; 0 = nothing is to be told. */
void hw_reporter_output_gap(struct hw_reporter *r, int stream, uint64_t lost);
/* What comes next lies in another file. whole: nothing follows in the one before, whose rest is a record; else hw_records_seam. */
void hw_reporter_output_seam(struct hw_reporter *r, int stream, bool whole);
/* Whether output can still change anything: the file has not won, the parser is alive. */
bool hw_reporter_wants_output(const struct hw_reporter *r);
/* What there was when we began has been given (await_output). */
void hw_reporter_caught_up(struct hw_reporter *r);
/* Why no output comes, or "". */
void hw_reporter_output_trouble(struct hw_reporter *r, const char *why);
/* How many samples were made of output, and whether nothing of it is being parsed: then all it said is in that number. */
uint64_t hw_reporter_output_samples(const struct hw_reporter *r, bool *ret_settled);
typedef void hw_reporter_room_fn(void *ctx);
void hw_reporter_on_room(struct hw_reporter *r, hw_reporter_room_fn *fn, void *ctx);
/* fn is called when the value is looked at although nothing has come: why has it not? */
typedef void hw_reporter_doubt_fn(void *ctx);
void hw_reporter_on_doubt(struct hw_reporter *r, hw_reporter_doubt_fn *fn, void *ctx);

/* How the task ended, where that is known; else the last true value is what is published. */
struct hw_reporter_end {
    enum hw_outcome outcome;
    int code;           /* exit status, or 128 + the signal's number */
    const char *reason; /* "" or "exit status 3"; borrowed for the call */
};

/* Takes the end of the output for its last record, reads the file once more, publishes the last value everywhere and calls
 * fn when all of it was written, or after limit_ms. written: whether every sink has taken it. */
typedef void hw_reporter_done_fn(void *ctx, bool written);
void hw_reporter_finish(struct hw_reporter *r, const struct hw_reporter_end *end, int64_t limit_ms,
                        hw_reporter_done_fn *fn, void *ctx);

/* Frees the sinks too. The loop must turn once more for the handles to close. */
void hw_reporter_free(struct hw_reporter *r);

#endif
