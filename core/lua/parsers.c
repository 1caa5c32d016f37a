#include "lua/parsers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "lua/embedded.h"

/* ---- names --------------------------------------------------------------------------------------- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_name(const char *name, size_t len)
{
    if (len == 0 || len > HW_PARSER_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_name_char(name[i]))
            return false;
    return true;
}

bool hw_parsers_is_module_name(const char *name)
{
    size_t segment = 0, len = strlen(name);
    for (size_t i = 0; i < len; i++) {
        if (name[i] == '.' ? segment == 0 : !is_name_char(name[i]))
            return false;
        segment = name[i] == '.' ? 0 : segment + 1;
    }
    return segment > 0 && len <= HW_PARSER_NAME_MAX;
}

/* Length of what stands before ".lua"; 0 = no such end. */
static size_t stem(const char *file)
{
    size_t len = strlen(file);
    return len > 4 && strcmp(file + len - 4, ".lua") == 0 ? len - 4 : 0;
}

/* ---- files --------------------------------------------------------------------------------------- */

/* 1 = read, 0 = there is no such file. Symbolic links are followed: mounted ConfigMaps are made of them. */
static int read_file(const char *path, struct hw_str *ret, struct hw_err *err)
{
    hw_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : hw_fail_sys(err, "open '%s'", path);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return hw_fail_sys(err, "stat '%s'", path);
    if (!S_ISREG(st.st_mode))
        return hw_fail(err, HW_EINPUT, "'%s' is no regular file", path);
    hw_auto_buf text;
    hw_buf_init(&text, HW_PARSER_SOURCE_MAX);
    char part[4096];
    ssize_t n;
    while ((n = read(fd, part, sizeof part)) > 0)
        if (hw_buf_add(&text, part, (size_t)n, err) < 0)
            return hw_wrap(err, "'%s'", path);
    if (n < 0)
        return hw_fail_sys(err, "read '%s'", path);
    ret->len = text.len;
    ret->ptr = hw_buf_take(&text);
    return 1;
}

static int read_source(const char *path, const char *name, size_t name_len,
                       struct hw_parser_source *ret, struct hw_err *err)
{
    struct hw_str text;
    int found = read_file(path, &text, err);
    if (found <= 0)
        return found;
    *ret = (struct hw_parser_source){ .name = hw_xstrndup(name, name_len),
                                      .where = hw_xstrdup(path),
                                      .chunk = hw_xasprintf("@%s", path),
                                      .text = text,
                                      .user = true };
    return 1;
}

static bool has_dir(const char *user_dir)
{
    return user_dir && *user_dir;
}

/* ---- embedded ------------------------------------------------------------------------------------ */

static const struct hw_embedded *embedded(const char *name)
{
    for (const struct hw_embedded *e = hw_embedded; e->name; e++)
        if (strcmp(e->name, name) == 0)
            return e;
    return NULL;
}

static struct hw_str text_of(const struct hw_embedded *e)
{
    return (struct hw_str){ e ? (const char *)e->data : NULL, e ? e->len : 0 };
}

/* The parser's name in "parsers/nm.lua"; length 0: the row is no parser. */
static struct hw_str embedded_parser(const struct hw_embedded *e)
{
    static const char folder[] = "parsers/";
    if (strncmp(e->name, folder, sizeof folder - 1) != 0)
        return (struct hw_str){ NULL, 0 };
    const char *file = e->name + sizeof folder - 1;
    return (struct hw_str){ file, stem(file) };
}

struct hw_str hw_parsers_embedded_module(const char *name)
{
    char path[HW_PARSER_NAME_MAX + 8];
    size_t len = strlen(name);
    if (!hw_parsers_is_module_name(name))
        return (struct hw_str){ NULL, 0 };
    memcpy(path, name, len);
    for (size_t i = 0; i < len; i++)
        if (path[i] == '.')
            path[i] = '/';
    memcpy(path + len, ".lua", 5);
    return text_of(embedded(path));
}

/* ---- finding ------------------------------------------------------------------------------------- */

void hw_parser_source_done(struct hw_parser_source *source)
{
    if (source->user)
        free((void *)(uintptr_t)source->text.ptr);
    free(source->name);
    free(source->where);
    free(source->chunk);
    *source = (struct hw_parser_source){ 0 };
}

static int unknown(const char *name, const char *user_dir, struct hw_err *err)
{
    struct hw_parser_list list;
    if (hw_parsers_list(user_dir, &list, err) < 0)
        return -1;
    const char **names = hw_xzalloc((list.count + 1) * sizeof *names);
    for (size_t i = 0; i < list.count; i++)
        names[i] = list.entries[i].name;
    const char *near = hw_nearest(name, names);
    hw_fail(err, HW_ECONFIG, near ? "no parser '%.63s', did you mean '%s'" : "no parser '%.63s'",
            name, near);
    free(names);
    hw_parser_list_done(&list);
    return -1;
}

