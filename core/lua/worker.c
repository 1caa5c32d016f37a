#include "lua/worker.h"

#include <signal.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "lua/worker_impl.h"

enum {
    PARSERS_MAX = 32,     /* as many as the worker has places for */
    BODY_MAX = 64 * 1024, /* bytes of records in one frame */
    IN_FLIGHT_MAX = 4,    /* ops that were sent and are not answered */
};

/* ---- ops ----------------------------------------------------------------------------------------- */

static struct hw_worker_op *op_new(enum hw_wire_kind kind, unsigned id, size_t body)
{
    struct hw_worker_op *op = hw_xzalloc(sizeof *op + body);
    op->kind = kind;
    op->id = id;
    op->len = body;
    return op;
}

static size_t cost_of(const struct hw_worker_op *op)
{
    return op->kind == HW_WIRE_FEED ? sizeof *op + op->len : 0;
}

static void op_append(struct hw_worker *w, struct hw_worker_op *op)
{
    if (w->last_op)
        w->last_op->next = op;
    else
        w->ops = op;
    w->last_op = op;
    w->queued += cost_of(op);
}

static void op_remove(struct hw_worker *w, struct hw_worker_op **at)
{
    struct hw_worker_op *op = *at;
    *at = op->next;
    w->queued -= cost_of(op);
    if (op == w->last_op) {
        w->last_op = w->ops;
        while (w->last_op && w->last_op->next)
            w->last_op = w->last_op->next;
    }
    free(op);
}

void hw_worker_pop(struct hw_worker *w)
{
    op_remove(w, &w->ops);
}

/* Removes the ops of a parser; sent ones stay, since their answers will come. */
static void ops_forget(struct hw_worker *w, unsigned id)
{
    for (struct hw_worker_op **at = &w->ops; *at;)
        if ((*at)->id == id && !(*at)->sent)
            op_remove(w, at);
        else
            at = &(*at)->next;
}

/* ---- sending ------------------------------------------------------------------------------------- */

/* What of a FEED's records is not done yet. */
static struct hw_str rest_of(const struct hw_worker_op *op)
{
    struct hw_wire_in body = { .ptr = (const unsigned char *)op->body, .len = op->len };
    struct hw_str record;
    for (uint32_t i = op->first; i < op->upto; i++)
        (void)hw_wire_get_record(&body, &record);
    return (struct hw_str){ (const char *)body.ptr, body.len };
}

static void send_op(struct hw_worker *w, struct hw_worker_op *op)
{
    unsigned char part[32];
    struct hw_wire_out o = { .ptr = part, .size = sizeof part };
    struct hw_str body = { op->body, op->len };
    hw_wire_put_u32(&o, op->id);
    if (op->kind == HW_WIRE_FEED) {
        body = rest_of(op);
        hw_wire_put_u64(&o, op->seq);
        hw_wire_put_u32(&o, op->upto);
        hw_wire_put_u32(&o, op->first + op->count - op->upto);
    } else if (op->kind == HW_WIRE_FINISH) {
        hw_wire_put_u64(&o, op->seq);
        hw_wire_put_u32(&o, (uint32_t)op->code);
    } else if (op->kind == HW_WIRE_LOAD)
        w->modules = 0;
    op->sent = true;
    hw_worker_write(w, op->kind, (struct hw_str){ (const char *)o.ptr, o.len }, body);
}

void hw_worker_pump(struct hw_worker *w)
{
    int in_flight = 0;
    if (w->state != HW_WORKER_UP || w->freed)
        return;
    for (struct hw_worker_op *op = w->ops; op && in_flight < IN_FLIGHT_MAX; op = op->next) {
        if (!op->sent)
            send_op(w, op);
        in_flight++;
        if (op->kind == HW_WIRE_LOAD)
            break;
    }
    hw_worker_watch(w);
}

/* ---- parsers ------------------------------------------------------------------------------------- */

struct hw_worker_parser *hw_worker_find(struct hw_worker *w, unsigned id)
{
    struct hw_worker_parser *p = w->parsers;
    while (p && p->id != id)
        p = p->next;
    return p;
}

