/* lint.h - loads a parser in a worker, as a reporter would, and says what is wrong with it. Blocks for the load, at most
 * some seconds. */
#ifndef HW_CMD_LINT_H
#define HW_CMD_LINT_H

#include "base/err.h"
#include "config/config.h"

struct hw_lint {
    char *name, *where; /* own; "nm", "built in" */
    char unit[32];      /* that the parser says of itself; "" = none */
    struct hw_err err;
};

/* what: a name or a .lua file. options: NULL = none. -1: err of *ret. hw_lint_done in both cases. */
int hw_lint_parser(const char *what, const char *user_dir, const struct hw_pairs *options,
                   bool strict, struct hw_lint *ret);
void hw_lint_done(struct hw_lint *lint);

#endif
