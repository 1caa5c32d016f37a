/* yaml.h - reads hostile YAML into a read-only tree whose nodes know their file and line.
 * libyaml scans; we build the tree under budgets and say what is wrong as `file:line: cause`.
 * load -> root -> get, at, first/next, text, bool, int -> free. Nodes and texts are borrowed until free.
 *
 * Plain scalars are typed by the core schema of YAML 1.2 (`yes` and `on` are text), except that 0644 is octal, since
 * Kubernetes reads a file mode so. Quoted and block scalars are text.
 * Refused: duplicate keys, keys that are no scalars, merge keys (`<<`), tags outside the core ones, NUL, invalid UTF-8,
 * more than HW_YAML_DEPTH levels or HW_YAML_NODES nodes (aliases are copied, and every copy counts). */
#ifndef HW_YAML_YAML_H
#define HW_YAML_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    HW_YAML_MAX = 1024 * 1024, /* bytes of a file, unless the caller says otherwise */
    HW_YAML_DEPTH = 64,
    HW_YAML_NODES = 100000, /* of all documents of a file; a map's keys don't count */
};

enum hw_yaml_kind { HW_YAML_SCALAR, HW_YAML_LIST, HW_YAML_MAP };

/* What a scalar is. Meaningless for lists and maps. */
enum hw_yaml_type { HW_YAML_TEXT, HW_YAML_NULL, HW_YAML_BOOL, HW_YAML_INT, HW_YAML_REAL };

struct hw_yaml; /* one file: all of its documents; owns every node and text */

/* Read only; lists and maps are walked by first and next. */
struct hw_yaml_node {
    enum hw_yaml_kind kind;
    enum hw_yaml_type type;
    int line;        /* 1...; where the value begins */
    int key_line;    /* where its key stands; the same as line when it has none */
    const char *key; /* in a map: its key; else NULL */
    const char *text; /* of a scalar, as written (unquoted, unescaped); else NULL. Holds no NUL inside */
    struct hw_yaml_node *child, *next;
    const struct hw_yaml *file;
};

/* A file, or anything else that can be read to its end. Refuses what is longer than max_bytes (0: HW_YAML_MAX). HW_ESYS when
 * it can't be read, HW_EINPUT when it is wrong, HW_ELIMIT over a budget. Blocks, as a FIFO does. */
HW_MUST_USE int hw_yaml_load_file(const char *path, size_t max_bytes, struct hw_yaml **ret,
                                  struct hw_err *err);
/* The same from a descriptor, until its end; name stands for it in messages ("<stdin>"). fd stays open. */
HW_MUST_USE int hw_yaml_load_fd(int fd, const char *name, size_t max_bytes, struct hw_yaml **ret,
                                struct hw_err *err);
/* The text is copied; its length is the caller's affair. */
HW_MUST_USE int hw_yaml_load_text(struct hw_str text, const char *name, struct hw_yaml **ret,
                                  struct hw_err *err);
void hw_yaml_free(struct hw_yaml *y);

const char *hw_yaml_name(const struct hw_yaml *y);
/* Documents in the file; those that hold nothing ("---" alone) are left out. 0 = the file is empty. */
size_t hw_yaml_count(const struct hw_yaml *y);
/* The i-th document from 0; NULL when there is none. */
const struct hw_yaml_node *hw_yaml_root(const struct hw_yaml *y, size_t i);

/* All of these take NULL for a node, as nothing found. */
const struct hw_yaml_node *hw_yaml_get(const struct hw_yaml_node *map, const char *key);
/* A path of keys, ended by NULL: hw_yaml_at(root, "spec", "processor", NULL). */
const struct hw_yaml_node *hw_yaml_at(const struct hw_yaml_node *map, ...) __attribute__((sentinel));
size_t hw_yaml_len(const struct hw_yaml_node *list);
static inline const struct hw_yaml_node *hw_yaml_first(const struct hw_yaml_node *list)
{
    return list ? list->child : NULL;
}
static inline const struct hw_yaml_node *hw_yaml_next(const struct hw_yaml_node *node)
{
    return node ? node->next : NULL;
}
static inline bool hw_yaml_is_map(const struct hw_yaml_node *node)
{
    return node && node->kind == HW_YAML_MAP;
}
static inline bool hw_yaml_is_list(const struct hw_yaml_node *node)
{
    return node && node->kind == HW_YAML_LIST;
}
/* Missing, or `key:` with nothing, `~`, `null`. */
static inline bool hw_yaml_is_null(const struct hw_yaml_node *node)
{
    return !node || (node->kind == HW_YAML_SCALAR && node->type == HW_YAML_NULL);
}
/* The text of any scalar, numbers too; NULL for null, a list, a map, nothing. */
static inline const char *hw_yaml_text(const struct hw_yaml_node *node)
{
    return node && node->kind == HW_YAML_SCALAR && node->type != HW_YAML_NULL ? node->text : NULL;
}

/* A value of that type, else HW_EINPUT with file:line, what was expected and what stands there.
 * The node must be there (a caller that has a default asks hw_yaml_is_null before). */
HW_MUST_USE int hw_yaml_string(const struct hw_yaml_node *node, const char **ret,
                               struct hw_err *err);
HW_MUST_USE int hw_yaml_bool(const struct hw_yaml_node *node, bool *ret, struct hw_err *err);
HW_MUST_USE int hw_yaml_int(const struct hw_yaml_node *node, int64_t *ret, struct hw_err *err);

/* Fills err with "file:line: " in front of the message; returns -1. */
int hw_yaml_fail(const struct hw_yaml_node *node, struct hw_err *err, enum hw_code code,
                 const char *fmt, ...) HW_PRINTF(4, 5);
/* "a map", "a list", "text", "a number"...: what stands there, for messages. */
const char *hw_yaml_describe(const struct hw_yaml_node *node);

/* libyaml's, for `headway version`. */
const char *hw_yaml_library_version(void);

static inline void hw_cleanup_yaml(struct hw_yaml **y)
{
    hw_yaml_free(*y);
}
#define hw_auto_yaml __attribute__((cleanup(hw_cleanup_yaml))) struct hw_yaml

#endif
