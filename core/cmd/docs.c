/* docs.c - docs/config.md from the option table; a spec compares the two. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/usage.h"

static const char intro[] =
    "# Settings\n"
    "\n"
    "This page is printed by `headway check --docs config` from the table in `core/config/options.c`.\n"
    "\n"
    "A flag beats the environment, the environment beats the settings file, the file beats the default.\n"
    "`headway check` prints each setting with its value and where it came from, and every problem.\n"
    "\n"
    "- **Settings file**: YAML, named by `--config` or `HEADWAY_CONFIG`, else `" HW_CONFIG_FILE
    "` when it is\n"
    "  there. The dots of a name are levels of the file. Unknown keys are errors. A key with nothing behind it counts\n"
    "  as not given.\n"
    "- **Environment**: where two variables stand, the first that is set wins. An empty variable counts as not set.\n"
    "- **Durations** have a unit: `250ms`, `3s`, `5m`, `1h30m`, `1d`.\n"
    "- **Switches** (`on|off`, also `true|false`) take their value behind `=`; `--status-direct` alone means `on`.\n"
    "- **Lists** are `a,b`, in the file also YAML lists. **Options of a parser** are `name=value,name=value`, in the\n"
    "  file a map; `\\,` is a comma inside a value.\n"
    "\n"
    "```yaml\n"
    "# /etc/headway/headway.yaml\n"
    "source:\n"
    "  poll: 5s\n"
    "parser:\n"
    "  name: nm\n"
    "  options: { unit: bytes }\n"
    "status:\n"
    "  direct: true\n"
    "sinks: [annotation, jsonl]\n"
    "log: info,annotation=debug\n"
    "```\n";

/* "|" ends a cell of a table, unless it is escaped. */
static void print_cell(const char *text)
{
    for (; *text; text++)
        if (*text == '|')
            fputs("\\|", stdout);
        else
            putchar(*text);
}

static void print_values(const struct hw_option *o)
{
    char arg[160], range[96];
    print_cell(hw_option_arg(o, arg, sizeof arg));
    if (hw_option_range(o, range, sizeof range)[0])
        printf(", %s", range);
    if (o->dflt) {
        printf("; `");
        print_cell(o->dflt);
        printf("`");
    }
}

static void print_row(const struct hw_option *o)
{
    printf("| `%s` | ", o->name);
    print_values(o);
    printf(" | `--%s`", o->flag);
    if (o->letter)
        printf(" `-%c`", o->letter);
    for (const char *p = o->env ? o->env : ""; *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        printf(" `%.*s`", (int)len, p);
        p += len;
    }
    if (o->env_word)
        printf(" `%.*s`", (int)strcspn(o->env_word, "="), o->env_word);
    printf(" | ");
    print_cell(o->help);
    printf(" |\n");
}

static void print_table(bool in_file)
{
    puts("| setting | values; default | flag and variables | meaning |\n| --- | --- | --- | --- |");
    for (const struct hw_option *o = hw_options; o->name; o++)
        if (o->no_file != in_file)
            print_row(o);
}

void hw_usage_config_docs(void)
{
    fputs(intro, stdout);
    puts("\n## All settings\n");
    print_table(true);
    puts("\n## Only for one call\n\nNo keys of the settings file.\n");
    print_table(false);
}
