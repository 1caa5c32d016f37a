#include "lua/meta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/worker.h"

enum { RECORD_MAX_DEFAULT = 4096 };

const char *const hw_meta_types[4] = {
    [HW_META_STRING] = "string",
    [HW_META_INTEGER] = "integer",
    [HW_META_NUMBER] = "number",
    [HW_META_BOOLEAN] = "boolean",
};

void hw_meta_init(struct hw_parser_meta *m)
{
    memset(m, 0, sizeof *m);
    m->record_max = RECORD_MAX_DEFAULT;
}

bool hw_meta_admits(const struct hw_parser_meta *m, struct hw_str record)
{
    for (size_t i = 0; i < m->hint_count; i++)
        if (hw_hint_find(&m->hints[i], record.ptr, record.ptr + record.len))
            return true;
    return m->hint_count == 0;
}

bool hw_meta_add_hint(struct hw_parser_meta *m, struct hw_str hint)
{
    if (m->hint_count == HW_META_HINTS_MAX || !hw_hint_set(&m->hints[m->hint_count], hint))
        return false;
    m->hint_count++;
    return true;
}

int hw_meta_set_form(struct hw_parser_meta *m, const char *text, struct hw_err *err)
{
    m->newest = hw_form_set(&m->form, text, err) == 0;
    if (m->newest)
        return 0;
    m->form = (struct hw_form){ .count = 0 };
    return -1;
}

struct hw_meta_option *hw_meta_add_option(struct hw_parser_meta *m, const char *name)
{
    size_t at = 0;
    if (m->option_count == HW_META_OPTIONS_MAX)
        return NULL;
    while (at < m->option_count && strcmp(m->options[at].name, name) < 0)
        at++;
    struct hw_meta_option *o = &m->options[at];
    memmove(o + 1, o, (m->option_count - at) * sizeof *o);
    memset(o, 0, sizeof *o);
    hw_clean_text(o->name, sizeof o->name - 1, hw_str(name));
    m->option_count++;
    return o;
}

const struct hw_meta_option *hw_meta_option_named(const struct hw_parser_meta *m, const char *name)
{
    for (size_t i = 0; i < m->option_count; i++)
        if (strcmp(m->options[i].name, name) == 0)
            return &m->options[i];
    return NULL;
}

/* ---- the wire: key and value in turn; an option's keys follow its name --------------------------- */

static uint32_t pair_count(const struct hw_parser_meta *m)
{
    return (uint32_t)(9 + m->command_count + m->hint_count + 5 * m->option_count);
}

static void put_pair(struct hw_wire_out *o, const char *key, struct hw_str value)
{
    hw_wire_put_text(o, hw_str(key));
    hw_wire_put_text(o, value);
}

static void put_number(struct hw_wire_out *o, const char *key, size_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", value);
    put_pair(o, key, hw_str(digits));
}

static void put_option(struct hw_wire_out *o, const struct hw_meta_option *option)
{
    put_pair(o, "option", hw_str(option->name));
    put_number(o, "type", option->type);
    put_pair(o, "range", hw_str(option->range));
    put_pair(o, "default", hw_str(option->dflt));
    put_pair(o, "help", hw_str(option->help));
}

void hw_meta_put(struct hw_wire_out *o, const struct hw_parser_meta *m)
{
    hw_wire_put_u32(o, pair_count(m));
    put_pair(o, "name", hw_str(m->name));
    put_pair(o, "unit", hw_str(m->unit));
    put_number(o, "api", (size_t)m->api);
    put_number(o, "record_max", m->record_max);
    put_number(o, "newest", m->newest);
    put_number(o, "word", m->word);
    put_pair(o, "form", hw_str(m->form.text));
    put_pair(o, "tool", hw_str(m->tool));
    put_pair(o, "versions", hw_str(m->versions));
    for (size_t i = 0; i < m->command_count; i++)
        put_pair(o, "command", hw_str(m->commands[i]));
    for (size_t i = 0; i < m->hint_count; i++)
        put_pair(o, "hint", (struct hw_str){ m->hints[i].bytes, m->hints[i].len });
    for (size_t i = 0; i < m->option_count; i++)
        put_option(o, &m->options[i]);
}

/* Where the reading stands: the option that the next keys belong to, NULL = none. */
struct reading {
    struct hw_parser_meta *m;
    struct hw_meta_option *option;
};

