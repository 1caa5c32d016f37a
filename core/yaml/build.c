/* build.c - libyaml's events become nodes, under budgets: no event may cost more than its share of memory or time.
 * An explicit stack stands for nesting; aliases are copied, and their copies pay from the same budgets, so that a
 * "billion laughs" file ends at HW_YAML_NODES nodes or TEXT_MAX bytes. */
#include "yaml/build.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "yaml/scalar.h"

/* TEXT_MAX: bytes of all texts, once aliases are copied; twice the file if that is more. ANCHORS_MAX: of one document;
 * each alias walks them. */
enum {
    BLOCK = 16 * 1024,
    TEXT_MAX = 8 * 1024 * 1024,
    ANCHORS_MAX = 1000,
    DIRECTIVES_MAX = 16,
    NAME_MAX_SHOWN = 64,
};

struct anchor {
    const char *name;
    struct hw_yaml_node *node;
};

/* A list or map that is open. */
struct frame {
    struct hw_yaml_node *node, *last; /* last: its newest child */
    const char *key;                  /* map: read, and its value not yet */
    int key_line;
    size_t count; /* children */
};

struct builder {
    struct hw_yaml *y;
    struct hw_err *err;
    struct hw_yaml_node *last_root;
    struct frame stack[HW_YAML_DEPTH];
    int depth;
    size_t nodes, text, text_max; /* used and allowed: nodes, bytes */
    struct anchor anchors[ANCHORS_MAX];
    size_t anchor_count;
};

static int fail_at(struct builder *b, int line, enum hw_code code, const char *cause)
{
    hw_fail(b->err, code, "%s", cause);
    return hw_wrap(b->err, "%s:%d", b->y->name, line);
}

static void *take(struct hw_yaml *y, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    struct hw_yaml_block *block = y->blocks;
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK ? size : BLOCK;
        block = hw_xzalloc(sizeof *block + room);
        block->size = room;
        block->next = y->blocks;
        y->blocks = block;
    }
    block->used += size;
    return block->data + block->used - size;
}

static const char *keep(struct builder *b, const void *text, size_t len)
{
    char *copy = take(b->y, len + 1);
    memcpy(copy, text, len);
    return copy; /* blocks are born zeroed: it is ended */
}

static int pay_text(struct builder *b, size_t len, int line)
{
    if (len > b->text_max - b->text)
        return fail_at(b, line, HW_ELIMIT, "too much text, counting what aliases repeat");
    b->text += len;
    return 0;
}

static struct hw_yaml_node *new_node(struct builder *b, enum hw_yaml_kind kind, int line)
{
    if (++b->nodes > HW_YAML_NODES) {
        fail_at(b, line, HW_ELIMIT, "more than 100000 values, counting what aliases repeat");
        return NULL;
    }
    struct hw_yaml_node *n = take(b->y, sizeof *n);
    *n = (struct hw_yaml_node){ .kind = kind, .line = line, .key_line = line, .file = b->y };
    return n;
}

static struct frame *top(struct builder *b)
{
    return b->depth ? &b->stack[b->depth - 1] : NULL;
}

static bool wants_key(struct builder *b)
{
    const struct frame *f = top(b);
    return f && f->node->kind == HW_YAML_MAP && !f->key;
}

/* Hangs a node where it belongs: a document, an item, or the value of the key that was read. */
static void attach(struct builder *b, struct hw_yaml_node *n)
{
    struct frame *f = top(b);
    if (!f) {
        if (n->kind == HW_YAML_SCALAR && n->type == HW_YAML_NULL && !n->text[0])
            return; /* a document that holds nothing */
        *(b->last_root ? &b->last_root->next : &b->y->roots) = n;
        b->last_root = n;
        b->y->count++;
        return;
    }
    if (f->node->kind == HW_YAML_MAP) {
        n->key = f->key;
        n->key_line = f->key_line;
        f->key = NULL;
    }
    *(f->last ? &f->last->next : &f->node->child) = n;
    f->last = n;
    f->count++;
}

/* ---- scalars and their tags --------------------------------------------------------------------- */

