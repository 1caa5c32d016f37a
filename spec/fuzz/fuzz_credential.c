/* fuzz_credential.c - any bytes as the output of a credential plugin, as base64 and as a token. */
#include "fuzz.h"
#include "kube/exec.h"
#include "kube/secret.h"

#define V1 "client.authentication.k8s.io/v1"

static void check_output(struct hw_str output)
{
    struct hw_err err = { 0 };
    struct hw_kube_credential c = { .expires = -7 };
    if (hw_kube_credential_parse(output, V1, &c, &err) < 0) {
        fuzz_check_err(&err);
        fuzz_check(c.expires == -7 && !c.token.ptr && !c.cert.ptr, "a failure gave a credential",
                   err.msg);
        return;
    }
    fuzz_check(c.token.ptr || c.cert.ptr, "an empty credential", NULL);
    fuzz_check(!c.cert.ptr == !c.key.ptr, "half a certificate", NULL);
    if (c.token.ptr)
        fuzz_check(strlen(c.token.ptr) == c.token.len &&
                       hw_kube_check_token("x", c.token.ptr, &err) == 0,
                   "no token", c.token.ptr);
    hw_kube_credential_done(&c);
    fuzz_check(!c.token.ptr && !c.cert.ptr && !c.key.ptr, "secrets stay behind", NULL);
}

static void check_base64(struct hw_str bytes)
{
    struct hw_err err = { 0 };
    struct hw_kube_blob blob = { 0 }, again = { 0 };
    hw_auto_free char *text = hw_kube_base64(bytes);
    fuzz_check(hw_kube_base64_decode("own", hw_str(text), &blob, &err) == 0, err.msg, text);
    fuzz_check(blob.len == bytes.len && memcmp(blob.ptr, bytes.ptr, bytes.len) == 0, "not equal",
               text);
    hw_kube_blob_done(&blob);
    if (hw_kube_base64_decode("thing", bytes, &blob, &err) < 0) {
        fuzz_check_err(&err);
        fuzz_check(!blob.ptr, "a failure gave bytes", err.msg);
        return;
    }
    hw_auto_free char *proper = hw_kube_base64((struct hw_str){ blob.ptr, blob.len });
    fuzz_check(hw_kube_base64_decode("again", hw_str(proper), &again, &err) == 0 &&
                   again.len == blob.len && memcmp(again.ptr, blob.ptr, blob.len) == 0,
               "not equal", proper);
    hw_kube_blob_done(&blob);
    hw_kube_blob_done(&again);
}

static void check_token(const char *text)
{
    struct hw_err err = { 0 };
    if (hw_kube_check_token("fuzz", text, &err) == 0)
        fuzz_check(text[0] && !strpbrk(text, " \t\r\n"), "taken as a token", text);
    else {
        fuzz_check_err(&err);
        fuzz_check(strlen(text) < 20 || !strstr(err.msg, text), "the message shows it", err.msg);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hw_str bytes = { (const char *)data, size };
    if (size == 0 || size > 16384)
        return 0;
    hw_auto_free char *text = fuzz_text(data, size);
    check_output(bytes);
    check_base64(bytes);
    check_token(text);
    return 0;
}
