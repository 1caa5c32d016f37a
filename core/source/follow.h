/* follow.h - the reading of a log that tail.h does on its thread: which file, from where, is it still the one it was.
 * Blocks as the file system does. init -> look, read... -> done. */
#ifndef HW_SOURCE_FOLLOW_H
#define HW_SOURCE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "source/tail.h"

enum { HW_FOLLOW_MARK = 64 };

struct hw_follow_file {
    int fd; /* owns */
    dev_t dev;
    ino_t ino;
};

struct hw_follow {
    char *path;                                 /* owns */
    struct hw_follow_file files[HW_TAIL_FILES]; /* the first one is being read, the last one has the name */
    size_t count;
    bool leaving; /* the next file holds something: after the rest of this one it is that one's turn */
    uint64_t offset; /* in the first file, of the next byte */
    size_t mark_len, head_len;
    char mark[HW_FOLLOW_MARK]; /* the bytes before offset */
    char head[HW_FOLLOW_MARK]; /* the first ones of the file */
    enum hw_tail_seam seam;    /* before the next bytes */
    uint64_t lost;             /* ... so many were left out */
    char why[HW_TAIL_WHY];     /* nothing can be read, or "" */
    char *buf;                 /* owns; a mark and a piece */
};

void hw_follow_init(struct hw_follow *f, const char *path);
void hw_follow_done(struct hw_follow *f);
/* Who has the name now? */
void hw_follow_look(struct hw_follow *f);
/* The next bytes, borrowed until the next call; and f->seam and f->lost, which the caller sets back. Empty: all has been read. */
struct hw_str hw_follow_read(struct hw_follow *f);
/* Bytes of the first file that were not read yet. */
uint64_t hw_follow_left(const struct hw_follow *f);
/* Leaves out all but the last `keep` bytes of the first file. */
void hw_follow_skip(struct hw_follow *f, uint64_t keep);

#endif
