#include "source/records.h"

#include <stdlib.h>

#include "base/mem.h"
#include "source/escape.h"
#include "source/torn.h"

/* The pending line is buf[0, len); what is typed goes to cursor, which stands before its end only after backspaces. */
struct hw_records {
    struct hw_records_counts counts;
    uint64_t offset; /* bytes before those being fed */
    size_t max;
    size_t len;
    size_t cursor;
    bool fresh;    /* the line holds text that was not given yet */
    bool skip;     /* buf is full, or a sequence was given up: text up to the end goes nowhere */
    bool escaping; /* in a sequence */
    bool paused;   /* since text came last */
    uint8_t clean; /* pauses in a row with an end after them, at most HW_RECORDS_TRUST */
    size_t word;   /* length of the word before the last of these pauses */
    struct hw_escape escape;
    size_t tail_len;
    char tail[HW_TORN_TAIL]; /* the end of what was skipped */
    char buf[];
};

/* Where the records of one call go, and where its bytes lie. */
struct call {
    hw_record_fn *fn;
    void *ctx;
    const char *begin;
};

struct hw_records *hw_records_new(size_t record_max)
{
    size_t max = record_max < 1 ? 1 : record_max > HW_RECORDS_MAX ? HW_RECORDS_MAX : record_max;
    struct hw_records *r = hw_xzalloc(sizeof *r + max);
    r->max = max;
    return r;
}

void hw_records_free(struct hw_records *r)
{
    free(r);
}

struct hw_records_counts hw_records_counts(const struct hw_records *r)
{
    return r->counts;
}

/* ---- scanning ------------------------------------------------------------------------------------ */

/* Where in a word of eight bytes the first one below 0x20 is, as a mask that is 0 when there is none. In each byte the top bit is
 * set where the byte is below 0x20; a borrow can set it wrongly, but only above (in the number) a byte where it is set rightly. */
static uint64_t controls(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return (word - ones * 0x20) & ~word & tops;
}

/* The first control of [p, end) but TAB, or end. */
static const char *find_control(const char *p, const char *end)
{
    for (;; p++) {
        uint64_t hits = 0;
        while (end - p >= 8 && !(hits = controls(p)))
            p += 8;
        if (hits)
            p += __builtin_ctzll(hits) / 8;
        else
            while (p < end && (unsigned char)*p >= 0x20)
                p++;
        if (p == end || *p != '\t')
            return p;
    }
}

static bool is_end(unsigned char c)
{
    return c == '\n' || c == '\r' || c == '\0' || c == '\v' || c == '\f' || (c >= 0x1c && c < 0x20);
}

static bool is_blank(struct hw_str text)
{
    size_t i = 0;
    while (i < text.len && (text.ptr[i] == ' ' || text.ptr[i] == '\t'))
        i++;
    return i == text.len;
}

/* ---- the pending line ------------------------------------------------------------------------------ */

static void emit(struct hw_records *r, const struct call *call, struct hw_str text, uint64_t offset,
                 enum hw_record_end end, bool cut)
{
    r->counts.cut += cut;
    if (is_blank(text))
        return;
    r->counts.records++;
    call->fn(call->ctx, &(struct hw_record){ text, offset, end, cut });
}

/* Gives the pending line, unless it was given as it is. It stays. */
static void give(struct hw_records *r, const struct call *call, uint64_t offset,
                 enum hw_record_end end)
{
    if (r->fresh)
        emit(r, call, (struct hw_str){ r->buf, r->len }, offset, end, r->skip);
    r->fresh = false;
}

static void clear(struct hw_records *r)
{
    r->len = r->cursor = r->tail_len = 0;
    r->fresh = r->skip = false;
}

/* After a pause came an end, or text. */
static void resume(struct hw_records *r, bool at_end)
{
    if (!r->paused)
        return;
    r->paused = false;
    if (!at_end)
        r->clean = 0;
    else if (r->clean < HW_RECORDS_TRUST)
        r->clean++;
}

static void end_line(struct hw_records *r, const struct call *call, uint64_t offset)
{
    resume(r, true);
    give(r, call, offset, HW_RECORD_LINE);
    clear(r);
}

static void keep_tail(struct hw_records *r, const char *p, size_t n)
{
    if (n > sizeof r->tail) {
        p += n - sizeof r->tail;
        n = sizeof r->tail;
    }
    size_t keep = r->tail_len < sizeof r->tail - n ? r->tail_len : sizeof r->tail - n;
    memmove(r->tail, r->tail + r->tail_len - keep, keep);
    memcpy(r->tail + keep, p, n);
    r->tail_len = keep + n;
}

static void add_text(struct hw_records *r, const char *p, size_t n)
{
    resume(r, false);
    if (!r->skip) {
        r->len = r->cursor; /* after backspaces: text replaces what stood there */
        size_t take = n < r->max - r->len ? n : r->max - r->len;
        memcpy(r->buf + r->len, p, take);
        r->len += take;
        r->cursor = r->len;
        r->fresh = true;
        if (take == n)
            return;
        r->skip = true;
        keep_tail(r, r->buf, r->len);
        p += take;
        n -= take;
    }
    keep_tail(r, p, n);
}

