/* replay.c - a recording, or a plain log, through a parser as live output would go. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/reporting.h"
#include "loop/loop.h"
#include "progress/nm.h"
#include "replay/lines.h"
#include "replay/player.h"
#include "replay/plot.h"
#include "replay/recording.h"
#include "sink/lines.h"

/* The flags, read. */
struct wishes {
    double speed; /* 0 = as fast as possible */
    int code;     /* of the command; -1 = unknown */
    bool expects;
    struct hw_nm expected;
    bool raw, json, newest, all;
};

struct replay {
    const struct hw_cmd_ctx *ctx;
    struct wishes wishes;
    struct hw_recording *recording; /* owns */
    struct hw_player *player;       /* owns */
    struct hw_items items;
    struct hw_plot *plot;    /* owns; NULL = none is wanted */
    struct hw_progress last; /* at the end */
};

/* ---- flags --------------------------------------------------------------------------------------- */

static int take_speed(struct hw_cmd_ctx *ctx, struct wishes *w)
{
    const char *text = hw_cmd_flag(ctx, "speed");
    char *end = NULL;
    w->speed = hw_cmd_flag(ctx, "raw") ? 1 : 0;
    if (!text)
        return 0;
    w->speed = strcmp(text, "max") == 0 ? 0 : strtod(text, &end);
    bool number = text[0] >= '0' && text[0] <= '9' && end && !*end;
    if (strcmp(text, "max") != 0 && (!number || !(w->speed >= 0.001 && w->speed <= 1e6)))
        return hw_cmd_misuse(ctx, "--speed '%.40s': expected 0.001 to 1000000, or max", text);
    return 0;
}

static int take_code(struct hw_cmd_ctx *ctx, struct wishes *w)
{
    const char *text = hw_cmd_flag(ctx, "exit");
    w->code = -1;
    if (!text)
        return 0;
    size_t len = strspn(text, "0123456789");
    if (!len || len > 3 || text[len] || atoi(text) > 255)
        return hw_cmd_misuse(ctx, "--exit '%.40s': expected an exit status, 0 to 255", text);
    w->code = atoi(text);
    return 0;
}

static int take_expected(struct hw_cmd_ctx *ctx, struct wishes *w)
{
    const char *text = hw_cmd_flag(ctx, "expect");
    struct hw_err err;
    if (!text)
        return 0;
    if (hw_nm_parse(hw_str(text), &w->expected, &err) < 0)
        return hw_cmd_misuse(ctx, "--expect: %s", err.msg);
    if (w->expected.message.len)
        return hw_cmd_misuse(ctx, "--expect '%.40s': only N/M", text);
    w->expects = true;
    return 0;
}

static int take_samples(struct hw_cmd_ctx *ctx, struct wishes *w)
{
    const char *text = hw_cmd_flag(ctx, "samples");
    if (text && strcmp(text, "all") != 0 && strcmp(text, "newest") != 0)
        return hw_cmd_misuse(ctx, "--samples '%.40s': expected all or newest", text);
    w->all = text && strcmp(text, "all") == 0;
    w->newest = text && !w->all;
    return 0;
}

static int take_flags(struct hw_cmd_ctx *ctx, struct wishes *w)
{
    static int (*const takers[])(struct hw_cmd_ctx *, struct wishes *) = { take_speed, take_code,
                                                                           take_expected,
                                                                           take_samples };
    *w = (struct wishes){ .raw = hw_cmd_flag(ctx, "raw"),
                          .json = ctx->config->output == HW_OUTPUT_JSON };
    for (size_t i = 0; i < HW_LEN(takers); i++) {
        int status = takers[i](ctx, w);
        if (status)
            return status;
    }
    if (w->raw && (w->expects || hw_cmd_flag(ctx, "plot")))
        return hw_cmd_misuse(ctx, "--raw plays the bytes alone: there is nothing to %s",
                             w->expects ? "--expect" : "--plot");
    return 0;
}

/* ---- --raw --------------------------------------------------------------------------------------- */

static int play_raw(struct replay *r, struct hw_stopwatch *w, struct hw_err *err)
{
    struct hw_cast_event event;
    int st;
    hw_stopwatch_wait(w, 0);
    while ((st = hw_recording_next(r->recording, &event, NULL, NULL, err)) > 0) {
        hw_stopwatch_wait(w, event.us / 1000);
        fwrite(event.bytes.ptr, 1, event.bytes.len, stdout);
        if (fflush(stdout) != 0)
            return 0; /* main tells it */
    }
    return st;
}

