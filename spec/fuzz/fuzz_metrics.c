/* fuzz_metrics.c - any bytes as an HTTP reply: bounds hold, and what is made of them is the same however they are cut.
 * First byte: bit 0 a reset at the end, the rest how long the pieces are. */
#include <stdlib.h>
#include <string.h>

#include "source/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine)
{
    if (!fine)
        abort();
}

static void read_reply(struct hw_reply *r, const uint8_t *data, size_t size, size_t piece,
                       bool clean)
{
    hw_reply_init(r);
    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        if (!hw_reply_feed(r, (struct hw_str){ (const char *)data + at, n }))
            break;
    }
    hw_reply_end(r, clean);
    check(r->state == HW_REPLY_WHOLE || (r->state == HW_REPLY_REFUSED && r->why[0]));
    check(r->state != HW_REPLY_WHOLE || (r->bytes.len <= HW_REPLY_BODY_MAX && r->status == 200));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hw_reply whole, cut;
    if (!size)
        return 0;
    bool clean = data[0] & 1;
    size_t piece = (size_t)(data[0] >> 1) + 1;
    read_reply(&whole, data + 1, size - 1, size, clean);
    read_reply(&cut, data + 1, size - 1, piece, clean);
    check(whole.state == cut.state && strcmp(whole.why, cut.why) == 0);
    if (whole.state == HW_REPLY_WHOLE && whole.bytes.len)
        check(whole.bytes.len == cut.bytes.len &&
              memcmp(whole.bytes.ptr, cut.bytes.ptr, whole.bytes.len) == 0);
    hw_reply_done(&whole);
    hw_reply_done(&cut);
    return 0;
}
