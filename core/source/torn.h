/* torn.h - whether text that came without an end may go on where it stopped. For records.c, which says why. */
#ifndef HW_SOURCE_TORN_H
#define HW_SOURCE_TORN_H

#include <stdbool.h>

#include "base/str.h"

enum { HW_TORN_TAIL = 16 }; /* as much of the text's end as decides */

/* text: the end of a record's text, at least HW_TORN_TAIL bytes of it where it has so many.
 * True: it ends in something that closes - a bracket, a percent sign, a whole clock time or rate - so that no number or unit in
 * it can grow by what comes next. False: it may be torn, as 50/10 of 50/100. */
bool hw_torn_is_closed(struct hw_str text);
/* Length of the word or number at the end of text, blanks behind it not counted. */
size_t hw_torn_word(struct hw_str text);

#endif
