/* choose.h - which parser reads what a command prints. Every parser names its commands in its module, as a list of plain
 * strings (`commands = { "rsync", "juicefs warmup" }`), which is read here from its text: no Lua runs.
 *
 * A command's first word is the name of the program, without folders and without a version behind it ("python3.11" is
 * "python"). Each further word must be among its arguments, in that order: one that begins with "-" anywhere, a letter
 * also in a bundle ("-n" in "-avn"), any other at the place of a sub-command, flags and their values may stand before
 * it. Of several that fit the one with the most words wins, the user's before those built in.
 *
 * Of a pipe, or of commands one after another, those count that a parser knows. The list `shows` of its module names
 * arguments without which the tool prints no progress, and behind a "!" those with which it prints none. Who shows
 * progress goes before who may, who was told to be silent is out. What is left is of one parser, or a meter stands among it:
 * pv is in a pipe for nothing else; or nothing is chosen. */
#ifndef HW_LUA_CHOOSE_H
#define HW_LUA_CHOOSE_H

#include "base/err.h"
#include "lua/parsers.h"

#define HW_PARSER_UNKNOWN "auto" /* for a command that nobody knows */
#define HW_PARSER_METER "pv"     /* goes before all others of a pipe */

struct hw_choice {
    char name[HW_PARSER_NAME_MAX + 1];
    char among[200]; /* "curl, rclone": none was chosen, since each reads one of the commands; else "" */
};

/* argv: ended by NULL. Wrappers (env, nice, timeout, sudo, ...) and `sh -c` are looked through.
 * user_dir: NULL or "" = none. A parser of the user's that can't be read is left out.
 * Reads files at once: call it at the start, not in the flow. */
HW_MUST_USE int hw_parsers_choose(const char *const *argv, const char *user_dir,
                                  struct hw_choice *ret, struct hw_err *err);
/* The same for a command line as a person types it: cut into commands and words as a shell does. One that has an open quote,
 * a here-document, or too much of anything is not known. */
HW_MUST_USE int hw_parsers_choose_line(const char *line, const char *user_dir,
                                       struct hw_choice *ret, struct hw_err *err);

/* What a parser's list would name a command line by: its program, without folders and version, and its first argument. Both ""
 * where it is not one command; what is longer is cut. */
void hw_parsers_program(const char *line, char program[HW_PARSER_NAME_MAX + 1],
                        char argument[HW_PARSER_NAME_MAX + 1]);

#endif
