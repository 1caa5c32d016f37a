#include "base/causes.h"

#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"

static size_t cause_len(const char *message)
{
    static const char sample[] = "sample: ";
    size_t head = sizeof sample - 1;
    if (strncmp(message, sample, head) == 0)
        return head + strcspn(message + head, ":'" DIGITS);
    size_t len = strcspn(message, ":'");
    size_t line = message[len] == ':' ? strspn(message + len + 1, DIGITS) : 0;
    return line ? len + 1 + line : len;
}

bool hw_causes_is_new(struct hw_causes *c, const char *message)
{
    char cause[HW_CAUSE_SIZE];
    snprintf(cause, sizeof cause, "%.*s", (int)cause_len(message), message);
    for (int i = 0; i < c->count; i++)
        if (strcmp(c->list[i], cause) == 0)
            return false;
    if (c->count == HW_CAUSES_MAX)
        return false;
    memcpy(c->list[c->count++], cause, sizeof cause);
    return true;
}
