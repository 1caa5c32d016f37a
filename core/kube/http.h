/* http.h - libcurl's multi interface on the loop: its sockets are polled by libuv, its timer is one uv_timer_t.
 * When no transfer is under way nothing is polled and no timer runs; idle connections are kept.
 * new -> start... -> [fn ...] -> free. */
#ifndef HW_KUBE_HTTP_H
#define HW_KUBE_HTTP_H

#include <curl/curl.h>
#include <uv.h>

#include "base/err.h"

struct hw_http;

/* The transfer of easy has ended and easy is the caller's again. Called from the loop, outside of curl: start,
 * stop and free are legal. */
typedef void hw_http_fn(void *ctx, CURLcode result);

/* One transfer; lives in its owner from start until fn or stop. */
struct hw_http_job {
    struct hw_http_job *next; /* while it is under way: http.c's own */
    CURL *easy;               /* borrows */
    hw_http_fn *fn;
    void *ctx;
};

/* Before anything else of libcurl; once for the process, and never undone, since other users of curl may live on. Memory
 * that curl does not get ends the program, as base/mem.h says. */
HW_MUST_USE int hw_http_init(struct hw_err *err);
/* keep: idle connections that are kept. */
HW_MUST_USE int hw_http_new(struct hw_http **ret, uv_loop_t *loop, int keep, struct hw_err *err);
/* Closes the connections; all jobs were stopped before. */
void hw_http_free(struct hw_http *h);

HW_MUST_USE int hw_http_start(struct hw_http *h, struct hw_http_job *job, struct hw_err *err);
/* Why transfers ended with CURLE_ABORTED_BY_CALLBACK: a socket could not be polled. */
const char *hw_http_refusal(const struct hw_http *h);
void hw_http_stop(struct hw_http *h, struct hw_http_job *job);

#endif
