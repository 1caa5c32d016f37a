/* worker_impl.h - main's side of the worker, shared by its three files:
 * worker.c          what callers ask: parsers, and the queue of what is to be done
 * worker_process.c  the process: start, pipes, deadline, end, start again
 * worker_reply.c    what it answers, none of which is believed unseen
 *
 * Everything asked is an op in one queue, sent in order, a few at a time, and answered in order. An op stays until its
 * last answer came, so a new worker gets again what the old one left undone. Behind a LOAD nothing is sent before it is
 * answered: the worker may ask for modules meanwhile. */
#ifndef HW_LUA_WORKER_IMPL_H
#define HW_LUA_WORKER_IMPL_H

#include "lua/wire.h"
#include "lua/worker.h"

/* Where a parser was when a worker ended: twice at the same place is no accident. */
struct hw_worker_mark {
    enum hw_wire_kind kind; /* 0 = nowhere */
    uint64_t seq;
    uint32_t upto;
};

struct hw_worker_parser {
    struct hw_worker_parser *next;
    unsigned id;
    struct hw_parser_source source; /* owns; text as in parsers.h */
    char **options;                 /* owns; key, value, key, value... */
    size_t option_count;
    bool strict;
    bool announced;              /* `loaded` was given */
    struct hw_parser_meta *meta; /* owns; NULL until then */
    unsigned faults;             /* in a row */
    struct hw_worker_mark died;
};

struct hw_worker_op {
    struct hw_worker_op *next;
    enum hw_wire_kind kind; /* LOAD, FEED, FINISH, UNLOAD */
    unsigned id;
    uint64_t seq;
    uint32_t first, count; /* FEED: indices of its records in the batch */
    uint32_t upto;         /* FEED, FINISH: all records before this index are done */
    bool last;             /* FEED, FINISH: the batch ends with it */
    bool sent;             /* to the worker that runs now */
    int code;              /* FINISH */
    size_t len;
    char body[]; /* FEED: the records; LOAD: all but the id */
};

enum hw_worker_state {
    HW_WORKER_DOWN,     /* no process; the retry timer runs when one is wanted */
    HW_WORKER_STARTING, /* HELLO is awaited */
    HW_WORKER_UP,
    HW_WORKER_ENDING, /* killed or dead; its handles are not closed yet */
};

struct hw_worker {
    uv_loop_t *loop;      /* borrows */
    char *exe, *user_dir; /* own */
    bool debug, freed;
    struct hw_worker_events events;
    struct hw_worker_parser *parsers; /* owns */
    unsigned last_id;
    struct hw_worker_op *ops; /* owns; in order, those that were sent first */
    struct hw_worker_op *last_op;
    size_t queued;    /* bytes of all ops that are FEED */
    unsigned modules; /* asked for by the load that is being answered */

    enum hw_worker_state state;
    uv_process_t process;
    uv_pipe_t to, from;
    int handles; /* of these three, not closed yet */
    bool to_open, from_open, process_open;
    bool exited, eof;
    bool deaf;     /* it said something senseless: nothing more is heard */
    bool overdue;  /* it was killed for that; guilty says where it was */
    bool innocent; /* it was killed, but no parser is to blame */
    struct hw_worker_mark guilty;
    char why[160]; /* how it ended */
    int fails;     /* ends in a row without any work done */
    uv_timer_t retry, tick;
    int timers;                /* not closed yet */
    int beat_fd;               /* owns */
    struct hw_wire_beat *beat; /* owns; mapped */
    uint64_t seen;             /* beat at the last tick */
    int ticks;                 /* since it moved */
    int64_t cpu_ms;            /* of the worker when it moved; -1 = not read yet */
    unsigned char *in;         /* owns; bytes that came and make no whole frame yet */
    size_t in_len;
};

/* ---- worker.c */
struct hw_worker_parser *hw_worker_find(struct hw_worker *w, unsigned id);
/* Copies what a parser says of itself; from now on its hints are applied here. */
void hw_worker_keep_meta(struct hw_worker_parser *p, const struct hw_parser_meta *meta);
/* Removes the first op. */
void hw_worker_pop(struct hw_worker *w);
/* Sends what may be sent now. */
void hw_worker_pump(struct hw_worker *w);
/* The parser is gone: says so by load_failed or set_aside. */
void hw_worker_drop(struct hw_worker *w, unsigned id, const char *why);
/* A new worker will know nothing: every op is unsent, and parsers are loaded first. */
void hw_worker_rewind(struct hw_worker *w);
void hw_worker_forget_all(struct hw_worker *w);

/* ---- worker_process.c */
/* The page that both sides see; for all workers that follow each other. */
HW_MUST_USE int hw_worker_make_beat(struct hw_worker *w, struct hw_err *err);
/* A worker is wanted: starts one in delay_ms unless there is one. */
void hw_worker_want(struct hw_worker *w, int64_t delay_ms);
/* Sends a frame; both parts are copied. */
void hw_worker_write(struct hw_worker *w, enum hw_wire_kind kind, struct hw_str part,
                     struct hw_str more);
/* Ends the worker because of what it did. */
void hw_worker_kill(struct hw_worker *w, const char *why);
/* Starts or stops the deadline as the queue demands. */
void hw_worker_watch(struct hw_worker *w);
/* Ends everything; the struct is freed when the last handle has closed. */
void hw_worker_close(struct hw_worker *w);

/* ---- worker_reply.c */
/* Takes len bytes that were read into w->in. */
void hw_worker_take(struct hw_worker *w, size_t len);
enum { HW_WORKER_IN_SIZE = sizeof(struct hw_wire_head) + HW_WIRE_TO_MAIN_MAX };

#endif
