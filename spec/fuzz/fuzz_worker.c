/* fuzz_worker.c - main's side of the worker against one that a hostile parser has taken over: it may say anything, in any
 * pieces. The process stands here in place of core/lua/worker_process.c. What must hold: events come for living
 * parsers only, in the order of the records, each record once; every sample is in range and every text clean; no file but
 * a module's is handed out; and once something made no sense, nothing more is heard of that worker.
 *
 * The input is a list of steps: what callers ask, what the worker answers. */
#include "base/log.h"
#include "fuzz.h"
#include "lua/worker_impl.h"

enum { IDS = 8, BATCHES = 16, RECORDS = 8, STEPS = 200, BIG = 30000 };

/* What was asked of one parser and how far it is answered. */
static struct model {
    unsigned id; /* 0 = not used */
    bool alive, loaded;
    struct {
        uint64_t seq;
        uint32_t count, next; /* records; the first that nothing was said of yet */
    } batch[BATCHES];
    size_t batches;
} models[IDS];

static struct hw_worker *w;
static bool freed, killed, heard; /* heard: inside of hw_worker_take */
static uint64_t last_seq;
static enum { NOTHING, UNLOAD, FEED, FREE } action; /* at the next event */
static char big[BIG];
static const char module_text[] = "return 'a module'";

static struct model *model_of(unsigned id)
{
    for (size_t i = 0; i < IDS; i++)
        if (models[i].id == id && id)
            return &models[i];
    return NULL;
}

/* ---- the process --------------------------------------------------------------------------------- */

int hw_worker_make_beat(struct hw_worker *worker, struct hw_err *err)
{
    (void)err;
    worker->beat_fd = -1;
    return 0;
}

void hw_worker_want(struct hw_worker *worker, int64_t delay_ms)
{
    if (delay_ms >= 0 && worker->state == HW_WORKER_DOWN && !worker->freed) {
        worker->state = HW_WORKER_STARTING;
        worker->deaf = false;
        worker->in_len = 0;
    }
}

void hw_worker_watch(struct hw_worker *worker)
{
    (void)worker;
}

void hw_worker_kill(struct hw_worker *worker, const char *why)
{
    fuzz_check(why[0], "killed without a cause", NULL);
    if (worker->state != HW_WORKER_DOWN)
        worker->state = HW_WORKER_ENDING;
    killed = true;
}

void hw_worker_close(struct hw_worker *worker)
{
    fuzz_check(worker->freed && !freed, "closed twice", NULL);
    freed = true;
}

/* The records of a FEED must be those that are not answered yet. */
static void check_feed(struct hw_wire_in *in)
{
    unsigned id = hw_wire_get_u32(in);
    uint64_t seq = hw_wire_get_u64(in);
    uint32_t first = hw_wire_get_u32(in), count = hw_wire_get_u32(in);
    const struct model *m = model_of(id);
    fuzz_check(m && m->alive && m->batches, "fed a parser that is gone", NULL);
    for (uint32_t i = first; i < first + count; i++) {
        char want[40];
        struct hw_str record = hw_wire_get_text(in);
        snprintf(want, sizeof want, "%llu:%u", (unsigned long long)seq, i);
        fuzz_check(!in->bad && record.len >= strlen(want) &&
                       memcmp(record.ptr, want, strlen(want)) == 0,
                   "another record than", want);
    }
    fuzz_check(in->len == 0, "more than was asked for", NULL);
}

static void check_module(struct hw_wire_in *in)
{
    uint32_t found = hw_wire_get_u32(in);
    struct hw_str text = hw_wire_get_text(in);
    fuzz_check(!in->bad && in->len == 0, "module", NULL);
    fuzz_check(w->ops && w->ops->kind == HW_WIRE_LOAD, "a module while nothing is loaded", NULL);
    if (found)
        fuzz_check(text.len == sizeof module_text - 1 && memcmp(text.ptr, module_text, text.len) == 0,
                   "a file that is no module", text.ptr);
}

