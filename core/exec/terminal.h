/* terminal.h - terminals: one made for the command (pty), and the one that a person sits at.
 * open, init -> raw -> pass ... -> restore. Nothing here blocks. */
#ifndef HW_EXEC_TERMINAL_H
#define HW_EXEC_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "base/err.h"

/* A new pty: *ret_master does not block and is closed on exec, *ret_slave is the command's. Its modes and size are those of
 * the terminal like (a descriptor), or, where that is none, ours: what is written comes out unchanged (no OPOST, no echo), 80
 * columns and 24 rows. */
HW_MUST_USE int hw_pty_open(int like, int *ret_master, int *ret_slave, struct hw_err *err);
/* Gives it the size of another terminal; the kernel tells the command by SIGWINCH. */
void hw_pty_resize(int master, int like);
/* A second way to what is a terminal, which does not block: the flags of the first are others' too. -1 = no terminal,
 * or it can't be had. */
int hw_terminal_reopen(int fd, int flags);

/* The terminal of the person, whose keys go to the command's pty. */
struct hw_keyboard {
    int fd;                   /* borrows: must not block; -1 = there is none, or it hung up */
    bool raw;                 /* its modes are ours */
    struct termios kept, set; /* its modes as we found them, and as we left them */
    char keys[4096];          /* what the pty has not taken yet */
    size_t from, to;
};

enum hw_place_of_job {
    HW_FOREGROUND, /* or no job at all: it is not the terminal of our session */
    HW_BACKGROUND,
    HW_HUNG_UP,
};

enum hw_key { HW_KEY_PLAIN, HW_KEY_INTERRUPT = 1, HW_KEY_QUIT = 2 }; /* bits */

void hw_keyboard_init(struct hw_keyboard *k, int fd);
enum hw_place_of_job hw_keyboard_place(const struct hw_keyboard *k);
/* Each key as it is pressed, nothing interpreted. Only in the foreground. Who was stopped meanwhile calls it again: the
 * modes may be somebody else's. True: they were taken, kept has what they were. */
bool hw_keyboard_raw(struct hw_keyboard *k);
void hw_keyboard_restore(struct hw_keyboard *k);
/* Moves pressed keys to the pty, as many as it takes. *ret_keys: those among them that mean a signal to the foreground of the
 * pty. False: the keyboard is gone. */
bool hw_keyboard_pass(struct hw_keyboard *k, int master, unsigned *ret_keys);
static inline bool hw_keyboard_is_full(const struct hw_keyboard *k)
{
    return k->to > k->from;
}

#endif
