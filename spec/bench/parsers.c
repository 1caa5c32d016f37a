/* parsers.c - how fast records go through the worker process and a parser: `bench_parsers HEADWAY PARSER [RECORDS]`.
 * Two inputs of RECORDS lines each (1,000,000): rsync's progress lines, each of which is a sample, and plain log lines
 * without any hint. Prints seconds of wall clock and of processor, worker included, best of three.
 * spec/bench/parsers.lua runs it beside a plain loop in lua5.4 and grep -c on the same lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "base/mem.h"
#include "lua/parsers.h"
#include "lua/worker.h"

enum { BATCH = 512, LINE_MAX_BYTES = 160, RUNS = 3 };

struct run {
    uv_loop_t loop;
    struct hw_worker *worker;
    unsigned id;
    unsigned next, count; /* records */
    uint64_t samples, silent;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_parsers: %s\n", what);
    exit(1);
}

static double clock_s(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Of children that have ended. */
static double children_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int log_line(char *line, size_t size, unsigned i)
{
    return snprintf(
        line, size,
        "2026-01-31T12:%02u:%02u.%06uZ INFO copy: object data/part-%07u.bin was taken from "
        "the queue",
        i / 6000 % 60, i / 100 % 60, i * 7919 % 1000000, i);
}

static int rsync_line(char *line, size_t size, unsigned i)
{
    return snprintf(line, size,
                    "%15u %3u%%  %3u.%02uMB/s    %u:%02u:%02u (xfr#%u, to-chk=%u/3000000)", i * 997,
                    i / 30000, i % 300, i % 100, i / 3600 % 10, i / 60 % 60, i % 60, i, 3000000 - i);
}

static struct hw_str *lines; /* own; made before the clock runs */

static void make_lines(int (*line)(char *, size_t, unsigned), unsigned count)
{
    char text[LINE_MAX_BYTES];
    lines = hw_xzalloc(count * sizeof *lines);
    for (unsigned i = 0; i < count; i++) {
        size_t len = (size_t)line(text, sizeof text, i);
        lines[i] = (struct hw_str){ hw_xstrndup(text, len), len };
    }
}

static void free_lines(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        free((void *)(uintptr_t)lines[i].ptr);
    free(lines);
}

static void feed_some(struct run *r)
{
    struct hw_err err;
    int st = 0;
    while (r->next < r->count && st == 0) {
        size_t n = r->count - r->next < BATCH ? r->count - r->next : BATCH;
        st = hw_worker_feed(r->worker, r->id, lines + r->next, n, 1, &err);
        if (st < 0)
            die(err.msg);
        if (st == 0)
            r->next += (unsigned)n;
    }
}

static void on_sample(void *ctx, unsigned id, uint64_t seq, size_t index, const struct hw_sample *s)
{
    (void)id, (void)seq, (void)index, (void)s;
    ((struct run *)ctx)->samples++;
}

static void on_silent(void *ctx, unsigned id, uint64_t seq, size_t count)
{
    (void)id, (void)seq;
    ((struct run *)ctx)->silent += count;
}

static void on_fed(void *ctx, unsigned id, uint64_t seq)
{
    (void)id, (void)seq;
    feed_some(ctx);
}

static void on_loaded(void *ctx, unsigned id, const struct hw_parser_meta *meta)
{
    (void)id, (void)meta;
    feed_some(ctx);
}

static void on_failed(void *ctx, unsigned id, const char *why)
{
    (void)ctx, (void)id;
    die(why);
}

static void load(struct run *r, const char *exe, const char *parser)
{
    struct hw_worker_options options = { .exe = exe };
    struct hw_worker_events events = { .ctx = r,
                                       .loaded = on_loaded,
                                       .load_failed = on_failed,
                                       .set_aside = on_failed,
                                       .sample = on_sample,
                                       .silent = on_silent,
                                       .fed = on_fed };
    struct hw_parser_source source = { 0 };
    struct hw_err err;
    uv_loop_init(&r->loop);
    if (hw_worker_new(&r->worker, &r->loop, &options, &events, &err) < 0 ||
        hw_parsers_find(parser, NULL, &source, &err) < 0 ||
        hw_worker_load(r->worker, &source, NULL, 0, false, &r->id, &err) < 0)
        die(err.msg);
    hw_parser_source_done(&source);
}

static void measure(const char *what, const char *exe, const char *parser,
                    int (*line)(char *, size_t, unsigned), unsigned count)
{
    double wall = 1e9, cpu = 1e9;
    struct run r;
    make_lines(line, count);
    for (int i = 0; i < RUNS; i++) {
        memset(&r, 0, sizeof r);
        r.count = count;
        double wall0 = clock_s(CLOCK_MONOTONIC),
               cpu0 = clock_s(CLOCK_PROCESS_CPUTIME_ID) + children_s();
        load(&r, exe, parser);
        while (r.samples + r.silent < count && uv_run(&r.loop, UV_RUN_ONCE))
            ;
        double wall1 = clock_s(CLOCK_MONOTONIC);
        hw_worker_free(r.worker);
        uv_run(&r.loop, UV_RUN_DEFAULT);
        uv_loop_close(&r.loop);
        double cpu1 = clock_s(CLOCK_PROCESS_CPUTIME_ID) + children_s();
        wall = wall1 - wall0 < wall ? wall1 - wall0 : wall;
        cpu = cpu1 - cpu0 < cpu ? cpu1 - cpu0 : cpu;
    }
    printf("%s, %s: %u records, %llu samples: %.2f s, %.2f s of processor, %.0f ns each\n", parser,
           what, count, (unsigned long long)r.samples, wall, cpu, cpu * 1e9 / count);
    free_lines(count);
}

/* The lines as a file, for the programs that this is compared with. */
static void print(int (*line)(char *, size_t, unsigned), unsigned count)
{
    char text[LINE_MAX_BYTES];
    for (unsigned i = 0; i < count; i++)
        printf("%.*s\n", line(text, sizeof text, i), text);
}

int main(int argc, char **argv)
{
    unsigned count = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1000000;
    if (argc < 3)
        die("usage: bench_parsers HEADWAY PARSER [RECORDS], or bench_parsers print rsync|log [RECORDS]");
    if (strcmp(argv[1], "print") == 0)
        print(strcmp(argv[2], "log") == 0 ? log_line : rsync_line, count);
    else {
        measure("its own lines", argv[1], argv[2], rsync_line, count);
        measure("lines without a hint", argv[1], argv[2], log_line, count);
    }
    return 0;
}