static int raw(struct replay *r, struct hw_err *err)
{
    struct hw_stopwatch w;
    uv_loop_t loop;
    if (hw_loop_init(&loop, err) < 0)
        return -1;
    hw_stopwatch_init(&w, &loop, r->wishes.speed);
    int st = play_raw(r, &w, err);
    hw_stopwatch_done(&w);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return st;
}

/* ---- through a parser ---------------------------------------------------------------------------- */

static int on_item(void *ctx, const struct hw_item *item, struct hw_err *err)
{
    struct replay *r = ctx;
    if (item->kind == HW_ITEM_END)
        r->last = *item->progress;
    if (r->plot)
        hw_plot_add(r->plot, item);
    if (hw_items_add(&r->items, item, err) < 0)
        return -1;
    return item->kind == HW_ITEM_WAIT && fflush(stdout) != 0
               ? hw_fail_sys(err, "write standard output")
               : 0;
}

static int make_player(struct replay *r, struct hw_err *err)
{
    const struct hw_config *c = r->ctx->config;
    const struct hw_cast_about *about = hw_recording_about(r->recording);
    struct hw_reporter_options settings;
    struct hw_parser_source source = { 0 };
    char parser[HW_REPORTING_PARSER];
    hw_reporting_parser(c, NULL, about->command, parser);
    if (hw_reporting_options(c, &settings, err) < 0 ||
        hw_parsers_find(parser, c->parser.dir, &source, err) < 0)
        return -1;
    struct hw_player_options options = { .source = &source,
                                         .options = settings.parser_options,
                                         .option_count = settings.parser_option_count,
                                         .user_dir = c->parser.dir,
                                         .rules = settings.rules,
                                         .timed = about->kind == HW_CAST_V2,
                                         .unix_ms = about->unix_ms,
                                         .speed = r->wishes.speed,
                                         .every = r->wishes.all ||
                                                  (r->wishes.json && !r->wishes.newest) };
    int st = hw_player_new(&r->player, &options, on_item, r, err);
    hw_parser_source_done(&source);
    return st;
}

static void choose_look(struct replay *r)
{
    const struct hw_config *c = r->ctx->config;
    const struct hw_value *output = hw_config_value(c, hw_option_named("output"));
    struct hw_lines_options look = hw_lines_detect(STDOUT_FILENO);
    bool terminal = look.form == HW_LINES_BAR, newest = hw_player_meta(r->player)->newest;
    struct hw_items_options options = {
        .out = stdout,
        .form = r->wishes.json ? HW_ITEMS_JSON
                : terminal     ? HW_ITEMS_COLUMNS
                               : HW_ITEMS_COMPACT,
        .timed = hw_recording_about(r->recording)->kind == HW_CAST_V2,
        .only_end = hw_cmd_flag(r->ctx, "plot") && output->from == HW_FROM_DEFAULT,
        .newest = r->wishes.newest || (newest && !r->wishes.json && !r->wishes.all),
        .color = c->color == HW_COLOR_AUTO ? look.color : c->color == HW_COLOR_ALWAYS,
    };
    hw_items_init(&r->items, &options);
}

/* Somebody may wait for what came so far. */
static int before_wait(void *ctx, struct hw_err *err)
{
    struct replay *r = ctx;
    int st = hw_player_flush(r->player, err);
    fflush(stdout);
    return st;
}

static void warn(const struct hw_cast_about *about)
{
    if (about->is_cut)
        hw_log(HW_WARN, "replay", "the recording breaks off: its last line is incomplete");
    if (about->back)
        hw_log(HW_WARN, "replay",
               "times go back %llu times, first in line %llu: the time before is taken",
               (unsigned long long)about->back, (unsigned long long)about->back_line);
}

static int play(struct replay *r, struct hw_err *err)
{
    struct hw_cast_event event;
    int st;
    while ((st = hw_recording_next(r->recording, &event, before_wait, r, err)) > 0)
        if (hw_player_event(r->player, &event, err) < 0)
            return -1;
    const struct hw_cast_about *about = hw_recording_about(r->recording);
    if (st < 0)
        return -1;
    warn(about);
    return hw_player_end(r->player, r->wishes.code, !about->is_cut, err);
}

