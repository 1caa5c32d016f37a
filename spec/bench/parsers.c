/* parsers.c - logs for spec/bench/parsers.lua and long.lua, to stdout: `bench_parsers rsync|nm|json|log COUNT`.
 *   rsync   --info=progress2, each line a sample
 *   nm      N/M
 *   json    rclone --use-json-log, each line with its stats
 *   log     lines of a log that say nothing about progress, without any hint of rsync's
 * COUNT: lines; 0 = until nobody reads any more. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void rsync_line(unsigned long i, unsigned long count)
{
    printf("%15lu %3lu%%  %3lu.%02luMB/s    %lu:%02lu:%02lu (xfr#%lu, to-chk=%lu/%lu)\n", i * 997,
           i * 100 / count, i % 300, i % 100, i / 3600 % 10, i / 60 % 60, i % 60, i, count - i,
           count);
}

static void nm_line(unsigned long i, unsigned long count)
{
    printf("%lu/%lu\n", i, count);
}

static void json_line(unsigned long i, unsigned long count)
{
    printf("{\"level\":\"info\",\"msg\":\"stats\",\"source\":\"accounting/stats.go:482\",\"stats\":{\"bytes\":%lu,"
           "\"checks\":0,\"deletes\":0,\"elapsedTime\":%lu.097762531,\"errors\":0,\"eta\":null,"
           "\"fatalError\":false,\"speed\":%lu.25,\"totalBytes\":%lu,\"totalTransfers\":%lu,"
           "\"transferring\":[],\"transfers\":%lu},\"time\":\"2026-11-23T19:11:10.00743+00:00\"}\n",
           i * 1000, i, i % 7000000, count * 1000, count, i);
}

static void log_line(unsigned long i, unsigned long count)
{
    (void)count;
    printf(
        "2026-01-31T12:%02lu:%02lu.%06luZ INFO copy: object data/part-%07lu.bin was taken from the queue\n",
        i / 6000 % 60, i / 100 % 60, i * 7919 % 1000000, i);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*line)(unsigned long i, unsigned long count);
    } kinds[] = {
        { "rsync", rsync_line }, { "nm", nm_line }, { "json", json_line }, { "log", log_line }
    };
    unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1,
                  most = count ? count : 1000000000;
    signal(SIGPIPE, SIG_DFL);
    for (size_t k = 0; argc > 1 && k < sizeof kinds / sizeof kinds[0]; k++)
        if (strcmp(argv[1], kinds[k].name) == 0) {
            for (unsigned long i = 1; i <= most; i++)
                kinds[k].line(i, most);
            return fflush(stdout) == 0 ? 0 : 1;
        }
    fputs("usage: bench_parsers rsync|nm|json|log COUNT\n", stderr);
    return 2;
}
