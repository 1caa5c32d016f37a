/* file.h - one read of a progress file, with everything a hostile or half-written file may be.
 * The file is untrusted: never followed through a symbolic link at its end, never waited for (FIFO), regular files only,
 * only its last 64 KiB are read. The last line that is not blank counts.
 *
 * A line without its line end may be torn (50/10 of 50/100), so it is believed only when two reads at least
 * settle_ms apart saw the very same. */
#ifndef HW_SOURCE_FILE_H
#define HW_SOURCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { HW_FILE_TAIL = 64 * 1024, HW_RECORD_MAX = 4096 };

enum hw_file_kind {
    HW_FILE_MISSING, /* no such file, or nothing in it yet: no error */
    HW_FILE_EMPTY,
    HW_FILE_UNSURE, /* the last line has no end yet, or the file was cut while it was read */
    HW_FILE_LINE,
    HW_FILE_REFUSED, /* why says so: a link, a directory, no permission, a line too long */
};

struct hw_file_read {
    enum hw_file_kind kind;
    char line[HW_RECORD_MAX + 1]; /* LINE and UNSURE: without its end */
    size_t len;
    char why[160]; /* REFUSED; MISSING: what is missing */
};

/* Remembers the last unsure line between reads. Zero is the beginning. */
struct hw_file_memory {
    char line[HW_RECORD_MAX];
    size_t len;
    int64_t since_ms; /* when that line was first seen */
    bool held;
};

/* Reads now. scratch: HW_FILE_TAIL bytes. May block as long as the file system does, so it has a thread of its own. */
void hw_file_read(const char *path, struct hw_file_memory *memory, int64_t now_ms,
                  int64_t settle_ms, char *scratch, struct hw_file_read *ret);
/* The second half of it: what the file's last bytes say (at most HW_FILE_TAIL; whole: it has no others). Pure, for
 * the fuzzer. */
void hw_file_judge(struct hw_str tail, bool whole, struct hw_file_memory *memory, int64_t now_ms,
                   int64_t settle_ms, struct hw_file_read *ret);

#endif