static int judge(struct replay *r, struct hw_err *err)
{
    char expected[HW_NM_SIZE], came[HW_NM_SIZE];
    const struct wishes *w = &r->wishes;
    if (!w->expects || (r->last.n == w->expected.done && r->last.m == w->expected.total))
        return 0;
    hw_nm_format(w->expected.done, w->expected.total, expected);
    hw_nm_format(r->last.n, r->last.m, came);
    return hw_fail(err, HW_ELUA, "expected %s, the progress at the end is %s (%s%s%s)", expected,
                   came, hw_state_name(r->last.state), r->last.reason[0] ? ": " : "",
                   r->last.reason);
}

static void begin_plot(struct replay *r)
{
    const struct hw_cast_about *about = hw_recording_about(r->recording);
    if (!hw_cmd_flag(r->ctx, "plot"))
        return;
    r->plot = hw_xzalloc(sizeof *r->plot);
    hw_plot_init(r->plot, r->ctx->argv[0], hw_player_meta(r->player)->name, about->command,
                 about->kind == HW_CAST_V2);
}

/* Under another name first: a picture that is there is whole. */
static int write_plot(const struct replay *r, struct hw_err *err)
{
    const char *path = hw_cmd_flag(r->ctx, "plot");
    if (!r->plot)
        return 0;
    hw_auto_free char *part = hw_xasprintf("%s.part", path);
    hw_auto_file out = fopen(part, "we");
    if (!out)
        return hw_fail_sys(err, "write '%s'", part);
    hw_plot_write(r->plot, out);
    if (fflush(out) != 0 || ferror(out) || rename(part, path) < 0) {
        hw_err_set_sys(err, "write '%s'", path);
        unlink(part);
        return -1;
    }
    return 0;
}

static int parse(struct replay *r, struct hw_err *err)
{
    struct hw_err second;
    if (make_player(r, err) < 0)
        return -1;
    choose_look(r);
    begin_plot(r);
    if (play(r, err) < 0) {
        if (!ferror(stdout) && err->code == HW_ELUA)
            hw_player_give_up(r->player, err->msg);
        if (write_plot(r, &second) < 0)
            hw_log(HW_ERROR, "replay", "%s", second.msg);
        return -1;
    }
    return write_plot(r, err) < 0 ? -1 : judge(r, err);
}

/* -------------------------------------------------------------------------------------------------- */

static int replay_main(struct hw_cmd_ctx *ctx)
{
    struct replay *r = hw_xzalloc(sizeof *r);
    struct hw_err err;
    r->ctx = ctx;
    int status = take_flags(ctx, &r->wishes);
    if (status == 0) {
        int st = hw_recording_open(&r->recording, ctx->argv[0], &err);
        if (st == 0)
            st = r->wishes.raw ? raw(r, &err) : parse(r, &err);
        /* What is wrong with standard output is main's to tell. */
        status = st == 0 || ferror(stdout) ? 0 : hw_cmd_fail(ctx, &err);
    }
    hw_player_free(r->player);
    hw_recording_close(r->recording);
    free(r->plot);
    free(r);
    return status;
}

static const struct hw_cmd_flag flags[] = {
    { "samples", 0, "all|newest",
      "print each sample, or the newest of each moment; else as the parser says, JSON all" },
    { "expect", 0, "N/M", "exit 1 when this is not the progress at the end" },
    { "exit", 0, "CODE",
      "how the command ended, its exit status; else unknown: no log proves success" },
    { "speed", 0, "N",
      "play in real time, N times as fast; max, the default but for --raw: as fast as possible" },
    { "plot", 0, "FILE.svg",
      "draw progress, rate and estimated end over time; without -o only the last line is printed" },
    { "raw", 0, NULL, "no parser: play the bytes to stdout, in their time or as --speed says" },
    { .name = NULL },
};

const struct hw_cmd hw_cmd_replay = {
    .name = "replay",
    .args = "FILE",
    .summary = "feed a recorded log to a parser and print the samples",
    .description =
        "FILE is an asciicast v2 recording, or any other file as a plain log, which has no times; - is\n"
        "standard input. The same file gives the same output for ever. Exit status 1 when --expect fails\n"
        "or the parser does, 3 when FILE can't be read.",
    .takes = HW_FOR_REPLAY | HW_FOR_PRINT,
    .outputs = 1 << HW_OUTPUT_TABLE | 1 << HW_OUTPUT_JSON,
    .flags = flags,
    .args_min = 1,
    .args_max = 1,
    .run = replay_main,
};
