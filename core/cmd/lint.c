#include "cmd/lint.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cmd/proof.h"

enum {
    SLOW_MS = 200,    /* of processor time for one record: live ones come by the thousand */
    ATTACKS_MAX = 80, /* as many as lint.lua gives */
    HANGS_MAX = 3,    /* each costs seconds */
    RECORDS_MAX = 64, /* the same */
    FAULTS_MAX = 8,   /* that are told */
    PIECE = 60000,    /* of a text, as one record */
};

struct attack {
    char prefix[64];
    size_t len;
    char fill;
};

/* A parser under trial. */
struct trial {
    struct hw_lint *lint;
    const struct hw_parser_source *source;
    const char *user_dir;
    const struct hw_pairs *options;
    bool strict;
    hw_lint_fn *fn;
    void *ctx;
    struct hw_proof proof;
    struct attack attacks[ATTACKS_MAX];
    size_t attack_count;
    struct match {
        char text[80];
        size_t len;
    } matches[RECORDS_MAX]; /* records that its patterns match */
    size_t match_count;
    char hint[48]; /* without it no record is looked at; none = hint_len 0 */
    size_t hint_len;
    int hangs, faults;
    int in_a_row;                /* faults */
    char fault[HW_TEXT_MAX + 1]; /* the last one that was told */
    bool told_over;
    struct hw_buf record;
};

HW_PRINTF(4, 5)
static void tell(struct trial *t, bool warning, int line, const char *fmt, ...)
{
    char text[500];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    hw_auto_free char *where =
        line ? hw_xasprintf("%s:%d", t->source->where, line) : hw_xstrdup(t->source->where);
    t->lint->problems += !warning;
    t->lint->warnings += warning;
    t->fn(t->ctx, warning, where, text);
}

static int open_proof(struct trial *t)
{
    return hw_proof_open(&t->proof, t->source, t->user_dir, t->options, t->strict);
}

/* ---- its text ------------------------------------------------------------------------------------ */

static int from_hex(const char *hex, char *ret, size_t max)
{
    size_t n = 0;
    for (int byte; n < max && (byte = hw_hex_byte(hex)) >= 0; hex += 2)
        ret[n++] = (char)byte;
    return (int)n;
}

static void take_attack(struct trial *t, const char *text)
{
    const char *fill = strchr(text, ' ');
    if (!fill || t->attack_count == ATTACKS_MAX)
        return;
    struct attack *a = &t->attacks[t->attack_count];
    a->len = (size_t)from_hex(text, a->prefix, sizeof a->prefix);
    t->attack_count += from_hex(fill + 1, &a->fill, 1) == 1;
}

static void take_match(struct trial *t, const char *text)
{
    if (t->match_count == RECORDS_MAX)
        return;
    struct match *m = &t->matches[t->match_count++];
    m->len = (size_t)from_hex(text, m->text, sizeof m->text);
}

/* "12 problem global 'x' ..." */
static void take_finding(struct trial *t, const char *finding)
{
    char kind[16];
    int line, at = 0;
    if (sscanf(finding, "%d %15s %n", &line, kind, &at) < 2 || at == 0)
        return;
    if (strcmp(kind, "attack") == 0)
        take_attack(t, finding + at);
    else if (strcmp(kind, "record") == 0)
        take_match(t, finding + at);
    else if (strcmp(kind, "hint") == 0)
        t->hint_len = (size_t)from_hex(finding + at, t->hint, sizeof t->hint);
    else
        tell(t, strcmp(kind, "warning") == 0, line, "%s", finding + at);
}

static int ask_linter(struct trial *t, struct hw_proof *linter)
{
    struct hw_str text = t->source->text;
    char piece[PIECE + 1] = "S";
    for (size_t at = 0; at < text.len; at += PIECE) {
        size_t n = text.len - at < PIECE ? text.len - at : PIECE;
        memcpy(piece + 1, text.ptr + at, n);
        if (hw_proof_ask(linter, (struct hw_str){ piece, n + 1 }) < 0)
            return -1;
    }
    for (;;) {
        if (hw_proof_ask(linter, hw_str("N")) < 0)
            return -1;
        if (linter->answer.kind == HW_SAYS_FAULT)
            return hw_fail(&linter->err, HW_ELUA, "%s", linter->answer.why);
        if (linter->answer.kind != HW_SAYS_REFUSED)
            return 0;
        take_finding(t, linter->answer.why);
    }
}

static void read_text(struct trial *t)
{
    char name[] = "lint", where[] = "built in", chunk[] = HW_PARSER_TOOL "lint.lua";
    struct hw_parser_source source = { .name = name,
                                       .where = where,
                                       .chunk = chunk,
                                       .text = hw_parsers_embedded_module("tools.lint") };
    struct hw_proof linter;
    if (hw_proof_open(&linter, &source, NULL, NULL, false) < 0 || ask_linter(t, &linter) < 0)
        tell(t, true, 0, "its text could not be looked at: %s", linter.err.msg);
    hw_proof_close(&linter);
}

