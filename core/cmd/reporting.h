/* reporting.h - what run, exec and local share: settings -> what a reporter wants, and the signals that end one. */
#ifndef HW_CMD_REPORTING_H
#define HW_CMD_REPORTING_H

#include <uv.h>

#include "config/config.h"
#include "report/reporter.h"

/* file is the setting source.file; all is borrowed from the config. HW_ECONFIG for a unit that can't be one. */
HW_MUST_USE int hw_reporting_options(const struct hw_config *c, struct hw_reporter_options *ret,
                                     struct hw_err *err);

enum { HW_REPORTING_PARSER = 4096 };
/* Which parser reads what a command prints: the one that was named, else the one that knows the command (argv, or a line as a
 * person types it; both NULL: nobody knows), else HW_PARSER_UNKNOWN. Reads files.
 * Returns why the parsers of the user could not be asked, which was logged; "" = they were, or need not be. */
struct hw_reporting_why {
    char text[HW_TEXT_MAX + 1];
};
struct hw_reporting_why hw_reporting_parser(const struct hw_config *c, const char *const *argv,
                                            const char *line, char ret[HW_REPORTING_PARSER]);

/* SIGTERM, SIGINT and SIGHUP on the loop, also when we were started with them blocked. */
struct hw_signals {
    uv_signal_t handles[3];
};
/* fn gets ctx as handle->data. */
HW_MUST_USE int hw_signals_catch(struct hw_signals *s, uv_loop_t *loop, uv_signal_cb fn, void *ctx,
                                 struct hw_err *err);
void hw_signals_release(struct hw_signals *s); /* the loop must turn once more */

#endif
