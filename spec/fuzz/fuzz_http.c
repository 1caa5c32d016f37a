/* fuzz_http.c - any bytes as the head of a request: where it ends, however it comes in pieces, and what is read of it. */
#include "fuzz.h"
#include "http/head.h"

static void check_text(struct hw_str s, const char *what)
{
    fuzz_check(s.ptr && s.ptr[s.len] == '\0', what, "not ended");
}

static void check_path(struct hw_str path)
{
    check_text(path, "path");
    fuzz_check(path.ptr[0] == '/' && strlen(path.ptr) == path.len, "path", path.ptr);
    for (size_t i = 0; i < path.len; i++)
        fuzz_check((unsigned char)path.ptr[i] >= ' ' && path.ptr[i] != 0x7f, "control", path.ptr);
    hw_auto_free char *ends = hw_xasprintf("%s/", path.ptr);
    fuzz_check(!strstr(ends, "/../") && !strstr(ends, "/./"), "dots", path.ptr);
}

static void check_query(struct hw_str query)
{
    char value[100], small[2];
    size_t sum = 0;
    for (const char *at = query.ptr; at < query.ptr + query.len; at += strlen(at) + 1)
        sum += strlen(at) + 1;
    fuzz_check(sum == query.len, "query", "its parts are not its whole");
    if (hw_http_argument(query, "a", value, sizeof value))
        fuzz_check(strlen(value) < sizeof value, "argument", value);
    if (hw_http_argument(query, "a", small, sizeof small))
        fuzz_check(strcmp(small, value) == 0, "argument", value);
}

static void check(const struct hw_http_head *h)
{
    check_path(h->path);
    check_query(h->query);
    fuzz_check(h->length >= -1, "length", NULL);
    fuzz_check(h->method != HW_HTTP_POST || h->length >= 0, "a POST without a length", NULL);
    for (int i = 0; i < HW_HTTP_HEADERS; i++) {
        check_text(h->headers[i], "field");
        fuzz_check(!strpbrk(h->headers[i].ptr, "\r\n"), "a line end in a field", h->headers[i].ptr);
        fuzz_check(strlen(h->headers[i].ptr) == h->headers[i].len, "a NUL in a field", NULL);
    }
}

/* In pieces whose lengths the bytes choose: the end is the same. */
static size_t end_in_pieces(const char *bytes, size_t len)
{
    size_t seen = 0, have = 0, end = 0;
    while (!end && have < len) {
        have += 1 + (unsigned char)bytes[have] % 7;
        have = have < len ? have : len;
        end = hw_http_head_end(bytes, have, &seen);
    }
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t seen = 0;
    struct hw_http_head h;
    hw_auto_free char *bytes =
        hw_xmalloc(size + 1); /* the room says where a head ends; what is behind is not its own */
    memcpy(bytes, data, size);
    size_t end = hw_http_head_end(bytes, size, &seen);
    fuzz_check(end <= size && end == end_in_pieces(bytes, size), "end", NULL);
    if (!end)
        return 0;
    hw_auto_free char *head = hw_xmalloc(end);
    memcpy(head, bytes, end);
    if (hw_http_head_read(&h, head, end) == 0)
        check(&h);
    else
        fuzz_check(h.status >= 400 && h.status <= 505 && h.why, "a refusal without a reason", NULL);
    return 0;
}
