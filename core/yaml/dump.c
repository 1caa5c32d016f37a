/* dump.c - a JSON value as YAML, by libyaml's emitter: kubectl's Go emitter is a translation of it, so the look is
 * the same as long as the same styles are asked for. */
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "yaml/convert.h"
#include "yaml/scalar.h"

struct dump {
    yaml_emitter_t emitter;
    struct hw_buf *out;
    struct hw_err *err;
};

static int on_write(void *ctx, unsigned char *bytes, size_t len)
{
    struct dump *d = ctx;
    return hw_buf_add(d->out, bytes, len, d->err) == 0;
}

/* made: what the initializer of the event said. The emitter owns the event from here on. */
static int emit(struct dump *d, yaml_event_t *e, int made)
{
    d->err->code = HW_OK;
    if (made && yaml_emitter_emit(&d->emitter, e))
        return 0;
    if (d->err->code == HW_OK)
        hw_fail(d->err, HW_ELIMIT, "write YAML: %s",
                d->emitter.problem ? d->emitter.problem : "no memory");
    return -1;
}

static int emit_plain(struct dump *d, const char *text)
{
    yaml_event_t e;
    return emit(d, &e,
                yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)text, -1, 1, 1,
                                             YAML_PLAIN_SCALAR_STYLE));
}

/* Line ends but LF come back as LF, or end a line where none ended, unless they are escaped. */
static bool has_odd_break(const char *text)
{
    return strchr(text, '\r') || strstr(text, "\xc2\x85") || strstr(text, "\xe2\x80\xa8") ||
           strstr(text, "\xe2\x80\xa9");
}

/* The emitter falls back from plain to single and double quotes where the text needs it. A block that begins with white
 * space or an empty line would need an indentation mark, which readers disagree on. */
static yaml_scalar_style_t style_of(const char *text, bool key)
{
    if (has_odd_break(text))
        return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (!key && strchr(text, '\n') && !strchr(" \n\t", text[0]))
        return YAML_LITERAL_SCALAR_STYLE;
    if (strpbrk(text, "\n\t") || hw_yaml_is_ambiguous(text))
        return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    return YAML_PLAIN_SCALAR_STYLE;
}

static int emit_text(struct dump *d, const char *text, size_t len, bool key)
{
    yaml_event_t e;
    if (strlen(text) != len)
        return hw_fail(d->err, HW_EINPUT, "write YAML: NUL inside a text");
    return emit(d, &e,
                yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)text, (int)len, 1,
                                             1, style_of(text, key)));
}

static int emit_number(struct dump *d, const json_t *value)
{
    hw_auto_free char *text = json_dumps(value, JSON_ENCODE_ANY);
    return text ? emit_plain(d, text) : hw_fail(d->err, HW_ELIMIT, "no memory");
}

static int emit_value(struct dump *d, const json_t *value, int depth);

static int emit_map(struct dump *d, const json_t *map, int depth)
{
    yaml_event_t e;
    if (emit(d, &e, yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE)))
        return -1;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
        if (emit_text(d, key, strlen(key), true) < 0 || emit_value(d, value, depth + 1) < 0)
            return -1;
    return emit(d, &e, yaml_mapping_end_event_initialize(&e));
}

static int emit_list(struct dump *d, const json_t *list, int depth)
{
    yaml_event_t e;
    if (emit(d, &e,
             yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE)))
        return -1;
    size_t i;
    json_t *value;
    json_array_foreach(list, i, value)
        if (emit_value(d, value, depth + 1) < 0)
            return -1;
    return emit(d, &e, yaml_sequence_end_event_initialize(&e));
}

static int emit_value(struct dump *d, const json_t *value, int depth)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        if (depth >= HW_YAML_DEPTH)
            return hw_fail(d->err, HW_ELIMIT, "write YAML: nested deeper than 64 levels");
        return json_is_object(value) ? emit_map(d, value, depth) : emit_list(d, value, depth);
    case JSON_STRING:
        return emit_text(d, json_string_value(value), json_string_length(value), false);
    case JSON_INTEGER:
    case JSON_REAL:
        return emit_number(d, value);
    case JSON_TRUE:
        return emit_plain(d, "true");
    case JSON_FALSE:
        return emit_plain(d, "false");
    case JSON_NULL:
        break;
    }
    return emit_plain(d, "null");
}

static int emit_document(struct dump *d, const json_t *value)
{
    yaml_event_t e;
    if (emit(d, &e, yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING)) < 0 ||
        emit(d, &e, yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1)) < 0 ||
        emit_value(d, value, 0) < 0 || emit(d, &e, yaml_document_end_event_initialize(&e, 1)) < 0)
        return -1;
    return emit(d, &e, yaml_stream_end_event_initialize(&e));
}

static void cut(struct hw_buf *b, size_t len)
{
    if (!b->ptr)
        return;
    b->len = len;
    b->ptr[len] = '\0';
}

int hw_yaml_dump(const json_t *value, struct hw_buf *out, struct hw_err *err)
{
    struct hw_err local;
    struct dump d = { .out = out, .err = err ? err : &local };
    static const char end[] = "\n...\n";
    const size_t end_len = sizeof end - 1;
    size_t before = out->len;
    if (!yaml_emitter_initialize(&d.emitter))
        return hw_fail(err, HW_ELIMIT, "no memory");
    yaml_emitter_set_output(&d.emitter, on_write, &d);
    yaml_emitter_set_unicode(&d.emitter, 1);
    yaml_emitter_set_indent(&d.emitter, 2);
    int st = emit_document(&d, value);
    yaml_emitter_delete(&d.emitter);
    if (st < 0)
        cut(out, before);
    else if (out->len - before > end_len && memcmp(out->ptr + out->len - end_len, end, end_len) == 0)
        cut(out, out->len - end_len +
                     1); /* the mark behind a text that ends in empty lines; no reader needs it */
    return st;
}
