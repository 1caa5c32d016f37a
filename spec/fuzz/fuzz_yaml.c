/* fuzz_yaml.c - any bytes as YAML: what is read is written, read again and must be equal. The bytes as one text too,
 * in every place where a text may stand. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "yaml/convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what, const json_t *value, const char *text)
{
    if (ok)
        return;
    hw_auto_free char *json = json_dumps(value, JSON_ENCODE_ANY);
    fprintf(stderr, "%s\njson: %s\nyaml:\n%s\n", what, json, text ? text : "(none)");
    abort();
}

static void round_trip(const json_t *value)
{
    struct hw_err err = { 0 };
    hw_auto_buf buf;
    hw_buf_init(&buf, 64u << 20);
    if (hw_yaml_dump(value, &buf, &err) < 0) {
        check(err.code == HW_ELIMIT || strstr(err.msg, "NUL"), err.msg, value, buf.ptr);
        return;
    }
    hw_auto_yaml *again = NULL;
    struct hw_str text = { buf.ptr, buf.len };
    if (hw_yaml_load_text(text, "again", &again, &err) < 0) {
        check(err.code == HW_ELIMIT, err.msg, value, buf.ptr);
        return;
    }
    json_t *back = hw_yaml_to_json(hw_yaml_root(again, 0), &err);
    check(back != NULL, err.msg, value, buf.ptr);
    check(json_equal(value, back), "not equal", value, buf.ptr);
    check(hw_yaml_count(again) <= 1, "several documents", value, buf.ptr);
    json_decref(back);
}

static void as_text(const uint8_t *data, size_t size)
{
    json_t *text = json_stringn((const char *)data, size);
    if (!text)
        return;
    char *key = strndup((const char *)data, size);
    json_t *all = json_object();
    json_object_set(all, "text", text);
    json_object_set_new(all, "list", json_pack("[O, [O, i], O]", text, text, 1, text));
    if (strlen(key) == size)
        json_object_set_new(all, key, json_pack("{s: O, s: O}", "a", text, key, text));
    round_trip(text);
    round_trip(all);
    json_decref(all);
    json_decref(text);
    free(key);
}

static void as_yaml(const uint8_t *data, size_t size)
{
    struct hw_err err = { 0 };
    hw_auto_yaml *y = NULL;
    struct hw_str text = { (const char *)data, size };
    if (hw_yaml_load_text(text, "in", &y, &err) < 0) {
        if (err.code == HW_OK || strncmp(err.msg, "in:", 3) != 0)
            abort();
        return;
    }
    for (size_t i = 0; i < hw_yaml_count(y); i++) {
        json_t *value = hw_yaml_to_json(hw_yaml_root(y, i), &err);
        if (value)
            round_trip(value);
        json_decref(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 64 * 1024)
        return 0;
    as_text(data, size);
    as_yaml(data, size);
    return 0;
}
