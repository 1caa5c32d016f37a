/* player.h - a recording through the same parts as live output: records, worker, tracker; on a virtual clock that stands where the
 * recording says. The same recording gives the same items for ever: nothing depends on when the worker answers.
 *
 *   new -> event... -> end -> free
 *
 * Every call runs the loop itself until the worker has answered, or (with a speed) until the time has come: at most one batch
 * of records waits, however long the recording is. */
#ifndef HW_REPLAY_PLAYER_H
#define HW_REPLAY_PLAYER_H

#include <uv.h>

#include "lua/parsers.h"
#include "lua/worker.h"
#include "progress/tracker.h"
#include "replay/cast.h"

enum hw_item_kind {
    HW_ITEM_SAMPLE,
    HW_ITEM_REFUSED,
    HW_ITEM_STATE, /* the state changed by time alone: it stalled */
    HW_ITEM_WAIT,  /* no change: real time passes now before anything more comes */
    HW_ITEM_END,
};

struct hw_play_counts {
    uint64_t records, samples, refusals;
    uint64_t cut;  /* records that were longer than the parser takes */
    uint64_t held; /* samples held back, since they went backwards */
};

/* Borrowed for the call. */
struct hw_item {
    enum hw_item_kind kind;
    int64_t ms;      /* since the start */
    uint64_t offset; /* in the output, of the byte after the record */
    const struct hw_progress *progress;
    bool changed;    /* progress is not what it was */
    bool held;       /* SAMPLE: held back */
    bool ended_last; /* SAMPLE: the parser's last word, when the recording was over */
    const char *why; /* REFUSED */
    const struct hw_play_counts *counts;
};
/* -1: nothing more is wanted; err is filled. */
typedef int hw_item_fn(void *ctx, const struct hw_item *item, struct hw_err *err);

struct hw_player_options {
    const struct hw_parser_source *source; /* borrowed for new */
    const struct hw_parser_option *options;
    size_t option_count;
    const char *user_dir;
    struct hw_tracker_rules rules;
    bool timed;      /* the recording has times */
    int64_t unix_ms; /* when it began; 0 = unknown */
    double speed;    /* times real time; 0 = as fast as possible */
    bool every;      /* the parser sees every record, whatever it says of the newest */
};

struct hw_player;

/* Waits for the parser: HW_ELUA, HW_ECONFIG when it can't be loaded. */
HW_MUST_USE int hw_player_new(struct hw_player **ret, const struct hw_player_options *options,
                              hw_item_fn *fn, void *ctx, struct hw_err *err);
void hw_player_free(struct hw_player *p);
/* What the parser says of itself. Borrowed until free. */
const struct hw_parser_meta *hw_player_meta(const struct hw_player *p);
/* HW_ELUA: the parser was set aside, or the worker can't be had. */
HW_MUST_USE int hw_player_event(struct hw_player *p, const struct hw_cast_event *event,
                                struct hw_err *err);
/* What waits is given to the parser: for an input that pauses. Of records of which only the newest matters, which ones are seen
 * depends on it; the end does not. */
HW_MUST_USE int hw_player_flush(struct hw_player *p, struct hw_err *err);
/* The recording is over. code: exit status of the command, -1 = unknown. whole: it did not break off. */
HW_MUST_USE int hw_player_end(struct hw_player *p, int code, bool whole, struct hw_err *err);
/* The same when something failed on the way: the item END with what is known up to here. */
void hw_player_give_up(struct hw_player *p, const char *why);

/* Waits until ms of a recording have passed at that speed, since the first call. For whoever plays without a parser. */
struct hw_stopwatch {
    uv_loop_t *loop; /* borrows */
    uv_timer_t timer;
    double speed;
    int64_t begun_ms; /* real time; 0 = not begun */
    bool rang;
};
void hw_stopwatch_init(struct hw_stopwatch *w, uv_loop_t *loop, double speed);
void hw_stopwatch_wait(struct hw_stopwatch *w, int64_t ms);
void hw_stopwatch_done(struct hw_stopwatch *w); /* the loop must turn once more */

#endif
