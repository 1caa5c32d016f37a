/* worker.h - parsers in a process of their own, seen from the main one.
 * new -> load... -> any of feed, finish, unload -> free. One thread, one loop; nothing blocks. Events come from the
 * loop only, never from inside a call; any call, free too, is allowed inside an event.
 *
 * The worker is this binary again (/proc/self/exe worker) with an empty environment, no files and no system calls
 * but read and write on its pipes. It is started by the first load. A record that takes longer than 2 s ends it, as
 * does a reply that makes no sense; it is started again without the parser that did it, and what the other parsers
 * had not done is sent again: nothing is lost and nothing comes twice, but a reloaded parser begins with
 * empty memory. A worker that dies by itself is started again; the record it held is tried once more. What a
 * parser said in the last quarter of a second before it was set aside may be lost with it.
 *
 * No timer runs while nothing is asked of the worker. Deadlines are real time, also where records are replayed on
 * a virtual clock. What is shown and logged is the caller's business; debug lines are in the room "lua". */
#ifndef HW_LUA_WORKER_H
#define HW_LUA_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "base/str.h"
#include "lua/meta.h"
#include "lua/parsers.h"
#include "progress/sample.h"

struct hw_worker;

enum {
    HW_WORKER_RECORD_MAX =
        64 * 1024, /* bytes of one record; parsers take 4096 unless they say more */
    HW_WORKER_QUEUE_MAX =
        1024 * 1024,           /* bytes of records that are not parsed yet, over all parsers */
    HW_WORKER_TRACE_MAX = 400, /* bytes of a traceback */
    HW_WORKER_FAULTS_MAX = 16, /* errors of a parser in a row, then it is set aside */
};

/* One option for a parser's new(): always text there. Borrowed for the call. */
struct hw_parser_option {
    const char *key;
    const char *value;
};

struct hw_worker_options {
    const char *exe;      /* NULL = /proc/self/exe; copied */
    const char *user_dir; /* for `require` of the user's own modules; NULL = none; copied */
    bool debug;           /* the worker keeps our stderr */
};

/* How far the worker is shut in. The owner warns once when it is less than HW_CONFINED_FILTER. */
enum hw_confined {
    HW_CONFINED_NONE, /* no seccomp to be had here: resource limits only */
    HW_CONFINED_FILTER, /* seccomp filter: read, write and exit (and the sanitizers' calls in such a build) */
    HW_CONFINED_STRICT, /* seccomp strict: read, write and exit */
};

/* Any member but ctx may be NULL. Pointers are borrowed for the call. */
struct hw_worker_events {
    void *ctx;
    /* The parser works. Once for each load, not again after a restart. meta stays until the parser is gone. */
    void (*loaded)(void *ctx, unsigned id, const struct hw_parser_meta *meta);
    /* It can't be loaded; the id is dead, batches that wait for it are dropped without fed. */
    void (*load_failed)(void *ctx, unsigned id, const char *why);
    /* index: of the record in its batch. In the order of the records; checked by hw_sample_check. */
    void (*sample)(void *ctx, unsigned id, uint64_t seq, size_t index,
                   const struct hw_sample *sample);
    void (*refused)(void *ctx, unsigned id, uint64_t seq, size_t index, const char *why);
    /* Right before a refusal that is the parser's own fault: it raised, or what it returned is no sample. trace: the calls it
     * raised in, the innermost first, as "parsers/x.lua:6: in method 'feed' <- ..."; "" = it raised nothing. */
    void (*fault)(void *ctx, unsigned id, uint64_t seq, size_t index, const char *trace);
    /* So many further records of that batch said nothing; may come several times for one batch. */
    void (*silent)(void *ctx, unsigned id, uint64_t seq, size_t count);
    /* The batch is done, all its events were given. */
    void (*fed)(void *ctx, unsigned id, uint64_t seq);
    /* The parser is not used any more: too slow, too many errors, it ended the worker. The id is dead, batches that
     * wait for it are dropped without fed. */
    void (*set_aside)(void *ctx, unsigned id, const char *why);
    /* A worker is up; for each start. */
    void (*started)(void *ctx, enum hw_confined confined);
    /* It can't be started, or ended by itself; it is tried again in retry_ms. */
    void (*trouble)(void *ctx, const struct hw_err *why, int64_t retry_ms);
};

HW_MUST_USE int hw_worker_new(struct hw_worker **ret, uv_loop_t *loop,
                              const struct hw_worker_options *options,
                              const struct hw_worker_events *events, struct hw_err *err);
/* Loads a parser; everything is copied. strict: the source is a progress file, what is no N/M is refused.
 * HW_ELIMIT: 32 parsers are loaded already. */
HW_MUST_USE int hw_worker_load(struct hw_worker *w, const struct hw_parser_source *source,
                               const struct hw_parser_option *options, size_t option_count,
                               bool strict, unsigned *ret_id, struct hw_err *err);
/* Records are copied; allowed before `loaded`. seq is handed back in the events. 0 = taken, 1 = busy: nothing was
 * taken, there is room again at the next `fed`; -1: the parser is gone, or a record is over HW_WORKER_RECORD_MAX.
 * An empty queue takes any batch. */
HW_MUST_USE int hw_worker_feed(struct hw_worker *w, unsigned id, const struct hw_str *records,
                               size_t count, uint64_t seq, struct hw_err *err);
/* The source has ended; code: exit status of the child, -1 = none. Answers as a batch of one record. */
HW_MUST_USE int hw_worker_finish(struct hw_worker *w, unsigned id, int code, uint64_t seq,
                                 struct hw_err *err);
/* Forgets a parser and its batches; no event of it comes any more. */
void hw_worker_unload(struct hw_worker *w, unsigned id);
/* Process id of the worker, 0 while there is none. For specs and measurements. */
int hw_worker_pid(const struct hw_worker *w);
/* For the last record before an end: a worker that waits for its next try starts at once; with replace, one that owes an answer
 * is replaced, without blame. */
void hw_worker_hurry(struct hw_worker *w, bool replace);
/* Ends the worker. No event comes any more; the loop must turn once more for the handles to close. */
void hw_worker_free(struct hw_worker *w);

#endif
