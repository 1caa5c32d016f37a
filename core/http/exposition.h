/* exposition.h - metrics as text, as Prometheus reads them (text format 0.0.4). Pure. All samples of a family stand together:
 *   family sample... */
#ifndef HW_HTTP_EXPOSITION_H
#define HW_HTTP_EXPOSITION_H

#include <stdint.h>

#include "base/buf.h"

#define HW_EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Values are escaped, and whatever is no clean text in them is taken out. */
struct hw_label {
    const char *name; /* NULL ends a list */
    const char *value;
};

/* type: "gauge", "counter", "histogram"; help: one sentence of ours, without a full stop. */
HW_MUST_USE int hw_expo_family(struct hw_buf *b, const char *name, const char *type,
                               const char *help);
/* "namespace=\"x\",name=\"y\"", added to b: what stands between the braces. */
HW_MUST_USE int hw_expo_labels(struct hw_buf *b, const struct hw_label *labels);
/* labels: as hw_expo_labels made them, NULL = none. Whole, or not at all. */
HW_MUST_USE int hw_expo_int(struct hw_buf *b, const char *name, const char *labels, int64_t value);
HW_MUST_USE int hw_expo_double(struct hw_buf *b, const char *name, const char *labels, double value);

#endif
