/* worker_reply.c - answers of the worker. A parser may have taken it over: sizes, kinds, ids, order and every sample
 * are checked, and the first thing that can't be ends it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/worker_impl.h"

enum { MODULES_MAX = 64 }; /* asked for by one load */

static void senseless(struct hw_worker *w)
{
    w->deaf = true;
    hw_worker_kill(w, "gave an answer that makes no sense");
}

/* Text of the worker's, for people. */
static void get_clean(struct hw_wire_in *in, char *dst, size_t max)
{
    hw_clean_private(dst, max, hw_wire_get_text(in));
}

/* The same for what must be told: never empty. */
static void get_why(struct hw_wire_in *in, char why[HW_TEXT_MAX + 1])
{
    get_clean(in, why, HW_TEXT_MAX);
    if (!why[0])
        snprintf(why, HW_TEXT_MAX + 1, "no reason given");
}

static struct hw_str take_line(struct hw_str *text)
{
    const char *lf = text->len ? memchr(text->ptr, '\n', text->len) : NULL;
    size_t len = lf ? (size_t)(lf - text->ptr) : text->len, behind = lf ? len + 1 : len;
    struct hw_str line = { text->ptr, len };
    *text = (struct hw_str){ text->ptr + behind, text->len - behind };
    return line;
}

/* Lua's traceback, a headline and a line for each call, in one line. */
static void get_trace(struct hw_wire_in *in, char trace[HW_WORKER_TRACE_MAX + 1])
{
    struct hw_str text = hw_wire_get_text(in);
    char line[HW_WORKER_TRACE_MAX + 1];
    size_t n = 0;
    trace[0] = '\0';
    take_line(&text);
    while (text.len && n < HW_WORKER_TRACE_MAX) {
        hw_clean_private(line, sizeof line - 1, take_line(&text));
        n += (size_t)snprintf(trace + n, HW_WORKER_TRACE_MAX + 1 - n, "%s%s", n ? " <- " : "", line);
    }
}

static const char *name_of(struct hw_worker *w, unsigned id)
{
    const struct hw_worker_parser *p = hw_worker_find(w, id);
    return p ? p->source.name : "?";
}

/* The op that is being answered; NULL: that can't be an answer. */
static struct hw_worker_op *answered(struct hw_worker *w, unsigned id)
{
    struct hw_worker_op *op = w->ops;
    return op && op->sent && op->id == id ? op : NULL;
}

static void hello(struct hw_worker *w, struct hw_wire_in *in)
{
    uint32_t protocol = hw_wire_get_u32(in), confined = hw_wire_get_u32(in);
    if (in->bad || w->state != HW_WORKER_STARTING || protocol != HW_WIRE_PROTOCOL ||
        confined > HW_CONFINED_STRICT) {
        senseless(w);
        return;
    }
    w->state = HW_WORKER_UP;
    hw_log(HW_DEBUG, "lua", "worker %d is up", w->process.pid);
    hw_worker_watch(w);
    if (w->events.started)
        w->events.started(w->events.ctx, (enum hw_confined)confined);
    hw_worker_pump(w);
}

/* ---- LOAD ---------------------------------------------------------------------------------------- */

static void loaded(struct hw_worker *w, struct hw_wire_in *in)
{
    struct hw_parser_meta meta;
    unsigned id = hw_wire_get_u32(in);
    struct hw_worker_op *op = answered(w, id);
    hw_meta_get(in, &meta);
    if (in->bad || !op || op->kind != HW_WIRE_LOAD) {
        senseless(w);
        return;
    }
    hw_worker_pop(w);
    struct hw_worker_parser *p = hw_worker_find(w, id);
    if (p) {
        bool announced = p->announced;
        p->announced = true;
        hw_worker_keep_meta(p, &meta);
        w->fails = announced ? w->fails : 0;
        if (!announced && w->events.loaded)
            w->events.loaded(w->events.ctx, id, p->meta);
    }
    hw_worker_pump(w);
    hw_worker_watch(w);
}

static void failed(struct hw_worker *w, struct hw_wire_in *in)
{
    char why[HW_TEXT_MAX + 1];
    unsigned id = hw_wire_get_u32(in);
    get_why(in, why);
    struct hw_worker_op *op = answered(w, id);
    if (in->bad || !op || op->kind != HW_WIRE_LOAD) {
        senseless(w);
        return;
    }
    hw_worker_pop(w);
    hw_worker_drop(w, id, why);
    hw_worker_pump(w);
    hw_worker_watch(w);
}