/* ---- records ------------------------------------------------------------------------------------- */

/* After a hang: another one, as long as it is worth it. */
static bool reopen(struct trial *t)
{
    if (!t->proof.set_aside)
        return true;
    if (++t->hangs >= HANGS_MAX)
        return false;
    hw_proof_close(&t->proof);
    return open_proof(t) == 0;
}

static void tell_fault(struct trial *t, const char *what)
{
    if (strcmp(t->fault, t->proof.answer.why) == 0 || t->faults >= FAULTS_MAX)
        return;
    t->faults++;
    snprintf(t->fault, sizeof t->fault, "%s", t->proof.answer.why);
    tell(t, false, 0, "errs on %s: %s", what, t->proof.answer.why);
}

/* It would be shown as all that there is. */
static void tell_over(struct trial *t, const char *what)
{
    const struct hw_count *c = &t->proof.answer.over;
    if (c->total < 0 || t->told_over)
        return;
    t->told_over = true;
    tell(t, false, 0,
         "done %" PRId64 " over total %" PRId64 " on %s: refuse it (return nil, why) or say nothing",
         c->done, c->total, what);
}

/* what: for people. False: no more records. */
static bool judge(struct trial *t, int st, const char *what)
{
    const struct hw_answer *a = &t->proof.answer;
    int before = t->in_a_row;
    t->in_a_row = st == 0 && a->kind == HW_SAYS_FAULT ? before + 1 : 0;
    if (st < 0 && before + 1 >= HW_WORKER_FAULTS_MAX) { /* another one would do the same */
        tell(t, false, 0, "set aside, as a reporter would: %s", t->proof.err.msg);
        return false;
    }
    if (st < 0)
        tell(t, false, 0, "on %s: %s", what, t->proof.err.msg);
    else if (a->kind == HW_SAYS_FAULT)
        tell_fault(t, what);
    else if (a->cpu_ms > SLOW_MS)
        tell(t, false, 0, "slow: %.0f ms for %s", a->cpu_ms, what);
    if (st == 0 && a->kind == HW_SAYS_SAMPLE)
        tell_over(t, what);
    return reopen(t);
}

static bool try_record(struct trial *t, const char *what)
{
    struct hw_str record = { t->record.ptr, t->record.len };
    return judge(t, hw_proof_ask(&t->proof, record), what);
}

/* The record is text, again and again, to the most that the parser takes; last a hint, or a byte that nothing expects. */
static void fill_record(struct trial *t, struct hw_str prefix, struct hw_str text)
{
    struct hw_err ignored;
    struct hw_str last = t->hint_len ? (struct hw_str){ t->hint, t->hint_len } : hw_str("\x7f");
    size_t max = t->proof.meta.record_max;
    hw_buf_clear(&t->record);
    (void)!hw_buf_add(&t->record, prefix.ptr, prefix.len, &ignored);
    while (t->record.len + text.len + last.len <= max)
        (void)!hw_buf_add(&t->record, text.ptr, text.len, &ignored);
    (void)!hw_buf_add(&t->record, last.ptr, last.len, &ignored);
}

static void describe(const struct trial *t, struct hw_str prefix, struct hw_str text, char *buf,
                     size_t size)
{
    char begin[48] = "", again[48];
    hw_clean_text(again, sizeof again - 1, text);
    if (text.len == 1 && text.ptr[0] == ' ')
        snprintf(again, sizeof again, " ");
    if (prefix.len)
        hw_clean_text(begin, sizeof begin - 1, prefix);
    snprintf(buf, size, "%zu bytes of '%s'%s%s%s", t->record.len, again,
             prefix.len ? " behind '" : "", begin, prefix.len ? "'" : "");
}

static bool try_filled(struct trial *t, struct hw_str prefix, struct hw_str text)
{
    char what[160];
    fill_record(t, prefix, text);
    describe(t, prefix, text, what, sizeof what);
    return try_record(t, what);
}

static bool try_text(struct trial *t, struct hw_str text, const char *name)
{
    char what[160], shown[80];
    struct hw_err ignored;
    hw_buf_clear(&t->record);
    (void)!hw_buf_add(&t->record, text.ptr, text.len, &ignored);
    hw_clean_text(shown, sizeof shown - 1, text);
    snprintf(what, sizeof what, name ? "%s" : "'%s'", name ? name : shown);
    return try_record(t, what);
}

static bool try_every_byte(struct trial *t)
{
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    return try_text(t, (struct hw_str){ all, sizeof all }, "every byte there is");
}

