/* check.c - each effective setting with its origin, and everything that is wrong with them; parsers are loaded. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/lint.h"
#include "cmd/reporting.h"
#include "cmd/usage.h"

enum { VALUE_BYTES = 120 };

static const char *const from_names[] = { "default", "file", "env", "flag" };

struct report {
    bool json;
    size_t errors;
};

/* ---- -o table ------------------------------------------------------------------------------------ */

static void shown(const struct hw_value *v, char buf[VALUE_BYTES + 1])
{
    hw_clean_text(buf, VALUE_BYTES, hw_str(v->text ? v->text : "-"));
}

static void print_settings(const struct hw_config *c)
{
    char value[VALUE_BYTES + 1], where[VALUE_BYTES + 1];
    int name_width = 0, value_width = 0;
    for (const struct hw_option *o = hw_options; o->name; o++) {
        shown(hw_config_value(c, o), value);
        if ((int)strlen(o->name) > name_width)
            name_width = (int)strlen(o->name);
        if ((int)strlen(value) > value_width)
            value_width = (int)strlen(value);
    }
    value_width = value_width > 50 ? 50 : value_width;
    printf("%-*s  %-*s  %s\n", name_width, "SETTING", value_width, "VALUE", "FROM");
    for (const struct hw_option *o = hw_options; o->name; o++) {
        const struct hw_value *v = hw_config_value(c, o);
        shown(v, value);
        hw_clean_text(where, VALUE_BYTES, hw_str(v->where ? v->where : from_names[v->from]));
        printf("%-*s  %-*s  %s\n", name_width, o->name, value_width, value, where);
    }
}

/* ---- -o json ------------------------------------------------------------------------------------- */

static void print_object(json_t *object)
{
    hw_auto_free char *text = hw_json_dump(object);
    puts(text);
    json_decref(object);
}

/* Paths may be no UTF-8, which JSON can't hold. */
static json_t *text_or_null(const char *text)
{
    char clean[VALUE_BYTES * 10 + 1];
    if (!text)
        return json_null();
    json_t *exact = json_string(text);
    if (exact)
        return exact;
    hw_clean_text(clean, sizeof clean - 1, hw_str(text));
    return json_string(clean);
}

static void print_settings_json(const struct hw_config *c)
{
    for (const struct hw_option *o = hw_options; o->name; o++) {
        const struct hw_value *v = hw_config_value(c, o);
        print_object(json_pack("{s:s, s:o, s:s, s:o}", "setting", o->name, "value",
                               text_or_null(v->text), "from", from_names[v->from], "where",
                               text_or_null(v->where)));
    }
}

/* ---- what is wrong ------------------------------------------------------------------------------- */

/* where, name: NULL = nothing to say. */
static void tell(struct report *r, bool warning, const char *where, const char *name,
                 const char *message)
{
    const char *kind = warning ? "warning" : "problem";
    if (!warning)
        r->errors++;
    if (r->json)
        print_object(json_pack("{s:o, s:o, s:o}", kind, text_or_null(message), "setting",
                               text_or_null(name), "where", text_or_null(where)));
    else
        printf("%s: %s%s%s%s%s\n", kind, where ? where : "", where ? ": " : "", name ? name : "",
               name ? " " : "", message);
}

static void tell_problems(struct report *r, const struct hw_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct hw_problem *p = &problems->list[i];
        tell(r, p->warning, p->where, p->name, p->message);
    }
}

/* Settings that are well formed alone, and yet a reporter would refuse. */
static void tell_refusal(struct report *r, const struct hw_config *c)
{
    struct hw_reporter_options ignored;
    struct hw_err err;
    if (hw_reporting_options(c, &ignored, &err) < 0)
        tell(r, false, NULL, NULL, err.msg);
}

struct finding_for {
    struct report *report;
    const char *setting; /* or NULL */
};

static void on_finding(void *ctx, bool warning, const char *where, const char *text)
{
    const struct finding_for *f = ctx;
    tell(f->report, warning, where, f->setting, text);
}

static void tell_works(struct report *r, const struct hw_lint *lint)
{
    if (r->json)
        print_object(json_pack("{s:o, s:o, s:s}", "parser", text_or_null(lint->name), "where",
                               text_or_null(lint->where), "unit", lint->unit));
    else
        printf("parser %s: %s, works\n", lint->name, lint->where);
}

/* The parser of the settings is tried with its options and, as for a progress file, strictly; others as they are. */
static void tell_parser(struct report *r, const struct hw_config *c, const char *what, bool settings)
{
    struct hw_lint lint;
    struct finding_for f = { r, settings && c->parser.name ? "parser.name" : NULL };
    const struct hw_value *v = hw_config_value(c, hw_option_named("parser.name"));
    bool named = settings && c->parser.name;
    int st = hw_lint_parser(what, c->parser.dir, named ? &c->parser.options : NULL, settings,
                            on_finding, &f, &lint);
    if (st < 0)
        tell(r, false, settings ? v->where : what, f.setting, lint.err.msg);
    else if (!lint.problems)
        tell_works(r, &lint);
    hw_lint_done(&lint);
}

/* The parser of the settings; where none is named, the one that reads a progress file. Which one reads a command's output, and
 * gets the options, is not known here. */
static void tell_chosen(struct report *r, const struct hw_config *c)
{
    const struct hw_value *options = hw_config_value(c, hw_option_named("parser.options"));
    tell_parser(r, c, c->parser.name ? c->parser.name : "nm", true);
    if (!c->parser.name && c->parser.options.count)
        tell(r, true, options->where, "parser.options",
             "are for the parser that a command is read by, and are tried only with one that is named (parser.name)");
}

/* -------------------------------------------------------------------------------------------------- */

static void print_all(const struct report *r, const struct hw_config *c)
{
    if (r->json)
        print_settings_json(c);
    else {
        print_settings(c);
        puts("");
    }
}

static int check_main(struct hw_cmd_ctx *ctx)
{
    struct report r = { .json = ctx->config->output == HW_OUTPUT_JSON };
    const char *docs = hw_cmd_flag(ctx, "docs");
    if (docs && strcmp(docs, "config") != 0)
        return hw_cmd_misuse(ctx, "--docs '%.40s': only config can be printed", docs);
    if (docs) {
        hw_usage_config_docs();
        return 0;
    }
    if (!ctx->argv[0])
        print_all(&r, ctx->config);
    tell_problems(&r, ctx->problems);
    tell_refusal(&r, ctx->config);
    if (!ctx->argv[0])
        tell_chosen(&r, ctx->config);
    for (char **what = ctx->argv; *what; what++)
        tell_parser(&r, ctx->config, *what, false);
    return r.errors ? 1 : 0;
}

static const struct hw_cmd_flag flags[] = {
    { "docs", 0, "config", "print docs/config.md instead, from the table of settings" },
    { .name = NULL },
};

const struct hw_cmd hw_cmd_check = {
    .name = "check",
    .args = "[PARSER...]",
    .summary = "print each setting and where it came from, try parsers, and say what is wrong",
    .description =
        "Takes the flags of every command. With a PARSER, a name or a .lua file, only that is tried; else the one\n"
        "of the settings: it is loaded, its text is looked through for names that are not there, and it is given records\n"
        "that no tool prints, some made from its own patterns. Exit status 1 when something is wrong.",
    .takes = HW_FOR_ALL,
    .outputs = 1 << HW_OUTPUT_TABLE | 1 << HW_OUTPUT_JSON,
    .flags = flags,
    .args_max = -1,
    .lenient = true,
    .run = check_main,
};