/* Reads a file of the user's at once: it is asked only while a parser loads. */
static void module(struct hw_worker *w, struct hw_wire_in *in)
{
    char name[HW_PARSER_NAME_MAX + 1];
    struct hw_parser_source source = { 0 };
    struct hw_err err;
    unsigned id = hw_wire_get_u32(in);
    struct hw_str text = hw_wire_get_text(in);
    struct hw_worker_op *op = answered(w, id);
    if (in->bad || !op || op->kind != HW_WIRE_LOAD || text.len >= sizeof name ||
        memchr(text.ptr, '\0', text.len) || ++w->modules > MODULES_MAX) {
        senseless(w);
        return;
    }
    memcpy(name, text.ptr, text.len);
    name[text.len] = '\0';
    int found = hw_parsers_module(name, w->user_dir, &source, &err);
    if (found < 0)
        hw_log(HW_WARN, "lua", "parser '%s': %s; the built-in module is used, if there is one",
               name_of(w, id), err.msg);
    unsigned char part[8];
    struct hw_wire_out o = { .ptr = part, .size = sizeof part };
    hw_wire_put_u32(&o, found > 0);
    hw_wire_put_u32(&o, (uint32_t)source.text.len); /* head of the text that follows */
    hw_worker_write(w, HW_WIRE_MODULE, (struct hw_str){ (const char *)part, o.len }, source.text);
    hw_parser_source_done(&source);
}

static void unloaded(struct hw_worker *w, struct hw_wire_in *in)
{
    struct hw_worker_op *op = answered(w, hw_wire_get_u32(in));
    if (in->bad || !op || op->kind != HW_WIRE_UNLOAD) {
        senseless(w);
        return;
    }
    hw_worker_pop(w);
    hw_worker_pump(w);
    hw_worker_watch(w);
}

/* ---- RESULT -------------------------------------------------------------------------------------- */

/* Where the answers to one op stand. p is looked up again after each event, which may drop it. */
struct course {
    struct hw_worker *w;
    struct hw_worker_op *op;
    unsigned id;
    uint64_t seq;
};

static struct hw_worker_parser *parser_of(const struct course *c)
{
    return c->w->freed ? NULL : hw_worker_find(c->w, c->id);
}

/* All records before upto are done, those since the last one said nothing. */
static void advance(struct course *c, uint32_t upto)
{
    uint32_t silent = upto - c->op->upto;
    struct hw_worker_parser *p = parser_of(c);
    c->op->upto = upto;
    if (!p || !silent)
        return;
    p->faults = 0;
    if (c->w->events.silent)
        c->w->events.silent(c->w->events.ctx, c->id, c->seq, silent);
}

static void give_sample(struct course *c, uint32_t index, const struct hw_sample *s)
{
    struct hw_worker_parser *p = parser_of(c);
    c->op->upto = index + 1;
    if (!p)
        return;
    p->faults = 0;
    if (c->w->events.sample)
        c->w->events.sample(c->w->events.ctx, c->id, c->seq, index, s);
}

static void give_refusal(struct course *c, uint32_t index, const char *why)
{
    c->op->upto = index + 1;
    if (parser_of(c) && c->w->events.refused)
        c->w->events.refused(c->w->events.ctx, c->id, c->seq, index, why);
}

static void give_fault(struct course *c, uint32_t index, const char *why, const char *trace)
{
    struct hw_worker_parser *p = parser_of(c);
    char last[HW_TEXT_MAX + 64];
    if (p)
        p->faults++;
    if (p && c->w->events.fault)
        c->w->events.fault(c->w->events.ctx, c->id, c->seq, index, trace);
    give_refusal(c, index, why);
    p = parser_of(c);
    if (p && p->faults >= HW_WORKER_FAULTS_MAX) {
        snprintf(last, sizeof last, "%u errors in a row, the last: %s", p->faults, why);
        hw_worker_drop(c->w, c->id, last);
    }
}

static bool take_sample(struct course *c, uint32_t index, struct hw_wire_in *in)
{
    struct hw_sample s = hw_wire_get_sample(in);
    struct hw_err err;
    if (in->bad || hw_sample_check(&s, &err) < 0)
        return false;
    advance(c, index);
    give_sample(c, index, &s);
    return true;
}

