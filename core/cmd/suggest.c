/* suggest.c - a first parser for a tool that nobody knows, from a recording of it. What the numbers are is found out in Lua, in
 * the worker (scripts/tools/suggest.lua); each proposal is then tried on the same recording as `replay` would, and the
 * best that works is written, with its spec. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/proof.h"
#include "lua/choose.h"
#include "progress/nm.h"
#include "replay/player.h"
#include "replay/reading.h"

enum {
    PROPOSALS_MAX = 6,
    TEXT_MAX = 64 * 1024,    /* bytes of a parser or a spec; they have some 2000 */
    BATCH_BYTES = 16 * 1024, /* of records that are sent together */
    RECORD_MAX = 4096, /* bytes of a record that are looked at: what a parser takes by default */
    SURE_RECORDS = 5,
};

struct proposal {
    int score;
    char title[HW_TEXT_MAX + 1], why[HW_TEXT_MAX + 1];
    struct hw_buf parser, spec;
    struct hw_play_counts counts; /* of the trial */
    struct hw_progress last;
    bool works;
};

struct suggest {
    const struct hw_cmd_ctx *ctx;
    const char *path; /* of the recording */
    char name[HW_PARSER_NAME_MAX + 1];
    char program[HW_PARSER_NAME_MAX + 1], argument[HW_PARSER_NAME_MAX + 1];
    struct hw_choice known; /* the parser that knows the command already, or "auto" */
    struct hw_proof proof;  /* the worker that looks for numbers */
    struct hw_buf batch;
    uint64_t records;
    struct proposal list[PROPOSALS_MAX];
    size_t count;
};

/* ---- reading the recording ----------------------------------------------------------------------- */

static int ask(struct suggest *s, struct hw_str message, struct hw_err *err)
{
    if (hw_proof_ask(&s->proof, message) < 0)
        *err = s->proof.err;
    else if (s->proof.answer.kind != HW_SAYS_FAULT)
        return 0;
    else
        hw_fail(err, HW_ELUA, "%s", s->proof.answer.why);
    return hw_wrap(err, "look for numbers");
}

static int send_batch(struct suggest *s, struct hw_err *err)
{
    int st = s->batch.len ? ask(s, (struct hw_str){ s->batch.ptr, s->batch.len }, err) : 0;
    hw_buf_clear(&s->batch);
    return st;
}

static int on_record(void *ctx, const struct hw_record *record, struct hw_err *err)
{
    struct suggest *s = ctx;
    size_t len = record->text.len < RECORD_MAX ? record->text.len : RECORD_MAX;
    s->records++;
    if (hw_buf_add(&s->batch, s->batch.len ? "\n" : "R", 1, err) < 0 ||
        hw_buf_add(&s->batch, record->text.ptr, len, err) < 0)
        return -1;
    return s->batch.len >= BATCH_BYTES ? send_batch(s, err) : 0;
}

static int read_records(struct suggest *s, struct hw_recording *r, struct hw_err *err)
{
    hw_buf_init(&s->batch, BATCH_BYTES + 2 * RECORD_MAX);
    int st = hw_reading_run(r, on_record, s, err);
    if (st == 0)
        st = send_batch(s, err);
    hw_buf_done(&s->batch);
    return st;
}

/* ---- what was found ------------------------------------------------------------------------------ */

static int unhex(struct hw_buf *b, const char *hex, struct hw_err *err)
{
    for (int value; (value = hw_hex_byte(hex)) >= 0; hex += 2) {
        char byte = (char)value;
        if (hw_buf_add(b, &byte, 1, err) < 0)
            return -1;
    }
    return 0;
}

