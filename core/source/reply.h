/* reply.h - one HTTP reply, as it comes in: status line, head, body; nothing else of HTTP. Hostile: everything has a ceiling.
 * Pure. init -> feed... -> [end, when the connection closes] -> done.
 * Asked for by HTTP/1.0, so there are no chunks, and nothing is kept open: a body ends with its length or the connection. */
#ifndef HW_SOURCE_REPLY_H
#define HW_SOURCE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { HW_REPLY_HEAD_MAX = 16 * 1024, HW_REPLY_BODY_MAX = 1024 * 1024 };

enum hw_reply_state {
    HW_REPLY_HEAD,
    HW_REPLY_BODY,
    HW_REPLY_WHOLE,  /* the body is all there */
    HW_REPLY_REFUSED /* why says so */
};

struct hw_reply {
    enum hw_reply_state state;
    int status;          /* 0 = not known yet */
    int64_t length;      /* of the body; -1 = up to the connection's end */
    size_t line;         /* where in bytes the head's next line begins */
    struct hw_buf bytes; /* owns; in the end the body */
    char why[80];
};

void hw_reply_init(struct hw_reply *r);
void hw_reply_done(struct hw_reply *r);
/* False: no more is wanted, it is WHOLE or REFUSED. Only status 200 has a body that counts. */
bool hw_reply_feed(struct hw_reply *r, struct hw_str bytes);
/* The connection is over; clean: it was closed, not reset. */
void hw_reply_end(struct hw_reply *r, bool clean);

#endif
