/* options.h - the one table of settings. Each row names a setting's YAML key, environment variables, flag, type, range,
 * default and help; loading, `check`, `--help`, completion and docs/config.md are made from it.
 * A new setting is a member of struct hw_config (config.h) and a row here in options.c, nothing else. */
#ifndef HW_CONFIG_OPTIONS_H
#define HW_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The member of struct hw_config that a row fills stands behind its type. */
enum hw_option_type {
    HW_T_TEXT,     /* const char *: clean text of at most max bytes (0: 1000); NULL = not given */
    HW_T_PATH,     /* const char *: a path of at most 4095 bytes; NULL = not given */
    HW_T_DURATION, /* int64_t, ms */
    HW_T_INT,      /* int64_t */
    HW_T_SIZE,  /* int64_t: a count, or bytes with Ki, Mi, Gi, Ti (KiB...) behind; -1 = not given */
    HW_T_BOOL,  /* bool: true, false, on, off */
    HW_T_WORD,  /* int: index into words */
    HW_T_WORDS, /* unsigned: bit i for words[i]; several with ",", or a YAML list */
    HW_T_LOG,   /* const char *: levels as hw_log_configure takes them */
    HW_T_PAIRS, /* struct hw_pairs: "k=v,k=v" ("\," for a comma), or a YAML map */
};

/* Which commands take a setting as a flag. All commands read file and environment. */
enum hw_option_for {
    HW_FOR_RUN = 1 << 0,
    HW_FOR_EXEC = 1 << 1,
    HW_FOR_LOCAL = 1 << 2,
    HW_FOR_SET = 1 << 3,
    HW_FOR_REPLAY = 1 << 4,
    HW_FOR_HUB = 1 << 5,
    HW_FOR_WATCH = 1 << 6,
    HW_FOR_PARSERS = 1 << 7, /* parsers, suggest */
    HW_FOR_PUBLISH = HW_FOR_RUN | HW_FOR_EXEC,
    HW_FOR_REPORT = HW_FOR_PUBLISH | HW_FOR_LOCAL,
    HW_FOR_PRINT = 1 << 8, /* whatever prints data: takes -o */
    HW_FOR_ALL = 0xffff,
};

struct hw_option {
    const char *name; /* YAML path: "source.poll" */
    const char *env; /* variables, the first that is set and not empty wins: "HEADWAY_FILE FLUID_PROGRESS_FILE" */
    const char *flag; /* long flag without its dashes */
    char letter;      /* short flag; 0 = none */
    enum hw_option_type type;
    size_t at;        /* offset in struct hw_config */
    const char *dflt; /* as text; NULL = not given */
    int64_t min, max; /* DURATION: ms; INT, SIZE: numbers; both 0: no limit but 0...2^63-1 */
    const char *const *words; /* WORD, WORDS; ended by NULL */
    unsigned takes;           /* HW_FOR_... */
    bool no_file;             /* concerns one call: not a key of the settings file */
    const char *bare; /* what the flag means without "=" behind it; NULL = it wants a value. BOOL: "on" */
    const char *env_word; /* "NO_COLOR=never": a variable that, set at all, means this value */
    const char *help;     /* one sentence, lower case, no full stop */
};

/* In the order of docs/config.md; the last row's name is NULL. */
extern const struct hw_option hw_options[];
size_t hw_option_count(void);
const struct hw_option *hw_option_named(const char *name);
/* By long flag without dashes, among the rows that one of takes takes. */
const struct hw_option *hw_option_flag(const char *flag, unsigned takes);
const struct hw_option *hw_option_letter(char letter, unsigned takes);

/* "DURATION", "auto|off", "FILE"...: what stands behind the flag in help and docs. buf: 160 bytes do. */
const char *hw_option_arg(const struct hw_option *o, char *buf, size_t size);
/* "100ms to 10m", "" when there is no range. */
const char *hw_option_range(const struct hw_option *o, char *buf, size_t size);

#endif
