/* worker_main.h - what runs in the worker process: frames in on fd 0, frames out on fd 1, Lua between them. */
#ifndef HW_LUA_WORKER_MAIN_H
#define HW_LUA_WORKER_MAIN_H

/* main() calls this before it does anything else when argv[1] is "worker". Doesn't return but for wrong use (a person
 * typed it): then the exit status. */
int hw_worker_main(void);

#endif
