/* proof.h - one parser in a worker of its own, asked record by record, each answer awaited: for `check`, `parsers` and `suggest`.
 * open -> ask... -> close. After set_aside a new one must be opened. */
#ifndef HW_CMD_PROOF_H
#define HW_CMD_PROOF_H

#include <uv.h>

#include "config/config.h"
#include "lua/worker.h"

struct hw_proof {
    uv_loop_t loop;
    uv_timer_t timer;
    struct hw_worker *worker;
    unsigned id;
    uint64_t seq;
    bool over; /* an answer is there */
    bool set_aside;
    struct hw_parser_meta meta;
    bool open;         /* there is a loop to close */
    struct hw_err err; /* why it can't be loaded, or was set aside */
    struct hw_answer {
        enum { HW_SAYS_NOTHING, HW_SAYS_SAMPLE, HW_SAYS_REFUSED, HW_SAYS_FAULT } kind;
        char why[HW_TEXT_MAX + 1]; /* REFUSED, FAULT */
        struct hw_count over; /* SAMPLE: of its counts one that is over its total; total -1: none is */
        double cpu_ms;        /* that the worker has used for it; < 0 = not known */
    } answer;
};

/* options: NULL = none. -1: p->err; close it all the same. Waits for the parser, some seconds at most. */
HW_MUST_USE int hw_proof_open(struct hw_proof *p, const struct hw_parser_source *source,
                              const char *user_dir, const struct hw_pairs *options, bool strict);
/* -1: set aside by this record; p->err. */
HW_MUST_USE int hw_proof_ask(struct hw_proof *p, struct hw_str record);
/* The end of the source; code: -1 = unknown. */
HW_MUST_USE int hw_proof_finish(struct hw_proof *p, int code);
void hw_proof_close(struct hw_proof *p);

#endif