static void parser_free(struct hw_worker_parser *p)
{
    for (size_t i = 0; i < 2 * p->option_count; i++)
        free(p->options[i]);
    free(p->options);
    free(p->meta);
    hw_parser_source_done(&p->source);
    free(p);
}

void hw_worker_keep_meta(struct hw_worker_parser *p, const struct hw_parser_meta *meta)
{
    if (!p->meta)
        p->meta = hw_xzalloc(sizeof *p->meta);
    *p->meta = *meta;
}

static void parser_remove(struct hw_worker *w, unsigned id)
{
    for (struct hw_worker_parser **at = &w->parsers; *at; at = &(*at)->next)
        if ((*at)->id == id) {
            struct hw_worker_parser *p = *at;
            *at = p->next;
            parser_free(p);
            return;
        }
}

static struct hw_parser_source copy_source(const struct hw_parser_source *s)
{
    struct hw_parser_source copy = *s;
    copy.name = hw_xstrdup(s->name);
    copy.where = hw_xstrdup(s->where);
    copy.chunk = hw_xstrdup(s->chunk);
    if (s->user) /* what is built in stays where it is */
        copy.text.ptr = hw_xstrndup(s->text.ptr, s->text.len);
    return copy;
}

static struct hw_worker_parser *parser_new(struct hw_worker *w,
                                           const struct hw_parser_source *source,
                                           const struct hw_parser_option *options, size_t count)
{
    struct hw_worker_parser *p = hw_xzalloc(sizeof *p);
    p->id = ++w->last_id;
    p->source = copy_source(source);
    p->options = hw_xzalloc(2 * count * sizeof *p->options);
    p->option_count = count;
    for (size_t i = 0; i < count; i++) {
        p->options[2 * i] = hw_xstrdup(options[i].key);
        p->options[2 * i + 1] = hw_xstrdup(options[i].value);
    }
    p->next = w->parsers;
    w->parsers = p;
    return p;
}

static void put_load(struct hw_wire_out *o, const struct hw_worker *w,
                     const struct hw_worker_parser *p)
{
    bool dir = w->user_dir && *w->user_dir;
    hw_wire_put_u32(o, (p->strict ? HW_WIRE_STRICT : 0u) | (dir ? HW_WIRE_USER_DIR : 0u));
    hw_wire_put_cstr(o, p->source.name);
    hw_wire_put_cstr(o, p->source.chunk);
    hw_wire_put_text(o, p->source.text);
    hw_wire_put_u32(o, (uint32_t)p->option_count);
    for (size_t i = 0; i < 2 * p->option_count; i++)
        hw_wire_put_cstr(o, p->options[i]);
}

static size_t load_size(const struct hw_worker_parser *p)
{
    size_t size = strlen(p->source.name) + strlen(p->source.chunk) + p->source.text.len + 64;
    for (size_t i = 0; i < 2 * p->option_count; i++)
        size += strlen(p->options[i]) + 8;
    return size;
}

static struct hw_worker_op *load_op(const struct hw_worker *w, const struct hw_worker_parser *p)
{
    size_t size = load_size(p);
    struct hw_worker_op *op = op_new(HW_WIRE_LOAD, p->id, size);
    struct hw_wire_out o = { .ptr = (unsigned char *)op->body, .size = size };
    put_load(&o, w, p);
    op->len = o.len;
    return op;
}

void hw_worker_drop(struct hw_worker *w, unsigned id, const char *why)
{
    struct hw_worker_parser *p = hw_worker_find(w, id);
    bool announced = p && p->announced;
    if (!p)
        return;
    hw_worker_unload(w, id);
    if (announced && w->events.set_aside)
        w->events.set_aside(w->events.ctx, id, why);
    if (!announced && w->events.load_failed)
        w->events.load_failed(w->events.ctx, id, why);
}

static bool has_load(const struct hw_worker *w, unsigned id)
{
    for (const struct hw_worker_op *op = w->ops; op; op = op->next)
        if (op->id == id && op->kind == HW_WIRE_LOAD)
            return true;
    return false;
}

