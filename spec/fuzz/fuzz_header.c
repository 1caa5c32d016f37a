/* fuzz_header.c - any bytes as the headers of an answer, line by line as curl hands them over, and what they ask us to
 * wait. The first eight bytes are a time, which is written as a date and must be read again. */
#include <time.h>

#include "fuzz.h"
#include "kube/reply.h"
#include "kube/transfer.h"

enum { WAIT_MAX = 600000, HEADERS_MAX = 64 * 1024 };

static const int64_t wall = INT64_C(1767225600123); /* 2026-01-01 */

static void check_wait(const char *value)
{
    int64_t wait = hw_kube_retry_after(value, wall);
    fuzz_check(wait >= -1 && wait <= WAIT_MAX, "wait out of range", value);
    size_t digits = strspn(value, "0123456789");
    if (digits && digits < 9 && !value[digits]) {
        int64_t s = strtol(value, NULL, 10);
        fuzz_check(wait == (s > 600 ? WAIT_MAX : s * 1000), "seconds", value);
    }
    fuzz_check(value[0] != '-' || wait == -1 || strchr(value, ':'), "negative", value);
}

static void check_date(int64_t seed)
{
    static const char *const forms[] = { "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                         "%a %b %e %H:%M:%S %Y" };
    char text[64];
    time_t at = (time_t)(wall / 1000 + seed % 100000000); /* three years around */
    struct tm tm;
    gmtime_r(&at, &tm);
    int64_t want = (int64_t)at * 1000 - wall;
    want = want < 0 ? 0 : want > WAIT_MAX ? WAIT_MAX : want;
    for (size_t i = 0; i < HW_LEN(forms); i++) {
        strftime(text, sizeof text, forms[i], &tm);
        fuzz_check(hw_kube_retry_after(text, wall) == want, "date", text);
    }
}

/* The value that counts: of the last header of that name behind the last status line. */
static void check_lines(struct hw_str rest)
{
    struct hw_kube_transfer t = { .retry_after = "" };
    size_t bytes = 0;
    struct hw_str line;
    bool given = false;
    while (fuzz_next(&rest, '\n', &line)) {
        line.len += rest.ptr != NULL; /* with its end, as curl gives it */
        bool more = hw_kube_transfer_header(&t, line);
        bytes += line.len;
        fuzz_check(more == (bytes <= HEADERS_MAX) && t.too_much == !more, "ceiling", NULL);
        if (!more)
            return;
        if (line.len > 5 && memcmp(line.ptr, "HTTP/", 5) == 0)
            given = false;
        if (line.len > 12 && strncasecmp(line.ptr, "retry-after:", 12) == 0)
            given = true;
        fuzz_check(given || !t.retry_after[0], "of another answer", t.retry_after);
        fuzz_check(memchr(t.retry_after, '\0', sizeof t.retry_after) != NULL, "no end", NULL);
    }
    check_wait(t.retry_after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t seed;
    if (size < sizeof seed || size > 2 * HEADERS_MAX)
        return 0;
    memcpy(&seed, data, sizeof seed);
    check_date(seed);
    data += sizeof seed;
    size -= sizeof seed;
    check_lines((struct hw_str){ (const char *)data, size });
    hw_auto_free char *text = fuzz_text(data, size);
    check_wait(text);
    fuzz_check(hw_kube_retry_after(NULL, wall) == -1, "absent", NULL);
    return 0;
}
