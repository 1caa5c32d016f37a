/* progress.h - what is believed now about one task: a plain value that sinks may keep a copy of. */
#ifndef HW_PROGRESS_PROGRESS_H
#define HW_PROGRESS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "progress/sample.h"

enum hw_state {
    HW_WAITING,  /* nothing was counted yet */
    HW_SCANNING, /* total unknown or growing */
    HW_RUNNING,
    HW_STALLED,
    HW_COMPLETE,
    HW_FAILED,
};

/* "waiting", "scanning", ...; never NULL. */
const char *hw_state_name(enum hw_state state);

struct hw_progress {
    int64_t n, m; /* the N/M to publish, 0 <= n <= m */
    bool counted; /* count holds what the task or tool said last */
    struct hw_count count;
    double fraction; /* share done 0..1; < 0 = unknown */
    struct hw_count also[HW_ALSO_MAX];
    int also_count;
    enum hw_state state;
    char reason[HW_TEXT_MAX + 1]; /* "" = none needed */
    struct hw_phase phase;
    int attempt;     /* 0 = unknown, else 1 for the first pod of a Job, 2 for its retry */
    int restarts;    /* how often counts began anew */
    double rate;     /* units a second; < 0 = unknown */
    double eta;      /* seconds left; < 0 = unknown */
    int64_t started; /* Unix ms of the first accepted value; 0 = none */
    int64_t updated; /* Unix ms of the last accepted change; 0 = none */
    char parser[64]; /* name of the parser that decided; "" = none */
    int64_t refused; /* records refused so far */
    char message[HW_TEXT_MAX + 1]; /* the task's own words */
    enum hw_ended said;            /* what its last words claim of the end; no proof */
};

/* Behind the reason, unless that says it already; text that finds no room is cut. */
void hw_progress_note(struct hw_progress *p, const char *note);

#endif
