#include "hub/kinds.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "kube/object.h"

/* Their groups, versions and resources are those of kube/object.h. */
static const struct hw_hub_kind rows[] = {
    { .kind = "Pod", .task = true, .metadata_only = true },
    { .kind = "Job", .job = true, .target = HW_HUB_ANNOTATIONS, .proof = HW_HUB_CONDITIONS },
    { .kind = "CronJob", .metadata_only = true },
    { .kind = "DataProcess" },
    { .kind = "DataLoad" },
    { .kind = "DataMigrate" },
    { .kind = "DataBackup", .pod_suffix = "-pod" },
};

static void name_row(struct hw_hub_kind *row)
{
    const struct hw_kube_kind *known = hw_kube_kind_find(row->kind, NULL);
    row->group = known->group;
    row->version = known->version;
    row->resource = known->resource;
    row->operation = known->operation;
}

void hw_hub_kinds_init(struct hw_hub_kinds *k, bool jobs)
{
    *k = (struct hw_hub_kinds){ .count = HW_LEN(rows), .built_in = HW_LEN(rows) };
    memcpy(k->list, rows, sizeof rows);
    for (int i = 0; i < k->count; i++) {
        name_row(&k->list[i]);
        if (k->list[i].job) {
            k->list[i].operation = jobs;
            k->list[i].metadata_only =
                !jobs; /* how it ended, and how many pods it wants, stands behind */
        }
    }
}

static void free_row(struct hw_hub_kind *row)
{
    const char *strings[] = { row->kind, row->group, row->version, row->resource, row->pod_label };
    for (size_t i = 0; i < HW_LEN(strings); i++)
        free((char *)(uintptr_t)strings[i]);
}

void hw_hub_kinds_done(struct hw_hub_kinds *k)
{
    for (int i = k->built_in; i < k->count; i++)
        free_row(&k->list[i]);
    k->count = k->built_in;
}

/* "resource.version.group"; the core group has none behind. */
static int parse_name(struct hw_hub_kind *row, const char *name, struct hw_err *err)
{
    const char *first = strchr(name, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    if (!second)
        return hw_fail(err, HW_ECONFIG,
                       "kind '%s': expected resource.version.group, as in "
                       "pytorchjobs.v1.kubeflow.org",
                       name);
    row->resource = hw_xstrndup(name, (size_t)(first - name));
    row->version = hw_xstrndup(first + 1, (size_t)(second - first - 1));
    row->group = hw_xstrdup(second + 1);
    if (hw_kube_check_label("resource", row->resource, err) < 0 ||
        hw_kube_check_label("version", row->version, err) < 0)
        return -1;
    return hw_kube_check_name("group", row->group, err);
}

static bool is_label(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./");
    return n && n <= 317 && !text[n]; /* a prefix of 253, "/", a name of 63 */
}

static int parse_word(struct hw_hub_kind *row, const char *name, char *word, struct hw_err *err)
{
    char *value = strchr(word, '=');
    if (value)
        *value++ = '\0';
    if (value && strcmp(word, "kind") == 0 && value[0] && !row->kind)
        row->kind = hw_xstrdup(value);
    else if (value && strcmp(word, "pods") == 0 && is_label(value) && !row->pod_label)
        row->pod_label = hw_xstrdup(value);
    else if (value && strcmp(word, "value") == 0 && strcmp(value, "infos") == 0)
        row->target = HW_HUB_INFOS;
    else if (value && strcmp(word, "value") == 0 && strcmp(value, "annotations") == 0)
        row->target = HW_HUB_ANNOTATIONS;
    else if (value && strcmp(word, "proof") == 0 && strcmp(value, "phase") == 0)
        row->proof = HW_HUB_PHASE;
    else if (value && strcmp(word, "proof") == 0 && strcmp(value, "conditions") == 0)
        row->proof = HW_HUB_CONDITIONS;
    else
        return hw_fail(err, HW_ECONFIG,
                       "kind '%s': '%s%s%s': expected kind=KIND, pods=LABEL, "
                       "value=infos|annotations or proof=phase|conditions",
                       name, word, value ? "=" : "", value ? value : "");
    return 0;
}

static int parse_row(const struct hw_hub_kinds *k, struct hw_hub_kind *row, const char *name,
                     const char *text, struct hw_err *err)
{
    hw_auto_free char *copy = hw_xstrdup(text);
    char *save = NULL;
    if (parse_name(row, name, err) < 0)
        return -1;
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        if (parse_word(row, name, w, err) < 0)
            return -1;
    if (!row->kind || !row->pod_label)
        return hw_fail(err, HW_ECONFIG, "kind '%s': %s is missing", name,
                       row->kind ? "pods=LABEL, which its pods carry,"
                                 : "kind=KIND, as an owner reference names it,");
    if (hw_hub_kinds_find(k, row->group, row->kind))
        return hw_fail(err, HW_ECONFIG, "kind '%s': %s of %s is followed already", name, row->kind,
                       row->group);
    return 0;
}

int hw_hub_kinds_add(struct hw_hub_kinds *k, const char *name, const char *text, struct hw_err *err)
{
    struct hw_hub_kind row = { .operation = true,
                               .target = HW_HUB_ANNOTATIONS,
                               .proof = HW_HUB_CONDITIONS };
    char clean[200];
    hw_clean_text(clean, sizeof clean - 1, hw_str(name));
    if (k->count == HW_HUB_KINDS_MAX)
        return hw_fail(err, HW_ECONFIG, "kind '%s': no more than %d kinds can be followed", clean,
                       HW_HUB_KINDS_MAX);
    if (parse_row(k, &row, clean, text, err) < 0) {
        free_row(&row);
        return -1;
    }
    k->list[k->count++] = row;
    return 0;
}

const struct hw_hub_kind *hw_hub_kinds_find(const struct hw_hub_kinds *k, const char *group,
                                            const char *kind)
{
    for (int i = 0; i < k->count; i++)
        if (strcmp(k->list[i].group, group) == 0 && strcmp(k->list[i].kind, kind) == 0)
            return &k->list[i];
    return NULL;
}
