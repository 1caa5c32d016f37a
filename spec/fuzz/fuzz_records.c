/* fuzz_records.c - any bytes, pauses and gaps as a tool's output: the records keep their bounds, hold no control but TAB, and are the same
 * however the bytes are cut. First byte: record_max; then 0xfe is a pause, 0xfd a gap, all others are fed. */
#include <stdlib.h>
#include <string.h>

#include "source/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAUSE = 0xfe, GAP = 0xfd, INPUT_MAX = 16 * 1024 };

static void check(bool fine)
{
    if (!fine)
        abort();
}

/* What one way of cutting gave. */
struct seen {
    size_t max;      /* record_max */
    uint64_t offset; /* of the last record */
    uint64_t end;    /* bytes fed and lost so far, with those under way */
    uint64_t count;
    uint64_t sum; /* over all that was given */
};

static void add(struct seen *s, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        s->sum = (s->sum ^ ((const uint8_t *)data)[i]) * UINT64_C(1099511628211);
}

static void on_record(void *ctx, const struct hw_record *record)
{
    struct seen *s = ctx;
    bool blank = true;
    check(record->text.len > 0 && record->text.len <= s->max);
    check(record->offset >= s->offset && record->offset <= s->end);
    for (size_t i = 0; i < record->text.len; i++) {
        unsigned char c = (unsigned char)record->text.ptr[i];
        check(c >= 0x20 || c == '\t');
        blank = blank && (c == ' ' || c == '\t');
    }
    check(!blank);
    s->offset = record->offset;
    s->count++;
    uint64_t head[] = { record->end, record->cut, record->offset, record->text.len };
    add(s, head, sizeof head);
    add(s, record->text.ptr, record->text.len);
}

static void feed(struct hw_records *r, const uint8_t *data, size_t len, struct seen *s)
{
    /* In a block of its own size, so that the sanitizer sees a read beside it. */
    char *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    s->end += len;
    hw_records_feed(r, (struct hw_str){ copy, len }, on_record, s);
    free(copy);
}

/* most: bytes in a feed at most, 0 = as many as there are. */
static void play(const uint8_t *data, size_t size, size_t most, struct seen *s)
{
    struct hw_records *r = hw_records_new((size_t)data[0] * 3);
    uint32_t random = 12345;
    *s = (struct seen){ .max = data[0] ? (size_t)data[0] * 3 : 1 };
    for (size_t at = 1; at < size;) {
        size_t len = 0;
        while (at + len < size && data[at + len] != PAUSE && data[at + len] != GAP)
            len++;
        for (size_t done = 0, n; done < len; done += n) {
            random = random * 1103515245 + 12345;
            n = most ? 1 + (random >> 16) % most : len;
            n = n < len - done ? n : len - done;
            feed(r, data + at + done, n, s);
        }
        at += len;
        if (at < size && data[at] == PAUSE) {
            hw_records_pause(r, on_record, s);
            check(!hw_records_pending(r));
        } else if (at < size) {
            hw_records_gap(r, 5);
            s->end += 5;
        }
        at++;
    }
    hw_records_end(r, size % 2, on_record, s);
    check(!hw_records_pending(r));
    check(hw_records_counts(r).records == s->count);
    /* Whatever came before, after an end all is as in the beginning. */
    feed(r, (const uint8_t *)"\n5\n", 3, s);
    check(s->offset == s->end);
    hw_records_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX)
        return 0;
    struct seen whole, cut;
    play(data, size, 0, &whole);
    for (size_t most = 1; most <= 64; most *= 8) {
        play(data, size, most, &cut);
        check(cut.count == whole.count && cut.sum == whole.sum);
    }
    return 0;
}
