#include "kube/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

enum { TOKEN_MAX = 64 * 1024 };

void hw_kube_blob_done(struct hw_kube_blob *b)
{
    hw_wipe(b->ptr, b->len);
    free(b->ptr);
    *b = (struct hw_kube_blob){ 0 };
}

struct hw_kube_blob hw_kube_blob_copy(const void *ptr, size_t len)
{
    return (struct hw_kube_blob){ hw_xstrndup(ptr, len), len };
}

void hw_kube_secret_free(char *s)
{
    if (s)
        hw_wipe(s, strlen(s));
    free(s);
}

int hw_kube_check_token(const char *where, const char *token, struct hw_err *err)
{
    if (!token[0])
        return hw_fail(err, HW_ECONFIG, "token of %s: empty", where);
    for (const char *p = token; *p; p++)
        if (*p <= 0x20 || *p >= 0x7f)
            return hw_fail(err, HW_ECONFIG, "token of %s: byte %zu is no visible ASCII character",
                           where, (size_t)(p - token) + 1);
    return 0;
}

/* Reads until the end or max + 1 bytes; -1 with errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t n = read(fd, buf + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

int hw_kube_read_file(const char *what, const char *path, size_t max, struct hw_kube_blob *ret,
                      struct hw_err *err)
{
    struct stat st;
    hw_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return hw_fail_sys(err, "read %s '%s'", what, path);
    if (!S_ISREG(st.st_mode))
        return hw_fail(err, HW_ECONFIG, "read %s '%s': not a file", what, path);
    if (st.st_size < 0 || (size_t)st.st_size > max)
        return hw_fail(err, HW_ELIMIT, "read %s '%s': more than %zu bytes", what, path, max);
    size_t size = (size_t)st.st_size + 1; /* one more, to see that it did not grow */
    struct hw_kube_blob b = { hw_xzalloc(size + 1), size };
    ssize_t n = read_all(fd, b.ptr, size);
    if (n < 0 || (size_t)n == size) {
        hw_kube_blob_done(&b);
        return n < 0 ? hw_fail_sys(err, "read %s '%s'", what, path)
                     : hw_fail(err, HW_EINPUT, "read %s '%s': it changed meanwhile", what, path);
    }
    b.len = (size_t)n;
    *ret = b;
    return 0;
}

int hw_kube_read_token(const char *path, struct hw_kube_blob *ret, struct hw_err *err)
{
    struct hw_kube_blob b = { 0 };
    if (hw_kube_read_file("token", path, TOKEN_MAX, &b, err) < 0 || !b.ptr)
        return -1;
    size_t front = strspn(b.ptr, " \t\r\n"), len = strlen(b.ptr);
    while (len > front && strchr(" \t\r\n", b.ptr[len - 1]))
        len--;
    struct hw_kube_blob token = hw_kube_blob_copy(b.ptr + front, len - front);
    hw_kube_blob_done(&b);
    if (hw_kube_check_token(path, token.ptr, err) < 0) {
        hw_kube_blob_done(&token);
        return -1;
    }
    *ret = token;
    return 0;
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_of(char c)
{
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

/* The bytes of text into out; the count, or -1 where it is no base64. */
static ssize_t decode(struct hw_str text, char *out)
{
    unsigned bits = 0;
    size_t n = 0, have = 0, padding = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        int v = c == '=' ? 0 : digit_of(c);
        padding += c == '=';
        if (v < 0 || (padding && c != '=') || padding > 2)
            return -1;
        bits = bits << 6 | (unsigned)v;
        if (++have % 4)
            continue;
        for (int shift = 16; shift >= 0; shift -= 8)
            out[n++] = (char)(bits >> shift & 0xff);
        bits = 0;
    }
    return have % 4 ? -1 : (ssize_t)(n - padding);
}

int hw_kube_base64_decode(const char *what, struct hw_str text, struct hw_kube_blob *ret,
                          struct hw_err *err)
{
    struct hw_kube_blob b = { hw_xzalloc(text.len + 4), text.len };
    ssize_t n = decode(text, b.ptr);
    if (n <= 0) {
        hw_kube_blob_done(&b);
        return hw_fail(err, HW_ECONFIG, "%s: %s", what, n ? "not base64" : "empty");
    }
    b.ptr[n] = '\0';
    b.len = (size_t)n;
    *ret = b;
    return 0;
}

char *hw_kube_base64(struct hw_str bytes)
{
    char *out = hw_xzalloc(bytes.len / 3 * 4 + 5), *p = out;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        const unsigned char *s = (const unsigned char *)bytes.ptr + i;
        unsigned bits =
            (unsigned)s[0] << 16 | (left > 1 ? (unsigned)s[1] << 8 : 0) | (left > 2 ? s[2] : 0);
        *p++ = digits[bits >> 18 & 63];
        *p++ = digits[bits >> 12 & 63];
        *p++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *p++ = left > 2 ? digits[bits & 63] : '=';
    }
    return out;
}
