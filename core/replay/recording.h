/* recording.h - a recording in a file or on standard input, read piece by piece. Blocks for the reads: nothing else waits
 * for this process.
 *   open -> next until it says 0 -> close */
#ifndef HW_REPLAY_RECORDING_H
#define HW_REPLAY_RECORDING_H

#include "replay/cast.h"

struct hw_recording;

/* path: "-" = standard input. Reads the header. HW_ESYS, HW_EINPUT: messages begin with the path. */
HW_MUST_USE int hw_recording_open(struct hw_recording **ret, const char *path, struct hw_err *err);
void hw_recording_close(struct hw_recording *r);
const struct hw_cast_about *hw_recording_about(const struct hw_recording *r);
/* 1: an event, 0: the end, -1: it can't be read any further. before_wait, NULL allowed, is called when the read would
 * wait for more, and may fail. */
typedef int hw_recording_wait_fn(void *ctx, struct hw_err *err);
HW_MUST_USE int hw_recording_next(struct hw_recording *r, struct hw_cast_event *ret,
                                  hw_recording_wait_fn *before_wait, void *ctx, struct hw_err *err);

#endif
