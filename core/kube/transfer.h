/* transfer.h - one HTTP exchange as curl sees it: options in, answer collected under ceilings.
 * open -> hw_http_start(&t->job) -> [job.fn] -> result -> close. Internal to the room; client.c decides. */
#ifndef HW_KUBE_TRANSFER_H
#define HW_KUBE_TRANSFER_H

#include "base/buf.h"
#include "kube/auth.h"
#include "kube/client.h"
#include "kube/http.h"
#include "kube/url.h"

struct hw_kube_transfer {
    struct hw_http_job job;
    struct curl_slist *headers; /* holds the token: wiped by close */
    struct curl_slist *connect_to;
    struct hw_buf answer;
    size_t header_bytes;
    bool too_much;              /* answer or headers passed their ceiling */
    bool no_memory;             /* for an answer below it */
    void (*on_data)(void *ctx); /* with job.ctx: answer holds a piece of a stream; NULL = no stream */
    bool flows;                 /* a stream that was granted */
    bool granted;               /* so, and nobody was told yet */
    bool paused;                /* curl keeps the next piece until resume */
    int status;
    char retry_after[64], date[64]; /* "" = none */
    char why[CURL_ERROR_SIZE];
};

struct hw_kube_exchange {
    const char *method;
    const char *path;   /* with query */
    struct hw_str body; /* borrows until close */
    bool merge_patch;
    bool list, metadata_only;
    int64_t deadline_ms;
    size_t answer_max;
    void (*on_data)(void *ctx); /* asks for a stream. Called from within curl */
};

/* The caller sets t->job.fn and ctx. On failure nothing is left to close. */
HW_MUST_USE int hw_kube_transfer_open(struct hw_kube_transfer *t,
                                      const struct hw_kube_config *config,
                                      const struct hw_kube_url *server, struct hw_kube_auth *auth,
                                      const struct hw_kube_exchange *x, struct hw_err *err);
/* After answer was emptied. May call on_data. */
void hw_kube_transfer_resume(struct hw_kube_transfer *t);
/* One line of the answer's headers, as curl hands it over; false: they passed their ceiling. Pure, for the fuzzer. */
bool hw_kube_transfer_header(struct hw_kube_transfer *t, struct hw_str line);
void hw_kube_transfer_close(struct hw_kube_transfer *t); /* a stopped one, too; twice is once */

/* "connection refused: ...": why there was no whole answer, cleaned; for the message. */
void hw_kube_transfer_why(const struct hw_kube_transfer *t, CURLcode result,
                          const struct hw_kube_config *config, int64_t deadline_ms, char *dst,
                          size_t size);

#endif
