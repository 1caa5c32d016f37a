/* fuzz_object.c - names as the API server takes them, paths made of them, and an operation as a setting names it. */
#include "fuzz.h"
#include "kube/object.h"
#include "kube/owner.h"

enum { PARTS = 6 };

static void check_names(const char *text)
{
    struct hw_err err = { 0 };
    bool label = hw_kube_check_label("thing", text, &err) == 0;
    bool name = hw_kube_check_name("thing", text, &err) == 0;
    bool uid = hw_kube_check_uid("thing", text, &err) == 0;
    size_t len = strlen(text);
    if (!uid)
        fuzz_check_err(&err);
    if (label || name)
        fuzz_check(text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")] == '\0' &&
                       text[0] != '-' && text[len - 1] != '-' && !strstr(text, ".."),
                   "taken as a name", text);
    fuzz_check(!label || (name && len <= 63 && !strchr(text, '.')), "taken as a label", text);
    fuzz_check(!name || (len > 0 && len <= 253), "taken as a name", text);
    fuzz_check(!uid || (len > 0 && len <= 64), "taken as a uid", text);
}

/* The bytes that a segment stands for. free() it. */
static char *unescape(const char *s, size_t len)
{
    char *text = calloc(1, len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        if (s[i] == '%') {
            unsigned c = 0;
            fuzz_check(i + 2 < len && sscanf(s + i + 1, "%2X", &c) == 1, "escape", s);
            text[n++] = (char)c;
            i += 2;
        } else
            text[n++] = s[i];
    return text;
}

/* Takes "/segment", which must stand for want, from the front of *p. */
static void expect(const char **p, const char *want)
{
    fuzz_check(**p == '/', "path ends early", want);
    size_t len = strcspn(++*p, "/");
    hw_auto_free char *text = unescape(*p, len);
    fuzz_check(strcmp(text, want) == 0, "another segment", text);
    *p += len;
}

static void check_path(const struct hw_kube_object *o)
{
    struct hw_err err = { 0 };
    bool core = !o->group || !o->group[0];
    hw_auto_free char *shown = hw_kube_describe(o);
    fuzz_check_clean(shown, "described as");
    hw_auto_free char *path = hw_kube_path(o, &err);
    if (!path) {
        fuzz_check_err(&err);
        return;
    }
    const char *p = path;
    fuzz_check(p[strspn(p, "/-._~:%abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] ==
                   '\0',
               "path", path);
    fuzz_check(!strstr(path, "%2F"), "a slash that the server would take for one", path);
    fuzz_check(!strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../"), "path", path);
    expect(&p, core ? "api" : "apis");
    if (!core)
        expect(&p, o->group);
    expect(&p, o->version);
    if (o->namespace) {
        expect(&p, "namespaces");
        expect(&p, o->namespace);
    }
    expect(&p, o->resource);
    if (o->name)
        expect(&p, o->name);
    if (o->name && o->subresource)
        expect(&p, o->subresource);
    fuzz_check(!*p, "more than was asked for", path);
}

static void check_target(const char *text)
{
    struct hw_err err = { 0 };
    struct hw_kube_target t = { 0 }, again = { 0 };
    if (hw_kube_target_parse(text, "default", &t, &err) < 0) {
        fuzz_check_err(&err);
        fuzz_check(!t.kind && !t.name, "a failure gave a target", text);
        return;
    }
    fuzz_check(t.kind && t.kind->operation && t.version && !t.uid, "no operation", text);
    hw_auto_free char *long_form =
        hw_xasprintf("%s/%s.%s/%s", t.namespace, t.kind->resource, t.kind->group, t.name);
    fuzz_check(hw_kube_target_parse(long_form, "other", &again, &err) == 0, err.msg, long_form);
    fuzz_check(again.kind == t.kind && strcmp(again.namespace, t.namespace) == 0 &&
                   strcmp(again.name, t.name) == 0,
               "another target", long_form);
    struct hw_kube_object o = hw_kube_target_object(&t, "status");
    hw_auto_free char *path = hw_kube_path(&o, &err);
    fuzz_check(path != NULL, "a target without a path", text);
    check_path(&o);
    hw_kube_target_done(&t);
    hw_kube_target_done(&again);
}

/* Lines: one part of an object each; an empty one is not given. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *part[PARTS] = { NULL };
    struct hw_str rest = { (const char *)data, size }, line;
    if (size > 2048)
        return 0;
    for (int i = 0; i < PARTS && fuzz_next(&rest, '\n', &line); i++)
        part[i] = line.len ? fuzz_text((const uint8_t *)line.ptr, line.len) : NULL;
    for (int i = 0; i < PARTS; i++)
        check_names(part[i] ? part[i] : "");
    struct hw_kube_object o = {
        part[0], part[1] ? part[1] : "v1", part[2] ? part[2] : "pods", part[3], part[4], part[5]
    };
    check_path(&o);
    hw_auto_free char *text = fuzz_text(data, size);
    check_target(text);
    for (int i = 0; i < PARTS; i++)
        free(part[i]);
    return 0;
}
