/* json.h - what the rooms share of jansson: reading hostile text with limits, compact writing.
 * jansson keeps integers exact up to 2^63-1 (reals are refused where a count is expected) and limits
 * nesting to 2048 levels by itself. */
#ifndef HW_BASE_JSON_H
#define HW_BASE_JSON_H

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"

static inline void hw_cleanup_json(json_t **j)
{
    json_decref(*j);
}
#define hw_auto_json __attribute__((cleanup(hw_cleanup_json))) json_t *

/* Once, at the start. Memory that jansson does not get ends the program, as base/mem.h says, also while text from outside is
 * read (which has a ceiling already): it would leave out what it composes without a word, and where its reader can't grow
 * the buffer of a token (2.14, lex_save) it goes on behind the buffer's end. */
void hw_json_guard(void);

/* The member at a path of names ("metadata", "annotations", NULL); NULL when something on the way is
 * missing or no object. Borrowed from root. */
json_t *hw_json_at(json_t *root, ...) __attribute__((sentinel));
/* The string there, or NULL. Borrowed from root. */
const char *hw_json_text(json_t *root, ...) __attribute__((sentinel));
/* Compact text, keys in the order they were set; free() it. Never NULL. */
char *hw_json_dump(const json_t *value);

#endif
