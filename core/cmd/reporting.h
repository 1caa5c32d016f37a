/* reporting.h - what run, exec and local share: settings -> what a reporter wants. */
#ifndef HW_CMD_REPORTING_H
#define HW_CMD_REPORTING_H

#include "config/config.h"
#include "report/reporter.h"

/* file is the setting source.file; all is borrowed from the config. HW_ECONFIG for a unit that can't be one. */
HW_MUST_USE int hw_reporting_options(const struct hw_config *c, struct hw_reporter_options *ret,
                                     struct hw_err *err);

#endif
