#include "http/head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIELDS_MAX = 100, LENGTH_DIGITS = 15 };

static int refuse(struct hw_http_head *h, int status, const char *why)
{
    h->status = status;
    h->why = why;
    return -1;
}

/* ---- where it ends ------------------------------------------------------------------------------- */

/* An empty line before the request is none of its: some clients send one behind a body. */
static size_t skip_empty(const char *bytes, size_t len)
{
    if (len >= 2 && bytes[0] == '\r' && bytes[1] == '\n')
        return 2;
    return len >= 1 && bytes[0] == '\n';
}

size_t hw_http_head_end(const char *bytes, size_t len, size_t *seen)
{
    size_t first = skip_empty(bytes, len), at = *seen > first ? *seen : first;
    const char *lf;
    while (at < len && (lf = memchr(bytes + at, '\n', len - at))) {
        size_t next = (size_t)(lf - bytes) + 1;
        if (next < len && bytes[next] == '\n')
            return next + 1;
        if (next + 1 < len && bytes[next] == '\r' && bytes[next + 1] == '\n')
            return next + 2;
        if (next + 1 >= len) { /* what follows the line end is not there yet */
            *seen = next - 1;
            return 0;
        }
        at = next;
    }
    *seen = len;
    return 0;
}

/* ---- words --------------------------------------------------------------------------------------- */

static bool is_token(struct hw_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || strchr("\"(),/:;<=>?@[\\]{}", s.ptr[i]))
            return false;
    return s.len > 0;
}

