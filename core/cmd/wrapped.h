/* wrapped.h - the reporter of a wrapped command, in its own process: reads its copy of the output and the progress file, and
 * publishes until it is told that the command has ended. */
#ifndef HW_CMD_WRAPPED_H
#define HW_CMD_WRAPPED_H

#include "config/config.h"
#include "exec/wrapper.h"

/* file: the progress file as this process sees it; NULL = none. parser: of the output; note: what is to be told of that
 * choice, or "". Blocks. True: the wrapper was killed meanwhile, and what it would have tidied up is left to the caller. */
bool hw_wrapped_report(const struct hw_wrapped *w, const struct hw_config *config, const char *file,
                       const char *parser, const char *note);

#endif