void hw_worker_write(struct hw_worker *worker, enum hw_wire_kind kind, struct hw_str part,
                     struct hw_str more)
{
    size_t len = part.len + more.len;
    fuzz_check(worker->state == HW_WORKER_UP, "writes to nobody", NULL);
    fuzz_check(len <= HW_WIRE_TO_WORKER_MAX, "a frame too long", NULL);
    hw_auto_free unsigned char *body = malloc(len + 1);
    memcpy(body, part.ptr, part.len);
    if (more.len)
        memcpy(body + part.len, more.ptr, more.len);
    struct hw_wire_in in = { .ptr = body, .len = len };
    if (kind == HW_WIRE_FEED)
        check_feed(&in);
    else if (kind == HW_WIRE_MODULE)
        check_module(&in);
}

/* ---- events -------------------------------------------------------------------------------------- */

static void feed(unsigned id, uint8_t how);

/* What a caller may do inside of an event. */
static void act(unsigned id)
{
    int now = (int)action;
    action = NOTHING;
    if (now == UNLOAD) {
        hw_worker_unload(w, id);
        model_of(id)->alive = false;
    } else if (now == FEED)
        feed(id, 2);
    else if (now == FREE)
        hw_worker_free(w);
}

static struct model *check_event(unsigned id)
{
    struct model *m = model_of(id);
    fuzz_check(heard && !freed && !killed, "an event out of turn", NULL);
    fuzz_check(m && m->alive, "an event of a parser that is gone", NULL);
    return m;
}

static void on_loaded(void *ctx, unsigned id, const struct hw_parser_meta *meta)
{
    struct model *m = check_event(id);
    (void)ctx;
    fuzz_check(!m->loaded, "loaded twice", NULL);
    m->loaded = true;
    fuzz_check_clean(meta->name, "name");
    fuzz_check_clean(meta->unit, "unit");
    fuzz_check(meta->record_max > 0 && meta->record_max <= HW_WORKER_RECORD_MAX, "record_max", NULL);
    fuzz_check(meta->api >= 0 && meta->api < 1000, "api", NULL);
    act(id);
}

static void on_gone(void *ctx, unsigned id, const char *why)
{
    struct model *m = check_event(id);
    (void)ctx;
    fuzz_check(why[0], "gone without a cause", NULL);
    fuzz_check_clean(why, "cause");
    m->alive = false;
    if (action == FREE)
        act(id);
}

/* index: of a record; -1: of none. Moves on to the record behind the last of count. */
static void move_on(unsigned id, uint64_t seq, int64_t index, size_t count)
{
    struct model *m = check_event(id);
    fuzz_check(m->loaded && m->batches && m->batch[0].seq == seq, "of another batch", NULL);
    uint32_t from = index < 0 ? m->batch[0].next : (uint32_t)index;
    fuzz_check(from == m->batch[0].next, "out of order", NULL);
    fuzz_check(count && from + count <= m->batch[0].count, "more records than there are", NULL);
    m->batch[0].next = from + (uint32_t)count;
}

static void on_sample(void *ctx, unsigned id, uint64_t seq, size_t index, const struct hw_sample *s)
{
    struct hw_sample copy = *s;
    struct hw_err err = { 0 };
    (void)ctx;
    move_on(id, seq, (int64_t)index, 1);
    fuzz_check(hw_sample_check(&copy, &err) == 0, "sample", err.msg);
    fuzz_check(strcmp(copy.message, s->message) == 0 && strcmp(copy.phase.name, s->phase.name) == 0,
               "texts are not clean", s->message);
    fuzz_check_clean(s->message, "message");
    act(id);
}

static void on_refused(void *ctx, unsigned id, uint64_t seq, size_t index, const char *why)
{
    (void)ctx;
    move_on(id, seq, (int64_t)index, 1);
    fuzz_check(why[0], "refused without a cause", NULL);
    fuzz_check_clean(why, "refusal");
    act(id);
}

static void on_silent(void *ctx, unsigned id, uint64_t seq, size_t count)
{
    (void)ctx;
    move_on(id, seq, -1, count);
    act(id);
}