void hw_worker_rewind(struct hw_worker *w)
{
    for (struct hw_worker_op **at = &w->ops; *at;) {
        (*at)->sent = false;
        if (!hw_worker_find(w, (*at)->id)) /* dropped meanwhile, or an UNLOAD */
            op_remove(w, at);
        else
            at = &(*at)->next;
    }
    for (struct hw_worker_parser *p = w->parsers; p; p = p->next)
        if (!has_load(w, p->id)) {
            struct hw_worker_op *op = load_op(w, p);
            op->next = w->ops;
            w->ops = op;
            if (!w->last_op)
                w->last_op = op;
        }
}

/* ---- what the header promises -------------------------------------------------------------------- */

/* /proc/self/exe is this very file whatever became of its name. Where it is another program (valgrind runs us), or there is no
 * /proc, the name that we were started by has to do. */
static const char *own_path(void)
{
    static const char link[] = "/proc/self/exe";
    const char *name = (const char *)getauxval(AT_EXECFN);
    struct stat a, b;
    if (!name || stat(name, &b) < 0)
        return link;
    if (stat(link, &a) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return link;
    return name;
}

int hw_worker_new(struct hw_worker **ret, uv_loop_t *loop, const struct hw_worker_options *options,
                  const struct hw_worker_events *events, struct hw_err *err)
{
    struct sigaction pipe;
    struct hw_worker *w = hw_xzalloc(sizeof *w);
    if (hw_worker_make_beat(w, err) < 0) {
        free(w);
        return -1;
    }
    w->loop = loop;
    w->exe = hw_xstrdup(options->exe ? options->exe : own_path());
    w->user_dir = hw_xstrdup(options->user_dir);
    w->debug = options->debug;
    w->events = *events;
    w->in = hw_xzalloc(HW_WORKER_IN_SIZE);
    uv_timer_init(loop, &w->retry);
    uv_timer_init(loop, &w->tick);
    w->timers = 2;
    if (sigaction(SIGPIPE, NULL, &pipe) == 0 && pipe.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN); /* a worker that died must not take us along */
    *ret = w;
    return 0;
}

static size_t parser_count(const struct hw_worker *w)
{
    size_t n = 0;
    for (const struct hw_worker_parser *p = w->parsers; p; p = p->next)
        n++;
    return n;
}

int hw_worker_load(struct hw_worker *w, const struct hw_parser_source *source,
                   const struct hw_parser_option *options, size_t option_count, bool strict,
                   unsigned *ret_id, struct hw_err *err)
{
    if (parser_count(w) == PARSERS_MAX)
        return hw_fail(err, HW_ELIMIT, "more than %d parsers", PARSERS_MAX);
    if (option_count > HW_WIRE_OPTIONS_MAX)
        return hw_fail(err, HW_ELIMIT, "parser '%s': more than %d options", source->name,
                       HW_WIRE_OPTIONS_MAX);
    struct hw_worker_parser *p = parser_new(w, source, options, option_count);
    p->strict = strict;
    if (load_size(p) > HW_WIRE_TO_WORKER_MAX / 2) {
        parser_remove(w, p->id);
        return hw_fail(err, HW_ELIMIT, "parser '%s' is too big", source->name);
    }
    op_append(w, load_op(w, p));
    *ret_id = p->id;
    hw_worker_want(w, 0);
    hw_worker_pump(w);
    return 0;
}

/* A batch on its way into ops. */
struct batch {
    const struct hw_str *records; /* borrows */
    size_t count;
    bool *skip; /* owns; records without a hint: they are counted, their bytes stay here */
};

static void batch_done(struct batch *b)
{
    free(b->skip);
}

/* Bytes of a record in a body. */
static size_t size_of(const struct batch *b, size_t i)
{
    return sizeof(uint32_t) + (b->skip[i] ? 0 : b->records[i].len);
}

/* In a progress file every line counts, also one that no parser knows. */
static void apply_hints(struct batch *b, const struct hw_worker_parser *p)
{
    b->skip = hw_xzalloc(b->count + 1);
    if (!p->meta || p->strict)
        return;
    for (size_t i = 0; i < b->count; i++)
        b->skip[i] = !hw_meta_admits(p->meta, b->records[i]);
}

/* The part of a batch from `from` on that fits a frame; its bytes in *ret_size. */
static size_t part_of(const struct batch *b, size_t from, size_t *ret_size)
{
    size_t i = from, size = 0;
    for (; i < b->count; i++) {
        size_t one = size_of(b, i);
        if (i > from && size + one > BODY_MAX)
            break;
        size += one;
    }
    *ret_size = size;
    return i;
}

static int measure(const struct batch *b, size_t *ret_size, struct hw_err *err)
{
    size_t size = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (b->records[i].len > HW_WORKER_RECORD_MAX)
            return hw_fail(err, HW_ELIMIT, "record of %zu bytes, more than %d", b->records[i].len,
                           HW_WORKER_RECORD_MAX);
        size += size_of(b, i);
    }
    if (b->count > UINT32_MAX)
        return hw_fail(err, HW_ELIMIT, "batch of %zu records", b->count);
    *ret_size = size;
    return 0;
}

