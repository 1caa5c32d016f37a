#include "local/dataprocess.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "yaml/convert.h"
#include "yaml/yaml.h"

static const char group[] = "data.fluid.io/", kind_name[] = "DataProcess";

HW_PRINTF(2, 3) static void hint(struct hw_dataprocess *d, const char *fmt, ...)
{
    int n = 0;
    while (d->hints[n])
        n++;
    if (n == HW_HINTS_MAX)
        return;
    char raw[300], text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    hw_clean_text(text, sizeof text - 1, hw_str(raw));
    d->hints[n] = hw_xstrdup(text);
}

static bool is_dataprocess(const struct hw_yaml_node *doc)
{
    const char *kind = hw_yaml_text(hw_yaml_get(doc, "kind"));
    const char *version = hw_yaml_text(hw_yaml_get(doc, "apiVersion"));
    return hw_streq(kind, kind_name) && version && strncmp(version, group, strlen(group)) == 0;
}

static int find_document(const struct hw_yaml *file, const struct hw_yaml_node **ret,
                         struct hw_err *err)
{
    const struct hw_yaml_node *found = NULL;
    for (size_t i = 0; i < hw_yaml_count(file); i++) {
        const struct hw_yaml_node *doc = hw_yaml_root(file, i);
        if (!is_dataprocess(doc))
            continue;
        if (found)
            return hw_yaml_fail(doc, err, HW_EINPUT, "a second DataProcess: give one at a time");
        found = doc;
    }
    if (found) {
        *ret = found;
        return 0;
    }
    const struct hw_yaml_node *first = hw_yaml_root(file, 0);
    if (!first)
        return hw_fail(err, HW_EINPUT, "%s: holds no document", hw_yaml_name(file));
    const char *kind = hw_yaml_text(hw_yaml_get(first, "kind"));
    return hw_yaml_fail(first, err, HW_EINPUT,
                        "expected a DataProcess of data.fluid.io/v1alpha1, found %s%.60s",
                        kind ? "kind " : "no kind", kind ? kind : "");
}

/* Moves an old word to today's. */
static void rename_key(struct hw_dataprocess *d, json_t *parent, const char *path, const char *old,
                       const char *new)
{
    json_t *value = json_object_get(parent, old);
    if (!value || json_object_get(parent, new))
        return;
    json_object_set(parent, new, value);
    json_object_del(parent, old);
    hint(d, "%s.%s is %s.%s today: taken as that", path, old, path, new);
}

/* `image: nginx:1.27` or `image: nginx` without a tag of its own. */
static void split_image(struct hw_dataprocess *d, json_t *script)
{
    const char *image = hw_json_text(script, "image", NULL);
    if (!image || json_object_get(script, "imageTag"))
        return;
    const char *slash = strrchr(image, '/'), *colon = strrchr(image, ':');
    if (!colon || (slash && colon < slash) || strchr(image, '@'))
        return;
    hint(d, "spec.processor.script.image '%.80s': today the tag stands in imageTag", image);
    json_t *name = json_stringn(image, (size_t)(colon - image));
    json_object_set_new(script, "imageTag", json_string(colon + 1));
    json_object_set_new(script, "image", name);
}

static void modernise(struct hw_dataprocess *d)
{
    json_t *processor = hw_json_at(d->operation, "spec", "processor", NULL);
    json_t *script = json_object_get(processor, "script");
    rename_key(d, processor, "spec.processor", "metadata", "podMetadata");
    rename_key(d, script, "spec.processor.script", "script", "source");
    rename_key(d, script, "spec.processor.script", "content", "source");
    split_image(d, script);
}

static int add_words(struct hw_dataprocess *d, const json_t *list, const char *what,
                     struct hw_err *err)
{
    size_t n = 0, i;
    json_t *word;
    while (d->argv[n])
        n++;
    if (list && !json_is_array(list))
        return hw_fail(err, HW_EINPUT, "%s: expected a list", what);
    json_array_foreach(list, i, word) {
        if (!json_is_string(word))
            return hw_fail(err, HW_EINPUT, "%s: item %zu is no text", what, i + 1);
        if (n == HW_ARGV_MAX)
            return hw_fail(err, HW_EINPUT, "%s: more than %d words", what, HW_ARGV_MAX);
        d->argv[n++] = hw_xstrdup(json_string_value(word));
    }
    return 0;
}

static int add_env(struct hw_dataprocess *d, const json_t *list, const char *what,
                   struct hw_err *err)
{
    size_t n = 0, i;
    json_t *one;
    if (list && !json_is_array(list))
        return hw_fail(err, HW_EINPUT, "%s: expected a list of name and value", what);
    json_array_foreach(list, i, one) {
        const char *name = hw_json_text(one, "name", NULL),
                   *value = hw_json_text(one, "value", NULL);
        if (!name || !name[0] || strchr(name, '='))
            return hw_fail(err, HW_EINPUT, "%s: item %zu has no valid name", what, i + 1);
        if (json_object_get(one, "valueFrom")) {
            hint(d, "env %.80s: valueFrom is known to a cluster only, left out", name);
            continue;
        }
        if (json_object_get(one, "value") && !value)
            return hw_fail(err, HW_EINPUT, "%s: %.80s: the value is no text; quote it", what, name);
        if (n == HW_ENV_MAX)
            return hw_fail(err, HW_EINPUT, "%s: more than %d variables", what, HW_ENV_MAX);
        d->env[n++] = hw_xasprintf("%s=%s", name, value ? value : "");
    }
    return 0;
}

