#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROOMS_MAX = 12 };

static struct {
    enum hw_level level;
    struct {
        char name[16];
        enum hw_level level;
    } rooms[ROOMS_MAX];
    int count;
    void (*fn)(void *ctx, const char *line);
    void *ctx;
} config = { .level = HW_INFO };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static int level_of(const char *name, size_t len, enum hw_level *ret)
{
    for (int i = HW_ERROR; i <= HW_DEBUG; i++)
        if (strlen(level_names[i]) == len && memcmp(level_names[i], name, len) == 0) {
            *ret = (enum hw_level)i;
            return 0;
        }
    return -1;
}

static bool is_room(const char *name, size_t len)
{
    static const char *const rooms[] = { "run", "exec",       "report", "local", "replay",
                                         "lua", "annotation", "status", "dir",   "hub" };
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
        if (strlen(rooms[i]) == len && memcmp(rooms[i], name, len) == 0)
            return true;
    return false;
}

int hw_log_configure(const char *spec, struct hw_err *err)
{
    enum hw_level level = HW_INFO;
    int count = 0;
    for (const char *p = spec; *p;) {
        size_t len = strcspn(p, ",");
        const char *eq = memchr(p, '=', len);
        const char *name = eq ? eq + 1 : p;
        enum hw_level one;
        if (level_of(name, len - (size_t)(name - p), &one) < 0)
            return hw_fail(
                err, HW_ECONFIG,
                "log '%.40s': expected error, warn, info or debug, as in info,annotation=debug",
                spec);
        if (!eq)
            level = one;
        else if (!is_room(p, (size_t)(eq - p)) || count == ROOMS_MAX)
            return hw_fail(
                err, HW_ECONFIG,
                "log '%.40s': rooms are run, exec, report, local, lua, annotation, status, dir, hub",
                spec);
        else {
            memset(config.rooms[count].name, 0, sizeof config.rooms[count].name);
            memcpy(config.rooms[count].name, p, (size_t)(eq - p));
            config.rooms[count++].level = one;
        }
        p += len;
        p += *p == ',';
    }
    config.level = level;
    config.count = count;
    return 0;
}

bool hw_log_shows(enum hw_level level, const char *room)
{
    for (int i = 0; i < config.count; i++)
        if (strcmp(config.rooms[i].name, room) == 0)
            return level <= config.rooms[i].level;
    return level <= config.level;
}

void hw_log_redirect(void (*fn)(void *ctx, const char *line), void *ctx)
{
    config.fn = fn;
    config.ctx = ctx;
}

static void escape(char *dst, size_t size, const char *src)
{
    size_t n = 0;
    for (; *src && n + 5 < size; src++) {
        unsigned char c = (unsigned char)*src;
        if (c < 0x20 || c == 0x7f)
            n += (size_t)snprintf(dst + n, size - n, "\\x%02x", c);
        else
            dst[n++] = (char)c;
    }
    dst[n] = '\0';
}

void hw_log(enum hw_level level, const char *room, const char *fmt, ...)
{
    if (!hw_log_shows(level, room))
        return;
    char text[900], safe[1000], line[1100];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    escape(safe, sizeof safe, text);
    time_t now = time(NULL);
    struct tm tm;
    char when[24] = "";
    if (gmtime_r(&now, &tm))
        strftime(when, sizeof when, "%H:%M:%SZ", &tm);
    int n =
        snprintf(line, sizeof line, "headway %s %s %s: %s", when, level_names[level], room, safe);
    if (n < 0)
        return;
    if (config.fn) {
        config.fn(config.ctx, line);
        return;
    }
    size_t len = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    line[len] = '\n';
    if (write(STDERR_FILENO, line, len + 1) < 0)
        return; /* nobody can be told */
}
