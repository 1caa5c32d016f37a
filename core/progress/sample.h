/* sample.h - what one record says about progress: the only value that crosses from a parser to C.
 * A plain value without pointers, so that it can pass a pipe; who receives one from the worker calls
 * hw_sample_check before it believes a byte of it. */
#ifndef HW_PROGRESS_SAMPLE_H
#define HW_PROGRESS_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
    HW_TEXT_MAX = 200, /* bytes of a message or reason, after cleaning */
    HW_UNIT_MAX = 24,  /* bytes of a unit: letters, digits, "_", "-", "/", "%" and inner spaces */
    HW_ALSO_MAX = 4,
    HW_PHASE_MAX = 999, /* phases of one task */
};

struct hw_count {
    int64_t done;               /* 0 .. 2^63-1 */
    int64_t total;              /* the same; -1 = unknown */
    char unit[HW_UNIT_MAX + 1]; /* "" = not said */
};

struct hw_phase {
    char name[64]; /* "" = not said */
    int index;     /* 1 .. count; 0 = the sample names no phase */
    int count;     /* 0 = unknown */
    double weight; /* share of the whole, 0 < weight <= 1; 0 = not said */
};

/* What a summary line claims; only the exit status or the workload's outcome proves an end. */
enum hw_ended { HW_ENDED_NO, HW_ENDED_COMPLETE, HW_ENDED_PARTIAL, HW_ENDED_FAILED };
/* "complete", "partial", "failed"; "" for HW_ENDED_NO. */
const char *hw_ended_name(enum hw_ended ended);

struct hw_sample {
    bool counted; /* main holds a count */
    struct hw_count main;
    double fraction; /* 0..1 for tools that know only a percent; < 0 = not said */
    struct hw_count also[HW_ALSO_MAX];
    int also_count;
    struct hw_phase phase;
    bool scanning; /* the total is provisional */
    bool restart;  /* counts begin anew */
    bool each; /* the parser must see each record that comes next, whatever its module says of the newest */
    enum hw_ended ended;
    char message[HW_TEXT_MAX + 1];
};

/* An empty sample: nothing counted, no fraction. */
struct hw_sample hw_sample_none(void);

/* Whether every field is in range, texts are ended and clean (messages are cleaned in place), and the
 * sample says anything at all. HW_EINPUT names the field. done > total is allowed here: totals come
 * late, the tracker corrects and counts it. */
HW_MUST_USE int hw_sample_check(struct hw_sample *s, struct hw_err *err);

#endif
