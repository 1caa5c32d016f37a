/* records.h - cuts a tool's output, as it comes, into records: what a person would have read as one line at one time.
 * One framing for every source: pipe, terminal, log file, a pod's log, a recording. Pure: bytes, pauses, gaps in; records out.
 *
 *   new -> feed... [-> pause, when nothing came for HW_RECORDS_PAUSE_MS] [-> gap, when bytes were lost] -> end -> free
 *
 * A record ends at LF, CR, NUL, VT, FF, FS to US, and where an escape sequence goes elsewhere or wipes the line (up, to a column, ESC[2K,
 * ESC[J...). CRLF is no special case: a record that is empty or blank is dropped. A run of backspaces (or ESC[3D) gives
 * the line as it stands, then takes its characters away, so 10%\b\b\b20% after "copied " is "copied 10%", "copied 20%". All
 * other sequences and controls vanish, except TAB; ESC[5C is a space. All other bytes are left as they are, valid UTF-8 or not.
 * However the bytes are cut into feeds, the records are the same.
 *
 * Pauses. Some tools print no end at all (s5cmd on a pipe, every 200 ms; tar's dots) or none after the last line of a block (rclone
 * -P), others print CR first, so their newest line has no end until the next one comes, which may take minutes (tqdm, rsync).
 * So the pause ends a record too. But a pause is no proof: a block-buffered writer stops after each 4 KiB, wherever
 * that is, for as long as the next 4 KiB take; no wait is long enough to tell 50/10 from a torn 50/100. What tells is the text:
 * - Text that ends in something closed (torn.h) is given at the pause, and what comes next is another record. No number in it can
 *   grow. All tools above end their text so.
 * - Any other text is held, and what comes next is joined to it. A tool that prints \r5/10 is seen one step late.
 * - Unless the tool has shown that its pauses are ends: after HW_RECORDS_TRUST pauses in a row each of which was followed by an
 *   end, held text is given at the pause as well. It stays pending: when it goes on all the same, the whole is given again at its end, and the trust is gone.
 *   Never when its last word is shorter than it was at the pause before (6/10 after 5/100), nor right after a multiple of 4096 bytes,
 *   where a full block of such a writer ends.
 * What each costs is in docs/decisions/0006-pauses.md.
 *
 * Memory: record_max bytes and a little, whatever comes. */
#ifndef HW_SOURCE_RECORDS_H
#define HW_SOURCE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
    HW_RECORDS_MAX = 64 * 1024, /* the most that record_max may be */
    /* Under the 200 ms of s5cmd's redraws; over the 100 ms period in which a container that used up its CPU quota is stopped,
     * and over the usual 100 ms between two redraws, where no pause needs to be seen. */
    HW_RECORDS_PAUSE_MS = 150,
    HW_RECORDS_TRUST = 3,
};

enum hw_record_end {
    HW_RECORD_LINE,  /* an end was there */
    HW_RECORD_PAUSE, /* the tool paused */
    HW_RECORD_LAST,  /* the output ended */
};

struct hw_record {
    struct hw_str text; /* never empty or blank, no ESC, of the controls only TAB and DEL */
    uint64_t offset; /* of the byte after the one that ended it; PAUSE, LAST: of the byte to come */
    enum hw_record_end end;
    bool cut; /* it was longer than record_max, or held a sequence without end */
};

/* record is borrowed until it returns, text may be a part of the bytes fed. It must not call the same hw_records. */
typedef void hw_record_fn(void *ctx, const struct hw_record *record);

struct hw_records_counts {
    uint64_t records; /* given */
    uint64_t cut;     /* longer than record_max; the blank ones among them were not given */
    uint64_t gaps;
};

struct hw_records;

/* record_max: bytes, 1 to HW_RECORDS_MAX; what is out of range is brought into it. */
struct hw_records *hw_records_new(size_t record_max);
void hw_records_free(struct hw_records *r);

void hw_records_feed(struct hw_records *r, struct hw_str bytes, hw_record_fn *fn, void *ctx);
/* Whether a pause could give something: then the owner has a timer to set, again after each feed. */
bool hw_records_pending(const struct hw_records *r);
void hw_records_pause(struct hw_records *r, hw_record_fn *fn, void *ctx);
/* lost bytes (0: unknown how many) did not come. What is pending is dropped, and so is what comes up to the next end. */
void hw_records_gap(struct hw_records *r, uint64_t lost);
/* What comes next lies at the start of the file, which was emptied: whether it goes on where this stops, nobody knows. Text
 * without an end is given when it is closed; else it is dropped like at a gap. After a whole line nothing is lost. */
void hw_records_seam(struct hw_records *r, hw_record_fn *fn, void *ctx);
/* The output is over. whole: its writer ended by itself, so the rest is a record. Not whole (it was killed, the log breaks off): the rest
 * may be torn, and is given only when it is closed. Offsets go on: another output may follow. */
void hw_records_end(struct hw_records *r, bool whole, hw_record_fn *fn, void *ctx);

struct hw_records_counts hw_records_counts(const struct hw_records *r);

#endif
