/* parsers.c - the parsers there are: a list, or all that one says of itself. Each is loaded in a worker, as for a task. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/proof.h"
#include "lua/embedded.h"

struct row {
    struct hw_parser_entry entry;      /* borrows; hides is not known of a file that was named */
    const struct hw_parser_meta *meta; /* NULL: it can't be loaded */
    const char *why;
};

static void join_commands(const struct hw_parser_meta *m, char *buf, size_t size)
{
    size_t n = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < m->command_count && n < size; i++)
        n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "", m->commands[i]);
}

static const char *or_dash(const char *text)
{
    return text[0] ? text : "-";
}

/* ---- -o table ------------------------------------------------------------------------------------ */

/* Wide enough for what is built in; name, tool, versions, from, commands. */
#define LINE "%-18s %-25s %-25s %s%s  %s\n"

static void print_line(const struct row *r)
{
    char commands[400] = "", where[200];
    hw_clean_text(where, sizeof where - 1, hw_str(r->entry.where));
    if (!r->meta) {
        printf("%-18s can't be loaded: %s (%s)\n", r->entry.name, r->why, where);
        return;
    }
    join_commands(r->meta, commands, sizeof commands);
    printf(LINE, r->entry.name, or_dash(r->meta->tool), or_dash(r->meta->versions), where,
           r->entry.hides ? " (hides ours)" : "", or_dash(commands));
}

/* A hint may hold any bytes. */
static void print_hints(const struct hw_parser_meta *m)
{
    char clean[HW_HINT_MAX * 3 + 1];
    printf("hints       ");
    for (size_t i = 0; i < m->hint_count; i++) {
        hw_clean_text(clean, sizeof clean - 1,
                      (struct hw_str){ m->hints[i].bytes, m->hints[i].len });
        printf("%s'%s'", i ? ", " : "", clean);
    }
    printf("%s\n", m->hint_count ? "" : "-: every record is looked at");
}

static void print_options(const struct hw_parser_meta *m)
{
    puts(m->option_count ? "\noptions:" : "\nno options");
    for (size_t i = 0; i < m->option_count; i++) {
        const struct hw_meta_option *o = &m->options[i];
        printf("  %s=%s%s%s\n          %s (default %s)\n", o->name, hw_meta_types[o->type],
               o->range[0] ? ", " : "", o->range, o->help, or_dash(o->dflt));
    }
}

static void print_details(const struct row *r)
{
    const struct hw_parser_meta *m = r->meta;
    char commands[HW_META_COMMANDS_MAX * (HW_META_TEXT_MAX + 2) + 1], where[400];
    hw_clean_text(where, sizeof where - 1, hw_str(r->entry.where));
    join_commands(m, commands, sizeof commands);
    printf(
        "parser      %s\nfrom        %s\ntool        %s\nversions    %s\nchosen for  %s\nunit        %s\n",
        r->entry.name, where, or_dash(m->tool), or_dash(m->versions), or_dash(commands),
        or_dash(m->unit));
    print_hints(m);
    printf("records     at most %zu bytes%s%s%s\n", m->record_max,
           m->newest ? "; of those that come together only the newest matters" : "",
           m->form.count ? ", where they are " : "", m->form.count ? m->form.text : "");
    if (m->word)
        puts("counts      the task's own words: published as they are");
    print_options(m);
}

/* ---- -o json ------------------------------------------------------------------------------------- */

static json_t *text(const char *s)
{
    char clean[800];
    json_t *exact = s[0] ? json_string(s) : json_null();
    if (exact)
        return exact;
    hw_clean_text(clean, sizeof clean - 1, hw_str(s));
    return json_string(clean);
}

static json_t *options_json(const struct hw_parser_meta *m)
{
    json_t *list = json_array();
    for (size_t i = 0; i < m->option_count; i++) {
        const struct hw_meta_option *o = &m->options[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", o->name, "type",
                                              hw_meta_types[o->type], "range", text(o->range),
                                              "default", text(o->dflt), "help", text(o->help)));
    }
    return list;
}

static json_t *hint_json(const struct hw_hint *h)
{
    char clean[HW_HINT_MAX * 3 + 1];
    json_t *exact = json_stringn(h->bytes, h->len);
    if (exact)
        return exact;
    hw_clean_text(clean, sizeof clean - 1, (struct hw_str){ h->bytes, h->len });
    return json_string(clean);
}

static void add_meta(json_t *o, const struct hw_parser_meta *m)
{
    json_t *commands = json_array(), *hints = json_array();
    for (size_t i = 0; i < m->command_count; i++)
        json_array_append_new(commands, text(m->commands[i]));
    for (size_t i = 0; i < m->hint_count; i++)
        json_array_append_new(hints, hint_json(&m->hints[i]));
    json_object_set_new(o, "tool", text(m->tool));
    json_object_set_new(o, "versions", text(m->versions));
    json_object_set_new(o, "commands", commands);
    json_object_set_new(o, "unit", text(m->unit));
    json_object_set_new(o, "hints", hints);
    json_object_set_new(o, "newest",
                        m->form.count ? json_string(m->form.text) : json_boolean(m->newest));
    json_object_set_new(o, "word", json_boolean(m->word));
    json_object_set_new(o, "record_max", json_integer((json_int_t)m->record_max));
    json_object_set_new(o, "options", options_json(m));
}

