/* form.h - the form of records of which only the newest matters: a text with numbers in it that tell whether anything but more
 * progress lies between two of them. "(xfr#%+, to-chk=%-/%=)$"
 *   %+ grows or stays   %- shrinks or stays   %= stays   %d any number   %% a percent sign
 *   ^ in front: from the record's start   $ at the end: up to its end, but for blanks
 * It begins with a text or ^; numbers are of 1 to 18 digits; between two of them stands a text. */
#ifndef HW_LUA_FORM_H
#define HW_LUA_FORM_H

#include <stdint.h>

#include "base/err.h"
#include "lua/hint.h"

enum { HW_FORM_NUMBERS = 6, HW_FORM_MAX = 63 };

struct hw_form {
    char text[HW_FORM_MAX + 1]; /* as it was given */
    bool anchored, closed;      /* ^, $ */
    struct hw_hint head;        /* what stands before the first number; len 0 = nothing */
    struct hw_form_number {
        char kind;             /* + - = d */
        struct hw_hint behind; /* what stands behind it; len 0 = nothing */
    } numbers[HW_FORM_NUMBERS];
    size_t count;
};

struct hw_form_values {
    int64_t at[HW_FORM_NUMBERS];
};

/* HW_ECONFIG says what is wrong. */
HW_MUST_USE int hw_form_set(struct hw_form *ret, const char *text, struct hw_err *err);
/* Whether a record has the form; its numbers. */
bool hw_form_read(const struct hw_form *f, struct hw_str record, struct hw_form_values *ret);
/* Whether a record with these numbers is only further than one with those. */
bool hw_form_follows(const struct hw_form *f, const struct hw_form_values *before,
                     const struct hw_form_values *now);

#endif
