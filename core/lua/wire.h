/* wire.h - what passes between main and worker: frames of a head and a body, numbers as this machine has them, since
 * both ends are the same binary.
 * Main believes nothing: it reads every body through hw_wire_in, which never goes past the end, and takes the bad mark
 * for the end of that worker.
 *
 *   worker -> main                        main -> worker
 *   HELLO    protocol, confined           LOAD    id, flags, name, chunk, text, n, n * (key, value)
 *   LOADED   id, n, n * (key, value)      FEED    id, seq, first, count, count * record
 *   FAILED   id, why                      FINISH  id, seq, code
 *   RESULT   id, seq, upto, n, n * item   UNLOAD  id
 *   MODULE   id, name                     MODULE  found, text     (asked only while LOAD is answered)
 *   UNLOADED id
 *   LOG      id, text
 *
 * A FEED is answered by one RESULT or several: each holds what the records before index upto said, the last
 * one has upto = first + count. A record without an item said nothing. item: index, kind, then a sample or a text.
 * A record is a text, or, when none of the parser's hints is in it, HW_WIRE_SKIPPED in place of one. */
#ifndef HW_LUA_WIRE_H
#define HW_LUA_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "progress/sample.h"

enum {
    HW_WIRE_PROTOCOL = 1,
    HW_WIRE_TO_WORKER_MAX = 1024 * 1024, /* bytes of a body */
    HW_WIRE_TO_MAIN_MAX = 32 * 1024,
    HW_WIRE_ITEM_MAX = 2048, /* bytes of a whole item */
    HW_WIRE_TEXT_MAX = 400,  /* of a reason */
    HW_WIRE_OPTIONS_MAX = 64,
};

#define HW_WIRE_SKIPPED UINT32_MAX /* in place of a length */

/* File descriptors of the worker. */
enum { HW_WIRE_IN, HW_WIRE_OUT, HW_WIRE_STDERR, HW_WIRE_BEAT };

enum hw_wire_kind {
    HW_WIRE_HELLO = 1,
    HW_WIRE_LOADED,
    HW_WIRE_FAILED,
    HW_WIRE_RESULT,
    HW_WIRE_MODULE,
    HW_WIRE_LOG,
    HW_WIRE_UNLOADED,
    HW_WIRE_LOAD = 16,
    HW_WIRE_FEED,
    HW_WIRE_FINISH,
    HW_WIRE_UNLOAD,
};

enum { HW_WIRE_STRICT = 1, HW_WIRE_USER_DIR = 2 }; /* flags of LOAD */

enum hw_wire_item {
    HW_WIRE_SAMPLE,
    HW_WIRE_REFUSED, /* text: the parser's word on the record */
    HW_WIRE_FAULT,   /* text, traceback: the parser itself is at fault */
};

struct hw_wire_head {
    uint32_t len; /* of the body */
    uint32_t kind;
};

/* Memory that both see, for what must not cost a system call for each record. */
struct hw_wire_beat {
    _Atomic uint64_t
        count; /* worker: goes up with each record and each step of a load, so main sees it move */
    _Atomic uint32_t wanted; /* main: changes when answers are wanted now, before their frame is full */
};

/* A body being written. bad: it did not fit; nothing was written past the end. */
struct hw_wire_out {
    unsigned char *ptr;
    size_t len, size;
    bool bad;
};

void hw_wire_put(struct hw_wire_out *o, const void *bytes, size_t len);
void hw_wire_put_u32(struct hw_wire_out *o, uint32_t v);
void hw_wire_put_u64(struct hw_wire_out *o, uint64_t v);
void hw_wire_put_text(struct hw_wire_out *o, struct hw_str text); /* length, then the bytes */
void hw_wire_put_cstr(struct hw_wire_out *o, const char *text);   /* the same, with its NUL */
void hw_wire_put_sample(struct hw_wire_out *o, const struct hw_sample *s); /* only what it says */

/* A body being read. bad: it was shorter than it claims; all that is read then is 0 or "". */
struct hw_wire_in {
    const unsigned char *ptr;
    size_t len;
    bool bad;
};

uint32_t hw_wire_get_u32(struct hw_wire_in *in);
uint64_t hw_wire_get_u64(struct hw_wire_in *in);
struct hw_str hw_wire_get_text(struct hw_wire_in *in);              /* borrowed from the body */
bool hw_wire_get_record(struct hw_wire_in *in, struct hw_str *ret); /* false: skipped, or bad */
const char *hw_wire_get_cstr(struct hw_wire_in *in); /* the same; bad when no NUL ends it */
/* Every text in it is ended; the rest is for hw_sample_check. */
struct hw_sample hw_wire_get_sample(struct hw_wire_in *in);

#endif
