#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/config.h"
#include "config/load.h"

enum { PROBLEMS_MAX = 100, MESSAGE_MAX = 600 };

static char *clean(const char *text)
{
    char buf[MESSAGE_MAX + 1];
    if (!text)
        return NULL;
    hw_clean_text(buf, MESSAGE_MAX, hw_str(text));
    return hw_xstrdup(buf);
}

void hw_problems_add(struct hw_problems *p, const char *where, const char *name, bool warning,
                     const char *message)
{
    if (!warning)
        p->errors++;
    if (p->count == PROBLEMS_MAX)
        return; /* a file of nothing but nonsense has said enough */
    if (!p->list)
        p->list = hw_xzalloc(PROBLEMS_MAX * sizeof *p->list);
    p->list[p->count++] = (struct hw_problem){
        .where = clean(where), .name = clean(name), .message = clean(message), .warning = warning
    };
}

void hw_problems_done(struct hw_problems *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].where);
        free(p->list[i].name);
        free(p->list[i].message);
    }
    free(p->list);
    *p = (struct hw_problems){ 0 };
}

char *hw_problem_text(const struct hw_problem *p)
{
    return hw_xasprintf("%s%s%s%s%s", p->where ? p->where : "", p->where ? ": " : "",
                        p->name ? p->name : "", p->name ? " " : "", p->message);
}
