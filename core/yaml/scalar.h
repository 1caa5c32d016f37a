/* scalar.h - what a plain scalar means. Private to the room. */
#ifndef HW_YAML_SCALAR_H
#define HW_YAML_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

#include "yaml/yaml.h"

/* The type of a plain scalar: core schema of YAML 1.2, and 0644 is an integer in octal. */
enum hw_yaml_type hw_yaml_resolve(const char *text);
/* The value of what hw_yaml_resolve calls an integer; false when it is outside 64 bits with sign. */
bool hw_yaml_parse_int(const char *text, int64_t *ret);
/* Whether some reader, of YAML 1.1 or 1.2, would take the plain text for anything but text: y, on, 1_000, 12:30:45,
 * 2026-01-31, <<, ... */
bool hw_yaml_is_ambiguous(const char *text);

#endif
