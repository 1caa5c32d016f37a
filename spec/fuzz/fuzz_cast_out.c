/* fuzz_cast_out.c - any bytes as a command's output: what is recorded can be read, and its text is the same however the bytes came in
 * pieces; valid UTF-8 comes back byte for byte. First byte: how it is cut. */
#include "fuzz.h"

#include "base/buf.h"
#include "replay/cast.h"
#include "replay/cast_out.h"

enum { INPUT_MAX = 16 * 1024 };

static void write_recording(int fd, const uint8_t *data, size_t size, size_t step)
{
    struct hw_cast_header header = { .width = 80, .height = 24, .command = (const char *)data };
    struct hw_cast_out *out;
    struct hw_err err;
    fuzz_check(hw_cast_out_new(&out, fd, &header, &err) == 0, "header", err.msg);
    for (size_t at = 0; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        struct hw_str piece = { (const char *)data + at, n };
        fuzz_check(hw_cast_out_bytes(out, (int64_t)at, 0, piece, &err) == 0, "bytes", err.msg);
    }
    fuzz_check(hw_cast_out_end(out, (int64_t)size, &err) == 0, "end", err.msg);
    fuzz_check(hw_cast_out_counts(out).bytes == size, "count", NULL);
    hw_cast_out_free(out);
}

/* The text of a recording. */
static void read_recording(int fd, struct hw_buf *ret)
{
    off_t len = lseek(fd, 0, SEEK_END);
    char *text = malloc((size_t)len);
    struct hw_cast *cast = hw_cast_new(true);
    struct hw_cast_event event;
    struct hw_err err;
    int st;
    fuzz_check(pread(fd, text, (size_t)len, 0) == len, "read", NULL);
    hw_cast_add(cast, (struct hw_str){ text, (size_t)len });
    hw_cast_end(cast);
    while ((st = hw_cast_next(cast, &event, &err)) > 0)
        fuzz_check(hw_buf_add(ret, event.bytes.ptr, event.bytes.len, &err) == 0, "text", err.msg);
    fuzz_check(st == 0, "the recording can't be read", err.msg);
    fuzz_check(!hw_cast_about(cast)->is_cut && !hw_cast_about(cast)->back, "cut or back", NULL);
    hw_cast_free(cast);
    free(text);
}

static void through(const uint8_t *data, size_t size, size_t step, struct hw_buf *ret)
{
    int fd = memfd_create("cast", MFD_CLOEXEC);
    hw_buf_init(ret, 4 * INPUT_MAX);
    write_recording(fd, data, size, step);
    read_recording(fd, ret);
    close(fd);
}

static bool is_valid(const uint8_t *data, size_t size) /* ended by a NUL */
{
    uint32_t c;
    size_t n = 1;
    for (size_t i = 0; i < size && n; i += n)
        n = fuzz_character(data + i, &c);
    return n > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hw_buf whole, cut;
    if (size < 1 || size > INPUT_MAX)
        return 0;
    size_t len = size - 1;
    uint8_t *copy = malloc(size);
    memcpy(copy, data + 1, len);
    copy[len] = 0;
    through(copy, len, INPUT_MAX, &whole);
    through(copy, len, 1 + data[0] % 16u, &cut);
    fuzz_check(whole.len == cut.len && (!whole.len || memcmp(whole.ptr, cut.ptr, whole.len) == 0),
               "the pieces matter", NULL);
    if (is_valid(copy, len))
        fuzz_check(whole.len == len && (!len || memcmp(whole.ptr, copy, len) == 0), "other bytes",
                   NULL);
    hw_buf_done(&whole);
    hw_buf_done(&cut);
    free(copy);
    return 0;
}
