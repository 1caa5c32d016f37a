/* confine.h - shuts the worker in, once all memory that it will ever need is mapped. */
#ifndef HW_LUA_CONFINE_H
#define HW_LUA_CONFINE_H

#include "lua/worker.h"

#if defined(__SANITIZE_ADDRESS__)
#define HW_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define HW_SANITIZED 1
#endif
#endif
#ifndef HW_SANITIZED
#define HW_SANITIZED 0
#endif

/* Closes every file descriptor from first on, gives up resources and the way back to them, then all system calls but
 * read, write and exit. What is left afterwards can't open, connect, start or signal anything. */
enum hw_confined hw_confine(unsigned first);

/* Ends the process by the one call that is left for it: no handlers, no flushing. */
void hw_confined_exit(int code) __attribute__((noreturn));

#endif