/* A core tag's type; -1: the tag is none of the core schema's. */
static int type_of_tag(const char *tag)
{
    static const struct {
        const char *tag;
        enum hw_yaml_type type;
    } rows[] = {
        { "!", HW_YAML_TEXT },           { YAML_STR_TAG, HW_YAML_TEXT },
        { YAML_NULL_TAG, HW_YAML_NULL }, { YAML_BOOL_TAG, HW_YAML_BOOL },
        { YAML_INT_TAG, HW_YAML_INT },   { YAML_FLOAT_TAG, HW_YAML_REAL },
    };
    for (size_t i = 0; i < HW_LEN(rows); i++)
        if (strcmp(tag, rows[i].tag) == 0)
            return (int)rows[i].type;
    return -1;
}

static int fail_tag(struct builder *b, const char *tag, int line)
{
    char shown[NAME_MAX_SHOWN + 1];
    hw_clean_text(shown, NAME_MAX_SHOWN, hw_str(tag));
    hw_fail(b->err, HW_EINPUT, "tag '%s' is not supported", shown);
    return hw_wrap(b->err, "%s:%d", b->y->name, line);
}

static int resolve(struct builder *b, const yaml_event_t *e, const char *text, int line,
                   enum hw_yaml_type *ret)
{
    const char *tag = (const char *)e->data.scalar.tag;
    enum hw_yaml_type plain = hw_yaml_resolve(text);
    if (!tag) {
        *ret = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain : HW_YAML_TEXT;
        return 0;
    }
    int type = type_of_tag(tag);
    if (type < 0)
        return fail_tag(b, tag, line);
    bool fits = type == HW_YAML_TEXT || type == (int)plain ||
                (type == HW_YAML_REAL && plain == HW_YAML_INT);
    if (!fits)
        return fail_at(b, line, HW_EINPUT, "the value does not fit its tag");
    *ret = (enum hw_yaml_type)type;
    return 0;
}

static int set_key(struct builder *b, const char *text, bool plain, int line)
{
    if (plain && !text[0])
        return fail_at(b, line, HW_EINPUT, "empty key");
    if (plain && strcmp(text, "<<") == 0)
        return fail_at(b, line, HW_EINPUT, "merge keys ('<<') are not supported");
    struct frame *f = top(b);
    f->key = text;
    f->key_line = line;
    return 0;
}

static int add_anchor(struct builder *b, const yaml_char_t *name, struct hw_yaml_node *n)
{
    if (!name)
        return 0;
    if (b->anchor_count == ANCHORS_MAX)
        return fail_at(b, n->line, HW_ELIMIT, "more than 1000 anchors");
    const char *copy = keep(b, name, strlen((const char *)name));
    b->anchors[b->anchor_count++] = (struct anchor){ copy, n };
    return 0;
}

static int on_scalar(struct builder *b, const yaml_event_t *e, int line)
{
    size_t len = e->data.scalar.length;
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    enum hw_yaml_type type = HW_YAML_TEXT;
    if (memchr(e->data.scalar.value, '\0', len))
        return fail_at(b, line, HW_EINPUT, "NUL inside a text");
    if (pay_text(b, len, line) < 0)
        return -1;
    const char *text = keep(b, e->data.scalar.value, len);
    if (resolve(b, e, text, line, &type) < 0)
        return -1;
    if (wants_key(b) && !e->data.scalar.anchor)
        return set_key(b, text, plain, line);
    struct hw_yaml_node *n = new_node(b, HW_YAML_SCALAR, line);
    if (!n)
        return -1;
    n->type = type;
    n->text = text;
    if (add_anchor(b, e->data.scalar.anchor, n) < 0)
        return -1;
    if (wants_key(b))
        return set_key(b, text, plain, line);
    attach(b, n);
    return 0;
}

/* ---- lists and maps ------------------------------------------------------------------------------ */

