/* fuzz_text.c - the text tools of base/str.c: durations, times, cleaning, hidden credentials, the nearest name. */
#include "fuzz.h"

enum { TEXT_MAX = 2048 };

static void check_duration(const char *text)
{
    struct hw_err err = { 0 };
    int64_t ms = -1, again = -1;
    char shown[24], exact[32];
    if (hw_parse_duration(text, &ms, &err) < 0) {
        fuzz_check_err(&err);
        fuzz_check(ms == -1, "a failure gave a duration", text);
        return;
    }
    fuzz_check(ms >= 0 && ms <= (int64_t)3650 * 86400000, "duration out of range", text);
    snprintf(exact, sizeof exact, "%lldms", (long long)ms);
    if (ms < INT64_C(10000000000)) /* ten digits */
        fuzz_check(hw_parse_duration(exact, &again, &err) == 0 && again == ms, "not equal", exact);
    hw_format_duration(ms, shown, sizeof shown);
    fuzz_check(shown[0] && strlen(shown) < sizeof shown - 1 && fuzz_is_clean(shown), "shown as",
               shown);
}

/* Whether text is a time as we write one. */
static bool is_own_form(const char *text)
{
    static const char form[] = "9999-99-99T99:99:99Z";
    for (size_t i = 0; i < sizeof form; i++)
        if (form[i] == '9' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

static void check_time(const char *text)
{
    struct hw_err err = { 0 };
    int64_t ms = INT64_MIN, again = INT64_MIN;
    char shown[21];
    if (hw_parse_time(text, &ms, &err) < 0) {
        fuzz_check_err(&err);
        fuzz_check(ms == INT64_MIN, "a failure gave a time", text);
        return;
    }
    fuzz_check(text[0] >= '0' && text[0] <= '9' && strlen(text) >= 20, "no time", text);
    if (ms < 0 || ms > INT64_C(253402300799999))
        return; /* shown as 1970 or 9999 */
    hw_format_time(ms, shown);
    fuzz_check(is_own_form(shown), "shown as", shown);
    fuzz_check(hw_parse_time(shown, &again, &err) == 0 && again == ms / 1000 * 1000, "not equal",
               shown);
    if (is_own_form(text)) /* the 31st of February is none; a leap second is the next minute's first */
        fuzz_check(strcmp(text, shown) == 0 || strstr(text, ":60Z"), "taken for another time", text);
}

static void check_clean(struct hw_str src, size_t max)
{
    char once[TEXT_MAX + 1], twice[TEXT_MAX + 1];
    size_t len = hw_clean_text(once, max, src);
    fuzz_check(len <= max && strlen(once) == len, "longer than it may be", once);
    fuzz_check_clean(once, "not clean");
    fuzz_check(!len || (once[0] != ' ' && once[len - 1] != ' '), "ends are not trimmed", once);
    hw_clean_text(twice, max, (struct hw_str){ once, len });
    fuzz_check(strcmp(once, twice) == 0, "cleaning again changes it", twice);
}

/* A word between "://" and the next "/" that holds an "@". */
static bool has_user(const char *text)
{
    for (const char *p = text; (p = strstr(p, "://"));) {
        p += 3;
        size_t len = strcspn(p, "/?# \t\r\n\"<>");
        if (memchr(p, '@', len))
            return true;
    }
    return false;
}

static void check_hidden(const char *text, size_t max)
{
    hw_auto_free char *copy = strdup(text);
    char shown[TEXT_MAX + 1];
    size_t len = hw_hide_credentials(copy);
    fuzz_check(strlen(copy) == len && len <= strlen(text), "grew", copy);
    fuzz_check(!has_user(copy), "shows a user", copy);
    len = hw_clean_private(shown, max, hw_str(text));
    fuzz_check(len <= max && strlen(shown) == len, "longer than it may be", shown);
    fuzz_check_clean(shown, "not clean");
    fuzz_check(!has_user(shown), "shows a user", shown);
}

static void check_nearest(const char *text)
{
    static const char *const names[] = { "source.file", "source.poll", "sinks", "by", "log", NULL };
    const char *near = hw_nearest(text, names);
    for (size_t i = 0; names[i]; i++) {
        if (near == names[i])
            near = NULL;
        if (strcmp(text, names[i]) == 0)
            fuzz_check(hw_nearest(text, names) == names[i], "not its own nearest", text);
    }
    fuzz_check(!near, "a name that is none", near);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > TEXT_MAX)
        return 0;
    size_t max = data[0]; /* bytes that the result may have */
    hw_auto_free char *text = fuzz_text(data + 1, size - 1);
    check_duration(text);
    check_time(text);
    check_clean((struct hw_str){ (const char *)data + 1, size - 1 }, max);
    check_hidden(text, max);
    check_nearest(text);
    return 0;
}
