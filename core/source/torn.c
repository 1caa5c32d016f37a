#include "source/torn.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* tar --checkpoint-action=dot, and other marks that only say that something goes on. */
static bool is_marks(struct hw_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_blank(text.ptr[i]) && !strchr(".#*", text.ptr[i]))
            return false;
    return true;
}

/* 0:00:09. With minutes and seconds it is whole; 0:09 may be the beginning of it, and a fraction may follow in a log's time stamp
 * (19:03:33.658): so blanks must. */
static bool ends_in_clock(const char *s, size_t len)
{
    return len >= 7 && is_digit(s[len - 1]) && is_digit(s[len - 2]) && s[len - 3] == ':' &&
           is_digit(s[len - 4]) && is_digit(s[len - 5]) && s[len - 6] == ':' && is_digit(s[len - 7]);
}

/* 20%... of a tool that goes on with 30% in the same line. */
static bool ends_in_percent(const char *s, size_t len)
{
    while (len > 0 && strchr(".,;", s[len - 1]))
        len--;
    return len > 0 && s[len - 1] == '%';
}

bool hw_torn_is_closed(struct hw_str text)
{
    const char *s = text.ptr;
    size_t len = text.len;
    while (len > 0 && is_blank(s[len - 1]))
        len--;
    if (len == 0)
        return false;
    if (ends_in_percent(s, len)) /* zstd, curl -# */
        return true;
    if (is_marks((struct hw_str){ s, len }))
        return true;
    char last = s[len - 1], before = len > 1 ? s[len - 2] : '\0';
    switch (last) {
    case ')': /* s5cmd (20/23), rsync (xfr#6, to-chk=5/65) */
    case ']': /* tqdm, aria2c */
    case '!':
        return true;
    case '-': /* rclone: no time left is known; but not -1 */
        return is_blank(before);
    case 's': /* 17s, 5.1MB/s; minutes and hours may go on: 3m20s */
        return is_digit(before) || (before == '/' && len > 2 && s[len - 3] == 'B');
    default: /* rsync, pv */
        return text.len - len >= 2 && ends_in_clock(s, len);
    }
}

size_t hw_torn_word(struct hw_str text)
{
    size_t end = text.len;
    while (end > 0 && is_blank(text.ptr[end - 1]))
        end--;
    size_t begin = end;
    for (; begin > 0; begin--) {
        char c = text.ptr[begin - 1];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !is_digit(c) && c != '.' && c != ',')
            break;
    }
    return end - begin;
}
