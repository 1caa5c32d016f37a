#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

static int no_address(const char *text, struct hw_err *err)
{
    return hw_fail(err, HW_ECONFIG,
                   "'%.100s' is no address and port: write 127.0.0.1:8080, [::1]:8080 or :8080",
                   text);
}

/* -1: it is none. */
static int read_port(const char *text)
{
    int port = 0;
    size_t len = strspn(text, "0123456789");
    if (!len || len > 5 || text[len])
        return -1;
    for (size_t i = 0; i < len; i++)
        port = port * 10 + (text[i] - '0');
    return port > 65535 ? -1 : port;
}

int hw_http_address_read(const char *text, struct sockaddr_storage *ret, struct hw_err *err)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    int port = colon ? read_port(colon + 1) : -1;
    bool brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    if (port < 0 || len >= sizeof host)
        return no_address(text, err);
    snprintf(host, sizeof host, "%.*s", (int)(brackets ? len - 2 : len), brackets ? text + 1 : text);
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof host, "127.0.0.1");
    memset(ret, 0, sizeof *ret);
    bool ipv6 = brackets || !host[0];
    int st = ipv6 ? uv_ip6_addr(host[0] ? host : "::", port, (struct sockaddr_in6 *)ret)
                  : uv_ip4_addr(host, port, (struct sockaddr_in *)ret);
    return st < 0 ? no_address(text, err) : 0;
}

int hw_http_address_port(const struct sockaddr_storage *a)
{
    return ntohs(a->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
                                          : ((const struct sockaddr_in *)a)->sin_port);
}

bool hw_http_address_without_ipv6(struct sockaddr_storage *a)
{
    const struct sockaddr_in6 *every = (const struct sockaddr_in6 *)a;
    int port = hw_http_address_port(a);
    if (a->ss_family != AF_INET6 || memcmp(&every->sin6_addr, &in6addr_any, sizeof in6addr_any) != 0)
        return false;
    return uv_ip4_addr("0.0.0.0", port, (struct sockaddr_in *)a) == 0;
}
