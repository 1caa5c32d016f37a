/* usage.h - help, printed from the records and the option table. To stdout, which main checks. */
#ifndef HW_CMD_USAGE_H
#define HW_CMD_USAGE_H

#include <stdio.h>

#include "cmd/cmd.h"

void hw_usage(FILE *out);
void hw_usage_of(const struct hw_cmd *cmd);
/* The command nearest to a wrong name, or NULL. */
const char *hw_usage_nearest(const char *name);
/* docs/config.md. */
void hw_usage_config_docs(void);

#endif
