/* build.h - the owner of a tree and its builder. Private to the room. */
#ifndef HW_YAML_BUILD_H
#define HW_YAML_BUILD_H

#include "yaml/yaml.h"

/* Memory of nodes and texts, given back all at once. */
struct hw_yaml_block {
    struct hw_yaml_block *next;
    size_t used, size; /* bytes of data */
    _Alignas(16) char data[];
};

struct hw_yaml {
    char *name;                   /* owns */
    struct hw_yaml_block *blocks; /* owns; the newest first */
    struct hw_yaml_node *roots;   /* documents, by next */
    size_t count;
};

/* Adds every document of the text; on failure what was built stays y's. */
HW_MUST_USE int hw_yaml_build(struct hw_yaml *y, struct hw_str text, struct hw_err *err);

#endif
