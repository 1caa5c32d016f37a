#include "kube/object.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

#define FLUID "data.fluid.io"

static const struct hw_kube_kind kinds[] = {
    { "Pod", "", "v1", "pods", false },
    { "Job", "batch", "v1", "jobs", false },
    { "CronJob", "batch", "v1", "cronjobs", false },
    { "DataProcess", FLUID, "v1alpha1", "dataprocesses", true },
    { "DataLoad", FLUID, "v1alpha1", "dataloads", true },
    { "DataMigrate", FLUID, "v1alpha1", "datamigrates", true },
    { "DataBackup", FLUID, "v1alpha1", "databackups", true },
};

const struct hw_kube_kind *hw_kube_kind_find(const char *word, const char *group)
{
    for (size_t i = 0; i < HW_LEN(kinds); i++) {
        const struct hw_kube_kind *k = &kinds[i];
        if (group && strcmp(group, k->group) != 0)
            continue;
        if (strcasecmp(word, k->kind) == 0 || strcasecmp(word, k->resource) == 0)
            return k;
    }
    return NULL;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The length of the label at s, 0 when there is none. */
static size_t label_length(const char *s)
{
    size_t n = 0;
    while (is_alnum(s[n]) || s[n] == '-')
        n++;
    return n && is_alnum(s[0]) && is_alnum(s[n - 1]) ? n : 0;
}

static int bad_name(const char *what, const char *name, const char *rule, struct hw_err *err)
{
    char clean[65];
    hw_clean_text(clean, sizeof clean - 1, hw_str(name));
    return hw_fail(err, HW_ECONFIG, "%s '%s': %s", what, clean, rule);
}

int hw_kube_check_label(const char *what, const char *name, struct hw_err *err)
{
    size_t n = name ? label_length(name) : 0;
    if (!n || name[n] || n > 63)
        return bad_name(what, name,
                        "expected at most 63 of a-z, 0-9 and '-', letters or digits at both ends",
                        err);
    return 0;
}

int hw_kube_check_name(const char *what, const char *name, struct hw_err *err)
{
    const char *p = name ? name : "";
    for (;;) {
        size_t n = label_length(p);
        p += n;
        if (!n || p - name > 253 || (*p && *p != '.'))
            return bad_name(
                what, name,
                "expected at most 253 of a-z, 0-9, '-' and '.', letters or digits around each '.'",
                err);
        if (!*p++)
            return 0;
    }
}

int hw_kube_check_uid(const char *what, const char *uid, struct hw_err *err)
{
    size_t n = strspn(uid, "0123456789abcdefABCDEF-");
    if (n < 1 || n > 64 || uid[n])
        return bad_name(what, uid, "expected a uid, hexadecimal digits and '-'", err);
    return 0;
}

char *hw_kube_escape(const char *text, const char *plain)
{
    char *out = hw_xmalloc(strlen(text) * 3 + 1), *p = out;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_alnum(*text) || (c >= 'A' && c <= 'Z') || strchr(plain, c))
            *p++ = *text;
        else
            p += sprintf(p, "%%%02X", c);
    }
    *p = '\0';
    return out;
}

/* One path segment; '/' and the two dotted ones would change which object is meant. */
static int add_segment(struct hw_buf *b, const char *what, const char *s, struct hw_err *err)
{
    if (!s[0] || strlen(s) > 253 || strchr(s, '/') || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
        return bad_name(what, s, "can't stand in a path", err);
    hw_auto_free char *segment = hw_kube_escape(s, "-._~:");
    return hw_buf_addf(b, err, "/%s", segment);
}

static bool is_core(const struct hw_kube_object *o)
{
    return !o->group || !o->group[0];
}

static int add_path(struct hw_buf *b, const struct hw_kube_object *o, struct hw_err *err)
{
    if (add_segment(b, "path", is_core(o) ? "api" : "apis", err) < 0)
        return -1;
    if (!is_core(o) && add_segment(b, "group", o->group, err) < 0)
        return -1;
    if (add_segment(b, "version", o->version ? o->version : "", err) < 0)
        return -1;
    if (o->namespace && (add_segment(b, "path", "namespaces", err) < 0 ||
                         add_segment(b, "namespace", o->namespace, err) < 0))
        return -1;
    if (add_segment(b, "resource", o->resource ? o->resource : "", err) < 0)
        return -1;
    if (o->name && add_segment(b, "name", o->name, err) < 0)
        return -1;
    return o->name && o->subresource ? add_segment(b, "subresource", o->subresource, err) : 0;
}

char *hw_kube_path(const struct hw_kube_object *o, struct hw_err *err)
{
    hw_auto_buf b;
    hw_buf_init(&b, 8192);
    return add_path(&b, o, err) < 0 ? NULL : hw_buf_take(&b);
}

char *hw_kube_describe(const struct hw_kube_object *o)
{
    hw_auto_free char *raw =
        hw_xasprintf("%s%s%s '%s%s%s'", o->resource, o->subresource ? "/" : "",
                     o->subresource ? o->subresource : "", o->namespace ? o->namespace : "",
                     o->namespace && o->name ? "/" : "", o->name ? o->name : "");
    char clean[400];
    hw_clean_text(clean, sizeof clean - 1, hw_str(raw));
    return hw_xstrdup(clean);
}

json_t *hw_kube_patch(const char *uid)
{
    json_t *patch = json_object();
    if (uid) {
        json_t *metadata = json_object();
        json_object_set_new(metadata, "uid", json_string(uid));
        json_object_set_new(patch, "metadata", metadata);
    }
    return patch;
}

static json_t *member(json_t *root, const char *name)
{
    json_t *found = json_object_get(root, name);
    if (!found) {
        found = json_object();
        json_object_set_new(root, name, found);
    }
    return found;
}

void hw_kube_patch_annotation(json_t *patch, const char *key, const char *value)
{
    json_t *annotations = member(member(patch, "metadata"), "annotations");
    json_object_set_new(annotations, key, value ? json_string(value) : json_null());
}
