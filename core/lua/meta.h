/* meta.h - what a parser says of itself, as a plain value: read from its module by contract.c, sent by the worker,
 * read and checked again by main. And the one rule of it that is applied to each record: its hints. */
#ifndef HW_LUA_META_H
#define HW_LUA_META_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "lua/form.h"
#include "lua/parsers.h"
#include "lua/wire.h"
#include "progress/sample.h"

enum {
    HW_META_API = 1,        /* version of the contract */
    HW_META_TEXT_MAX = 63,  /* bytes of tool, versions, a command, a default */
    HW_META_HELP_MAX = 159, /* of an option's help, and of its range */
    HW_META_COMMANDS_MAX = 16,
    HW_META_HINTS_MAX = 16,
    HW_META_OPTIONS_MAX = 16,
    HW_META_OPTION_NAME_MAX = 31,
};

enum hw_meta_type {
    HW_META_STRING,
    HW_META_INTEGER,
    HW_META_NUMBER,
    HW_META_BOOLEAN,
};

/* "string", "integer", "number", "boolean" */
extern const char *const hw_meta_types[4];

struct hw_meta_option {
    char name[HW_META_OPTION_NAME_MAX + 1];
    enum hw_meta_type type;
    char range[HW_META_HELP_MAX + 1]; /* for people: "1 to 9", "a, b, c"; "" = any value of the type */
    char dflt[HW_META_TEXT_MAX + 1]; /* "" = none */
    char help[HW_META_HELP_MAX + 1];
};

/* Texts are clean, but for hints. */
struct hw_parser_meta {
    char name[HW_PARSER_NAME_MAX + 1];
    char unit[HW_UNIT_MAX + 1];          /* "" = not said */
    int api;                             /* version of the contract: 1 */
    size_t record_max;                   /* bytes; records that are longer should be cut to it */
    bool newest;                         /* only the newest record of a batch matters */
    struct hw_form form;                 /* ... if it is of this form; count 0 = of any */
    bool word;                           /* its counts are the task's own words */
    char tool[HW_META_TEXT_MAX + 1];     /* "" = not said */
    char versions[HW_META_TEXT_MAX + 1]; /* of the tool, that were seen; "" = not said */
    char commands[HW_META_COMMANDS_MAX][HW_META_TEXT_MAX + 1]; /* that it is chosen for (choose.h) */
    size_t command_count;
    struct hw_hint hints[HW_META_HINTS_MAX];
    size_t hint_count;                                  /* 0 = every record is looked at */
    struct hw_meta_option options[HW_META_OPTIONS_MAX]; /* sorted by name */
    size_t option_count;
};

/* A meta with the defaults of the contract. */
void hw_meta_init(struct hw_parser_meta *m);
/* Whether a record holds one of the hints, or there are none. */
bool hw_meta_admits(const struct hw_parser_meta *m, struct hw_str record);
/* A hint of 1 to HW_HINT_MAX bytes; false: it doesn't fit, or there are too many. */
bool hw_meta_add_hint(struct hw_parser_meta *m, struct hw_str hint);
/* newest, for records of this form. HW_ECONFIG: it is none. */
HW_MUST_USE int hw_meta_set_form(struct hw_parser_meta *m, const char *text, struct hw_err *err);
/* NULL = a new one has no place any more. */
struct hw_meta_option *hw_meta_add_option(struct hw_parser_meta *m, const char *name);
const struct hw_meta_option *hw_meta_option_named(const struct hw_parser_meta *m, const char *name);

/* The body of LOADED behind the id. */
void hw_meta_put(struct hw_wire_out *o, const struct hw_parser_meta *m);
/* Believes nothing: texts are cleaned and cut, numbers out of range become the defaults. */
void hw_meta_get(struct hw_wire_in *in, struct hw_parser_meta *ret);

#endif
