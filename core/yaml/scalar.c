#include "yaml/scalar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* How many characters from p on are in set. */
static size_t span(const char *p, const char *set)
{
    return strspn(p, set);
}

static const char digits[] = "0123456789";

static const char *skip_sign(const char *text)
{
    return text + (*text == '-' || *text == '+');
}

/* Base 16, 8 or 10 of an integer without its sign, and where its digits begin; 0 = it is none. */
static int base_of(const char *p, const char **ret)
{
    static const struct {
        const char *prefix, *set;
        int base;
    } forms[] = {
        { "0x", "0123456789abcdefABCDEF", 16 },
        { "0o", "01234567", 8 },
        { "0", "01234567", 8 }, /* Go's and YAML 1.1's octal: defaultMode: 0644 */
        { "", digits, 10 },
    };
    for (size_t i = 0; i < HW_LEN(forms); i++) {
        size_t len = strlen(forms[i].prefix);
        if (strncmp(p, forms[i].prefix, len) != 0)
            continue;
        size_t n = span(p + len, forms[i].set);
        if (n == 0 || p[len + n])
            continue;
        /* 0899 is no octal, and no decimal either to who writes 0 for octal: a real, as Go reads it */
        if (forms[i].base == 10 && p[0] == '0' && p[1])
            return 0;
        *ret = p + len;
        return forms[i].base;
    }
    return 0;
}

static bool is_int(const char *text)
{
    const char *first;
    return base_of(skip_sign(text), &first) != 0;
}

static bool is_real(const char *text)
{
    static const char *const words[] = { ".inf", ".Inf", ".INF", NULL };
    static const char *const nans[] = { ".nan", ".NaN", ".NAN", NULL };
    const char *p = skip_sign(text);
    if (is_one_of(p, words) || is_one_of(text, nans))
        return true;
    size_t whole = span(p, digits), part = 0;
    p += whole;
    if (*p == '.') {
        part = span(p + 1, digits);
        p += 1 + part;
    }
    if (whole + part == 0)
        return false;
    if (*p == 'e' || *p == 'E') {
        p = skip_sign(p + 1);
        size_t n = span(p, digits);
        if (n == 0)
            return false;
        p += n;
    }
    return *p == '\0';
}

static bool is_null(const char *text)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };
    return is_one_of(text, words);
}

static bool is_bool(const char *text)
{
    static const char *const words[] = { "true", "True", "TRUE", "false", "False", "FALSE", NULL };
    return is_one_of(text, words);
}

enum hw_yaml_type hw_yaml_resolve(const char *text)
{
    if (is_null(text))
        return HW_YAML_NULL;
    if (is_bool(text))
        return HW_YAML_BOOL;
    if (is_int(text))
        return HW_YAML_INT;
    return is_real(text) ? HW_YAML_REAL : HW_YAML_TEXT;
}

bool hw_yaml_parse_int(const char *text, int64_t *ret)
{
    const char *first = NULL;
    int base = base_of(skip_sign(text), &first);
    if (!base)
        return false;
    errno = 0;
    unsigned long long n = strtoull(first, NULL, base);
    bool minus = *text == '-';
    if (errno || n > (unsigned long long)INT64_MAX + minus)
        return false;
    *ret = minus ? (int64_t)-n : (int64_t)n;
    return true;
}

/* 12:30:45 and 1:30 are numbers in base 60 to YAML 1.1. */
static bool is_base60(const char *text)
{
    const char *p = skip_sign(text);
    size_t n = span(p, "0123456789_");
    int parts = 0;
    for (p += n; n && *p == ':'; parts++) {
        size_t len = span(p + 1, digits);
        if (len < 1 || len > 2)
            return false;
        p += 1 + len;
    }
    return parts && (*p == '\0' || (*p == '.' && p[1 + span(p + 1, "0123456789_")] == '\0'));
}

/* A date, with or without a time, to YAML 1.1. */
static bool is_date(const char *p)
{
    static const size_t least[] = { 4, 1, 1 }, most[] = { 4, 2, 2 };
    for (int i = 0; i < 3; i++) {
        size_t n = span(p, digits);
        if (n < least[i] || n > most[i] || (i < 2 && p[n] != '-'))
            return false;
        p += n + (i < 2);
    }
    return *p == '\0' || strchr("Tt \t", *p);
}

/* 1_000, 0b101, 0X1F: numbers to YAML 1.1 or to Go. */
static bool is_old_number(const char *text)
{
    char plain[80];
    size_t n = 0;
    if (!strchr("0123456789.", *skip_sign(text)))
        return false;
    for (const char *p = text; *p; p++) {
        if (*p == '_')
            continue;
        if (n == sizeof plain - 1)
            return span(text, "+-_.0123456789abcdefABCDEFoxOX") == strlen(text);
        plain[n++] = *p;
    }
    plain[n] = '\0';
    const char *p = skip_sign(plain);
    if (p[0] == '0' && p[1] && strchr("bBoOxX", p[1]))
        return p[2] && p[2 + span(p + 2, "-0123456789abcdefABCDEF")] == '\0';
    return n && (is_int(plain) || is_real(plain) || (*p && p[span(p, digits)] == '\0'));
}

bool hw_yaml_is_ambiguous(const char *text)
{
    static const char *const words[] = { "y",   "Y",   "yes", "Yes", "YES",   "on", "On",
                                         "ON",  "n",   "N",   "no",  "No",    "NO", "off",
                                         "Off", "OFF", "<<",  "=",   "+.inf", NULL };
    return hw_yaml_resolve(text) != HW_YAML_TEXT || is_one_of(text, words) || is_base60(text) ||
           is_date(text) || is_old_number(text);
}
