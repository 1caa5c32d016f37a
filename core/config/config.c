#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/load.h"
#include "config/value.h"

static struct hw_value *slot(struct hw_config *c, const struct hw_option *o)
{
    return &c->values[o - hw_options];
}

const struct hw_value *hw_config_value(const struct hw_config *c, const struct hw_option *o)
{
    return &c->values[o - hw_options];
}

const char *hw_pairs_get(const struct hw_pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->list[i].key, key) == 0)
            return pairs->list[i].value;
    return NULL;
}

void hw_config_set(struct hw_config *c, const struct hw_option *o, const char *text,
                   enum hw_from from, const char *where, struct hw_problems *problems)
{
    struct hw_err err;
    char *copy = hw_xstrdup(text);
    if (hw_value_set(c, o, copy, &err) < 0) {
        hw_problems_add(problems, where, o->name, false, err.msg);
        free(copy);
        return;
    }
    struct hw_value *v = slot(c, o);
    free(v->text);
    free(v->where);
    *v = (struct hw_value){ .text = copy, .from = from, .where = hw_xstrdup(where) };
}

static void set_defaults(struct hw_config *c, struct hw_problems *problems)
{
    c->total = -1;
    for (const struct hw_option *o = hw_options; o->name; o++)
        if (o->dflt)
            hw_config_set(c, o, o->dflt, HW_FROM_DEFAULT, NULL, problems);
}

/* ---- environment --------------------------------------------------------------------------------- */

static const char *lookup(char *const *env, const char *name, size_t len)
{
    for (; *env; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
            return *env + len + 1;
    return NULL;
}

/* The first of the row's variables that is set; an empty one counts as not set, since a manifest can't leave a
 * variable out. name: 64 bytes. */
static const char *find_env(const struct hw_option *o, char *const *env, char *name)
{
    for (const char *p = o->env ? o->env : ""; *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        const char *value = lookup(env, p, len);
        if (value && value[0]) {
            snprintf(name, 64, "%.*s", (int)len, p);
            return value;
        }
        p += len;
    }
    if (o->env_word) { /* "NO_COLOR=never" */
        size_t len = strcspn(o->env_word, "=");
        const char *value = lookup(env, o->env_word, len);
        if (value && value[0]) {
            snprintf(name, 64, "%.*s", (int)len, o->env_word);
            return o->env_word + len + 1;
        }
    }
    return NULL;
}

static void read_env(struct hw_config *c, char *const *env, struct hw_problems *problems)
{
    char name[64];
    for (const struct hw_option *o = hw_options; o->name; o++) {
        const char *value = find_env(o, env, name);
        if (value)
            hw_config_set(c, o, value, HW_FROM_ENV, name, problems);
    }
}

static bool is_known_env(const char *name)
{
    size_t len = strlen(name);
    for (const struct hw_option *o = hw_options; o->name; o++)
        for (const char *p = o->env ? o->env : ""; *p; p += strspn(p, " ")) {
            size_t n = strcspn(p, " ");
            if (n == len && strncmp(p, name, n) == 0)
                return true;
            p += n;
        }
    return false;
}

/* HEADWAY_PORT_443_TCP and the like: set by Kubernetes beside a Service named headway, or headway-... */
static bool is_service_env(const char *name)
{
    size_t len = strlen(name);
    return strstr(name, "_SERVICE_") || strstr(name, "_PORT_") ||
           (len > 5 && strcmp(name + len - 5, "_PORT") == 0);
}

/* An unknown variable is no error (anybody may set one), but one that is nearly ours deserves a word. */
static void warn_env(char *const *env, struct hw_problems *problems)
{
    static const char prefix[] = "HEADWAY_";
    for (; *env; env++) {
        if (strncmp(*env, prefix, sizeof prefix - 1) != 0)
            continue;
        hw_auto_free char *name = hw_xstrndup(*env, strcspn(*env, "="));
        if (strlen(name) > 60 || is_known_env(name) || is_service_env(name))
            continue;
        hw_auto_free char *flag = hw_xstrdup(name + sizeof prefix - 1);
        for (char *p = flag; *p; p++)
            *p = *p == '_' ? '-' : (char)(*p | 0x20);
        const struct hw_option *near = strlen(flag) > 3 ? hw_option_near(flag) : NULL;
        if (!near || !near->env)
            continue;
        hw_auto_free char *message = hw_xasprintf("unknown variable, did you mean '%.*s'?",
                                                  (int)strcspn(near->env, " "), near->env);
        hw_problems_add(problems, name, NULL, true, message);
    }
}

/* ---- all together -------------------------------------------------------------------------------- */

const struct hw_option *hw_option_near(const char *name)
{
    const char *names[128], *flags[128];
    size_t n = 0;
    for (const struct hw_option *o = hw_options; o->name && n < HW_LEN(names) - 1; o++, n++) {
        names[n] = o->name;
        flags[n] = o->flag;
    }
    names[n] = flags[n] = NULL;
    const char *found = hw_nearest(name, names);
    if (found)
        return hw_option_named(found);
    found = hw_nearest(name, flags);
    return found ? hw_option_flag(found, ~0u) : NULL;
}

static void set_flag(struct hw_config *c, const struct hw_flag *flag, struct hw_problems *problems)
{
    char where[64];
    if (flag->letter)
        snprintf(where, sizeof where, "-%c", flag->letter);
    else
        snprintf(where, sizeof where, "--%s", flag->option->flag);
    hw_config_set(c, flag->option, flag->value, HW_FROM_FLAG, where, problems);
}

/* Which settings file: known before all else is read, and shown as a setting like any other. */
static void find_file(struct hw_config *c, const struct hw_flag *flags, size_t count,
                      char *const *env, struct hw_problems *problems)
{
    const struct hw_option *o = hw_option_named("config");
    char name[64];
    const char *value = find_env(o, env, name);
    if (value)
        hw_config_set(c, o, value, HW_FROM_ENV, name, problems);
    for (size_t i = 0; i < count; i++)
        if (flags[i].option == o)
            set_flag(c, &flags[i], problems);
    if (!c->config && access(HW_CONFIG_FILE, F_OK) == 0)
        hw_config_set(c, o, HW_CONFIG_FILE, HW_FROM_DEFAULT, NULL, problems);
}

/* What single rows can't know. */
static void check_together(const struct hw_config *c, struct hw_problems *problems)
{
    const struct hw_option *sinks = hw_option_named("sinks");
    if ((c->sinks & HW_TO_DIR) && !c->dir.path)
        hw_problems_add(problems, hw_config_value(c, sinks)->where, "sinks", false,
                        "holds dir, but dir.path (--dir) is not set");
}

struct hw_config *hw_config_load(const struct hw_flag *flags, size_t flag_count, char *const *env,
                                 struct hw_problems *problems)
{
    struct hw_config *c = hw_xzalloc(sizeof *c);
    c->values = hw_xzalloc(hw_option_count() * sizeof *c->values);
    set_defaults(c, problems);
    find_file(c, flags, flag_count, env, problems);
    if (c->config)
        hw_config_read_file(c, c->config, problems);
    read_env(c, env, problems);
    for (size_t i = 0; i < flag_count; i++)
        set_flag(c, &flags[i], problems);
    check_together(c, problems);
    warn_env(env, problems);
    return c;
}

void hw_config_free(struct hw_config *c)
{
    if (!c)
        return;
    for (const struct hw_option *o = hw_options; o->name; o++) {
        hw_value_done(c, o);
        free(slot(c, o)->text);
        free(slot(c, o)->where);
    }
    free(c->values);
    free(c);
}
