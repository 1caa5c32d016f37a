/* fuzz.h - what the fuzzers share: a check that says what is wrong, a file that holds the bytes, a second opinion on
 * what clean text is (written apart from base/str.c, which it judges).
 * A new door: spec/fuzz/fuzz_NAME.c, a few inputs in spec/fuzz/NAME/, words of its grammar in NAME.dict; the build and
 * `./dev fuzz` find them. */
#ifndef HW_SPEC_FUZZ_H
#define HW_SPEC_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* detail: the text that is wrong; NULL = none. */
static inline void fuzz_check(bool ok, const char *what, const char *detail)
{
    if (ok)
        return;
    fprintf(stderr, "%s%s%s\n", what, detail ? ": " : "", detail ? detail : "");
    abort();
}

/* What the character at s is; its length, 0 when it is no valid UTF-8. */
static inline size_t fuzz_character(const unsigned char *s, uint32_t *ret)
{
    static const uint32_t first[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* of a length */
    size_t n = s[0] < 0x80           ? 1
               : (s[0] >> 5) == 0x06 ? 2
               : (s[0] >> 4) == 0x0e ? 3
               : (s[0] >> 3) == 0x1e ? 4
                                     : 0;
    uint32_t c = n == 1 ? s[0] : n ? s[0] & (0x7fu >> n) : 0;
    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2) /* the final NUL, too */
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    bool bad = n == 0 || c < first[n] || c > 0x10ffff || (c >> 11) == 0x1b;
    *ret = c;
    return bad ? 0 : n;
}

/* Valid UTF-8 of one line, nothing in it that moves a cursor or turns the direction of what is read. */
static inline bool fuzz_is_clean(const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        uint32_t c;
        size_t n = fuzz_character(s, &c);
        bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
        bool bidi = c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
                    (c >= 0x2066 && c <= 0x2069);
        if (!n || control || bidi)
            return false;
        s += n;
    }
    return true;
}

static inline void fuzz_check_clean(const char *text, const char *what)
{
    fuzz_check(text && fuzz_is_clean(text), what, text);
}

/* What every failure owes: a code, and a message that can be shown. */
static inline void fuzz_check_err(const struct hw_err *err)
{
    fuzz_check(err->code != HW_OK, "failed without a code", err->msg);
    fuzz_check(err->msg[0], "failed without a message", NULL);
    fuzz_check(memchr(err->msg, '\0', sizeof err->msg) != NULL, "message without an end", NULL);
    fuzz_check_clean(err->msg, "message is not clean");
}

/* The bytes as a text, at their first NUL at the latest. free() it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1);
    fuzz_check(text != NULL, "no memory", NULL);
    memcpy(text, data, size);
    return text;
}

/* A file of these bytes; each slot holds one until its next call. Its path names no place on a disk. */
static inline const char *fuzz_file(unsigned slot, const void *data, size_t size)
{
    static struct {
        int fd;
        char path[40];
    } files[4];
    fuzz_check(slot < 4, "no such slot", NULL);
    if (!files[slot].path[0]) {
        files[slot].fd = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(files[slot].path, sizeof files[slot].path, "/proc/self/fd/%d", files[slot].fd);
    }
    fuzz_check(files[slot].fd >= 0 && ftruncate(files[slot].fd, 0) == 0 &&
                   pwrite(files[slot].fd, data, size, 0) == (ssize_t)size,
               "no file", files[slot].path);
    return files[slot].path;
}

/* Up to the next separator or the end; *p stands behind it. False: nothing is left. */
static inline bool fuzz_next(struct hw_str *rest, char separator, struct hw_str *ret)
{
    if (!rest->ptr)
        return false;
    const char *at = memchr(rest->ptr, separator, rest->len);
    *ret = (struct hw_str){ rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len };
    *rest = at ? (struct hw_str){ at + 1, rest->len - ret->len - 1 } : (struct hw_str){ NULL, 0 };
    return true;
}

#endif
