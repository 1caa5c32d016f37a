#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

/* Levenshtein distance with one row; words longer than the row are far from everything. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64], la = strlen(a), lb = strlen(b);
    if (la >= HW_LEN(row) || lb >= HW_LEN(row))
        return SIZE_MAX;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[lb];
}

const char *hw_nearest(const char *word, const char *const *names)
{
    const char *best = NULL;
    size_t limit = strlen(word) / 3 + 1;
    for (; *names; names++) {
        size_t d = distance(word, *names);
        if (d <= limit) {
            best = *names;
            limit = d ? d - 1 : 0;
            if (d == 0)
                break;
        }
    }
    return best;
}

static const struct {
    const char *name;
    int64_t ms;
} units[] = { { "d", 86400000 }, { "h", 3600000 }, { "ms", 1 }, { "m", 60000 }, { "s", 1000 } };

static int64_t unit_ms(const char **p)
{
    for (size_t i = 0; i < HW_LEN(units); i++) {
        size_t len = strlen(units[i].name);
        if (strncmp(*p, units[i].name, len) == 0) {
            *p += len;
            return units[i].ms;
        }
    }
    return 0;
}

int hw_parse_duration(const char *text, int64_t *ret_ms, struct hw_err *err)
{
    int64_t sum = 0;
    const char *p = text;
    if (strcmp(text, "0") == 0) {
        *ret_ms = 0;
        return 0;
    }
    do {
        int64_t n = 0;
        const char *digits = p;
        for (; *p >= '0' && *p <= '9' && p - digits < 10; p++)
            n = n * 10 + (*p - '0');
        int64_t ms = p == digits ? 0 : unit_ms(&p);
        if (!ms)
            return hw_fail(err, HW_ECONFIG, "duration '%.40s': expected e.g. 3s, 250ms, 5m, 1h30m",
                           text);
        sum += n * ms; /* under 10^10 days, and the loop is bounded by the check below */
        if (sum > (int64_t)3650 * 86400000)
            return hw_fail(err, HW_ECONFIG, "duration '%.40s': more than ten years", text);
    } while (*p);
    *ret_ms = sum;
    return 0;
}

void hw_format_duration(int64_t ms, char *buf, size_t size)
{
    int64_t s = ms < 0 ? 0 : (ms + 500) / 1000;
    if (s < 60)
        snprintf(buf, size, "%" PRId64 "s", s);
    else if (s < 3600)
        snprintf(buf, size, s % 60 ? "%" PRId64 "m %" PRId64 "s" : "%" PRId64 "m", s / 60, s % 60);
    else if (s < 86400)
        snprintf(buf, size, s / 60 % 60 ? "%" PRId64 "h %" PRId64 "m" : "%" PRId64 "h", s / 3600,
                 s / 60 % 60);
    else
        snprintf(buf, size, s / 3600 % 24 ? "%" PRId64 "d %" PRId64 "h" : "%" PRId64 "d", s / 86400,
                 s / 3600 % 24);
}