static int on_open(struct builder *b, enum hw_yaml_kind kind, const yaml_char_t *anchor,
                   const yaml_char_t *tag, int line)
{
    const char *own = kind == HW_YAML_MAP ? YAML_MAP_TAG : YAML_SEQ_TAG;
    if (tag && strcmp((const char *)tag, own) != 0 && strcmp((const char *)tag, "!") != 0)
        return fail_tag(b, (const char *)tag, line);
    if (wants_key(b))
        return fail_at(b, line, HW_EINPUT, "a list or map can't be a key");
    if (b->depth == HW_YAML_DEPTH)
        return fail_at(b, line, HW_ELIMIT, "nested deeper than 64 levels");
    struct hw_yaml_node *n = new_node(b, kind, line);
    if (!n || add_anchor(b, anchor, n) < 0)
        return -1;
    attach(b, n);
    b->stack[b->depth++] = (struct frame){ .node = n };
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const struct hw_yaml_node *x = *(struct hw_yaml_node *const *)a;
    const struct hw_yaml_node *y = *(struct hw_yaml_node *const *)b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->key_line > y->key_line) - (x->key_line < y->key_line);
}

/* Sorts, since a hostile map may have as many keys as the budget allows. */
static int refuse_duplicates(struct builder *b, const struct frame *f)
{
    if (f->count < 2)
        return 0;
    hw_auto_free struct hw_yaml_node **sorted = hw_xzalloc(f->count * sizeof *sorted);
    size_t i = 0;
    for (struct hw_yaml_node *n = f->node->child; n; n = n->next)
        sorted[i++] = n;
    qsort(sorted, f->count, sizeof(struct hw_yaml_node *), by_key);
    for (i = 1; i < f->count; i++) {
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) != 0)
            continue;
        char key[NAME_MAX_SHOWN + 1];
        hw_clean_text(key, NAME_MAX_SHOWN, hw_str(sorted[i]->key));
        hw_fail(b->err, HW_EINPUT, "key '%s' a second time, the first is on line %d", key,
                sorted[i - 1]->key_line);
        return hw_wrap(b->err, "%s:%d", b->y->name, sorted[i]->key_line);
    }
    return 0;
}

static int on_close(struct builder *b)
{
    const struct frame *f = top(b);
    if (f->node->kind == HW_YAML_MAP && refuse_duplicates(b, f) < 0)
        return -1;
    b->depth--;
    return 0;
}

/* ---- aliases ------------------------------------------------------------------------------------- */

static bool is_open(const struct builder *b, const struct hw_yaml_node *n)
{
    for (int i = 0; i < b->depth; i++)
        if (b->stack[i].node == n)
            return true;
    return false;
}

/* Texts are shared; what the copy would cost when it is written out is paid all the same. */
static struct hw_yaml_node *copy(struct builder *b, const struct hw_yaml_node *src, int line,
                                 int depth)
{
    size_t len = (src->text ? strlen(src->text) : 0) + (src->key ? strlen(src->key) : 0);
    if (depth > HW_YAML_DEPTH) {
        fail_at(b, line, HW_ELIMIT, "nested deeper than 64 levels");
        return NULL;
    }
    struct hw_yaml_node *n = new_node(b, src->kind, line);
    if (!n || pay_text(b, len, line) < 0)
        return NULL;
    *n = *src;
    n->child = n->next = NULL;
    struct hw_yaml_node **at = &n->child;
    for (const struct hw_yaml_node *c = src->child; c; c = c->next, at = &(*at)->next)
        if (!(*at = copy(b, c, line, depth + 1)))
            return NULL;
    return n;
}

static struct hw_yaml_node *find_anchor(struct builder *b, const char *name, int line)
{
    for (size_t i = b->anchor_count; i-- > 0;) {
        struct hw_yaml_node *n = b->anchors[i].node;
        if (strcmp(b->anchors[i].name, name) != 0)
            continue;
        if (!is_open(b, n))
            return n;
        fail_at(b, line, HW_EINPUT, "an alias inside of what it stands for");
        return NULL;
    }
    char shown[NAME_MAX_SHOWN + 1];
    hw_clean_text(shown, NAME_MAX_SHOWN, hw_str(name));
    hw_fail(b->err, HW_EINPUT, "alias '*%s': no such anchor before it", shown);
    hw_wrap(b->err, "%s:%d", b->y->name, line);
    return NULL;
}

