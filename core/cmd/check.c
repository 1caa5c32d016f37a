/* check.c - each effective setting with its origin, and everything that is wrong with them. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/reporting.h"
#include "cmd/usage.h"

enum { VALUE_BYTES = 120 };

static const char *const from_names[] = { "default", "file", "env", "flag" };

/* Settings that are well formed alone, and yet a reporter would refuse. */
static char *find_refusal(const struct hw_config *c)
{
    struct hw_reporter_options ignored;
    struct hw_err err;
    return hw_reporting_options(c, &ignored, &err) < 0 ? hw_xstrdup(err.msg) : NULL;
}

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

static void print_problems(const struct hw_problems *problems, const char *refusal)
{
    if (problems->count || refusal)
        puts("");
    for (size_t i = 0; i < problems->count; i++) {
        hw_auto_free char *text = hw_problem_text(&problems->list[i]);
        printf("%s: %s\n", problems->list[i].warning ? "warning" : "problem", text);
    }
    if (refusal)
        printf("problem: %s\n", refusal);
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

static void print_problems_json(const struct hw_problems *problems, const char *refusal)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct hw_problem *p = &problems->list[i];
        print_object(json_pack("{s:o, s:o, s:o}", p->warning ? "warning" : "problem",
                               text_or_null(p->message), "setting", text_or_null(p->name), "where",
                               text_or_null(p->where)));
    }
    if (refusal)
        print_object(json_pack("{s:o, s:n, s:n}", "problem", text_or_null(refusal), "setting", "where"));
}

/* -------------------------------------------------------------------------------------------------- */

static int check_main(struct hw_cmd_ctx *ctx)
{
    const char *docs = hw_cmd_flag(ctx, "docs");
    hw_auto_free char *refusal = find_refusal(ctx->config);
    if (docs && strcmp(docs, "config") != 0)
        return hw_cmd_misuse(ctx, "--docs '%.40s': only config can be printed", docs);
    if (docs) {
        hw_usage_config_docs();
        return 0;
    }
    if (ctx->config->output == HW_OUTPUT_JSON) {
        print_settings_json(ctx->config);
        print_problems_json(ctx->problems, refusal);
    } else {
        print_settings(ctx->config);
        print_problems(ctx->problems, refusal);
    }
    return ctx->problems->errors || refusal ? 1 : 0;
}

static const struct hw_cmd_flag flags[] = {
    { "docs", 0, "config", "print docs/config.md instead, from the table of settings" },
    { .name = NULL },
};

const struct hw_cmd hw_cmd_check = {
    .name = "check",
    .summary = "print each setting and where it came from, and what is wrong with them",
    .description = "Takes the flags of every command. Exit status 1 when something is wrong.",
    .takes = HW_FOR_ALL,
    .outputs = 1 << HW_OUTPUT_TABLE | 1 << HW_OUTPUT_JSON,
    .flags = flags,
    .lenient = true,
    .run = check_main,
};
