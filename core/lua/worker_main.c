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
    OPTIONS_MAX = 64,
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

/* A body in the one buffer there is; emit sends it. */
static struct hw_wire_out begin(void)
{
    return (struct hw_wire_out){ .ptr = my.out + sizeof(struct hw_wire_head),
                                 .size = HW_WIRE_TO_MAIN_MAX };
}

static void emit(enum hw_wire_kind kind, const struct hw_wire_out *o)
{
    struct hw_wire_head head = { .len = (uint32_t)o->len, .kind = kind };
    if (o->bad)
        hw_confined_exit(END_PROTOCOL); /* sizes were chosen so that it can't be */
    memcpy(my.out, &head, sizeof head);
    write_all(my.out, sizeof head + o->len);
}

/* Until len bytes stand at in_begin. */
static void need(size_t len)
{
    if (my.in_begin + len > sizeof my.in) {
        memmove(my.in, my.in + my.in_begin, my.in_end - my.in_begin);
        my.in_end -= my.in_begin;
        my.in_begin = 0;
    }
    while (my.in_end - my.in_begin < len) {
        ssize_t n = read(HW_WIRE_IN, my.in + my.in_end, sizeof my.in - my.in_end);
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
    if (my.in_begin == my.in_end) /* the low end again: fewer pages are touched */
        my.in_begin = my.in_end = 0;
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
    struct hw_wire_out o = begin();
    hw_wire_put_u32(&o, p->id);
    hw_wire_put_text(&o, hw_str(name));
    emit(HW_WIRE_MODULE, &o);
    if (next_frame(&body) != HW_WIRE_MODULE)
        hw_confined_exit(END_PROTOCOL);
    int found = hw_wire_get_u32(&body) == 1;
    *ret_text = hw_wire_get_text(&body);
    return found && !body.bad;
}

/* While a RESULT is being put together the buffer is taken: lines printed by feed are dropped then. */
static bool out_taken;

static void send_log(void *ctx, struct hw_str text)
{
    struct parser *p = ctx;
    if (out_taken || p->log_lines++ >= LOG_LINES_MAX)
        return;
    struct hw_wire_out o = begin();
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