static void on_fed(void *ctx, unsigned id, uint64_t seq)
{
    struct model *m = check_event(id);
    (void)ctx;
    fuzz_check(m->batches && m->batch[0].seq == seq, "of another batch", NULL);
    fuzz_check(m->batch[0].next == m->batch[0].count, "done too early", NULL);
    memmove(m->batch, m->batch + 1, --m->batches * sizeof m->batch[0]);
    act(id);
}

static void on_started(void *ctx, enum hw_confined confined)
{
    (void)ctx;
    fuzz_check(heard && !killed && confined <= HW_CONFINED_STRICT, "started", NULL);
}

static void check_line(void *ctx, const char *line)
{
    (void)ctx;
    fuzz_check_clean(line, "log line is not clean");
}

/* ---- what callers ask ---------------------------------------------------------------------------- */

static void load(void)
{
    char name[] = "nm", where[] = "built in", chunk[] = "@nm";
    struct hw_parser_source source = { name, where, chunk, { "return {}", 9 }, false };
    struct hw_err err = { 0 };
    struct model *m = models;
    while (m < models + IDS && m->alive)
        m++;
    if (m == models + IDS)
        return;
    *m = (struct model){ .alive = true };
    fuzz_check(hw_worker_load(w, &source, NULL, 0, true, &m->id, &err) == 0, err.msg, NULL);
}

static void note(struct model *m, uint32_t count)
{
    m->batch[m->batches].seq = last_seq;
    m->batch[m->batches].count = count;
    m->batch[m->batches++].next = 0;
}

static void feed(unsigned id, uint8_t how)
{
    struct hw_str records[RECORDS];
    char text[RECORDS][40];
    struct hw_err err = { 0 };
    struct model *m = model_of(id);
    uint32_t count = how % RECORDS;
    if (!m || !m->alive || m->batches == BATCHES)
        return;
    last_seq++;
    for (uint32_t i = 0; i < count; i++) {
        snprintf(text[i], sizeof text[i], "%llu:%u", (unsigned long long)last_seq, i);
        records[i] = hw_str(text[i]);
    }
    if (how == 0xff && count) { /* one that needs a frame of its own */
        memcpy(big, text[0], strlen(text[0]));
        records[0] = (struct hw_str){ big, sizeof big };
    }
    note(m, count);
    int st = hw_worker_feed(w, id, records, count, last_seq, &err);
    fuzz_check(st >= 0, err.msg, NULL);
    m->batches -= (size_t)st; /* busy: not taken */
}

static void finish(unsigned id)
{
    struct hw_err err = { 0 };
    struct model *m = model_of(id);
    if (!m || !m->alive || m->batches == BATCHES)
        return;
    last_seq++;
    note(m, 1);
    fuzz_check(hw_worker_finish(w, id, 0, last_seq, &err) == 0, err.msg, NULL);
}

static void unload(unsigned id)
{
    struct model *m = model_of(id);
    if (m && m->alive) {
        hw_worker_unload(w, id);
        m->alive = false;
    }
}

/* ---- what the worker answers --------------------------------------------------------------------- */

/* It is gone; another one is started and gets what is left. */
static void restart(void)
{
    killed = false;
    w->state = HW_WORKER_DOWN;
    hw_worker_rewind(w);
    if (w->parsers)
        hw_worker_want(w, 0);
}

static void say(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    while (len && !freed && (w->state == HW_WORKER_STARTING || w->state == HW_WORKER_UP)) {
        size_t room = HW_WORKER_IN_SIZE - w->in_len, n = len < room ? len : room;
        fuzz_check(room > 0, "no room for the rest of a frame", NULL);
        memcpy(w->in + w->in_len, p, n);
        heard = true;
        hw_worker_take(w, n);
        heard = false;
        p += n;
        len -= n;
    }
    if (!freed && killed)
        restart();
}

static void say_frame(uint32_t kind, const void *body, size_t len)
{
    struct hw_wire_head head = { .len = (uint32_t)len, .kind = kind };
    unsigned char *frame = malloc(sizeof head + len);
    memcpy(frame, &head, sizeof head);
    if (len)
        memcpy(frame + sizeof head, body, len);
    say(frame, sizeof head + len);
    free(frame);
}

