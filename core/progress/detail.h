/* detail.h - progress as text: the detail annotation, JSON output, and one line for people. */
#ifndef HW_PROGRESS_DETAIL_H
#define HW_PROGRESS_DETAIL_H

#include <stddef.h>

#include <jansson.h>

#include "progress/progress.h"

enum { HW_DETAIL_MAX = 2048, HW_LINE_MAX = 512 };

/* The value of fluid.io/data-progress-detail: compact JSON, at most HW_DETAIL_MAX bytes, message cut
 * first. A key that is absent is unknown. by: "sidecar", "wrapper", "hub". free() it; never NULL.
 *   v 1 | by | done, total, unit | fraction 0..1 | also [{done,total,unit}] | state | reason
 *   phase {name,index,count,weight} | attempt | restarts | rate unit/s | eta s | started, updated RFC 3339
 *   parser | refused | message */
char *hw_detail_json(const struct hw_progress *p, const char *by);
/* The same keys as an object, with "total": null where a count has no total. Caller's reference. */
json_t *hw_detail_object(const struct hw_progress *p, const char *by);
/* One line for people, at most HW_LINE_MAX bytes:
 * "40%, 40/100 files, 2.5 files/s, 24s left: message", "stalled 12m: no record matched (rsync), 40%, 40/100 files".
 * unix_ms: now, for how long it has been stalled. */
void hw_progress_line(const struct hw_progress *p, int64_t unix_ms, char *buf, size_t size);
/* "12.3 GiB" for bytes, "1,234 files" else; rate: per second. */
void hw_format_amount(double amount, const char *unit, char *buf, size_t size);
/* A line of JSON output: hw_detail_object and in front "time" (RFC 3339) and "progress" (N/M); free() it. */
char *hw_progress_json(const struct hw_progress *p, const char *by, int64_t unix_ms);

#endif
