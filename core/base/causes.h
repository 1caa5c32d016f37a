/* causes.h - which causes were told already, so that each is logged once however often it comes. A plain value, empty when it
 * is zero. */
#ifndef HW_BASE_CAUSES_H
#define HW_BASE_CAUSES_H

#include <stdbool.h>

enum { HW_CAUSES_MAX = 16, HW_CAUSE_SIZE = 96 };

struct hw_causes {
    char list[HW_CAUSES_MAX][HW_CAUSE_SIZE]; /* the beginnings of messages */
    int count;
};

/* Whether nothing of this kind came before; remembers it. Once the list is full: never. The cause is the message without what may
 * differ each time: "N is over M: '5/3'" up to the colon, an error of Lua's ("x.lua:6: ...") up to that behind the line's number,
 * "sample: done is 5.5" up to the number. */
bool hw_causes_is_new(struct hw_causes *c, const char *message);

#endif
