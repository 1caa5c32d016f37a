/* log.h - one line on stderr for what a person must know; stdout belongs to results and the child.
 * error: work stops; warn: work goes on; info: a change of state; debug: each event.
 * Text from outside passes hw_clean_text before it gets here; control characters are escaped once more. */
#ifndef HW_BASE_LOG_H
#define HW_BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum hw_level { HW_ERROR, HW_WARN, HW_INFO, HW_DEBUG };

void hw_log(enum hw_level level, const char *room, const char *fmt, ...) HW_PRINTF(3, 4);

/* What is shown: "warn", or with a level for single rooms: "info,annotation=debug". Rooms that log:
 * run, exec, report, local, lua, annotation, status, dir, hub; another one is HW_ECONFIG. */
HW_MUST_USE int hw_log_configure(const char *spec, struct hw_err *err);
/* Whether a line of that level and room would be shown. */
bool hw_log_shows(enum hw_level level, const char *room);
/* Called with each shown line (no line end) in place of writing to stderr: a terminal that holds a bar
 * takes the bar away first. NULL restores stderr. */
void hw_log_redirect(void (*fn)(void *ctx, const char *line), void *ctx);

#endif
