/* worker_main.c - the worker process: read a frame, let a parser work, write what it said. Everything here is mapped
 * before hw_confine; afterwards nothing is allocated but in the arena. */
#include "lua/worker_main.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "lua/confine.h"
#include "lua/host.h"
#include "lua/wire.h"

enum {
    ARENA_SIZE = 16 * 1024 * 1024,
    PARSERS_MAX = 32,
    READ_MAX = 64 * 1024,
    LOG_LINES_MAX = 200, /* of print(), per parser: a debug aid, no channel */
};

/* How the process ends; main only looks at the signal. */
enum { END_OF_INPUT = 0, END_PROTOCOL = 3, END_SETUP = 4 };

struct parser {
    uint32_t id;
    struct hw_host *host; /* owns; NULL = the place is free */
    int log_lines;
};

/* Zero until touched: only what is used costs memory. */
static struct {
    unsigned char in[sizeof(struct hw_wire_head) + HW_WIRE_TO_WORKER_MAX];
    size_t in_begin, in_end;
    size_t frame_end; /* of the frame that was handed out last */
    unsigned char out[sizeof(struct hw_wire_head) + HW_WIRE_TO_MAIN_MAX];
    unsigned char log[sizeof(struct hw_wire_head) + 512];
    struct hw_arena arena;
    struct parser parsers[PARSERS_MAX];
    struct hw_wire_beat *beat;
} my;

static void beat(void)
{
    atomic_fetch_add_explicit(&my.beat->count, 1, memory_order_relaxed);
}

/* ---- frames -------------------------------------------------------------------------------------- */

