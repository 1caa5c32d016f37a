/* output.h - standard output that remembers why a write to it failed.
 * stdio keeps no errno: when the buffer was written in the middle of a result, all that is known at the end is that
 * something went wrong once. open -> print by stdio... -> close. */
#ifndef HW_CMD_OUTPUT_H
#define HW_CMD_OUTPUT_H

/* Puts a stream of ours in stdout's place; without memory for it stdout stays what it was. */
void hw_output_open(void);
/* Flushes. What was not written is said on stderr, and is the exit status when that was 0. */
int hw_output_close(int status);

#endif