/* To the left by count characters; those of a line that is skipped are gone already. */
static void go_back(struct hw_records *r, const struct call *call, uint64_t offset, uint32_t count)
{
    resume(r, true);
    if (r->skip)
        return;
    give(r, call, offset, HW_RECORD_LINE);
    for (; count > 0 && r->cursor > 0; count--)
        do
            r->cursor--;
        while (r->cursor > 0 && ((unsigned char)r->buf[r->cursor] & 0xc0) == 0x80);
}

/* ---- bytes ----------------------------------------------------------------------------------------- */

static void take_control(struct hw_records *r, const struct call *call, unsigned char c,
                         uint64_t offset)
{
    if (is_end(c))
        end_line(r, call, offset);
    else if (c == '\b')
        go_back(r, call, offset, 1);
    else if (c == 0x1b) {
        hw_escape_begin(&r->escape);
        r->escaping = true;
    }
}

/* False: the byte is no part of the sequence. */
static bool take_escape(struct hw_records *r, const struct call *call, unsigned char c,
                        uint64_t offset)
{
    uint32_t count = 0;
    enum hw_escape_does does = hw_escape_feed(&r->escape, c, &count);
    r->escaping = does == HW_ESCAPE_MORE;
    if (does == HW_ESCAPE_END)
        end_line(r, call, offset);
    else if (does == HW_ESCAPE_SPACE)
        add_text(r, " ", 1);
    else if (does == HW_ESCAPE_BACK)
        go_back(r, call, offset, count);
    else if (does == HW_ESCAPE_LONG) {
        resume(r, false);
        r->skip = true;
    }
    return does != HW_ESCAPE_ABORT;
}

/* Whole records, given where they lie. Returns where something else begins. */
static const char *take_whole(struct hw_records *r, const struct call *call, const char *p,
                              const char *end)
{
    for (;;) {
        const char *q = find_control(p, end);
        if (q == end || !is_end((unsigned char)*q))
            return p;
        size_t len = (size_t)(q - p);
        if (len)
            emit(r, call, (struct hw_str){ p, len < r->max ? len : r->max },
                 r->offset + (uint64_t)(q + 1 - call->begin), HW_RECORD_LINE, len > r->max);
        p = q + 1;
    }
}

static const char *take_some(struct hw_records *r, const struct call *call, const char *p,
                             const char *end)
{
    uint64_t offset = r->offset + (uint64_t)(p + 1 - call->begin);
    if (r->escaping && take_escape(r, call, (unsigned char)*p, offset))
        return p + 1;
    if (!r->len && !r->skip && !r->paused) {
        p = take_whole(r, call, p, end);
        if (p == end)
            return p;
    }
    const char *q = find_control(p, end);
    if (q > p)
        add_text(r, p, (size_t)(q - p));
    if (q == end)
        return q;
    take_control(r, call, (unsigned char)*q, r->offset + (uint64_t)(q + 1 - call->begin));
    return q + 1;
}

void hw_records_feed(struct hw_records *r, struct hw_str bytes, hw_record_fn *fn, void *ctx)
{
    struct call call = { fn, ctx, bytes.ptr };
    const char *p = bytes.ptr, *end = p + bytes.len;
    while (p < end)
        p = take_some(r, &call, p, end);
    r->offset += bytes.len;
}

/* ---- what comes between bytes ------------------------------------------------------------------------ */

static bool is_closed(const struct hw_records *r)
{
    if (r->escaping)
        return false;
    return hw_torn_is_closed(r->skip ? (struct hw_str){ r->tail, r->tail_len }
                                     : (struct hw_str){ r->buf, r->len });
}

bool hw_records_pending(const struct hw_records *r)
{
    return !r->paused && (r->fresh || r->skip);
}

/* Whether the tool has shown that its pauses are ends. A word shorter than at the pause before is torn all the same: of
 * 4/100, 5/100 a third may be 6/10. */
static bool is_trusted(struct hw_records *r)
{
    size_t before = r->word;
    r->word = hw_torn_word((struct hw_str){ r->buf, r->len });
    return r->clean == HW_RECORDS_TRUST && r->word >= before && r->offset % 4096 != 0 && !r->skip &&
           !r->escaping;
}

void hw_records_pause(struct hw_records *r, hw_record_fn *fn, void *ctx)
{
    struct call call = { fn, ctx, NULL };
    if (!hw_records_pending(r))
        return;
    r->paused = true;
    if (is_closed(r)) {
        give(r, &call, r->offset, HW_RECORD_PAUSE);
        clear(r);
    } else if (is_trusted(r))
        give(r, &call, r->offset, HW_RECORD_PAUSE);
}

void hw_records_gap(struct hw_records *r, uint64_t lost)
{
    clear(r);
    r->skip = true;
    r->escaping = r->paused = false;
    r->clean = 0;
    r->offset += lost;
    r->counts.gaps++;
}

void hw_records_end(struct hw_records *r, bool whole, hw_record_fn *fn, void *ctx)
{
    struct call call = { fn, ctx, NULL };
    r->escaping = false;
    if (r->fresh && (whole || is_closed(r)))
        give(r, &call, r->offset, HW_RECORD_LAST);
    clear(r);
    r->paused = false;
    r->clean = 0;
}

void hw_records_seam(struct hw_records *r, hw_record_fn *fn, void *ctx)
{
    bool torn = r->escaping || ((r->len || r->skip) && !is_closed(r));
    hw_records_end(r, false, fn, ctx);
    if (torn)
        hw_records_gap(r, 0);
}