static bool take_refusal(struct course *c, uint32_t index, struct hw_wire_in *in, bool fault)
{
    char why[HW_TEXT_MAX + 1], trace[HW_WORKER_TRACE_MAX + 1] = "";
    get_why(in, why);
    if (fault)
        get_trace(in, trace);
    if (in->bad)
        return false;
    advance(c, index);
    if (fault)
        give_fault(c, index, why, trace);
    else {
        struct hw_worker_parser *p = parser_of(c);
        if (p)
            p->faults = 0;
        give_refusal(c, index, why);
    }
    return true;
}

static bool take_item(struct course *c, uint32_t upto, struct hw_wire_in *in)
{
    uint32_t index = hw_wire_get_u32(in), kind = hw_wire_get_u32(in);
    if (in->bad || index < c->op->upto || index >= upto)
        return false;
    switch (kind) {
    case HW_WIRE_SAMPLE:
        return take_sample(c, index, in);
    case HW_WIRE_REFUSED:
    case HW_WIRE_FAULT:
        return take_refusal(c, index, in, kind == HW_WIRE_FAULT);
    default:
        return false;
    }
}

/* The op is done: it leaves the queue before the event, so that there is room. */
static void complete(struct course *c)
{
    struct hw_worker *w = c->w;
    bool last = c->op->last;
    struct hw_worker_parser *p = parser_of(c);
    hw_worker_pop(w);
    w->fails = 0;
    if (p)
        p->died = (struct hw_worker_mark){ 0 };
    if (last && p && w->events.fed)
        w->events.fed(w->events.ctx, c->id, c->seq);
    hw_worker_pump(w);
    hw_worker_watch(w);
}

static void result(struct hw_worker *w, struct hw_wire_in *in)
{
    struct course c = { .w = w, .id = hw_wire_get_u32(in), .seq = hw_wire_get_u64(in) };
    uint32_t upto = hw_wire_get_u32(in), items = hw_wire_get_u32(in);
    c.op = answered(w, c.id);
    if (in->bad || !c.op || (c.op->kind != HW_WIRE_FEED && c.op->kind != HW_WIRE_FINISH) ||
        c.op->seq != c.seq || upto < c.op->upto || upto > c.op->first + c.op->count) {
        senseless(w);
        return;
    }
    for (uint32_t i = 0; i < items && !w->freed; i++)
        if (!take_item(&c, upto, in)) {
            senseless(w);
            return;
        }
    if (w->freed)
        return;
    advance(&c, upto);
    if (!w->freed && upto == c.op->first + c.op->count)
        complete(&c);
}

/* ---- frames -------------------------------------------------------------------------------------- */

static void debug_line(struct hw_worker *w, struct hw_wire_in *in)
{
    char text[HW_WIRE_TEXT_MAX + 1];
    unsigned id = hw_wire_get_u32(in);
    get_clean(in, text, HW_WIRE_TEXT_MAX);
    if (in->bad)
        senseless(w);
    else
        hw_log(HW_DEBUG, "lua", "parser '%s' prints: %s", name_of(w, id), text);
}

static void take_frame(struct hw_worker *w, uint32_t kind, struct hw_wire_in *in)
{
    static void (*const kinds[])(struct hw_worker *, struct hw_wire_in *) = {
        [HW_WIRE_HELLO] = hello,       [HW_WIRE_LOADED] = loaded, [HW_WIRE_FAILED] = failed,
        [HW_WIRE_RESULT] = result,     [HW_WIRE_MODULE] = module, [HW_WIRE_LOG] = debug_line,
        [HW_WIRE_UNLOADED] = unloaded,
    };
    bool known = kind < HW_LEN(kinds) && kinds[kind];
    if (!known || (w->state == HW_WORKER_STARTING) != (kind == HW_WIRE_HELLO))
        senseless(w);
    else
        kinds[kind](w, in);
}

void hw_worker_take(struct hw_worker *w, size_t len)
{
    struct hw_wire_head head;
    size_t at = 0;
    w->in_len += len;
    while (!w->freed && !w->deaf && w->in_len - at >= sizeof head) {
        memcpy(&head, w->in + at, sizeof head);
        if (head.len > HW_WIRE_TO_MAIN_MAX) {
            senseless(w);
            break;
        }
        if (w->in_len - at - sizeof head < head.len)
            break;
        struct hw_wire_in in = { .ptr = w->in + at + sizeof head, .len = head.len };
        take_frame(w, head.kind, &in);
        at += sizeof head + head.len;
    }
    if (w->freed || w->deaf) {
        w->in_len = 0;
        return;
    }
    memmove(w->in, w->in + at, w->in_len - at);
    w->in_len -= at;
}
