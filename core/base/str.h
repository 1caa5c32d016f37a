/* str.h - a borrowed run of bytes, and the few text tools that several rooms need. */
#ifndef HW_BASE_STR_H
#define HW_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* Any bytes, NUL too; not ended. Borrowed: the header that hands one out says until when. */
struct hw_str {
    const char *ptr;
    size_t len;
};

static inline struct hw_str hw_str(const char *s)
{
    return (struct hw_str){ s, s ? strlen(s) : 0 };
}
static inline bool hw_streq(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}
static inline bool hw_str_is(struct hw_str s, const char *word)
{
    return s.len == strlen(word) && memcmp(s.ptr, word, s.len) == 0;
}
/* The value of a hexadecimal digit, and of two that stand one behind the other; -1: they are none. The second is looked at only
 * when the first is one. */
static inline int hw_hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}
static inline int hw_hex_byte(const char *two)
{
    int high = hw_hex_digit(two[0]), low = high < 0 ? -1 : hw_hex_digit(two[1]);
    return low < 0 ? -1 : high * 16 + low;
}
/* The first of names (ended by NULL) nearest to word by edit distance, at most 1/3 of the word's
 * length away; NULL when none is near. For "did you mean". */
const char *hw_nearest(const char *word, const char *const *names);

/* "3s", "250ms", "5m", "2h", "1d", or sums such as "1h30m" -> milliseconds. A bare number is refused,
 * since its unit is a guess ("0" is taken). */
HW_MUST_USE int hw_parse_duration(const char *text, int64_t *ret_ms, struct hw_err *err);
/* 90061000 -> "1d 1h", at most two units, for people; below a minute whole seconds. buf: 24 bytes do. */
void hw_format_duration(int64_t ms, char *buf, size_t size);
/* Unix milliseconds -> "2026-01-31T12:00:00Z" (RFC 3339, UTC, whole seconds). buf: 21 bytes. */
void hw_format_time(int64_t unix_ms, char buf[21]);
/* RFC 3339 with Z or an offset, fraction allowed -> Unix milliseconds. */
HW_MUST_USE int hw_parse_time(const char *text, int64_t *ret_unix_ms, struct hw_err *err);

/* Text from outside, made safe to show: valid UTF-8, no C0, C1, bidirectional or other invisible
 * format controls (each run becomes one space, as does white space), ends trimmed, at most max bytes, cut at a
 * character with "..." in its place. Returns the length; dst holds max + 1 bytes and is ended. */
size_t hw_clean_text(char *dst, size_t max, struct hw_str src);
/* The same after hw_hide_credentials: for text that may hold a URL. In this order, since a cut may leave a part of a password
 * that nothing marks as one any more. */
size_t hw_clean_private(char *dst, size_t max, struct hw_str src);
/* Cuts "user:password@" out of URLs in text and their query strings, in place. Returns the length. */
size_t hw_hide_credentials(char *text);

#endif