static void write_all(const unsigned char *p, size_t len)
{
    while (len) {
        ssize_t n = write(HW_WIRE_OUT, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            hw_confined_exit(END_OF_INPUT);
        p += n;
        len -= (size_t)n;
    }
}

/* A body in a buffer that has room for the head in front. */
static struct hw_wire_out begin(unsigned char *buffer, size_t size)
{
    size_t head = sizeof(struct hw_wire_head);
    return (struct hw_wire_out){ .ptr = buffer + head, .size = size - head };
}

static void emit(enum hw_wire_kind kind, const struct hw_wire_out *o)
{
    struct hw_wire_head head = { .len = (uint32_t)o->len, .kind = kind };
    if (o->bad)
        hw_confined_exit(END_PROTOCOL); /* sizes were chosen so that it can't be */
    memcpy(o->ptr - sizeof head, &head, sizeof head);
    write_all(o->ptr - sizeof head, sizeof head + o->len);
}

/* Until len bytes stand at in_begin. Reads low and little, so that few pages of the buffer are ever touched. */
static void need(size_t len)
{
    size_t have = my.in_end - my.in_begin, most = len > READ_MAX ? len : READ_MAX;
    if (have >= len)
        return;
    memmove(my.in, my.in + my.in_begin, have);
    my.in_begin = 0;
    my.in_end = have;
    while (my.in_end < len) {
        ssize_t n = read(HW_WIRE_IN, my.in + my.in_end, most - my.in_end);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            hw_confined_exit(END_OF_INPUT);
        my.in_end += (size_t)n;
    }
}

/* The next frame; its body is valid until the next call. */
static enum hw_wire_kind next_frame(struct hw_wire_in *body)
{
    struct hw_wire_head head;
    my.in_begin = my.frame_end;
    need(sizeof head);
    memcpy(&head, my.in + my.in_begin, sizeof head);
    if (head.len > HW_WIRE_TO_WORKER_MAX)
        hw_confined_exit(END_PROTOCOL);
    need(sizeof head + head.len);
    *body = (struct hw_wire_in){ .ptr = my.in + my.in_begin + sizeof head, .len = head.len };
    my.frame_end = my.in_begin + sizeof head + head.len;
    return head.kind;
}

/* ---- parsers ------------------------------------------------------------------------------------- */

static struct parser *find(uint32_t id)
{
    for (size_t i = 0; i < PARSERS_MAX; i++)
        if (my.parsers[i].host && my.parsers[i].id == id)
            return &my.parsers[i];
    return NULL;
}

static struct parser *free_place(void)
{
    for (size_t i = 0; i < PARSERS_MAX; i++)
        if (!my.parsers[i].host)
            return &my.parsers[i];
    return NULL;
}

/* ---- what hosts ask ------------------------------------------------------------------------------ */

/* Main sends nothing else while a LOAD is not answered, so the next frame is the reply. */
static int ask_module(void *ctx, const char *name, struct hw_str *ret_text)
{
    const struct parser *p = ctx;
    struct hw_wire_in body;
    struct hw_wire_out o = begin(my.out, sizeof my.out);
    hw_wire_put_u32(&o, p->id);
    hw_wire_put_text(&o, hw_str(name));
    emit(HW_WIRE_MODULE, &o);
    if (next_frame(&body) != HW_WIRE_MODULE)
        hw_confined_exit(END_PROTOCOL);
    bool found = hw_wire_get_u32(&body);
    *ret_text = hw_wire_get_text(&body);
    return found && !body.bad;
}

/* Its own buffer: a RESULT may be half made. */
static void send_log(void *ctx, struct hw_str text)
{
    struct parser *p = ctx;
    struct hw_wire_out o = begin(my.log, sizeof my.log);
    if (p->log_lines++ >= LOG_LINES_MAX)
        return;
    if (text.len > HW_WIRE_TEXT_MAX)
        text.len = HW_WIRE_TEXT_MAX;
    hw_wire_put_u32(&o, p->id);
    hw_wire_put_text(&o, text);
    emit(HW_WIRE_LOG, &o);
}

static void on_step(void *ctx)
{
    (void)ctx;
    beat();
}

/* ---- LOAD ---------------------------------------------------------------------------------------- */

static void say_loaded(const struct parser *p)
{
    struct hw_wire_out o = begin(my.out, sizeof my.out);
    hw_wire_put_u32(&o, p->id);
    hw_meta_put(&o, hw_host_meta(p->host));
    emit(HW_WIRE_LOADED, &o);
}

static void say_failed(uint32_t id, const char *why)
{
    struct hw_wire_out o = begin(my.out, sizeof my.out);
    hw_wire_put_u32(&o, id);
    hw_wire_put_text(&o, hw_str(why));
    emit(HW_WIRE_FAILED, &o);
}

/* Reads all but the id. The texts stay in the frame. */
static void read_source(struct hw_wire_in *body, struct hw_host_source *s, uint32_t *flags,
                        struct hw_parser_option *options)
{
    *flags = hw_wire_get_u32(body);
    s->name = hw_wire_get_cstr(body);
    s->chunk = hw_wire_get_cstr(body);
    s->text = hw_wire_get_text(body);
    s->option_count = hw_wire_get_u32(body);
    if (s->option_count > HW_WIRE_OPTIONS_MAX)
        hw_confined_exit(END_PROTOCOL);
    for (size_t i = 0; i < s->option_count; i++) {
        options[i].key = hw_wire_get_cstr(body);
        options[i].value = hw_wire_get_cstr(body);
    }
    s->options = options;
    s->strict = *flags & HW_WIRE_STRICT;
}

static void on_load(struct hw_wire_in *body)
{
    struct hw_parser_option options[HW_WIRE_OPTIONS_MAX];
    struct hw_host_source source = { 0 };
    struct hw_err err;
    uint32_t id = hw_wire_get_u32(body), flags;
    struct parser *p = free_place();
    read_source(body, &source, &flags, options);
    if (body->bad || !p || find(id))
        hw_confined_exit(END_PROTOCOL);
    *p = (struct parser){ .id = id };
    struct hw_host_hooks hooks = { .ctx = p, .print = send_log, .step = on_step };
    if (flags & HW_WIRE_USER_DIR)
        hooks.module = ask_module;
    if (hw_host_new(&p->host, &my.arena, &source, &hooks, &err) < 0)
        say_failed(id, err.msg);
    else
        say_loaded(p);
}

/* ---- FEED, FINISH -------------------------------------------------------------------------------- */

/* A RESULT that is being put together. */
struct result {
    struct hw_wire_out o;
    uint32_t id;
    uint64_t seq;
    uint32_t items;
    uint32_t wanted; /* the beat's, when it began */
    uint32_t end; /* index behind the last record: what was said up to there is sent by the caller */
};

enum { AT_UPTO = 12, AT_ITEMS = 16 }; /* in the body, behind id and seq */

static void begin_result(struct result *r)
{
    r->o = begin(my.out, sizeof my.out);
    r->items = 0;
    r->wanted = atomic_load_explicit(&my.beat->wanted, memory_order_relaxed);
    hw_wire_put_u32(&r->o, r->id);
    hw_wire_put_u64(&r->o, r->seq);
    hw_wire_put_u32(&r->o, 0);
    hw_wire_put_u32(&r->o, 0);
}

static void emit_result(struct result *r, uint32_t upto)
{
    memcpy(r->o.ptr + AT_UPTO, &upto, sizeof upto);
    memcpy(r->o.ptr + AT_ITEMS, &r->items, sizeof r->items);
    emit(HW_WIRE_RESULT, &r->o);
    if (upto < r->end)
        begin_result(r);
}

static void put_refusal(struct hw_wire_out *o, const struct hw_host *h, const struct hw_err *err)
{
    bool fault = err->code != HW_EINPUT;
    hw_wire_put_u32(o, fault ? HW_WIRE_FAULT : HW_WIRE_REFUSED);
    hw_wire_put_text(o, hw_str(err->msg));
    if (fault)
        hw_wire_put_text(o, hw_str(hw_host_trace(h)));
}

static void add_item(struct result *r, const struct hw_host *h, uint32_t index, int st,
                     const struct hw_sample *s, const struct hw_err *err)
{
    r->items++;
    hw_wire_put_u32(&r->o, index);
    if (st < 0)
        put_refusal(&r->o, h, err);
    else {
        hw_wire_put_u32(&r->o, HW_WIRE_SAMPLE);
        hw_wire_put_sample(&r->o, s);
    }
}

/* st, s, err: what the host gave for the record at index. */
static void add_outcome(struct result *r, const struct hw_host *h, uint32_t index, int st,
                        const struct hw_sample *s, const struct hw_err *err)
{
    beat();
    if (st != 0)
        add_item(r, h, index, st, s, err);
    bool full = r->o.size - r->o.len < HW_WIRE_ITEM_MAX;
    bool wanted = r->wanted != atomic_load_explicit(&my.beat->wanted, memory_order_relaxed);
    if ((full || wanted) && index + 1 < r->end)
        emit_result(r, index + 1);
}

static struct hw_host *begin_work(struct hw_wire_in *body, struct result *r)
{
    r->id = hw_wire_get_u32(body);
    r->seq = hw_wire_get_u64(body);
    struct parser *p = find(r->id);
    if (!p)
        hw_confined_exit(END_PROTOCOL);
    begin_result(r);
    return p->host;
}

static void on_feed(struct hw_wire_in *body)
{
    struct result r;
    struct hw_sample s;
    struct hw_err err;
    struct hw_host *h = begin_work(body, &r);
    uint32_t index = hw_wire_get_u32(body);
    r.end = index + hw_wire_get_u32(body);
    for (; index < r.end; index++) {
        struct hw_str record;
        int st = hw_wire_get_record(body, &record) ? hw_host_feed(h, record, &s, &err) : 0;
        if (body->bad)
            hw_confined_exit(END_PROTOCOL);
        add_outcome(&r, h, index, st, &s, &err);
    }
    emit_result(&r, r.end);
}

static void on_finish(struct hw_wire_in *body)
{
    struct result r;
    struct hw_sample s;
    struct hw_err err;
    struct hw_host *h = begin_work(body, &r);
    int code = (int)hw_wire_get_u32(body);
    r.end = 1;
    add_outcome(&r, h, 0, hw_host_finish(h, code, &s, &err), &s, &err);
    emit_result(&r, r.end);
}

/* ---- the process --------------------------------------------------------------------------------- */

static void on_unload(struct hw_wire_in *body)
{
    uint32_t id = hw_wire_get_u32(body);
    struct parser *p = find(id);
    if (p) { /* else its loading failed */
        hw_host_free(p->host);
        p->host = NULL;
    }
    struct hw_wire_out o = begin(my.out, sizeof my.out);
    hw_wire_put_u32(&o, id);
    emit(HW_WIRE_UNLOADED, &o);
}

static void serve(void)
{
    for (;;) {
        struct hw_wire_in body;
        switch (next_frame(&body)) {
        case HW_WIRE_LOAD:
            on_load(&body);
            break;
        case HW_WIRE_FEED:
            on_feed(&body);
            break;
        case HW_WIRE_FINISH:
            on_finish(&body);
            break;
        case HW_WIRE_UNLOAD:
            on_unload(&body);
            break;
        default:
            hw_confined_exit(END_PROTOCOL);
        }
    }
}

static void say_hello(enum hw_confined confined)
{
    struct hw_wire_out o = begin(my.out, sizeof my.out);
    hw_wire_put_u32(&o, HW_WIRE_PROTOCOL);
    hw_wire_put_u32(&o, confined);
    emit(HW_WIRE_HELLO, &o);
}

static bool map_beat(void)
{
    void *p = mmap(NULL, sizeof *my.beat, PROT_READ | PROT_WRITE, MAP_SHARED, HW_WIRE_BEAT, 0);
    my.beat = p == MAP_FAILED ? NULL : p;
    return my.beat;
}

int hw_worker_main(void)
{
    struct hw_err err;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* a huge page would make 2 MiB of one touched byte */
    if (!map_beat()) {
        fputs("headway worker is started by headway itself; it is no command for people\n", stderr);
        return 2;
    }
    if (hw_arena_init(&my.arena, ARENA_SIZE, &err) < 0)
        return END_SETUP;
    hw_settle(); /* what the start needed is not needed again */
    say_hello(hw_confine(HW_WIRE_BEAT));
    serve();
    return 0;
}