static void put_item(struct hw_wire_out *o, uint32_t index, uint8_t kind, struct hw_str text)
{
    struct hw_sample s = hw_sample_none();
    hw_wire_put_u32(o, index);
    hw_wire_put_u32(o, kind % 3);
    if (kind % 3 != HW_WIRE_SAMPLE) {
        hw_wire_put_text(o, text);
        if (kind % 3 == HW_WIRE_FAULT)
            hw_wire_put_text(o, text);
        return;
    }
    if (kind & 0x40) { /* or whatever it takes for one */
        hw_wire_put(o, text.ptr, text.len);
        return;
    }
    s.counted = true;
    s.main.done = kind;
    snprintf(s.message, sizeof s.message, "%.*s", (int)(text.len > 200 ? 200 : text.len), text.ptr);
    hw_wire_put_sample(o, &s);
}

/* An answer with an item for each byte of the input, around the place where the next one belongs. */
static void say_items(const struct hw_worker_op *op, uint8_t how, struct hw_str bytes)
{
    unsigned char body[HW_WIRE_TO_MAIN_MAX];
    struct hw_wire_out o = { .ptr = body, .size = sizeof body };
    hw_wire_put_u32(&o, op->id);
    hw_wire_put_u64(&o, op->seq);
    hw_wire_put_u32(&o, how % 16);
    hw_wire_put_u32(&o, (uint32_t)bytes.len);
    for (size_t i = 0; i < bytes.len; i++)
        put_item(&o, (uint8_t)bytes.ptr[i] % 16, (uint8_t)bytes.ptr[i] >> 4 & 3,
                 (struct hw_str){ "why", 3 });
    say_frame(HW_WIRE_RESULT, body, o.len);
}

/* Answers the first op as an honest worker would, with the text of the input in it. */
static void say_answer(const struct hw_worker_op *op, uint8_t how, struct hw_str text)
{
    static const char *const keys[] = { "name", "unit", "api", "record_max", "newest" };
    unsigned char body[4096];
    struct hw_wire_out o = { .ptr = body, .size = sizeof body };
    hw_wire_put_u32(&o, op->id);
    if (op->kind == HW_WIRE_LOAD && how % 8 == 7) {
        hw_wire_put_text(&o, text);
        say_frame(HW_WIRE_FAILED, body, o.len);
    } else if (op->kind == HW_WIRE_LOAD) {
        hw_wire_put_u32(&o, 1);
        hw_wire_put_text(&o, hw_str(keys[how % 8 % HW_LEN(keys)]));
        hw_wire_put_text(&o, text);
        say_frame(HW_WIRE_LOADED, body, o.len);
    } else if (op->kind == HW_WIRE_UNLOAD)
        say_frame(HW_WIRE_UNLOADED, body, o.len);
    else {
        uint32_t upto =
            how & 0x80 ? op->first + op->count : op->upto + (op->upto < op->first + op->count);
        hw_wire_put_u64(&o, op->seq);
        hw_wire_put_u32(&o, upto);
        hw_wire_put_u32(&o, upto > op->upto);
        if (upto > op->upto)
            put_item(&o, upto - 1, how & 0x7f, text);
        say_frame(HW_WIRE_RESULT, body, o.len);
    }
}

static void answer(uint8_t how, struct hw_str text)
{
    const uint32_t hello[] = { HW_WIRE_PROTOCOL, how % 3 };
    if (w->state == HW_WORKER_STARTING)
        say_frame(HW_WIRE_HELLO, hello, sizeof hello);
    else if (w->state == HW_WORKER_UP && w->ops && w->ops->sent)
        say_answer(w->ops, how, text);
}

/* ---- steps --------------------------------------------------------------------------------------- */

static uint8_t take_byte(const uint8_t **p, const uint8_t *end)
{
    return *p < end ? *(*p)++ : 0;
}

static struct hw_str take_bytes(const uint8_t **p, const uint8_t *end)
{
    size_t len = take_byte(p, end), left = (size_t)(end - *p);
    struct hw_str bytes = { (const char *)*p, len < left ? len : left };
    *p += bytes.len;
    return bytes;
}

