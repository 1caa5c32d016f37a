/* records.c - how fast output is cut into records, beside `wc -l` on the same file in the same run.
 *   bench_records [MEGABYTES]     (250)
 * Makes two files in $TMPDIR, plain log lines and rsync's progress lines (CR first), reads each in pieces of 64 KiB as from a pipe or a log, and
 * prints the best of five runs of: cutting alone (the file in memory), reading and cutting, wc -l. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "source/records.h"

enum { PIECE = 64 * 1024, RUNS = 5 };

struct sum {
    uint64_t records, bytes;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_records: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void on_record(void *ctx, const struct hw_record *record)
{
    struct sum *sum = ctx;
    sum->records++;
    sum->bytes += record->text.len;
}

static int log_line(char *line, size_t size, unsigned i)
{
    return snprintf(line, size,
                    "2026-01-31T12:%02u:%02u.%06uZ INFO copy: object data/part-%07u.bin done, %u of "
                    "2500000 objects, 184.2 MiB/s\n",
                    i / 6000 % 60, i / 100 % 60, i * 7919 % 1000000, i, i);
}

static int rsync_line(char *line, size_t size, unsigned i)
{
    return snprintf(
        line, size, "\r%15u %3u%%  %3u.%02uMB/s    %u:%02u:%02u (xfr#%u, to-chk=%u/3000000)",
        i * 997, i / 30000, i % 300, i % 100, i / 3600 % 10, i / 60 % 60, i % 60, i, 3000000 - i);
}

/* Returns the content; the caller frees. */
static char *make(const char *path, size_t size, int (*line)(char *, size_t, unsigned))
{
    char *text = malloc(size + 256);
    size_t len = 0;
    if (!text)
        die("memory");
    for (unsigned i = 0; len < size; i++)
        len += (size_t)line(text + len, 256, i);
    FILE *f = fopen(path, "w");
    if (!f || fwrite(text, 1, size, f) != size || fclose(f) != 0)
        die(path);
    return text;
}

static double cut(const char *text, size_t size, struct sum *sum)
{
    struct hw_records *r = hw_records_new(4096);
    double begin = now_s();
    for (size_t at = 0; at < size; at += PIECE)
        hw_records_feed(r, (struct hw_str){ text + at, size - at < PIECE ? size - at : PIECE },
                        on_record, sum);
    hw_records_end(r, true, on_record, sum);
    double took = now_s() - begin;
    hw_records_free(r);
    return took;
}

static double read_and_cut(const char *path, struct sum *sum)
{
    static char piece[PIECE];
    struct hw_records *r = hw_records_new(4096);
    double begin = now_s();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        hw_records_feed(r, (struct hw_str){ piece, (size_t)n }, on_record, sum);
    if (n < 0)
        die(path);
    close(fd);
    hw_records_end(r, true, on_record, sum);
    double took = now_s() - begin;
    hw_records_free(r);
    return took;
}

static double wc(const char *path)
{
    char command[4200];
    snprintf(command, sizeof command, "wc -l '%s' >/dev/null", path);
    double begin = now_s();
    if (system(command) != 0) /* the shell and the start of wc: 1 to 2 ms */
        die("wc");
    return now_s() - begin;
}

static void measure(const char *name, const char *path, const char *text, size_t size)
{
    double best[3] = { 1e9, 1e9, 1e9 };
    struct sum sum = { 0, 0 };
    for (int i = 0; i < RUNS; i++) {
        sum = (struct sum){ 0, 0 };
        double took[3] = { cut(text, size, &sum), read_and_cut(path, &sum), wc(path) };
        for (int k = 0; k < 3; k++)
            best[k] = took[k] < best[k] ? took[k] : best[k];
    }
    double gb = (double)size / 1e9;
    printf("{\"input\":\"%s\",\"bytes\":%zu,\"records\":%llu,\"cut_gb_s\":%.2f,\"read_and_cut_gb_s\":%.2f,"
           "\"wc_gb_s\":%.2f,\"read_and_cut_to_wc\":%.2f}\n",
           name, size, (unsigned long long)sum.records / 2, gb / best[0], gb / best[1],
           gb / best[2], best[1] / best[2]);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*line)(char *, size_t, unsigned);
    } inputs[] = { { "log lines", log_line }, { "rsync progress2", rsync_line } };
    size_t size = (size_t)(argc > 1 ? atoi(argv[1]) : 250) * 1000000;
    const char *dir = getenv("TMPDIR");
    char path[4096];
    if (size == 0)
        die("how many megabytes");
    snprintf(path, sizeof path, "%s/bench_records.%ld", dir ? dir : "/tmp", (long)getpid());
    for (int i = 0; i < 2; i++) {
        char *text = make(path, size, inputs[i].line);
        measure(inputs[i].name, path, text, size);
        free(text);
        unlink(path);
    }
    return 0;
}
