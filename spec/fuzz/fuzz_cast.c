/* fuzz_cast.c - any bytes as a recording: events keep their order and bounds, and are the same, as is the error, however the bytes are
 * cut. First byte: bit 0: it must be a recording, the rest: how it is cut. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/cast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 32 * 1024 };

static void check(bool fine)
{
    if (!fine)
        abort();
}

struct seen {
    uint64_t sum, events, bytes;
    int64_t us;
    struct hw_cast_about about;
    char command[256];
    char why[400];
};

static void add(struct seen *s, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        s->sum = (s->sum ^ ((const uint8_t *)data)[i]) * UINT64_C(1099511628211);
}

static void take(struct seen *s, const struct hw_cast *c, const struct hw_cast_event *e)
{
    bool timed = hw_cast_about(c)->kind == HW_CAST_V2;
    check(e->us >= s->us && e->us <= HW_CAST_SECONDS_MAX * INT64_C(1000000));
    check(timed || e->us == 0);
    if (timed) /* where a log is cut is nobody's business */
        add(s, &(uint64_t){ e->bytes.len }, sizeof(uint64_t));
    if (timed)
        s->events++;
    add(s, &e->us, timed ? sizeof e->us : 0);
    add(s, e->bytes.ptr, e->bytes.len);
    s->us = e->us;
    s->bytes += e->bytes.len;
}

/* -1: an error, which stays one. */
static int drain(struct hw_cast *c, struct seen *s)
{
    struct hw_cast_event event;
    struct hw_err err, again;
    int st;
    while ((st = hw_cast_next(c, &event, &err)) > 0)
        take(s, c, &event);
    if (st == 0)
        return 0;
    check(err.code == HW_EINPUT && hw_cast_next(c, &event, &again) < 0);
    snprintf(s->why, sizeof s->why, "%s", err.msg);
    return -1;
}

static void read_all(const uint8_t *data, size_t size, bool must, size_t step, struct seen *s)
{
    struct hw_cast *c = hw_cast_new(must);
    int st = 0;
    memset(s, 0, sizeof *s);
    for (size_t at = 0; at < size && st == 0; at += step) {
        /* In a block of its own size, so that the sanitizer sees a read beside it. */
        size_t n = size - at < step ? size - at : step;
        char *copy = malloc(n);
        memcpy(copy, data + at, n);
        hw_cast_add(c, (struct hw_str){ copy, n });
        st = drain(c, s);
        free(copy);
    }
    if (st == 0) {
        hw_cast_end(c);
        (void)drain(c, s);
    }
    s->about = *hw_cast_about(c);
    if (s->about.command)
        snprintf(s->command, sizeof s->command, "%s", s->about.command);
    s->about.command = NULL;
    hw_cast_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seen whole, cut;
    if (size < 1 || size > INPUT_MAX)
        return 0;
    bool must = data[0] & 1;
    read_all(data + 1, size - 1, must, INPUT_MAX, &whole);
    read_all(data + 1, size - 1, must, 1 + (data[0] >> 1) % 64u, &cut);
    check(whole.sum == cut.sum && whole.events == cut.events && whole.bytes == cut.bytes);
    check(whole.us == cut.us && strcmp(whole.why, cut.why) == 0);
    check(whole.about.kind == cut.about.kind && whole.about.is_cut == cut.about.is_cut);
    check(whole.about.back == cut.about.back && whole.about.back_line == cut.about.back_line);
    check(whole.about.unix_ms == cut.about.unix_ms && strcmp(whole.command, cut.command) == 0);
    /* A log comes through byte for byte. */
    check(whole.about.kind != HW_CAST_LOG || must || whole.bytes == size - 1);
    return 0;
}
