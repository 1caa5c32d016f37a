/* terminal.h - terminals: one made for the command (pty), and the one that a person sits at.
 * open, own_size -> raw -> restore. Nothing here blocks. */
#ifndef HW_EXEC_TERMINAL_H
#define HW_EXEC_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

#include "base/err.h"

/* A new pty: *ret_master does not block and is closed on exec, *ret_slave is the command's. Its modes and size are those of
 * the terminal like (a descriptor), or, where that is none, ours: what is written comes out unchanged (no OPOST, no echo), 80
 * columns and 24 rows. */
HW_MUST_USE int hw_pty_open(int like, int *ret_master, int *ret_slave, struct hw_err *err);
/* Gives it the size of another terminal; the kernel tells the command by SIGWINCH. */
void hw_pty_resize(int master, int like);

/* The terminal of the person, whose keys go to the command's pty. */
struct hw_keyboard {
    int fd;              /* borrows; -1 = there is none */
    struct termios kept; /* its modes as we found them */
    bool raw;
};

/* Takes the modes down; the keyboard stays as it is. */
void hw_keyboard_init(struct hw_keyboard *k, int fd);
/* Each key as it is pressed, nothing interpreted. Only while we are in the foreground, else later. */
void hw_keyboard_raw(struct hw_keyboard *k);
void hw_keyboard_restore(struct hw_keyboard *k);
/* Moves pressed keys to the pty. *ret_suspend: among them was the one that stops a job, and the pty's modes let it. False:
 * the keyboard is gone. */
bool hw_keyboard_pass(struct hw_keyboard *k, int master, bool *ret_suspend);

#endif