static void take_name(struct reading *r, struct hw_str value)
{
    hw_clean_text(r->m->name, sizeof r->m->name - 1, value);
}

static void take_unit(struct reading *r, struct hw_str value)
{
    hw_clean_text(r->m->unit, sizeof r->m->unit - 1, value);
}

static void take_tool(struct reading *r, struct hw_str value)
{
    hw_clean_text(r->m->tool, sizeof r->m->tool - 1, value);
}

static void take_versions(struct reading *r, struct hw_str value)
{
    hw_clean_text(r->m->versions, sizeof r->m->versions - 1, value);
}

/* -1 = no number of that range. */
static long number(struct hw_str value, long max)
{
    char digits[16];
    char *end;
    hw_clean_text(digits, sizeof digits - 1, value);
    long n = strtol(digits, &end, 10);
    return *digits && !*end && n >= 0 && n <= max ? n : -1;
}

static void take_api(struct reading *r, struct hw_str value)
{
    long n = number(value, 999);
    r->m->api = n > 0 ? (int)n : 0;
}

static void take_record_max(struct reading *r, struct hw_str value)
{
    long n = number(value, HW_WORKER_RECORD_MAX);
    if (n > 0)
        r->m->record_max = (size_t)n;
}

static void take_newest(struct reading *r, struct hw_str value)
{
    r->m->newest = number(value, 1) == 1;
}

static void take_word(struct reading *r, struct hw_str value)
{
    r->m->word = number(value, 1) == 1;
}

static void take_form(struct reading *r, struct hw_str value)
{
    char text[HW_FORM_MAX + 1];
    struct hw_err ignored;
    hw_clean_text(text, sizeof text - 1, value);
    if (text[0] && r->m->newest && hw_meta_set_form(r->m, text, &ignored) < 0)
        r->m->newest = false;
}

static void take_command(struct reading *r, struct hw_str value)
{
    if (r->m->command_count < HW_META_COMMANDS_MAX)
        hw_clean_text(r->m->commands[r->m->command_count++], HW_META_TEXT_MAX, value);
}

static void take_hint(struct reading *r, struct hw_str value)
{
    (void)hw_meta_add_hint(
        r->m, value); /* what the worker makes up hides records of its own parser, no others */
}

static void take_option(struct reading *r, struct hw_str value)
{
    char name[HW_META_OPTION_NAME_MAX + 1];
    hw_clean_text(name, sizeof name - 1, value);
    r->option = hw_meta_add_option(r->m, name);
}

static void take_type(struct reading *r, struct hw_str value)
{
    long n = number(value, HW_META_BOOLEAN);
    if (r->option && n >= 0)
        r->option->type = (enum hw_meta_type)n;
}

static void take_range(struct reading *r, struct hw_str value)
{
    if (r->option)
        hw_clean_text(r->option->range, sizeof r->option->range - 1, value);
}

static void take_default(struct reading *r, struct hw_str value)
{
    if (r->option)
        hw_clean_text(r->option->dflt, sizeof r->option->dflt - 1, value);
}

static void take_help(struct reading *r, struct hw_str value)
{
    if (r->option)
        hw_clean_text(r->option->help, sizeof r->option->help - 1, value);
}

static const struct {
    const char *key;
    void (*take)(struct reading *r, struct hw_str value);
} keys[] = {
    { "name", take_name },       { "unit", take_unit }, { "api", take_api },
    { "newest", take_newest },   { "tool", take_tool }, { "record_max", take_record_max },
    { "command", take_command }, { "hint", take_hint }, { "versions", take_versions },
    { "option", take_option },   { "type", take_type }, { "range", take_range },
    { "default", take_default }, { "help", take_help }, { "form", take_form },
    { "word", take_word },
};

void hw_meta_get(struct hw_wire_in *in, struct hw_parser_meta *ret)
{
    struct reading r = { .m = ret };
    hw_meta_init(ret);
    uint32_t pairs = hw_wire_get_u32(in);
    for (uint32_t n = 0; n < pairs && !in->bad; n++) {
        struct hw_str key = hw_wire_get_text(in), value = hw_wire_get_text(in);
        for (size_t i = 0; i < HW_LEN(keys); i++)
            if (hw_str_is(key, keys[i].key))
                keys[i].take(&r, value);
    }
}