/* Repeated until the record is full. */
static const char *const fills[] = { "1",    " ",  "a",  "1/", "1 ",      "1.", "1,",
                                     " 1",   "%",  "(",  ":",  "a1",      "[",  "\"",
                                     "\xff", ". ", "1:", "-",  "{\"a\":", "1% " };

static bool try_odd(struct trial *t)
{
    static const char *const texts[] = {
        " ",
        "0/0",
        "1/2",
        "2/1",
        "-1/2",
        "1/0",
        "0%",
        "100%",
        "101%",
        "-1%",
        "1e309",
        "nan/inf",
        "%",
        "99999999999999999999/1",
        "1/99999999999999999999999999999999999999999999999999999999999999",
        "9223372036854775807/9223372036854775807",
        "9223372036854775808 B",
        "1,2,3,4/5.6.7",
        "{}",
        "{\"bytes\":-1,\"total\":1e400}",
        "[[[[[[[[",
        "null",
        "0x10/0x20",
        "1 / 2 / 3",
        "\xff\xfe 5/10 50%",
        "\xc3(\xa0\xe2\x82 50%",
        "\xef\xbb\xbf 5/10",
    };
    bool more = try_text(t, (struct hw_str){ "", 0 }, "an empty record") &&
                try_text(t, (struct hw_str){ "\0\0", 2 }, "two NULs") && try_every_byte(t);
    for (size_t i = 0; more && i < HW_LEN(texts); i++)
        more = try_text(t, hw_str(texts[i]), NULL);
    for (size_t i = 0; more && i < HW_LEN(fills); i++)
        more = try_filled(t, hw_str(""), hw_str(fills[i]));
    return more;
}

static bool is_tried(const struct attack *a)
{
    bool tried = false;
    for (size_t i = 0; i < HW_LEN(fills); i++)
        tried |= a->len == 0 && fills[i][0] == a->fill && !fills[i][1];
    return tried;
}

/* Made from the patterns that the text holds. */
static bool try_attacks(struct trial *t)
{
    bool more = true;
    for (size_t i = 0; more && i < t->attack_count; i++) {
        const struct attack *a = &t->attacks[i];
        more = is_tried(a) ||
               try_filled(t, (struct hw_str){ a->prefix, a->len }, (struct hw_str){ &a->fill, 1 });
    }
    return more;
}

static bool try_matches(struct trial *t)
{
    bool more = true;
    for (size_t i = 0; more && i < t->match_count; i++)
        more = try_text(t, (struct hw_str){ t->matches[i].text, t->matches[i].len }, NULL);
    return more;
}

static void try_records(struct trial *t)
{
    static const int codes[] = { -1, 0, 1, 143 };
    hw_buf_init(&t->record, HW_WORKER_RECORD_MAX);
    bool more = try_odd(t) && try_matches(t) && try_attacks(t);
    for (size_t i = 0; more && i < HW_LEN(codes); i++) {
        char what[48];
        snprintf(what, sizeof what, codes[i] < 0 ? "finish(nil)" : "finish(%d)", codes[i]);
        more = judge(t, hw_proof_finish(&t->proof, codes[i]), what);
    }
    hw_buf_done(&t->record);
}

/* -------------------------------------------------------------------------------------------------- */

static void compare_names(struct trial *t)
{
    const struct hw_parser_meta *m = &t->proof.meta;
    if (strcmp(m->name, t->source->name) != 0)
        tell(t, true, 0, "its name is '%s', but it is found as '%s', by its file", m->name,
             t->source->name);
}

static int try_source(struct trial *t)
{
    int st = open_proof(t);
    if (st < 0)
        t->lint->err = t->proof.err;
    else {
        snprintf(t->lint->unit, sizeof t->lint->unit, "%s", t->proof.meta.unit);
        compare_names(t);
        read_text(t);
        try_records(t);
    }
    hw_proof_close(&t->proof);
    return st;
}

int hw_lint_parser(const char *what, const char *user_dir, const struct hw_pairs *options,
                   bool strict, hw_lint_fn *fn, void *ctx, struct hw_lint *ret)
{
    struct hw_parser_source source = { 0 };
    *ret = (struct hw_lint){ 0 };
    if (hw_parsers_find(what, user_dir, &source, &ret->err) < 0)
        return -1;
    hw_auto_free struct trial *t = hw_xzalloc(sizeof *t);
    *t = (struct trial){ .lint = ret,
                         .source = &source,
                         .user_dir = user_dir,
                         .options = options,
                         .strict = strict,
                         .fn = fn,
                         .ctx = ctx };
    int st = try_source(t);
    ret->name = hw_xstrdup(source.name);
    ret->where = hw_xstrdup(source.where);
    hw_parser_source_done(&source);
    return st;
}

void hw_lint_done(struct hw_lint *lint)
{
    free(lint->name);
    free(lint->where);
    *lint = (struct hw_lint){ 0 };
}