static void feed_part(struct hw_worker *w, unsigned id, const struct batch *b, size_t from,
                      size_t to, size_t size, uint64_t seq)
{
    struct hw_worker_op *op = op_new(HW_WIRE_FEED, id, size);
    struct hw_wire_out o = { .ptr = (unsigned char *)op->body, .size = size };
    for (size_t i = from; i < to; i++)
        if (b->skip[i])
            hw_wire_put_u32(&o, HW_WIRE_SKIPPED);
        else
            hw_wire_put_text(&o, b->records[i]);
    op->seq = seq;
    op->first = op->upto = (uint32_t)from;
    op->count = (uint32_t)(to - from);
    op->last = to == b->count;
    op_append(w, op);
}

static int gone(struct hw_err *err)
{
    return hw_fail(err, HW_ELUA, "the parser is not loaded any more");
}

int hw_worker_feed(struct hw_worker *w, unsigned id, const struct hw_str *records, size_t count,
                   uint64_t seq, struct hw_err *err)
{
    size_t size = 0, from = 0;
    const struct hw_worker_parser *p = hw_worker_find(w, id);
    if (!p)
        return gone(err);
    __attribute__((cleanup(batch_done))) struct batch b = { .records = records, .count = count };
    apply_hints(&b, p);
    if (measure(&b, &size, err) < 0)
        return -1;
    if (w->queued && w->queued + size > HW_WORKER_QUEUE_MAX)
        return 1;
    do {
        size_t to = part_of(&b, from, &size);
        feed_part(w, id, &b, from, to, size, seq);
        from = to;
    } while (from < count);
    hw_worker_pump(w);
    return 0;
}

int hw_worker_finish(struct hw_worker *w, unsigned id, int code, uint64_t seq, struct hw_err *err)
{
    if (!hw_worker_find(w, id))
        return gone(err);
    struct hw_worker_op *op = op_new(HW_WIRE_FINISH, id, 0);
    op->seq = seq;
    op->count = 1;
    op->last = true;
    op->code = code;
    op_append(w, op);
    hw_worker_pump(w);
    return 0;
}

void hw_worker_unload(struct hw_worker *w, unsigned id)
{
    if (!hw_worker_find(w, id))
        return;
    parser_remove(w, id);
    ops_forget(w, id);
    if (w->state == HW_WORKER_UP)
        op_append(w, op_new(HW_WIRE_UNLOAD, id, 0));
    hw_worker_pump(w);
}

int hw_worker_pid(const struct hw_worker *w)
{
    return w->state == HW_WORKER_STARTING || w->state == HW_WORKER_UP ? w->process.pid : 0;
}

void hw_worker_forget_all(struct hw_worker *w)
{
    while (w->ops)
        hw_worker_pop(w);
    while (w->parsers)
        parser_remove(w, w->parsers->id);
}

void hw_worker_free(struct hw_worker *w)
{
    if (!w || w->freed)
        return;
    w->freed = true;
    hw_worker_close(w);
}
