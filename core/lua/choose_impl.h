/* choose_impl.h - shared by choose.c (which parser) and command.c (which commands a line really runs). */
#ifndef HW_LUA_CHOOSE_IMPL_H
#define HW_LUA_CHOOSE_IMPL_H

#include <stdbool.h>
#include <stddef.h>

enum {
    HW_COMMANDS_MAX = 64,           /* of a line; with more none is known */
    HW_COMMAND_WORDS_MAX = 128,     /* of a command; further ones are not looked at */
    HW_COMMAND_TEXT_MAX = 8 * 1024, /* bytes of the words of a line, and of the scripts in it */
};

/* A command that is run: program first. */
struct hw_command {
    const char *const *words; /* borrows from the list that it is in */
    size_t count;             /* at least 1 */
};

/* The commands of a line, from left to right. count 0 = none, or not to be known. */
struct hw_commands {
    struct hw_command list[HW_COMMANDS_MAX];
    size_t count;
    const char *words[4 * HW_COMMAND_WORDS_MAX]; /* of all of them; borrow from argv, or from text */
    size_t word_count;
    char text[HW_COMMAND_TEXT_MAX];
    size_t text_len;
};

/* argv: ended by NULL. */
void hw_commands_of(const char *const *argv, struct hw_commands *ret);
void hw_commands_of_line(const char *line, struct hw_commands *ret);

#endif
