/* convert.h - between YAML and JSON values: manifests are read as YAML, patched as JSON, shown as YAML. */
#ifndef HW_YAML_CONVERT_H
#define HW_YAML_CONVERT_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "yaml/yaml.h"

/* A new reference, or NULL with err: a number that JSON can't hold exactly (over 2^63-1, .inf, .nan). Keys keep
 * their order. NULL node: JSON null. */
HW_MUST_USE json_t *hw_yaml_to_json(const struct hw_yaml_node *node, struct hw_err *err);

/* Adds the value as one YAML document, as `kubectl get -o yaml` would print it: indented by 2, lists not indented below
 * their key, text quoted only where a reader of YAML 1.1 or 1.2 would take it for something else, text of several
 * lines as a block, long text folded at spaces behind column 80. Reading it gives the same value.
 * HW_ELIMIT when out's ceiling is reached; out is as before then. */
HW_MUST_USE int hw_yaml_dump(const json_t *value, struct hw_buf *out, struct hw_err *err);

#endif
