/* latency.c - from the write of a progress file to the annotation that the API server has taken, beside a bare patch over a kept
 * connection in the same run. Started by reporter.lua, which has a cluster, a pod and a token at hand:
 *   bench_latency HEADWAY EVENTS ROUNDS GAP_MS POD_URL     (environment: what headway needs; TOKEN, CA)
 * A round: wait GAP_MS, patch the pod bare; wait GAP_MS, write the file, wait for headway's word that it was taken.
 * Then a loop of bare patches without waits. Prints a line of JSON with p50 and p99 in ms. */
#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUNDS_MAX = 110
}; /* then the bucket of the pace is empty, and it is that which would be measured */

static CURL *curl;
static int log_fd = -1;
static char log_text[1 << 18];
static size_t log_len;

static void die(const char *what)
{
    fprintf(stderr, "bench_latency: %s\n", what);
    exit(1);
}

static double now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void nap(int ms)
{
    struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000L };
    nanosleep(&ts, NULL);
}

static size_t discard(char *data, size_t size, size_t n, void *ctx)
{
    (void)data, (void)ctx;
    return size * n;
}

static void open_curl(const char *url)
{
    char header[8192];
    struct curl_slist *headers = NULL;
    curl = curl_easy_init();
    snprintf(header, sizeof header, "Authorization: Bearer %s", getenv("TOKEN"));
    headers = curl_slist_append(headers, header);
    headers = curl_slist_append(headers, "Content-Type: application/merge-patch+json");
    headers = curl_slist_append(
        headers, "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, getenv("CA"));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "PATCH");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
}

/* The same two annotations, of about the same size, as headway writes. */
static double bare_patch(int i)
{
    char body[700];
    snprintf(
        body, sizeof body,
        "{\"metadata\":{\"annotations\":{\"fluid.io/data-progress\":\"%d/1000\",\"fluid.io/data-progress-detail\":"
        "\"{\\\"v\\\":1,\\\"by\\\":\\\"bench\\\",\\\"done\\\":%d,\\\"total\\\":1000,\\\"fraction\\\":0.5,"
        "\\\"state\\\":\\\"running\\\",\\\"rate\\\":0.166,\\\"started\\\":\\\"2026-01-01T00:00:00Z\\\","
        "\\\"updated\\\":\\\"2026-01-01T00:00:00Z\\\",\\\"parser\\\":\\\"nm\\\"}\"}}}",
        i, i);
    double begin = now_ms();
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    if (curl_easy_perform(curl) != CURLE_OK)
        die("a bare patch was refused");
    return now_ms() - begin;
}

static pid_t start_headway(const char *binary, const char *events)
{
    int ends[2];
    if (pipe(ends) < 0)
        die("no pipe");
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        execl(binary, "headway", "run", "--log", "warn,annotation=debug", "--events", events,
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    log_fd = ends[0];
    return pid;
}

/* Waits until headway has said that its n-th value was taken. */
static double wait_written(int n)
{
    for (;;) {
        int seen = 0;
        for (char *p = log_text; (p = strstr(p, "written")); p++)
            seen++;
        if (seen >= n)
            return now_ms();
        struct pollfd fd = { .fd = log_fd, .events = POLLIN };
        if (poll(&fd, 1, 60000) <= 0)
            die("headway says nothing for a minute");
        ssize_t got = read(log_fd, log_text + log_len, sizeof log_text - 1 - log_len);
        if (got <= 0)
            die("headway ended");
        log_len += (size_t)got;
        log_text[log_len] = '\0';
    }
}

static void write_progress(const char *path, int n)
{
    char temp[4200], line[32];
    snprintf(temp, sizeof temp, "%s.new", path);
    FILE *f = fopen(temp, "w");
    snprintf(line, sizeof line, "%d/100\n", n);
    if (!f || fputs(line, f) < 0 || fclose(f) != 0 || rename(temp, path) < 0)
        die("can't write the progress file");
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_percentiles(const char *name, double *ms, int n, const char *end)
{
    qsort(ms, (size_t)n, sizeof *ms, by_value);
    printf("\"%s\":{\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f,\"n\":%d}%s", name, ms[n / 2],
           ms[(int)(n * 0.99)], ms[n - 1], n, end);
}

int main(int argc, char **argv)
{
    static double reported[ROUNDS_MAX], spaced[ROUNDS_MAX], tight[ROUNDS_MAX];
    if (argc != 6)
        die("usage: bench_latency HEADWAY EVENTS ROUNDS GAP_MS POD_URL");
    int rounds = atoi(argv[3]), gap = atoi(argv[4]);
    const char *file = getenv("FLUID_PROGRESS_FILE");
    if (rounds < 1 || rounds > ROUNDS_MAX || !file || !getenv("TOKEN") || !getenv("CA"))
        die("1 to 110 rounds; FLUID_PROGRESS_FILE, TOKEN and CA must be set");
    open_curl(argv[5]);
    pid_t pid = start_headway(argv[1], argv[2]);
    wait_written(1); /* the initial 0/100, which is not written to a pod that has a value */
    bare_patch(0);
    for (int i = 0; i < rounds; i++) {
        nap(gap);
        spaced[i] = bare_patch(i);
        nap(gap);
        double begin = now_ms();
        write_progress(file, i % 99 + 1); /* another whole percent each time */
        reported[i] = wait_written(i + 2) - begin;
        if (reported[i] > 100 && gap < 2000 && strcmp(argv[2], "off") != 0)
            fprintf(stderr, "round %d took %.1f ms; headway's log ends:\n%s\n", i, reported[i],
                    log_text + (log_len > 600 ? log_len - 600 : 0));
    }
    for (int i = 0; i < rounds; i++)
        tight[i] = bare_patch(i);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    printf("{\"events\":\"%s\",", argv[2]);
    print_percentiles("headway", reported, rounds, ",");
    print_percentiles("bare_spaced", spaced, rounds, ",");
    print_percentiles("bare_loop", tight, rounds, "}\n");
    return 0;
}