static bool is_word(struct hw_str s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct hw_str trim(struct hw_str s)
{
    while (s.len && is_blank(s.ptr[0]))
        s = (struct hw_str){ s.ptr + 1, s.len - 1 };
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* The next of what stands between separators; false: there is none. */
static bool next_part(struct hw_str *rest, char separator, struct hw_str *ret)
{
    if (!rest->ptr)
        return false;
    const char *at = memchr(rest->ptr, separator, rest->len);
    *ret = (struct hw_str){ rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len };
    *rest = at ? (struct hw_str){ at + 1, rest->len - ret->len - 1 } : (struct hw_str){ NULL, 0 };
    return true;
}

/* The next line, without its end. Every line of a head has one. */
static bool next_line(struct hw_str *rest, struct hw_str *ret)
{
    if (!rest->len || !next_part(rest, '\n', ret))
        return false;
    if (ret->len && ret->ptr[ret->len - 1] == '\r')
        ret->len--;
    return true;
}

/* ---- the target ---------------------------------------------------------------------------------- */

/* In place, with a NUL behind it: the text is followed by a byte that nobody needs. least: the least character that may come
 * out. */
static bool decode(struct hw_str *s, bool query, unsigned char least)
{
    char *out = (char *)(uintptr_t)s->ptr;
    size_t n = 0;
    for (size_t i = 0; i < s->len; i++) {
        char c = s->ptr[i];
        if (c == '%') {
            int byte = i + 2 < s->len ? hw_hex_byte(s->ptr + i + 1) : -1;
            if (byte < 0)
                return false;
            c = (char)byte;
            i += 2;
        } else if (c == '+' && query)
            c = ' ';
        if ((unsigned char)c < least || c == 0x7f)
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    s->len = n;
    return true;
}

/* Clients resolve dots before they send a path; who does not is up to something. */
static bool has_dots(struct hw_str path)
{
    struct hw_str part;
    while (next_part(&path, '/', &part))
        if (hw_str_is(part, ".") || hw_str_is(part, ".."))
            return true;
    return false;
}

/* Each argument is decoded where it ends up: right behind the one before it. */
static bool read_query(struct hw_http_head *h, struct hw_str text)
{
    char *out = (char *)(uintptr_t)text.ptr;
    struct hw_str part;
    h->query.ptr = out;
    while (next_part(&text, '&', &part)) {
        if (!decode(&part, true, 1))
            return false;
        if (!part.len)
            continue;
        memmove(out, part.ptr, part.len + 1);
        out += part.len + 1;
    }
    h->query.len = (size_t)(out - h->query.ptr);
    return true;
}

/* "http://host/path", as proxies are asked; the host is the one that counts anyway: us. */
static struct hw_str path_of(struct hw_str target)
{
    size_t scheme = strncasecmp(target.ptr, "http://", 7) == 0    ? 7
                    : strncasecmp(target.ptr, "https://", 8) == 0 ? 8
                                                                  : 0;
    const char *slash = scheme ? memchr(target.ptr + scheme, '/', target.len - scheme) : NULL;
    if (!slash)
        return target;
    return (struct hw_str){ slash, target.len - (size_t)(slash - target.ptr) };
}

static int read_target(struct hw_http_head *h, struct hw_str target)
{
    for (size_t i = 0; i < target.len; i++)
        if (target.ptr[i] <= ' ' || target.ptr[i] > '~' || target.ptr[i] == '#')
            return refuse(h, 400, "the request's target is not one");
    struct hw_str rest = path_of(target), path;
    next_part(&rest, '?', &path);
    if (rest.ptr && !read_query(h, rest))
        return refuse(h, 400, "the query can't be decoded");
    if (!path.len || path.ptr[0] != '/' || !decode(&path, false, ' ') || has_dots(path))
        return refuse(h, 400, "the path is not one");
    h->path = path;
    return 0;
}

static int read_method(struct hw_http_head *h, struct hw_str method)
{
    if (!is_token(method))
        return refuse(h, 400, "the method is not one");
    h->is_head = hw_str_is(method, "HEAD");
    h->method = h->is_head || hw_str_is(method, "GET") ? HW_HTTP_GET
                : hw_str_is(method, "POST")            ? HW_HTTP_POST
                : hw_str_is(method, "DELETE")          ? HW_HTTP_DELETE
                                                       : 0;
    return 0;
}

/* "GET /path HTTP/1.1" */
static int read_request(struct hw_http_head *h, struct hw_str line, bool *ret_old)
{
    struct hw_str rest = line, method, target;
    if (!next_part(&rest, ' ', &method) || !next_part(&rest, ' ', &target) || !rest.ptr)
        return refuse(h, 400, "the request line is not one");
    bool http = rest.len == 8 && memcmp(rest.ptr, "HTTP/", 5) == 0 && rest.ptr[6] == '.' &&
                is_digit(rest.ptr[5]) && is_digit(rest.ptr[7]);
    if (!http)
        return refuse(h, 400, "the request line is not one");
    if (rest.ptr[5] != '1')
        return refuse(h, 505, "this version of HTTP is not spoken here");
    *ret_old = rest.ptr[7] == '0';
    return read_method(h, method) < 0 ? -1 : read_target(h, target);
}

/* ---- the fields ---------------------------------------------------------------------------------- */

struct fields {
    int count;
    bool chunked, has_host, closes, keeps;
};

static const char *const names[HW_HTTP_HEADERS] = {
    [HW_HTTP_HOST] = "host",
    [HW_HTTP_COOKIE] = "cookie",
    [HW_HTTP_AUTHORIZATION] = "authorization",
    [HW_HTTP_CONTENT_TYPE] = "content-type",
    [HW_HTTP_ORIGIN] = "origin",
};

static int read_length(struct hw_http_head *h, struct hw_str value)
{
    int64_t length = 0;
    if (h->length >= 0 || !value.len || value.len > LENGTH_DIGITS)
        return refuse(h, 400, "Content-Length is not one number");
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.ptr[i]))
            return refuse(h, 400, "Content-Length is not one number");
        length = length * 10 + (value.ptr[i] - '0');
    }
    h->length = length;
    return 0;
}

