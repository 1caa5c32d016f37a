/* impl.h - the reporter, shared by its files:
 * reporter.c  its life: first look, reporting, last look, last write
 * output.c    bytes of output on their way to records
 * flows.c     records on their way through a parser to the tracker
 * outs.c      the sinks, each at its own pace */
#ifndef HW_REPORT_IMPL_H
#define HW_REPORT_IMPL_H

#include "base/buf.h"
#include "base/causes.h"
#include "lua/pick.h"
#include "report/reporter.h"
#include "source/records.h"
#include "source/watch.h"

/* ---- outs.c */
struct hw_out {
    struct hw_sink *sink; /* owns */
    struct hw_pace pace;
};
struct hw_outs {
    struct hw_out list[HW_REPORTER_SINKS];
    size_t count;
};

/* Takes sink. One more than HW_REPORTER_SINKS is freed. */
void hw_outs_add(struct hw_outs *o, struct hw_sink *sink, const struct hw_pace_rules *rules,
                 int64_t now_ms);
/* Writes what is due; returns after how many milliseconds to look again, -1 = not before the value changes. */
int64_t hw_outs_publish(struct hw_outs *o, const struct hw_progress *value, int64_t now_ms);
/* To that sink alone (NULL: to each), which is about to send an older one again; unless value says nothing new. */
void hw_outs_publish_newest(struct hw_outs *o, const struct hw_sink *sink,
                            const struct hw_progress *value, int64_t now_ms);
/* The last value, to all of them. */
void hw_outs_publish_last(struct hw_outs *o, const struct hw_progress *value);
bool hw_outs_busy(const struct hw_outs *o);
/* One line for each sink that has not taken the last value. */
void hw_outs_warn(const struct hw_outs *o, const struct hw_progress *value);
void hw_outs_feedback(struct hw_outs *o, const struct hw_sink *sink, bool ok, int64_t ms);
void hw_outs_done(struct hw_outs *o);

/* ---- flows.c */
enum { HW_FLOW_FILE, HW_FLOW_OUTPUT, HW_FLOWS };

/* From one kind of source to the tracker. Of the file only the newest line waits while the parser is at work; of the output
 * all records do, up to a ceiling, behind which no more bytes are taken. */
struct hw_flow {
    bool used;
    char *parser; /* owns; a name or a path, as it was asked for */
    unsigned id;  /* of the worker */
    char name[HW_PARSER_NAME_MAX + 1];
    bool word;        /* its parser says that the counts are the task's own words */
    bool each_counts; /* its parser must see every record: not only the newest matters */
    bool dead;        /* nothing can be parsed any more: why says so */
    char why[HW_TEXT_MAX + 1];
    uint64_t seq;       /* of the batch that is with the worker */
    bool parsing;       /* one is */
    struct hw_buf held; /* records that wait: a length (uint32_t), then the bytes, and so on */
    size_t held_count;
    struct hw_pick pick; /* of the output; not used for the file, of which each line counts */
    size_t tried; /* of the records that wait, so many were skipped for the last of them, which is with the worker; 0 = none */
    size_t tried_bytes; /* of held that they take */
    size_t each;        /* of the records that wait, so many must be fed one by one */
    size_t sent;        /* records of the batch that is with the worker */
    bool answered;      /* its last record gave a sample */
    bool finished;      /* the parser was told how the command ended */
    uint64_t samples;
};

enum { HW_HELD_MAX = 256 * 1024 };

HW_MUST_USE int hw_flows_start(struct hw_reporter *r, const struct hw_reporter_options *options,
                               struct hw_err *err);
