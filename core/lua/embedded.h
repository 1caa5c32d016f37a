/* embedded.h - the Lua files that were built into the binary: parsers/NAME.lua, headway/NAME.lua.
 * The table is made at build time (cmake/embed.cmake), sorted by the path in the tree, and ends with
 * a row whose name is NULL. Source, not bytecode; data[len] is a zero. */
#ifndef HW_LUA_EMBEDDED_H
#define HW_LUA_EMBEDDED_H

#include <stddef.h>

struct hw_embedded {
    const char *name;
    const unsigned char *data;
    size_t len; /* bytes */
};

extern const struct hw_embedded hw_embedded[];

#endif
