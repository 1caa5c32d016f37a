/* detail_read.h - the two annotations of a pod, back to progress. Anyone who may write the pod may have written them, so each
 * field is checked again and each text cleaned again. */
#ifndef HW_PROGRESS_DETAIL_READ_H
#define HW_PROGRESS_DETAIL_READ_H

#include "progress/progress.h"
#include "progress/tracker.h"

/* nm: a valid N/M and nothing else, or HW_EINPUT. detail: NULL = none. What is wrong in it, or all of it when it is over
 * HW_DETAIL_MAX, is as if it were absent. Times after unix_ms, which is now, count as now. */
HW_MUST_USE int hw_detail_read(const char *nm, const char *detail, int64_t unix_ms,
                               struct hw_progress *ret, struct hw_err *err);
/* What of them is a floor (tracker.h): N/M, and the count of the detail, if it holds one. False: nm is NULL or no N/M. */
bool hw_detail_floor(const char *nm, const char *detail, struct hw_floor *ret);

#endif
