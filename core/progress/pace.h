/* pace.h - when a sink is written: often enough for people, rarely enough for ten thousand tasks.
 * Annotation: at once for the first value and a change of state; a changed whole percent once percent_ms have
 * passed; anything else (never rate, eta or updated alone) after max(other_ms, 5% of the elapsed time),
 * twice other_ms while the total is known, since the percents tell most then. Status: whole percent
 * or state only, once percent_ms have passed. The last value always.
 * Over all that stands a bucket of 120 writes that fills by one in 30 s, so that a task which flaps for days
 * costs no more than two writes a minute.
 * Politeness: the gaps double on refusals and slow replies, up to 16 times, and shrink back. */
#ifndef HW_PROGRESS_PACE_H
#define HW_PROGRESS_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "progress/progress.h"

struct hw_pace_rules {
    int64_t percent_ms; /* 3 s annotation, 15 s status */
    int64_t other_ms;   /* 30 s; 0 = other changes are not written at all (status) */
    bool state_at_once; /* a change of state does not wait for percent_ms */
};

struct hw_pace {
    struct hw_pace_rules rules;
    int64_t started_ms; /* monotonic, of the task */
    int64_t wrote_ms;   /* monotonic, of the last write */
    int64_t writes;
    int64_t tokens_ms; /* the bucket: 30 s make one write */
    int64_t tokens_at_ms;
    int slower;               /* gaps are multiplied by this, 1 to 16 */
    struct hw_progress wrote; /* what was written last; meaningless while writes is 0 */
    bool wrote_last;
};

/* Whether both say the same; rate, time left and times apart. */
bool hw_pace_is_same(const struct hw_progress *a, const struct hw_progress *b);

struct hw_pace_rules hw_pace_annotation(void);
struct hw_pace_rules hw_pace_status(void);
/* Every change at once, for sinks on this machine (terminal and JSON lines are their own judges). */
struct hw_pace_rules hw_pace_local(void);

void hw_pace_init(struct hw_pace *p, const struct hw_pace_rules *rules, int64_t now_ms);
/* Milliseconds to wait before value is written: 0 = write now, -1 = nothing in it needs a write. */
int64_t hw_pace_due(const struct hw_pace *p, const struct hw_progress *value, bool last,
                    int64_t now_ms);
void hw_pace_wrote(struct hw_pace *p, const struct hw_progress *value, bool last, int64_t now_ms);
/* What the server said: refused or slower than 1 s doubles the gaps, a quick yes halves them back. */
void hw_pace_feedback(struct hw_pace *p, bool ok, int64_t took_ms);

#endif