static int find_file(const char *path, struct hw_parser_source *ret, struct hw_err *err)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    if (!is_name(file, stem(file)))
        return hw_fail(err, HW_ECONFIG,
                       "parser '%s': the file's name must be letters, digits and '_'", path);
    int found = read_source(path, file, stem(file), ret, err);
    return found ? found : hw_fail(err, HW_ECONFIG, "parser '%s': no such file", path);
}

int hw_parsers_find(const char *what, const char *user_dir, struct hw_parser_source *ret,
                    struct hw_err *err)
{
    size_t len = strlen(what);
    if (stem(what))
        return find_file(what, ret, err) < 0 ? -1 : 0;
    if (!is_name(what, len))
        return hw_fail(err, HW_ECONFIG,
                       "parser '%.63s': expected letters, digits and '_', or a .lua file", what);
    if (has_dir(user_dir)) {
        hw_auto_free char *path = hw_xasprintf("%s/%s.lua", user_dir, what);
        int found = read_source(path, what, len, ret, err);
        if (found)
            return found < 0 ? -1 : 0;
    }
    char name[HW_PARSER_NAME_MAX + 16];
    snprintf(name, sizeof name, "parsers/%s.lua", what);
    const struct hw_embedded *e = embedded(name);
    if (!e)
        return unknown(what, user_dir, err);
    *ret = (struct hw_parser_source){ .name = hw_xstrdup(what),
                                      .where = hw_xstrdup("built in"),
                                      .chunk = hw_xasprintf("@%s", e->name),
                                      .text = text_of(e) };
    return 0;
}

int hw_parsers_module(const char *name, const char *user_dir, struct hw_parser_source *ret,
                      struct hw_err *err)
{
    if (!has_dir(user_dir) || !hw_parsers_is_module_name(name))
        return 0;
    hw_auto_free char *path = hw_xasprintf("%s/%s.lua", user_dir, name);
    for (char *p = path + strlen(user_dir) + 1; *p; p++)
        if (*p == '.' && strcmp(p, ".lua") != 0)
            *p = '/';
    return read_source(path, name, strlen(name), ret, err);
}

/* ---- listing ------------------------------------------------------------------------------------- */

static struct hw_parser_entry *entry_named(struct hw_parser_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->entries[i].name, name) == 0)
            return &list->entries[i];
    return NULL;
}

static struct hw_parser_entry *add_entry(struct hw_parser_list *list, struct hw_str name)
{
    size_t size = (list->count + 1) * sizeof *list->entries;
    struct hw_parser_entry *entries = hw_xrealloc(list->entries, size);
    list->entries = entries;
    entries[list->count] = (struct hw_parser_entry){ .name = hw_xstrndup(name.ptr, name.len) };
    return &entries[list->count++];
}

static void list_embedded(struct hw_parser_list *list)
{
    for (const struct hw_embedded *e = hw_embedded; e->name; e++) {
        struct hw_str name = embedded_parser(e);
        if (name.len)
            add_entry(list, name)->where = hw_xstrdup("built in");
    }
}

static void list_file(struct hw_parser_list *list, const char *dir, const char *file)
{
    size_t len = stem(file);
    struct stat st;
    hw_auto_free char *path = hw_xasprintf("%s/%s", dir, file);
    if (!is_name(file, len) || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    hw_auto_free char *name = hw_xstrndup(file, len);
    struct hw_parser_entry *e = entry_named(list, name);
    bool hides = e != NULL;
    if (!e)
        e = add_entry(list, hw_str(name));
    free(e->where);
    e->where = hw_steal(&path);
    e->user = true;
    e->hides = hides;
}

static int list_dir(struct hw_parser_list *list, const char *dir, struct hw_err *err)
{
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? 0 : hw_fail_sys(err, "open '%s'", dir);
    for (struct dirent *e; (e = readdir(d));)
        list_file(list, dir, e->d_name);
    closedir(d);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct hw_parser_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

int hw_parsers_list(const char *user_dir, struct hw_parser_list *ret, struct hw_err *err)
{
    struct hw_parser_list list = { 0 };
    list_embedded(&list);
    if (has_dir(user_dir) && list_dir(&list, user_dir, err) < 0) {
        hw_parser_list_done(&list);
        return -1;
    }
    if (list.count)
        qsort(list.entries, list.count, sizeof *list.entries, by_name);
    *ret = list;
    return 0;
}

void hw_parser_list_done(struct hw_parser_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->entries[i].name);
        free(list->entries[i].where);
    }
    free(list->entries);
    *list = (struct hw_parser_list){ 0 };
}
