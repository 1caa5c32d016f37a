/* tracker.h - merges samples into the progress that is believed now. A pure function of what it is fed and
 * of the times handed in (monotonic and wall milliseconds), which is what makes replay exact.
 * init -> [floor] -> any of sample, refused, silent, attempt -> end; view at any time.
 *
 * Two kinds of word: a task's own (the progress file) is published as it is, a smaller N or another M
 * counts as a restart; a parser's sample below the last one of the same phase is held back and counted. */
#ifndef HW_PROGRESS_TRACKER_H
#define HW_PROGRESS_TRACKER_H

#include <stdbool.h>
#include <stdint.h>

#include "progress/progress.h"
#include "progress/rate.h"

struct hw_tracker_rules {
    int64_t stall_ms;           /* 3 min: no change for that long, or for 10 usual gaps up to 1 h */
    int64_t no_match_ms;        /* 5 min: records came and none matched */
    bool hide_message;          /* the setting `message: off` */
    char unit[HW_UNIT_MAX + 1]; /* prefer the count of this unit; "" = bytes, files, items, percent */
    int64_t total;              /* known from outside, for tools that know none; -1 = unknown */
    char total_unit[HW_UNIT_MAX + 1]; /* the unit of it; "" = of the count, whatever that is in */
};

/* The values in the comments above; total unknown. */
struct hw_tracker_rules hw_tracker_rules_default(void);

/* A moment: both clocks read together. */
struct hw_moment {
    int64_t mono_ms;
    int64_t unix_ms;
};

enum hw_outcome {
    HW_OUTCOME_SUCCESS,
    HW_OUTCOME_FAILURE,
    HW_OUTCOME_UNKNOWN, /* nothing more comes, and nobody knows how it ended */
};

/* What an earlier reporter of the same task has published. */
struct hw_floor {
    int64_t n, m;
    bool counted; /* count holds what stood in the detail */
    struct hw_count count;
};

struct hw_tracker {
    struct hw_tracker_rules rules;
    struct hw_progress now; /* state, rate and eta are made by view */
    struct hw_rate rate;
    int64_t begun_ms;   /* monotonic: the task's start as we know it */
    int64_t changed_ms; /* monotonic: last change of done, total or phase */
    int64_t silent_since_ms; /* monotonic: first record without a match since the last sample; -1 = none */
    bool own_word;           /* the last sample was the task's own */
    bool scanning;
    bool outgrown; /* the count is over the total from outside */
    bool ended;    /* outcome is known, and not UNKNOWN */
    bool over;     /* nothing more comes */
    enum hw_outcome outcome;
    bool floored; /* what is counted has not come up to floor yet */
    struct hw_floor floor;
    double phase_base;                   /* weights of the phases that are over */
    double fraction_max;                 /* highest weighted fraction so far */
    char source_reason[HW_TEXT_MAX + 1]; /* why the source gives nothing; "" = it does */
    char refusal[HW_TEXT_MAX + 1];       /* last refusal since the last sample */
    char unmet[HW_TEXT_MAX + 1]; /* which of the rules can't be kept, and why; "" = all are */
    char end_reason[HW_TEXT_MAX + 1];
    int64_t held;      /* samples held back: they went backwards */
    int64_t corrected; /* the tool's own totals that were below N */
};

void hw_tracker_init(struct hw_tracker *t, const struct hw_tracker_rules *rules,
                     struct hw_moment now);
/* Nothing less than that is shown, until a sample comes up to it, begins anew, enters another phase, or is the task's own word: a
 * parser that counts records knows nothing of those that an earlier reporter saw. */
void hw_tracker_floor(struct hw_tracker *t, const struct hw_floor *floor);
/* A checked sample. own_word: from the progress file. parser: its name, borrowed for the call.
 * Returns true when something visible changed. */
bool hw_tracker_sample(struct hw_tracker *t, const struct hw_sample *s, bool own_word,
                       const char *parser, struct hw_moment now);
/* A record was refused; why is shown until a good one comes. */
void hw_tracker_refused(struct hw_tracker *t, const char *why, struct hw_moment now);
/* A record said nothing. */
void hw_tracker_silent(struct hw_tracker *t, const char *parser, struct hw_moment now);
/* Why the source gives nothing just now ("no file yet"), or "" when it does again. */
void hw_tracker_source(struct hw_tracker *t, const char *why);
/* The n-th pod of a Job, or a new scheduled run: begins at 0/100 at once. */
void hw_tracker_attempt(struct hw_tracker *t, int attempt, struct hw_moment now);
/* Known from the exit status or the workload; nothing changes it any more but a new attempt. reason: for
 * failures ("exit status 3"), or "". UNKNOWN leaves what is believed, but for what the last words said: that it failed, or a part
 * of it, is believed, that it is complete is not. */
void hw_tracker_end(struct hw_tracker *t, enum hw_outcome outcome, const char *reason,
                    struct hw_moment now);
/* The progress as believed at that moment. */
void hw_tracker_view(const struct hw_tracker *t, struct hw_moment now, struct hw_progress *ret);
/* Monotonic time at which the view changes although nothing comes (it stalls); -1 = never. */
int64_t hw_tracker_next(const struct hw_tracker *t, int64_t now_ms);

#endif
