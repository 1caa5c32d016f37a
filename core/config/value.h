/* value.h - one setting's text, checked and put into its typed member. Private to the room. */
#ifndef HW_CONFIG_VALUE_H
#define HW_CONFIG_VALUE_H

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

/* Writes the member of c that the row names; it borrows text (which outlives c's use of it), but owns pairs. On
 * failure the member is as before and err says "'5x': expected ...". */
HW_MUST_USE int hw_value_set(struct hw_config *c, const struct hw_option *o, const char *text,
                             struct hw_err *err);
/* Frees what the member owns. */
void hw_value_done(struct hw_config *c, const struct hw_option *o);
/* Adds text to a value of pairs, with "\" before "," "=" and "\". */
HW_MUST_USE int hw_value_escape(struct hw_buf *b, const char *text, struct hw_err *err);

#endif