/* One line of the answer. */
static int take_line(struct suggest *s, const char *line, struct hw_err *err)
{
    struct proposal *p = s->count ? &s->list[s->count - 1] : NULL;
    const char *text = line + 2;
    char *end;
    if (line[0] == 'C' && s->count < PROPOSALS_MAX) {
        p = &s->list[s->count++];
        hw_buf_init(&p->parser, TEXT_MAX);
        hw_buf_init(&p->spec, TEXT_MAX);
        p->score = (int)strtol(text, &end, 10);
        snprintf(p->title, sizeof p->title, "%s", *end ? end + 1 : end);
    } else if (line[0] == 'W' && p)
        snprintf(p->why, sizeof p->why, "%s", text);
    else if (line[0] == 'P' && p)
        return unhex(&p->parser, text, err);
    else if (line[0] == 'S' && p)
        return unhex(&p->spec, text, err);
    return 0;
}

static int take_answer(struct suggest *s, struct hw_err *err)
{
    const char *slash = strrchr(s->path, '/');
    hw_auto_free char *about = hw_xasprintf("Q%s\n%s\n%s\n%s", s->name, s->program, s->argument,
                                            slash ? slash + 1 : s->path);
    int st = ask(s, hw_str(about), err);
    while (st == 0) {
        st = ask(s, hw_str("N"), err);
        if (st < 0 || s->proof.answer.kind != HW_SAYS_REFUSED)
            break;
        st = take_line(s, s->proof.answer.why, err);
    }
    return st;
}

/* ---- names --------------------------------------------------------------------------------------- */

/* Letters, digits and "_" of a file's or a program's name, up to its first dot. */
static void make_name(const char *from, char ret[HW_PARSER_NAME_MAX + 1])
{
    const char *slash = strrchr(from, '/');
    size_t n = 0;
    for (const char *p = slash ? slash + 1 : from; *p && *p != '.' && n < HW_PARSER_NAME_MAX; p++)
        ret[n++] = isalnum((unsigned char)*p) && (unsigned char)*p < 128 ? *p : '_';
    ret[n] = '\0';
    if (!n)
        snprintf(ret, HW_PARSER_NAME_MAX + 1, "tool");
}

/* Whether the first argument is a script of the program's: "python train.py". */
static bool is_script(const char *argument)
{
    static const char *const ends[] = { ".py", ".sh", ".lua", ".pl", ".rb", ".js", ".R" };
    size_t len = strlen(argument);
    for (size_t i = 0; i < HW_LEN(ends); i++) {
        size_t n = strlen(ends[i]);
        if (len > n && strcmp(argument + len - n, ends[i]) == 0)
            return true;
    }
    return false;
}

static int choose_name(struct suggest *s, const char *command, struct hw_err *err)
{
    const char *given = hw_cmd_flag(s->ctx, "name");
    if (command)
        hw_parsers_program(command, s->program, s->argument);
    if (given)
        make_name(given, s->name);
    else if (s->program[0])
        make_name(is_script(s->argument) ? s->argument : s->program, s->name);
    else
        make_name(s->path, s->name);
    if (given && strcmp(given, s->name) != 0)
        return hw_fail(err, HW_ECONFIG, "--name '%.63s': expected letters, digits and '_'", given);
    return hw_parsers_choose_line(command ? command : "", s->ctx->config->parser.dir, &s->known,
                                  err);
}

/* ---- trying a proposal --------------------------------------------------------------------------- */

static int on_item(void *ctx, const struct hw_item *item, struct hw_err *err)
{
    struct proposal *p = ctx;
    (void)err;
    if (item->kind == HW_ITEM_END) {
        p->last = *item->progress;
        p->counts = *item->counts;
    }
    return 0;
}

static int play(struct hw_player *player, struct hw_recording *r, struct hw_err *err)
{
    struct hw_cast_event event;
    int st;
    while ((st = hw_recording_next(r, &event, NULL, NULL, err)) > 0)
        if (hw_player_event(player, &event, err) < 0)
            return -1;
    return st < 0 ? -1 : hw_player_end(player, -1, !hw_recording_about(r)->is_cut, err);
}

