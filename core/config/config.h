/* config.h - the effective settings, typed, and where each came from.
 * Flag beats environment beats YAML file beats default. Every problem is collected, not only the first; a setting that
 * is wrong keeps its default, so that a reporter can go on or say in one line why it idles.
 * load -> fields, value -> free. Texts are borrowed until free. Reads files: blocks. */
#ifndef HW_CONFIG_CONFIG_H
#define HW_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/options.h"

#define HW_CONFIG_FILE "/etc/headway/headway.yaml" /* read when it is there and no other is named */

struct hw_pair {
    char *key, *value;
};
struct hw_pairs {
    struct hw_pair *list; /* in the order given */
    size_t count;
};

enum hw_output { HW_OUTPUT_TABLE, HW_OUTPUT_JSON, HW_OUTPUT_YAML, HW_OUTPUT_WIDE, HW_OUTPUT_NAME };
enum hw_color { HW_COLOR_AUTO, HW_COLOR_ALWAYS, HW_COLOR_NEVER };
enum { HW_WATCH_BOTH, HW_WATCH_FILE };
enum hw_by { HW_BY_AUTO, HW_BY_SIDECAR, HW_BY_WRAPPER };
/* Bits of `sinks`. AUTO alone: the command decides. */
enum {
    HW_TO_AUTO = 1 << 0,
    HW_TO_ANNOTATION = 1 << 1,
    HW_TO_TERM = 1 << 2,
    HW_TO_JSONL = 1 << 3,
    HW_TO_DIR = 1 << 4,
};

/* One member for each row of hw_options. const char *: NULL = not given, and has no default. */
struct hw_config {
    struct {
        const char *file, *log;
        int64_t metrics_port; /* 0 = none */
        const char *metrics_path;
        int64_t poll_ms;
        int events; /* 0 = off, 1 = auto */
    } source;
    struct {
        int watch; /* HW_WATCH_... */
        int pty;   /* enum hw_pty: off, auto, on */
    } exec;
    struct {
        const char *name, *dir;
        struct hw_pairs options;
    } parser;
    const char *unit;
    bool message;
    int64_t total; /* -1 = unknown */
    struct {
        const char *kubeconfig, *context, *namespace, *serviceaccount_dir;
        int64_t deadline_ms;
    } kube;
    struct {
        const char *name, *namespace, *uid;
    } pod;
    struct {
        bool direct;
        const char *operation; /* "kind/name" or "namespace/kind/name" */
    } status;
    unsigned sinks; /* HW_TO_... */
    struct {
        const char *path;
    } dir;
    struct {
        int64_t percent_gap_ms, idle_gap_ms, status_gap_ms;
        int64_t status_budget; /* writes a second of all operations; 0 = no limit */
    } pace;
    struct {
        int64_t after_ms, no_match_ms;
    } stall;
    struct {
        const char *namespace; /* NULL = all */
        const char *lease;
        bool jobs;
        struct hw_pairs kinds;
        const char *http; /* NULL, "off": none */
        const char *http_cert, *http_key;
        int64_t metrics_operations;
    } hub;
    int by; /* enum hw_by */
    const char *log;
    int color;          /* enum hw_color */
    int output;         /* enum hw_output */
    const char *config; /* the settings file that was read; NULL = none */

    struct hw_value *values; /* owns; one for each row, see hw_config_value */
};

enum hw_from { HW_FROM_DEFAULT, HW_FROM_FILE, HW_FROM_ENV, HW_FROM_FLAG };

/* What a row holds now and where from. Borrowed until hw_config_free. */
struct hw_value {
    char *text; /* as it was given; NULL = not given */
    enum hw_from from;
    char *where; /* "/etc/headway/headway.yaml:3", "HEADWAY_POLL", "--poll"; NULL for a default */
};
const struct hw_value *hw_config_value(const struct hw_config *c, const struct hw_option *o);

/* One thing that is wrong with the settings; texts are clean and owned. */
struct hw_problem {
    char *where;   /* file:line, variable or flag */
    char *name;    /* the setting; NULL when it concerns none ("unknown setting") */
    char *message; /* what is wrong, what was expected */
    bool warning;  /* worth a look, e.g. a variable that is nearly one of ours */
};
struct hw_problems {
    struct hw_problem *list;
    size_t count;
    size_t errors; /* those that are no warnings */
};

/* A flag from the command line: a row, and what was behind it. Borrowed for the call. */
struct hw_flag {
    const struct hw_option *option;
    const char *value;
    char letter; /* as which letter it was written; 0 = long */
};

/* environ: "NAME=value"..., ended by NULL. Later flags beat earlier ones. Never fails: see problems, which the caller
 * has zeroed and frees. */
struct hw_config *hw_config_load(const struct hw_flag *flags, size_t flag_count, char *const *env,
                                 struct hw_problems *problems);
void hw_config_free(struct hw_config *c);
/* Cleans and copies the texts; where and name may be NULL. Keeps the first 100, counts all errors. */
void hw_problems_add(struct hw_problems *p, const char *where, const char *name, bool warning,
                     const char *message);
void hw_problems_done(struct hw_problems *p);
/* "HEADWAY_POLL: source.poll '5x': expected a duration..." free() it. */
char *hw_problem_text(const struct hw_problem *p);

/* The value of a pair, or NULL. */
const char *hw_pairs_get(const struct hw_pairs *pairs, const char *key);

#endif