static int take_script(struct hw_dataprocess *d, json_t *script, struct hw_err *err)
{
    const char *source = hw_json_text(script, "source", NULL);
    if (!source || !source[0])
        return hw_fail(err, HW_EINPUT, "spec.processor.script.source: there is no script");
    d->source = hw_xstrdup(source);
    if (add_words(d, json_object_get(script, "command"), "spec.processor.script.command", err) < 0 ||
        add_env(d, json_object_get(script, "env"), "spec.processor.script.env", err) < 0)
        return -1;
    if (!d->argv[0])
        d->argv[0] = hw_xstrdup("bash"); /* Fluid's own default */
    if (json_object_get(script, "volumeMounts"))
        hint(d, "volumeMounts are not mounted here: the script sees this machine's files");
    return 0;
}

static int take_pod_spec(struct hw_dataprocess *d, json_t *spec, struct hw_err *err)
{
    json_t *containers = json_object_get(spec, "containers");
    json_t *first = json_array_get(containers, 0);
    if (json_array_size(containers) > 1)
        hint(d, "only the first of %zu containers is run", json_array_size(containers));
    if (!json_object_get(first, "command"))
        return hw_fail(err, HW_EINPUT,
                       "spec.processor.job.podSpec: the first container has no command, "
                       "and its image can't be run here");
    if (add_words(d, json_object_get(first, "command"), "command", err) < 0 ||
        add_words(d, json_object_get(first, "args"), "args", err) < 0)
        return -1;
    return add_env(d, json_object_get(first, "env"), "env", err);
}

/* Labels and annotations as Fluid's chart gives them, see the resource's processor.podMetadata. */
static json_t *make_pod(const struct hw_dataprocess *d)
{
    hw_auto_free char *pod_name = hw_xasprintf("%s-processor-job-local", d->name);
    hw_auto_free char *release = hw_xasprintf("%s-processor", d->name);
    json_t *pod =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s, s:s, s:s}, s:{}}}", "apiVersion", "v1", "kind",
                  "Pod", "metadata", "name", pod_name, "namespace", d->namespace, "labels", "role",
                  "dataprocess-pod", "app", "fluid-dataprocess", "release", release, "annotations");
    static const char *const keys[] = { "labels", "annotations" };
    for (size_t i = 0; i < HW_LEN(keys); i++)
        json_object_update(
            hw_json_at(pod, "metadata", keys[i], NULL),
            hw_json_at(d->operation, "spec", "processor", "podMetadata", keys[i], NULL));
    return pod;
}

static int fill(struct hw_dataprocess *d, struct hw_err *err)
{
    const char *name = hw_json_text(d->operation, "metadata", "name", NULL);
    const char *namespace = hw_json_text(d->operation, "metadata", "namespace", NULL);
    json_t *script = hw_json_at(d->operation, "spec", "processor", "script", NULL);
    json_t *pod_spec = hw_json_at(d->operation, "spec", "processor", "job", "podSpec", NULL);
    if (!name || !name[0])
        return hw_fail(err, HW_EINPUT, "metadata.name: missing");
    d->name = hw_xstrdup(name);
    d->namespace = hw_xstrdup(namespace && namespace[0] ? namespace : "default");
    json_object_set_new(json_object_get(d->operation, "metadata"), "namespace",
                        json_string(d->namespace));
    modernise(d);
    if (json_is_object(script) ? take_script(d, script, err) < 0
        : json_is_object(pod_spec)
            ? take_pod_spec(d, pod_spec, err) < 0
            : hw_fail(err, HW_EINPUT, "spec.processor: neither script nor job.podSpec is there") < 0)
        return -1;
    d->pod = make_pod(d);
    return 0;
}

int hw_dataprocess_load(const char *path, struct hw_dataprocess *ret, struct hw_err *err)
{
    hw_auto_yaml *file = NULL;
    const struct hw_yaml_node *doc = NULL;
    struct hw_dataprocess d = { 0 };
    int st = strcmp(path, "-") == 0 ? hw_yaml_load_fd(STDIN_FILENO, "<stdin>", 0, &file, err)
                                    : hw_yaml_load_file(path, 0, &file, err);
    if (st < 0 || find_document(file, &doc, err) < 0)
        return -1;
    d.operation = hw_yaml_to_json(doc, err);
    if (!d.operation)
        return -1;
    if (fill(&d, err) < 0) {
        hw_dataprocess_done(&d);
        return hw_wrap(err, "%s:%d", hw_yaml_name(file), doc->line);
    }
    *ret = d;
    return 0;
}

static void free_texts(char **list)
{
    for (; *list; list++)
        free(hw_steal(list));
}

void hw_dataprocess_done(struct hw_dataprocess *d)
{
    json_decref(d->operation);
    json_decref(d->pod);
    free(d->name);
    free(d->namespace);
    free(d->source);
    free_texts(d->argv);
    free_texts(d->env);
    free_texts(d->hints);
    *d = (struct hw_dataprocess){ 0 };
}
