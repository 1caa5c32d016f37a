/* choose_impl.h - shared by choose.c (which parser) and command.c (which command a line really runs). */
#ifndef HW_LUA_CHOOSE_IMPL_H
#define HW_LUA_CHOOSE_IMPL_H

#include <stdbool.h>
#include <stddef.h>

enum {
    HW_COMMAND_WORDS_MAX = 128,     /* of a command; further ones are not looked at */
    HW_COMMAND_TEXT_MAX = 8 * 1024, /* bytes of a command line */
};

/* The words of the command that is really run: program first. count 0 = not to be known. */
struct hw_command {
    const char *words[HW_COMMAND_WORDS_MAX]; /* borrow from argv, or from text */
    size_t count;
    char text[HW_COMMAND_TEXT_MAX]; /* of a line that was cut into words */
};

/* argv: ended by NULL. */
void hw_command_of(const char *const *argv, struct hw_command *ret);
void hw_command_of_line(const char *line, struct hw_command *ret);

#endif
