/* fuzz_url.c - any text as the URL of an API server: what is taken holds nothing but scheme, host, port and path, never
 * plain HTTP to a foreign host, and is taken again as it is put together. */
#include "fuzz.h"
#include "kube/config.h"
#include "kube/url.h"

/* It goes into a Host header and a request line. */
static bool is_visible(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= 0x20 || *p == 0x7f)
            return false;
    return true;
}

static void check_parts(const struct hw_kube_url *u)
{
    char *end = NULL;
    bool https = strcmp(u->scheme, "https") == 0;
    fuzz_check(https || strcmp(u->scheme, "http") == 0, "scheme", u->scheme);
    fuzz_check(https || u->loopback, "plain http to", u->host);
    fuzz_check(u->host[0] && is_visible(u->host) && !strpbrk(u->host, "/?#@"), "host", u->host);
    long port = strtol(u->port, &end, 10);
    fuzz_check(!*end && port > 0 && port < 65536, "port", u->port);
    size_t len = strlen(u->path);
    fuzz_check(len == 0 || (u->path[0] == '/' && u->path[len - 1] != '/'), "path", u->path);
    fuzz_check(is_visible(u->path) && !strpbrk(u->path, "?#"), "path", u->path);
}

static void check_again(const struct hw_kube_url *u)
{
    struct hw_err err = { 0 };
    struct hw_kube_url again = { 0 };
    hw_auto_free char *text = hw_xasprintf("%s://%s:%s%s", u->scheme, u->host, u->port, u->path);
    fuzz_check(hw_kube_url_parse(text, "again", &again, &err) == 0, err.msg, text);
    fuzz_check(strcmp(u->scheme, again.scheme) == 0 && strcmp(u->host, again.host) == 0 &&
                   strcmp(u->port, again.port) == 0 && strcmp(u->path, again.path) == 0 &&
                   u->loopback == again.loopback,
               "another URL", text);
    hw_kube_url_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hw_err err = { 0 };
    struct hw_kube_url u = { 0 };
    if (size > 1024)
        return 0;
    hw_auto_free char *text = fuzz_text(data, size);
    int st = hw_kube_url_parse(text, "fuzz:1", &u, &err);
    fuzz_check(st == hw_kube_check_server(text, "fuzz:1", &err), "two verdicts", text);
    if (st < 0) {
        fuzz_check_err(&err);
        fuzz_check(err.code == HW_ECONFIG && strncmp(err.msg, "fuzz:1: ", 8) == 0, "message",
                   err.msg);
        fuzz_check(!u.host, "a failure gave a URL", text);
        return 0;
    }
    check_parts(&u);
    check_again(&u);
    hw_kube_url_done(&u);
    return 0;
}