static int replay(struct suggest *s, struct proposal *p, struct hw_recording *r, struct hw_err *err)
{
    char where[] = "proposed", chunk[] = "@proposed.lua";
    struct hw_parser_source source = {
        .name = s->name, .where = where, .chunk = chunk, .text = { p->parser.ptr, p->parser.len }
    };
    struct hw_player_options options = { .source = &source,
                                         .rules = hw_tracker_rules_default(),
                                         .timed = hw_recording_about(r)->kind == HW_CAST_V2 };
    struct hw_player *player;
    if (hw_player_new(&player, &options, on_item, p, err) < 0)
        return -1;
    int st = play(player, r, err);
    hw_player_free(player);
    return st;
}

/* What it says must be mostly believed. */
static void judge(struct proposal *p)
{
    const struct hw_play_counts *c = &p->counts;
    p->works = c->samples > 0 && c->held * 10 <= c->samples && c->refusals * 10 <= c->samples;
}

/* A proposal that fails, also where the recording can't be read to its end again, is only not taken. */
static int try_all(struct suggest *s, struct hw_err *err)
{
    for (size_t i = 0; i < s->count; i++) {
        struct hw_recording *r;
        struct hw_err ignored;
        if (hw_recording_open(&r, s->path, err) < 0)
            return -1;
        if (replay(s, &s->list[i], r, &ignored) == 0)
            judge(&s->list[i]);
        hw_recording_close(r);
    }
    return 0;
}

/* ---- what is said of it -------------------------------------------------------------------------- */

static bool is_at_end(const struct hw_progress *last)
{
    return last->m > 0 && last->n == last->m;
}

static const char *sureness(const struct proposal *p)
{
    bool enough = p->counts.samples >= SURE_RECORDS;
    if (enough && is_at_end(&p->last) && !p->counts.held && !p->counts.refusals)
        return "quite sure";
    return enough && p->last.fraction >= 0 ? "fairly sure" : "not sure";
}

static void end_of(const struct proposal *p, char *buf, size_t size)
{
    char nm[HW_NM_SIZE];
    hw_nm_format(p->last.n, p->last.m, nm);
    if (p->last.fraction < 0 && p->last.counted)
        snprintf(buf, size, "%lld %s, total unknown", (long long)p->last.count.done,
                 p->last.count.unit);
    else
        snprintf(buf, size, "%s", nm);
}

static void tell_doubts(const struct proposal *p)
{
    if (p->last.fraction < 0)
        fputs(
            "  no total: a person must know it, by the setting `total`, or another line of the log\n",
            stderr);
    else if (!is_at_end(&p->last))
        fputs(
            "  the log does not reach its end: was the run cut short, or is there a better number?\n",
            stderr);
    if (p->counts.held)
        fprintf(stderr, "  %llu values went back and are held: does the tool count anew?\n",
                (unsigned long long)p->counts.held);
}

static void tell(const struct suggest *s, const struct proposal *best)
{
    char end[HW_NM_SIZE + 80];
    if (strcmp(s->known.name, HW_PARSER_UNKNOWN) != 0)
        fprintf(stderr,
                "headway knows this command: parser %s. Another one is suggested all the same\n",
                s->known.name);
    end_of(best, end, sizeof end);
    fprintf(stderr, "%s: %s\n  %s; replayed: %llu samples of %llu records, at the end %s\n",
            sureness(best), best->title, best->why, (unsigned long long)best->counts.samples,
            (unsigned long long)best->counts.records, end);
    tell_doubts(best);
    for (size_t i = 0; i < s->count; i++) {
        const struct proposal *p = &s->list[i];
        end_of(p, end, sizeof end);
        if (p != best)
            fprintf(stderr, "%s: %s, at the end %s\n", p->works ? "or" : "no", p->title, end);
    }
}

/* ---- writing ------------------------------------------------------------------------------------- */

static int write_file(const char *dir, const char *name, const char *end, const struct hw_buf *text,
                      bool force, struct hw_err *err)
{
    hw_auto_free char *path = hw_xasprintf("%s/%s%s", dir, name, end);
    hw_auto_file out = fopen(path, force ? "we" : "wxe");
    if (!out && errno == EEXIST)
        return hw_fail(err, HW_ECONFIG, "'%s' is there already; --force writes it anew", path);
    if (!out || fwrite(text->ptr, 1, text->len, out) != text->len || fflush(out) != 0)
        return hw_fail_sys(err, "write '%s'", path);
    printf("%s\n", path);
    return 0;
}

