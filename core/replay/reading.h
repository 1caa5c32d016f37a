/* reading.h - a recording's records, all of them, framed as the player and a live reporter frame them: pauses count where there
 * are times. */
#ifndef HW_REPLAY_READING_H
#define HW_REPLAY_READING_H

#include "replay/recording.h"
#include "source/records.h"

/* record is borrowed for the call. -1: no more are wanted; err is filled. */
typedef int hw_reading_fn(void *ctx, const struct hw_record *record, struct hw_err *err);
/* To the end of the recording, which must not have been read from before. */
HW_MUST_USE int hw_reading_run(struct hw_recording *recording, hw_reading_fn *fn, void *ctx,
                               struct hw_err *err);

#endif