static void read_connection(struct fields *f, struct hw_str value)
{
    struct hw_str part;
    while (next_part(&value, ',', &part)) {
        f->closes = f->closes || is_word(trim(part), "close");
        f->keeps = f->keeps || is_word(trim(part), "keep-alive");
    }
}

static int read_expect(struct hw_http_head *h, struct hw_str value)
{
    h->waits = is_word(value, "100-continue");
    return h->waits ? 0 : refuse(h, 417, "this can't be expected here");
}

static int keep(struct hw_http_head *h, struct fields *f, struct hw_str name, struct hw_str value)
{
    for (int i = 0; i < HW_HTTP_HEADERS; i++) {
        if (!is_word(name, names[i]))
            continue;
        if (h->headers[i].ptr[0] || (i == HW_HTTP_HOST && f->has_host))
            return refuse(h, 400, "a field stands there twice");
        f->has_host = f->has_host || i == HW_HTTP_HOST;
        h->headers[i] = value;
        *(char *)(uintptr_t)(value.ptr + value.len) = '\0'; /* a blank or the line's end */
    }
    return 0;
}

static int read_field(struct hw_http_head *h, struct fields *f, struct hw_str line)
{
    struct hw_str rest = line, name, value;
    if (++f->count > FIELDS_MAX)
        return refuse(h, 431, "the head has too many fields");
    next_part(&rest, ':', &name);
    if (!rest.ptr ||
        !is_token(name)) /* a blank before the colon, or a line that goes on from the one before, too */
        return refuse(h, 400, "a field of the head is not one");
    value = trim(rest);
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.ptr[i] < ' ' && value.ptr[i] != '\t') || value.ptr[i] == 0x7f)
            return refuse(h, 400, "a field of the head is not one");
    if (is_word(name, "content-length"))
        return read_length(h, value);
    if (is_word(name, "expect"))
        return read_expect(h, value);
    if (is_word(name, "connection"))
        read_connection(f, value);
    f->chunked = f->chunked || is_word(name, "transfer-encoding");
    return keep(h, f, name, value);
}

static int judge(struct hw_http_head *h, const struct fields *f, bool old)
{
    if (!old && !f->has_host)
        return refuse(h, 400, "the field Host is missing");
    if (f->chunked && h->length >= 0)
        return refuse(h, 400, "the body has two lengths");
    if (f->chunked || (h->method == HW_HTTP_POST && h->length < 0))
        return refuse(h, 411, "a body needs a Content-Length");
    h->keeps = !f->closes && (!old || f->keeps);
    h->waits = h->waits && !old;
    return 0;
}

int hw_http_head_read(struct hw_http_head *ret, char *bytes, size_t len)
{
    size_t skip = skip_empty(bytes, len);
    struct hw_str rest = { bytes + skip, len - skip }, line = { "", 0 };
    struct fields fields = { 0 };
    bool old = false;
    *ret = (struct hw_http_head){ .length = -1, .path = { "", 0 }, .query = { "", 0 } };
    for (int i = 0; i < HW_HTTP_HEADERS; i++)
        ret->headers[i] = (struct hw_str){ "", 0 };
    if (!next_line(&rest, &line) || read_request(ret, line, &old) < 0)
        return ret->why ? -1 : refuse(ret, 400, "the request line is not one");
    while (next_line(&rest, &line) && line.len)
        if (read_field(ret, &fields, line) < 0)
            return -1;
    return judge(ret, &fields, old);
}

/* ---- arguments ----------------------------------------------------------------------------------- */

bool hw_http_argument(struct hw_str query, const char *name, char *ret, size_t size)
{
    size_t len = strlen(name);
    for (const char *at = query.ptr; at < query.ptr + query.len; at += strlen(at) + 1) {
        if (strncmp(at, name, len) != 0 || at[len] != '=')
            continue;
        size_t value = strlen(at + len + 1);
        if (value < size)
            memcpy(ret, at + len + 1, value + 1);
        return value < size;
    }
    return false;
}
