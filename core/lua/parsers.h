/* parsers.h - where parsers come from: the user's directory first, then those built into the binary.
 * A name is letters, digits and "_"; "nm" is NAME.lua in the directory, or the embedded parsers/nm.lua.
 * Reads files at once: call it at the start, not in the flow. */
#ifndef HW_LUA_PARSERS_H
#define HW_LUA_PARSERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum {
    HW_PARSER_NAME_MAX = 63,
    HW_PARSER_SOURCE_MAX = 256 * 1024, /* bytes of Lua text */
};

/* Begins the chunk's name of what check and suggest run (scripts/tools), which alone may require "tools.NAME". A parser's
 * begins with "@". */
#define HW_PARSER_TOOL "=tools/"

/* A parser's text. */
struct hw_parser_source {
    char *name;         /* owns; "nm" */
    char *where;        /* owns; "built in", or the path of the file */
    char *chunk;        /* owns; name in tracebacks: "@parsers/nm.lua" */
    struct hw_str text; /* owns when it came from a file; not checked in any way */
    bool user;          /* from a file of the user's, not built in */
};

/* what: a name, or the path of a .lua file (ends with ".lua"). user_dir: NULL or "" = none. HW_ECONFIG: no such
 * parser, with the nearest name; HW_ESYS: the file can't be read. */
HW_MUST_USE int hw_parsers_find(const char *what, const char *user_dir,
                                struct hw_parser_source *ret, struct hw_err *err);
void hw_parser_source_done(struct hw_parser_source *source);

/* The text of `require "headway.units"` in the user's directory (headway/units.lua), for a parser that asks.
 * 1 = found, 0 = there is none. */
HW_MUST_USE int hw_parsers_module(const char *name, const char *user_dir,
                                  struct hw_parser_source *ret, struct hw_err *err);
/* The same among the embedded; borrowed for ever. ptr NULL: there is none. */
struct hw_str hw_parsers_embedded_module(const char *name);
/* Names that `require` takes: segments of letters, digits and "_" with "." between, at most 63 bytes. */
bool hw_parsers_is_module_name(const char *name);

struct hw_parser_entry {
    char *name;  /* owns */
    char *where; /* owns; "built in", or the path of the file */
    bool user;
    bool hides; /* a file of the user's in place of a built-in one */
};

struct hw_parser_list {
    struct hw_parser_entry *entries; /* owns; sorted by name */
    size_t count;
};

/* All that hw_parsers_find would find by name. */
HW_MUST_USE int hw_parsers_list(const char *user_dir, struct hw_parser_list *ret,
                                struct hw_err *err);
void hw_parser_list_done(struct hw_parser_list *list);

#endif
