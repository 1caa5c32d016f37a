#include "kube/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "kube/config.h"

void hw_kube_url_done(struct hw_kube_url *u)
{
    free(u->scheme);
    free(u->host);
    free(u->port);
    free(u->path);
    *u = (struct hw_kube_url){ 0 };
}

static bool is_loopback(const char *host)
{
    unsigned char ip[4];
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, ip) == 1 && ip[0] == 127);
}

/* curl decodes %7f in a host and lets it pass. */
static bool is_visible(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= 0x20 || *text == 0x7f)
            return false;
    return true;
}

static char *get_part(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    if (curl_url_get(u, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return NULL;
    char *copy = hw_xstrdup(text);
    curl_free(text);
    return copy;
}

static int refuse(const char *where, const char *text, const char *why, struct hw_err *err)
{
    char clean[101];
    hw_clean_private(clean, sizeof clean - 1, hw_str(text));
    return hw_fail(err, HW_ECONFIG, "%s: server '%s': %s", where, clean, why);
}

static int judge(const struct hw_kube_url *u, CURLU *parsed, const char **why)
{
    hw_auto_free char *user = get_part(parsed, CURLUPART_USER);
    hw_auto_free char *query = get_part(parsed, CURLUPART_QUERY);
    hw_auto_free char *fragment = get_part(parsed, CURLUPART_FRAGMENT);
    *why = NULL;
    if (!u->scheme || !u->host || !u->host[0] || !is_visible(u->host) || !u->port ||
        strcmp(u->port, "0") == 0 ||
        (strcmp(u->scheme, "https") != 0 && strcmp(u->scheme, "http") != 0))
        *why = "expected https://host:port";
    else if (user || query || fragment)
        *why = "user, query or fragment can't be part of it";
    else if (strcmp(u->scheme, "http") == 0 && !u->loopback)
        *why = "plain http is for loopback hosts only, use https";
    return *why ? -1 : 0;
}

int hw_kube_url_parse(const char *text, const char *where, struct hw_kube_url *ret,
                      struct hw_err *err)
{
    CURLU *parsed = curl_url();
    const char *why = "expected https://host:port";
    if (!parsed || curl_url_set(parsed, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
        curl_url_cleanup(parsed);
        return refuse(where, text, why, err);
    }
    struct hw_kube_url u = {
        .scheme = get_part(parsed, CURLUPART_SCHEME),
        .host = get_part(parsed, CURLUPART_HOST),
        .port = get_part(parsed, CURLUPART_PORT),
        .path = get_part(parsed, CURLUPART_PATH),
    };
    u.loopback = u.host && is_loopback(u.host);
    for (size_t n = u.path ? strlen(u.path) : 0; n && u.path[n - 1] == '/'; n--)
        u.path[n - 1] = '\0';
    int st = judge(&u, parsed, &why);
    curl_url_cleanup(parsed);
    if (st < 0) {
        hw_kube_url_done(&u);
        return refuse(where, text, why, err);
    }
    *ret = u;
    return 0;
}

int hw_kube_check_server(const char *url, const char *where, struct hw_err *err)
{
    struct hw_kube_url u = { 0 };
    if (hw_kube_url_parse(url, where, &u, err) < 0)
        return -1;
    hw_kube_url_done(&u);
    return 0;
}
