/* version.c - what this binary is made of, and the licence of each part. */
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>
#include <uv.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "lua/embedded.h"
#include "lua/release.h"
#include "yaml/yaml.h"

#ifndef HW_GIT
#define HW_GIT "unknown"
#endif
#ifndef HW_VERSION
#define HW_VERSION "unknown"
#endif

/* "OpenSSL/3.0.17" -> "3.0.17"; several parts ("OpenSSL/3 zlib/1") are left as they are. */
static const char *tls_version(void)
{
    const char *text = curl_version_info(CURLVERSION_NOW)->ssl_version;
    return !text ? "none" : strncmp(text, "OpenSSL/", 8) == 0 ? text + 8 : text;
}

static json_t *libraries(void)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "lua", hw_lua_release(), "libcurl",
                     curl->version, "openssl", tls_version(), "libyaml", hw_yaml_library_version(),
                     "libuv", uv_version_string(), "jansson", jansson_version_str());
}

static int print_json(void)
{
    hw_auto_json all = json_pack("{s:s, s:s, s:o}", "version", HW_VERSION, "git", HW_GIT,
                                 "libraries", libraries());
    hw_auto_free char *text = hw_json_dump(all);
    puts(text);
    return 0;
}

static int print_table(void)
{
    hw_auto_json all = libraries();
    const char *name;
    json_t *version;
    printf("headway %s (%s)\n", HW_VERSION, HW_GIT);
    json_object_foreach(all, name, version)
        printf("%-8s %s\n", name, json_string_value(version));
    return 0;
}

static void print_license(const char *name, const struct hw_embedded *e)
{
    printf("==== %.*s ====\n\n", (int)strcspn(name, "."), name);
    fwrite(e->data, 1, e->len, stdout);
    puts("");
}

/* Ours first: what stands below refers to it. */
static int print_licenses(void)
{
    static const char own[] = "LICENSE", dir[] = "core/cmd/licenses/";
    for (const struct hw_embedded *e = hw_embedded; e->name; e++)
        if (strcmp(e->name, own) == 0)
            print_license("headway", e);
    for (const struct hw_embedded *e = hw_embedded; e->name; e++)
        if (strncmp(e->name, dir, sizeof dir - 1) == 0)
            print_license(e->name + sizeof dir - 1, e);
    return 0;
}

static int version_main(struct hw_cmd_ctx *ctx)
{
    if (hw_cmd_flag(ctx, "licenses"))
        return print_licenses();
    return ctx->config->output == HW_OUTPUT_JSON ? print_json() : print_table();
}

static const struct hw_cmd_flag flags[] = {
    { "licenses", 0, NULL, "the licence texts of headway and of each library in it" },
    { .name = NULL },
};

const struct hw_cmd hw_cmd_version = {
    .name = "version",
    .summary = "print the version, those of its libraries, and their licences",
    .takes = HW_FOR_PRINT,
    .outputs = 1 << HW_OUTPUT_TABLE | 1 << HW_OUTPUT_JSON,
    .flags = flags,
    .lenient = true,
    .run = version_main,
};