static void step(const uint8_t **p, const uint8_t *end)
{
    uint8_t what = take_byte(p, end), how = take_byte(p, end);
    unsigned id = models[what >> 4 & (IDS - 1)].id;
    struct hw_str bytes = { "", 0 };
    switch (what & 0xf) {
    case 0:
        load();
        break;
    case 1:
        feed(id, how);
        break;
    case 2:
        finish(id);
        break;
    case 3:
        unload(id);
        break;
    case 4:
        action = how % 4;
        break;
    case 5:
        bytes = take_bytes(p, end);
        say(bytes.ptr, bytes.len);
        break;
    case 6:
        bytes = take_bytes(p, end);
        say_frame(how, bytes.ptr, bytes.len);
        break;
    case 7:
        killed = true;
        restart();
        break;
    case 8:
        bytes = take_bytes(p, end);
        if (w->state == HW_WORKER_UP && w->ops)
            say_items(w->ops, how, bytes);
        break;
    default:
        bytes = take_bytes(p, end);
        answer(how, bytes);
    }
    size_t queued = 0;
    for (const struct hw_worker_op *op = freed ? NULL : w->ops; op; op = op->next)
        queued += op->kind == HW_WIRE_FEED ? sizeof *op + op->len : 0;
    fuzz_check(freed || queued == w->queued, "queue miscounted", NULL);
}

/* A directory with one module in it, and a file beside it that nobody may have. */
static const char *module_dir(void)
{
    static char dir[64];
    if (dir[0])
        return dir;
    static const char *const names[] = { "known.lua", "../secret.lua" };
    char base[] = "/tmp/fuzz-worker-XXXXXX", path[128];
    fuzz_check(mkdtemp(base) != NULL, "no directory", base);
    snprintf(dir, sizeof dir, "%s/modules", base);
    mkdir(dir, 0700);
    for (size_t i = 0; i < HW_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        hw_auto_file f = fopen(path, "w");
        fuzz_check(f && fputs(i ? "secret" : module_text, f) >= 0, "no file", path);
    }
    return dir;
}

static void remove_modules(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/known.lua", module_dir());
    unlink(path);
    snprintf(path, sizeof path, "%s/../secret.lua", module_dir());
    unlink(path);
    rmdir(module_dir());
    snprintf(path, sizeof path, "%.*s", (int)(strrchr(module_dir(), '/') - module_dir()),
             module_dir());
    rmdir(path);
}

static void bury(uv_loop_t *loop)
{
    hw_worker_forget_all(w);
    uv_close((uv_handle_t *)&w->retry, NULL);
    uv_close((uv_handle_t *)&w->tick, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    fuzz_check(uv_loop_close(loop) == 0, "handles stay open", NULL);
    free(w->exe);
    free(w->user_dir);
    free(w->in);
    free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    struct hw_worker_options options = { .exe = "none", .user_dir = module_dir() };
    struct hw_worker_events events = { .loaded = on_loaded,
                                       .load_failed = on_gone,
                                       .sample = on_sample,
                                       .refused = on_refused,
                                       .silent = on_silent,
                                       .fed = on_fed,
                                       .set_aside = on_gone,
                                       .started = on_started };
    struct hw_err err = { 0 };
    uv_loop_t loop;
    if (!begun)
        atexit(remove_modules);
    begun = true;
    hw_log_redirect(check_line, NULL);
    fuzz_check(hw_log_configure("debug", &err) == 0, err.msg, NULL);
    memset(models, 0, sizeof models);
    freed = killed = heard = false;
    last_seq = 0;
    action = NOTHING;
    if (size > 8192 || uv_loop_init(&loop) < 0)
        return 0;
    fuzz_check(hw_worker_new(&w, &loop, &options, &events, &err) == 0, err.msg, NULL);
    const uint8_t *p = data, *end = data + size;
    for (int i = 0; i < STEPS && p < end && !freed; i++)
        step(&p, end);
    if (!freed)
        hw_worker_free(w);
    bury(&loop);
    return 0;
}