void hw_format_time(int64_t unix_ms, char buf[21])
{
    static const int64_t year_10000 = INT64_C(253402300799);
    int64_t s = unix_ms / 1000 - (unix_ms % 1000 < 0);
    time_t t = (time_t)(s < 0 ? 0 : s > year_10000 ? year_10000 : s);
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(buf, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* So many digits from *p on, as a number of at most max; false: there are fewer, or it is more. */
static bool take_digits(const char **p, int digits, int max, int *ret)
{
    int n = 0;
    for (int i = 0; i < digits; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        n = n * 10 + (**p - '0');
    }
    *ret = n;
    return n <= max;
}

static bool take_char(const char **p, const char *set)
{
    return **p && strchr(set, **p) && (*p)++;
}

/* "2026-01-31T12:00:00"; a day that its month lacks is none. */
static bool take_date(const char **p, struct tm *tm)
{
    bool ok = take_digits(p, 4, 9999, &tm->tm_year) && take_char(p, "-") &&
              take_digits(p, 2, 12, &tm->tm_mon) && take_char(p, "-") &&
              take_digits(p, 2, 31, &tm->tm_mday) && take_char(p, "Tt") &&
              take_digits(p, 2, 23, &tm->tm_hour) && take_char(p, ":") &&
              take_digits(p, 2, 59, &tm->tm_min) && take_char(p, ":") &&
              take_digits(p, 2, 60, &tm->tm_sec); /* 60: a leap second */
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    struct tm day = { .tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = tm->tm_mday };
    return ok && timegm(&day) != -1 && day.tm_mday == tm->tm_mday && day.tm_mon == tm->tm_mon;
}

/* ".123456" -> 123; what is finer is dropped. */
static bool take_fraction(const char **p, int64_t *ret_ms)
{
    int64_t scale = 100;
    *ret_ms = 0;
    if (!take_char(p, "."))
        return true;
    if (**p < '0' || **p > '9')
        return false;
    for (; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
        *ret_ms += (**p - '0') * scale;
    return true;
}

/* "Z" or "+05:30" -> seconds to take off. */
static bool take_offset(const char **p, int64_t *ret)
{
    int h, m, sign = **p == '-' ? -60 : 60;
    *ret = 0;
    if (take_char(p, "Zz"))
        return true;
    if (!take_char(p, "+-") || !take_digits(p, 2, 23, &h) || !take_char(p, ":") ||
        !take_digits(p, 2, 59, &m))
        return false;
    *ret = (int64_t)(h * 60 + m) * sign;
    return true;
}

int hw_parse_time(const char *text, int64_t *ret_unix_ms, struct hw_err *err)
{
    struct tm tm = { 0 };
    const char *p = text;
    int64_t ms, offset;
    if (!take_date(&p, &tm) || !take_fraction(&p, &ms) || !take_offset(&p, &offset) || *p)
        return hw_fail(err, HW_EINPUT, "time '%.40s': expected e.g. 2026-01-31T12:00:00Z", text);
    *ret_unix_ms = ((int64_t)timegm(&tm) - offset) * 1000 + ms;
    return 0;
}

/* Decodes one character; returns its length, or 0 when the bytes are no valid UTF-8. */
static size_t decode(const unsigned char *s, size_t len, uint32_t *ret)
{
    if (s[0] < 0x80) {
        *ret = s[0];
        return 1;
    }
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n > len)
        return 0;
    uint32_t c = s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *ret = c;
    return n;
}

/* White space, C0, C1, bidirectional and invisible format controls: one space stands for a run of them. */
static bool is_blank(uint32_t c)
{
    return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
           (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
           (c >= 0x205f && c <= 0x206f) || c == 0x3000 || c == 0xfeff ||
           (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

size_t hw_clean_text(char *dst, size_t max, struct hw_str src)
{
    const unsigned char *s = (const unsigned char *)src.ptr;
    size_t n = 0, keep = 0; /* keep: where the text is cut when "..." must still fit */
    bool space = false, cut = false;
    for (size_t i = 0; i < src.len;) {
        uint32_t c;
        size_t len = decode(s + i, src.len - i, &c);
        const char *bytes = len ? (const char *)s + i : "\xef\xbf\xbd"; /* U+FFFD */
        size_t add = len ? len : 3;
        i += len ? len : 1;
        if (len && is_blank(c)) {
            space = n > 0;
            continue;
        }
        if (n + add + space > max) {
            cut = true;
            break;
        }
        if (space)
            dst[n++] = ' ';
        space = false;
        memcpy(dst + n, bytes, add);
        n += add;
        if (n + 3 <= max)
            keep = n;
    }
    if (cut && max >= 3) {
        memcpy(dst + keep, "...", 3);
        n = keep + 3;
    }
    dst[n] = '\0';
    return n;
}

/* What ends a URL in running text. Not "'" and ")", which passwords, paths and queries may hold. */
static const char word_end[] = " \t\r\n\"<>";

/* Behind the "@" of "user:password@host", or s itself. */
static const char *skip_user(const char *s)
{
    const char *host = s;
    for (; *s && !strchr(word_end, *s) && !strchr("/?#", *s); s++)
        if (*s == '@')
            host = s + 1;
    return host;
}

/* Behind a query: at the end of its word, but for the marks that belong to the sentence around it. */
static const char *skip_query(const char *s)
{
    const char *end = s + strcspn(s, word_end);
    while (end > s + 1 && strchr("'):;,.", end[-1]))
        end--;
    return end;
}

size_t hw_hide_credentials(char *text)
{
    char *out = text;
    const char *in = text;
    while (*in) {
        if (strncmp(in, "://", 3) != 0) {
            *out++ = *in++;
            continue;
        }
        memmove(out, in, 3);
        out += 3;
        in = skip_user(in + 3);
        while (*in && *in != '?' && !strchr(word_end, *in) && strncmp(in, "://", 3) != 0)
            *out++ = *in++; /* up to another URL, which a path may hold */
        if (*in == '?')
            in = skip_query(in);
    }
    *out = '\0';
    return (size_t)(out - text);
}

/* No allocation: the worker calls it where it has no system call to ask for memory. */
size_t hw_clean_private(char *dst, size_t max, struct hw_str src)
{
    char text[1024] = ""; /* more is cut anyway */
    size_t len = src.len < sizeof text - 1 ? src.len : sizeof text - 1;
    for (size_t i = 0; i < len; i++)
        text[i] = src.ptr[i] ? src.ptr[i] : ' ';
    text[len] = '\0';
    if (len < src.len) { /* a URL that our own cut went through ends at its scheme */
        char *last = strrchr(text, ' ');
        char *scheme = strstr(last ? last : text, "://");
        if (scheme)
            *scheme = '\0';
    }
    hw_hide_credentials(text);
    return hw_clean_text(dst, max, hw_str(text));
}
