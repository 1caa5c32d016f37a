/* value.h - what a task's annotations say, kept small: ten thousand of them are held. */
#ifndef HW_HUB_VALUE_H
#define HW_HUB_VALUE_H

#include "progress/progress.h"

struct hw_hub_value;

/* The parts of progress that a status needs. */
struct hw_hub_value *hw_hub_value_new(const struct hw_progress *p);
void hw_hub_value_free(struct hw_hub_value *v);
void hw_hub_value_get(const struct hw_hub_value *v, struct hw_progress *ret);

#endif