static int give(const struct suggest *s, const struct proposal *p, struct hw_err *err)
{
    const char *dir = hw_cmd_flag(s->ctx, "out");
    bool force = hw_cmd_flag(s->ctx, "force");
    if (!dir) {
        fwrite(p->parser.ptr, 1, p->parser.len, stdout);
        return 0;
    }
    if (mkdir(dir, 0777) < 0 && errno != EEXIST)
        return hw_fail_sys(err, "make '%s'", dir);
    if (write_file(dir, s->name, ".lua", &p->parser, force, err) < 0)
        return -1;
    return write_file(dir, s->name, "_spec.lua", &p->spec, force, err);
}

/* -------------------------------------------------------------------------------------------------- */

static int look_for_numbers(struct suggest *s, struct hw_err *err)
{
    char name[] = "suggest", where[] = "built in", chunk[] = HW_PARSER_TOOL "suggest.lua";
    struct hw_parser_source source = { .name = name,
                                       .where = where,
                                       .chunk = chunk,
                                       .text = hw_parsers_embedded_module("tools.suggest") };
    struct hw_recording *r;
    if (hw_recording_open(&r, s->path, err) < 0)
        return -1;
    int st = choose_name(s, hw_recording_about(r)->command, err);
    if (st == 0 && (st = hw_proof_open(&s->proof, &source, NULL, NULL, false)) < 0)
        *err = s->proof.err;
    if (st == 0)
        st = read_records(s, r, err);
    if (st == 0)
        st = take_answer(s, err);
    hw_proof_close(&s->proof);
    hw_recording_close(r);
    return st;
}

static int suggest(struct suggest *s, struct hw_err *err)
{
    const struct proposal *best = NULL;
    if (look_for_numbers(s, err) < 0 || try_all(s, err) < 0)
        return -1;
    for (size_t i = 0; i < s->count && !best; i++)
        if (s->list[i].works)
            best = &s->list[i];
    if (!best)
        return hw_fail(
            err, HW_ELUA,
            "no number in the %llu records of '%s' behaves like progress: it should come several "
            "times, rise, and stay below a total",
            (unsigned long long)s->records, s->path);
    tell(s, best);
    return give(s, best, err);
}

static int suggest_main(struct hw_cmd_ctx *ctx)
{
    struct hw_err err;
    if (strcmp(ctx->argv[0], "-") == 0)
        return hw_cmd_misuse(ctx, "the recording is read several times: name a file");
    struct suggest *s = hw_xzalloc(sizeof *s);
    s->ctx = ctx;
    s->path = ctx->argv[0];
    int status = suggest(s, &err) == 0 ? 0 : hw_cmd_fail(ctx, &err);
    for (size_t i = 0; i < s->count; i++) {
        hw_buf_done(&s->list[i].parser);
        hw_buf_done(&s->list[i].spec);
    }
    free(s);
    return status;
}

static const struct hw_cmd_flag flags[] = {
    { "out", 'o', "DIR",
      "write DIR/NAME.lua and DIR/NAME_spec.lua; else the parser goes to stdout, without spec" },
    { "name", 0, "NAME", "of the parser; else as the recorded program, or the file" },
    { "force", 0, NULL, "write over files that are there" },
    { .name = NULL },
};

const struct hw_cmd hw_cmd_suggest = {
    .name = "suggest",
    .args = "FILE",
    .summary = "find the numbers that behave like progress in a recording, and write a parser",
    .description =
        "FILE is an asciicast v2 recording (headway record makes one), or a plain log. What was found, how sure\n"
        "that is and what else there was is said on stderr. Each proposal was replayed on FILE; the first that\n"
        "works is written, a start for a person to go on from. Exit status 1 when nothing behaves like progress.",
    .takes = HW_FOR_PARSERS,
    .flags = flags,
    .args_min = 1,
    .args_max = 1,
    .run = suggest_main,
};
