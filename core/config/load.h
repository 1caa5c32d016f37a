/* load.h - what the parts of loading share. Private to the room. */
#ifndef HW_CONFIG_LOAD_H
#define HW_CONFIG_LOAD_H

#include "config/config.h"

/* Puts text into the row, or adds a problem. */
void hw_config_set(struct hw_config *c, const struct hw_option *o, const char *text,
                   enum hw_from from, const char *where, struct hw_problems *problems);

/* The settings file's keys. */
void hw_config_read_file(struct hw_config *c, const char *path, struct hw_problems *problems);

/* The row whose name, or whose flag, is nearest to a wrong name; NULL. */
const struct hw_option *hw_option_near(const char *name);

#endif
