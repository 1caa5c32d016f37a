/* head.h - the head of an HTTP/1.1 request, read strictly: what two readers could take in two ways is refused, with the status of
 * the refusal. Pure; nothing is allocated.
 *   end... -> read */
#ifndef HW_HTTP_HEAD_H
#define HW_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { HW_HTTP_HEAD_MAX = 8192 }; /* bytes, with the empty line */

enum hw_http_method { HW_HTTP_GET = 1, HW_HTTP_POST = 2, HW_HTTP_DELETE = 4 };

/* What of the fields is kept. */
enum hw_http_header {
    HW_HTTP_HOST,
    HW_HTTP_COOKIE,
    HW_HTTP_AUTHORIZATION,
    HW_HTTP_CONTENT_TYPE,
    HW_HTTP_ORIGIN,
    HW_HTTP_HEADERS, /* how many */
};

/* Every text is ended by a NUL that its length does not count. */
struct hw_http_head {
    enum hw_http_method method; /* 0: none of ours */
    bool is_head;               /* HEAD, which is GET without the body of the answer */
    bool keeps;                 /* the connection may serve another request */
    bool waits;                 /* for "100 Continue", before it sends its body */
    int64_t length;             /* of the body; -1 = none was announced */
    struct hw_str path; /* decoded; begins with '/', holds no control character and no segment "." or ".." */
    struct hw_str query; /* arguments, decoded, each ended by a NUL: hw_http_argument */
    struct hw_str headers[HW_HTTP_HEADERS]; /* empty = not there */

    int status; /* of a refusal */
    const char *why;
};

/* The length of the head that bytes begin with, or 0. *seen: how far they were looked at, 0 at first, for the next call with more. */
size_t hw_http_head_end(const char *bytes, size_t len, size_t *seen);

/* bytes: a whole head, as hw_http_head_end measured it. Decodes in place: they are borrowed as long as ret. -1: ret->status and why. */
HW_MUST_USE int hw_http_head_read(struct hw_http_head *ret, char *bytes, size_t len);

/* The value of an argument of a query, decoded, as an ended string; false: it is not there, or has no place in size. */
bool hw_http_argument(struct hw_str query, const char *name, char *ret, size_t size);

#endif
