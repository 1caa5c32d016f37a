/* wrapper.c - what stands between a command and its reader: bench_wrapper echo|start|flow ROUNDS COMMAND...
 * echo: the command echoes; one byte there and back, microseconds (p50, p99).
 * start: the command ends at once; milliseconds from fork to reaped (p50, p99).
 * flow: the command prints ROUNDS MiB; seconds until all were read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct process {
    pid_t pid;
    int in, out;
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(3);
}

static struct process start(char **argv)
{
    int in[2], out[2];
    if (pipe(in) < 0 || pipe(out) < 0)
        fail("pipe");
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    return (struct process){ pid, in[1], out[0] };
}

static void finish(struct process p)
{
    int status;
    close(p.in);
    if (waitpid(p.pid, &status, 0) < 0)
        fail("waitpid");
    close(p.out); /* not before: a reader that is gone is another story */
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(double *list, int n, double unit)
{
    qsort(list, (size_t)n, sizeof *list, by_value);
    printf("%.2f %.2f\n", list[n / 2] / unit, list[n * 99 / 100] / unit);
}

static double *figures(int rounds)
{
    double *list = calloc((size_t)rounds, sizeof *list);
    if (!list)
        fail("calloc");
    return list;
}

static void echo(int rounds, char **argv)
{
    double *took = figures(rounds);
    struct process p = start(argv);
    char byte = 'x';
    for (int i = -10; i < rounds; i++) { /* the first ones wait for the start */
        double begin = now_us();
        if (write(p.in, &byte, 1) != 1 || read(p.out, &byte, 1) != 1)
            fail("echo");
        if (i >= 0)
            took[i] = now_us() - begin;
    }
    finish(p);
    print(took, rounds, 1);
    free(took);
}

static void starts(int rounds, char **argv)
{
    double *took = figures(rounds);
    for (int i = 0; i < rounds; i++) {
        double begin = now_us();
        finish(start(argv));
        took[i] = now_us() - begin;
    }
    print(took, rounds, 1000);
    free(took);
}

static void flow(int mebibytes, char **argv)
{
    static char buf[1 << 16];
    double begin = now_us();
    long long total = 0;
    struct process p = start(argv);
    for (ssize_t n; (n = read(p.out, buf, sizeof buf)) > 0;)
        total += n;
    finish(p);
    if (total != (long long)mebibytes << 20)
        fprintf(stderr, "%lld bytes came, not %d MiB\n", total, mebibytes);
    printf("%.3f\n", (now_us() - begin) / 1e6);
}

int main(int argc, char **argv)
{
    int rounds = argc > 3 ? atoi(argv[2]) : 0;
    if (rounds < 1)
        return 2;
    if (strcmp(argv[1], "echo") == 0)
        echo(rounds, argv + 3);
    else if (strcmp(argv[1], "start") == 0)
        starts(rounds, argv + 3);
    else
        flow(rounds, argv + 3);
    return 0;
}
