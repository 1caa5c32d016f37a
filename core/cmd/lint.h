/* lint.h - says what is wrong with a parser: loads it in a worker as a reporter would, reads its text for names that are not
 * there (scripts/tools/lint.lua), and tries it on records that no tool prints. Blocks, some seconds where a record hangs it. */
#ifndef HW_CMD_LINT_H
#define HW_CMD_LINT_H

#include "base/err.h"
#include "config/config.h"
#include "lua/parsers.h"

struct hw_lint {
    char *name, *where; /* own; "nm", "built in" */
    char unit[32];      /* that the parser says of itself; "" = none */
    struct hw_err err;  /* why it can't be used at all */
    size_t problems, warnings;
};

/* where: "dir/own.lua:12", "built in". Borrowed for the call. */
typedef void hw_lint_fn(void *ctx, bool warning, const char *where, const char *text);

/* what: a name or a .lua file. options: NULL = none. -1: it can't be used, err of *ret; what is wrong with it all the same goes
 * to fn. hw_lint_done in both cases. */
int hw_lint_parser(const char *what, const char *user_dir, const struct hw_pairs *options,
                   bool strict, hw_lint_fn *fn, void *ctx, struct hw_lint *ret);
void hw_lint_done(struct hw_lint *lint);

#endif
