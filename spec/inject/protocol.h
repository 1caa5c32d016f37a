/* protocol.h - what inject.c (who walks) and shim.c (inside of the program) tell each other: a file that both map. */
#ifndef HW_INJECT_PROTOCOL_H
#define HW_INJECT_PROTOCOL_H

#include <stdatomic.h>
#include <stdint.h>

/* Environment of the shim. It acts in the one process that INJECT_PID names: children inherit the variables, too. */
#define INJECT_PID "INJECT_PID"
#define INJECT_MEMORY "INJECT_MEMORY" /* path of the file that holds a struct inject_memory */

enum { INJECT_FRAMES = 12, INJECT_ONLY_MAX = 256 };

struct inject_memory {
    int64_t fail;               /* the allocation that fails, from 1; 0 = none */
    int64_t stop;               /* the first behind it that does not */
    char only[INJECT_ONLY_MAX]; /* "libyaml,headway": beginnings of the callers' file names; "" = all */
    atomic_llong count;         /* of allocations since main(), by those callers */
    atomic_llong failed;        /* how many */
    uint64_t size;              /* what was asked for by the first that failed */
    uint64_t frames[INJECT_FRAMES]; /* its callers, innermost first: offsets in the file below */
    char caller[128];               /* file name of the innermost */
};

#endif