static int on_alias(struct builder *b, const char *name, int line)
{
    const struct hw_yaml_node *src = find_anchor(b, name, line);
    if (!src)
        return -1;
    if (wants_key(b)) {
        if (src->kind != HW_YAML_SCALAR)
            return fail_at(b, line, HW_EINPUT, "a list or map can't be a key");
        if (pay_text(b, strlen(src->text), line) < 0)
            return -1;
        return set_key(b, src->text, true, line);
    }
    struct hw_yaml_node *n = copy(b, src, line, b->depth);
    if (!n)
        return -1;
    n->key = NULL;
    n->key_line = n->line;
    attach(b, n);
    return 0;
}

/* ---- events -------------------------------------------------------------------------------------- */

static int on_event(struct builder *b, const yaml_event_t *e)
{
    int line = (int)e->start_mark.line + 1;
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        b->anchor_count = 0;
        return 0;
    case YAML_SCALAR_EVENT:
        return on_scalar(b, e, line);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, HW_YAML_LIST, e->data.sequence_start.anchor, e->data.sequence_start.tag,
                       line);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, HW_YAML_MAP, e->data.mapping_start.anchor, e->data.mapping_start.tag,
                       line);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(b);
    case YAML_ALIAS_EVENT:
        return on_alias(b, (const char *)e->data.alias.anchor, line);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return 0;
}

/* libyaml's own word. Its reader knows only an offset, so lines are counted for it. */
static int fail_parse(struct builder *b, const yaml_parser_t *p, struct hw_str text)
{
    size_t line = p->problem_mark.line + 1;
    if (p->error == YAML_MEMORY_ERROR)
        return hw_fail(b->err, HW_ELIMIT, "%s: no memory", b->y->name);
    if (p->error == YAML_READER_ERROR) {
        line = 1;
        for (size_t i = 0; i < text.len && i < p->problem_offset; i++)
            line += text.ptr[i] == '\n';
    }
    const char *problem = p->problem ? p->problem : "not YAML";
    if (p->context && p->error != YAML_READER_ERROR)
        hw_fail(b->err, HW_EINPUT, "%s (%s that begins on line %zu)", problem, p->context,
                p->context_mark.line + 1);
    else
        hw_fail(b->err, HW_EINPUT, "%s", problem);
    return hw_wrap(b->err, "%s:%zu", b->y->name, line);
}

static int run(struct builder *b, yaml_parser_t *p, struct hw_str text)
{
    for (bool more = true; more;) {
        yaml_event_t e;
        if (!yaml_parser_parse(p, &e))
            return fail_parse(b, p, text);
        more = e.type != YAML_STREAM_END_EVENT;
        int st = on_event(b, &e);
        yaml_event_delete(&e);
        if (st < 0)
            return -1;
    }
    return 0;
}

/* libyaml compares each %TAG with all before it: 1 MiB of them costs it 20 s. Counts what looks like one; the tags that we
 * take need none. */
static int refuse_directives(const struct hw_yaml *y, struct hw_str text, struct hw_err *err)
{
    static const char directive[] = "\n%TAG";
    int count = 0;
    const char *p = text.ptr, *end = p + text.len;
    while (p && (p = memmem(p, (size_t)(end - p), directive, sizeof directive - 1))) {
        if (++count > DIRECTIVES_MAX)
            return hw_fail(err, HW_ELIMIT, "%s: more than %d %%TAG directives", y->name,
                           DIRECTIVES_MAX);
        p++;
    }
    return 0;
}

int hw_yaml_build(struct hw_yaml *y, struct hw_str text, struct hw_err *err)
{
    yaml_parser_t p;
    if (refuse_directives(y, text, err) < 0)
        return -1;
    if (!yaml_parser_initialize(&p))
        return hw_fail(err, HW_ELIMIT, "%s: no memory", y->name);
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
    hw_auto_free struct builder *b = hw_xzalloc(sizeof *b); /* too large for a small stack */
    b->y = y;
    b->err = err;
    b->text_max = text.len > TEXT_MAX / 2 ? text.len * 2 : TEXT_MAX;
    int st = run(b, &p, text);
    yaml_parser_delete(&p);
    return st;
}

const char *hw_yaml_library_version(void)
{
    return yaml_get_version_string();
}