/* A record for a flow; copied. */
void hw_flow_add(struct hw_reporter *r, struct hw_flow *f, struct hw_str record);
/* Sends what waits, where the worker is free for it. */
void hw_flows_pump(struct hw_reporter *r);
/* Whether nothing of it waits or is with the worker. */
bool hw_flow_is_quiet(const struct hw_flow *f);
/* Tells the parser how the command ended, once; false: there is nothing to wait for. */
bool hw_flow_finish(struct hw_reporter *r, struct hw_flow *f, int code);
/* Drops what waits, and the parser. */
void hw_flow_stop(struct hw_reporter *r, struct hw_flow *f);
/* Counts a refusal, and logs it once for each cause. */
void hw_reporter_refuse(struct hw_reporter *r, const char *why, const char *where);
void hw_flows_done(struct hw_reporter *r);

/* ---- output.c */
/* Says why nothing comes, where neither file nor output has said anything. */
void hw_output_explain(struct hw_reporter *r);
/* Once: that the parser misses some of the output, where it does. */
void hw_output_warn(struct hw_reporter *r);
/* Beside the reason, to the end: the parser was set aside, or has missed some of the output. */
void hw_output_note(const struct hw_reporter *r, struct hw_progress *value);
/* The last record. whole: the writer ended by itself. */
void hw_output_end(struct hw_reporter *r, bool whole);
void hw_output_done(struct hw_reporter *r);

/* ---- reporter.c */
enum hw_stage { HW_LOOKING, HW_REPORTING, HW_LAST_LOOK, HW_LAST_WRITE, HW_OVER };

struct hw_reporter {
    uv_loop_t *loop;              /* borrows */
    const struct hw_clock *clock; /* borrows */
    char *file, *parser_dir;      /* own */
    int64_t poll_ms;
    struct hw_watch *watch;   /* owns */
    struct hw_worker *worker; /* owns */
    struct hw_flow flows[HW_FLOWS];
    struct hw_records *records[HW_REPORTER_STREAMS]; /* own; NULL while nothing came */
    uv_timer_t pause;                                /* the output has paused: a record ends */
    const char *output_name;                         /* borrows */
    bool events;                                     /* file events are wanted */
    bool full;                                       /* of the output as much waits as may */
    uint64_t lost; /* bytes of the output that its parser should have seen */
    bool warned_lost;
    bool unknown_total;         /* ... at the end, of what was counted */
    char note[HW_TEXT_MAX + 1]; /* stands behind the reason while the output counts; "" = none */
    bool awaits;                /* the first publish waits for what the output held at the start */
    bool awaiting;              /* it has not all been given */
    bool file_spoke;            /* the file held a valid N/M: the output is not asked any more */
    bool warned_open;           /* that the worker is not shut in */
    bool looked;                /* the first look has come */
    bool overdue;               /* the first look, of the file, took its second */
    bool answered;              /* the last look has come */
    bool fault;                 /* the refusal that comes next is the parser's own fault: trace */
    bool hurried;               /* the worker was told so */
    hw_reporter_room_fn *room;
    void *room_ctx;
    hw_reporter_doubt_fn *doubt;
    void *doubt_ctx;
    char output_why[HW_TEXT_MAX + 1];    /* why no output comes, or "" */
    char trace[HW_WORKER_TRACE_MAX + 1]; /* where the parser raised; "" = nowhere */
    struct hw_causes causes;             /* of refusals and trouble that were logged */
    struct hw_tracker tracker;
    struct hw_outs outs;
    uv_timer_t timer; /* the next deadline of pace or tracker */
    uv_timer_t limit; /* of a stage: first look, last look, last write */
    enum hw_stage stage;
    bool settled; /* the first value was written: the start is over */
    bool ended;   /* how the command ended is known: end */
    struct hw_reporter_end end;
    char end_reason[HW_TEXT_MAX + 1];
    int64_t finish_by_ms;
    hw_reporter_done_fn *done;
    void *done_ctx;
    int handles; /* timers that are not closed yet */
};

struct hw_moment hw_reporter_now(const struct hw_reporter *r);
/* A record more or a batch less: sends what waits, goes to the next stage, or publishes what is due. */
void hw_reporter_advance(struct hw_reporter *r);

#endif