static void print_json(const struct row *r)
{
    hw_auto_json o = json_pack("{s:s, s:o, s:b}", "parser", r->entry.name, "where",
                               text(r->entry.where), "built_in", !r->entry.user);
    if (r->entry.hides)
        json_object_set_new(o, "hides", json_true());
    if (r->meta)
        add_meta(o, r->meta);
    else
        json_object_set_new(o, "problem", text(r->why));
    hw_auto_free char *line = hw_json_dump(o);
    puts(line);
}

/* -------------------------------------------------------------------------------------------------- */

/* -1: it can't be loaded; err says why, and it was printed where it is one of a list. */
static int show(const struct hw_cmd_ctx *ctx, const struct hw_parser_entry *entry, bool all,
                struct hw_err *err)
{
    const char *dir = ctx->config->parser.dir;
    bool json = ctx->config->output == HW_OUTPUT_JSON;
    struct hw_parser_source source = { 0 };
    struct hw_proof proof = { 0 };
    struct row row = { .entry = *entry };
    int st = hw_parsers_find(entry->name, dir, &source, err);
    if (st == 0 && (st = hw_proof_open(&proof, &source, dir, NULL, false)) < 0)
        *err = proof.err;
    if (!entry->where) { /* one that was named: a file, perhaps */
        row.entry = (struct hw_parser_entry){ .name = source.name ? source.name : entry->name,
                                              .where = source.where,
                                              .user = source.user };
    }
    if (st == 0)
        row.meta = &proof.meta;
    else
        row.why = err->msg;
    if (st == 0 || all)
        (json ? print_json : all ? print_line : print_details)(&row);
    hw_proof_close(&proof);
    hw_parser_source_done(&source);
    return st;
}

static int list_all(const struct hw_cmd_ctx *ctx, struct hw_err *err)
{
    struct hw_parser_list list;
    int failed = 0;
    if (hw_parsers_list(ctx->config->parser.dir, &list, err) < 0)
        return -1;
    if (ctx->config->output == HW_OUTPUT_TABLE)
        printf(LINE, "PARSER", "TOOL", "VERSIONS", "FROM", "    ", "CHOSEN FOR");
    for (size_t i = 0; i < list.count; i++) {
        struct hw_err own;
        failed |= show(ctx, &list.entries[i], true, &own) < 0;
    }
    hw_parser_list_done(&list);
    return failed;
}

/* ---- --meta -------------------------------------------------------------------------------------- */

/* What a parser may require or is declared by. */
static bool is_for_editors(const char *name)
{
    return strncmp(name, "headway/", 8) == 0;
}

static int write_one(const char *dir, const struct hw_embedded *e, struct hw_err *err)
{
    hw_auto_free char *path = hw_xasprintf("%s/%s", dir, e->name);
    hw_auto_file out = fopen(path, "we");
    if (!out || fwrite(e->data, 1, e->len, out) != e->len || fflush(out) != 0)
        return hw_fail_sys(err, "write '%s'", path);
    return 0;
}

static int write_meta(const char *dir, struct hw_err *err)
{
    static const char *const folders[] = { "", "/headway", "/headway/meta" };
    for (size_t i = 0; i < HW_LEN(folders); i++) {
        hw_auto_free char *path = hw_xasprintf("%s%s", dir, folders[i]);
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            return hw_fail_sys(err, "make '%s'", path);
    }
    for (const struct hw_embedded *e = hw_embedded; e->name; e++)
        if (is_for_editors(e->name) && write_one(dir, e, err) < 0)
            return -1;
    return 0;
}

/* -------------------------------------------------------------------------------------------------- */

static int parsers_main(struct hw_cmd_ctx *ctx)
{
    struct hw_err err;
    const char *meta = hw_cmd_flag(ctx, "meta");
    if (meta)
        return write_meta(meta, &err) < 0 ? hw_cmd_fail(ctx, &err) : 0;
    struct hw_parser_entry named = { .name = ctx->argv[0] };
    int st = ctx->argc ? show(ctx, &named, false, &err) : list_all(ctx, &err);
    return st < 0 ? hw_cmd_fail(ctx, &err) : st;
}

static const struct hw_cmd_flag flags[] = {
    { "meta", 0, "DIR",
      "write the contract and the toolkit to DIR/headway instead, for an editor's Lua language server" },
    { .name = NULL },
};

const struct hw_cmd hw_cmd_parsers = {
    .name = "parsers",
    .args = "[PARSER]",
    .summary = "list the parsers, the tools and versions that they know; of one: its options, too",
    .description =
        "PARSER is a name or a .lua file. Those in the directory of the setting parser.dir come before those that\n"
        "are built in. Exit status 1 when one of them can't be loaded.",
    .takes = HW_FOR_PARSERS | HW_FOR_PRINT,
    .outputs = 1 << HW_OUTPUT_TABLE | 1 << HW_OUTPUT_JSON,
    .flags = flags,
    .args_max = 1,
    .run = parsers_main,
};
