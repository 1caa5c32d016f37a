#include "kube/reply.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define DATE_MAX_S INT64_C(253402300799) /* the end of the year 9999 */

enum { WAIT_MAX_MS = 600000, SHOWN_MAX = 160 };

static const char *const outcome_names[] = {
    [HW_KUBE_OK] = "ok",
    [HW_KUBE_UNAUTHORIZED] = "unauthorized",
    [HW_KUBE_FORBIDDEN] = "forbidden",
    [HW_KUBE_NOT_FOUND] = "not found",
    [HW_KUBE_CONFLICT] = "conflict",
    [HW_KUBE_GONE] = "gone",
    [HW_KUBE_INVALID] = "invalid",
    [HW_KUBE_THROTTLED] = "throttled",
    [HW_KUBE_SERVER] = "server",
    [HW_KUBE_NETWORK] = "network",
    [HW_KUBE_ODD] = "odd",
    [HW_KUBE_LOCAL] = "local",
};

const char *hw_kube_outcome_name(enum hw_kube_outcome outcome)
{
    return (size_t)outcome < HW_LEN(outcome_names) ? outcome_names[outcome] : "odd";
}

static const char *const verb_names[] = {
    [HW_KUBE_GET] = "get",       [HW_KUBE_LIST] = "list",   [HW_KUBE_CREATE] = "create",
    [HW_KUBE_UPDATE] = "update", [HW_KUBE_PATCH] = "patch", [HW_KUBE_DELETE] = "delete",
    [HW_KUBE_WATCH] = "watch",
};

const char *hw_kube_verb_name(enum hw_kube_verb verb)
{
    return verb_names[verb];
}

json_t *hw_kube_parse(struct hw_str body)
{
    return body.len ? json_loadb(body.ptr, body.len, JSON_ALLOW_NUL, NULL) : NULL;
}

/* The message of a v1 Status, "" when the body is none. */
static const char *status_message(json_t *body)
{
    const char *kind = hw_json_text(body, "kind", NULL);
    const char *message = hw_json_text(body, "message", NULL);
    return kind && message && strcmp(kind, "Status") == 0 ? message : "";
}

/* Only the API server's own words may end a sink for good: a load balancer without a server behind it says
 * 404, too, and so does a cluster that lacks the resource's definition. */
static enum hw_kube_outcome if_status(json_t *body, enum hw_kube_outcome outcome)
{
    return status_message(body)[0] ? outcome : HW_KUBE_ODD;
}

/* Admission answers with a code of the policy's choice, 422 by default; only the words tell. */
static bool is_policy(const char *message)
{
    return (strstr(message, "ValidatingAdmissionPolicy") && strstr(message, "denied request")) ||
           (strstr(message, "admission webhook") && strstr(message, "denied the request"));
}

/* A patch that carries another uid than the object: 422 with a cause for the field, or a precondition's 409. */
static bool is_other_uid(json_t *body)
{
    size_t i;
    json_t *cause;
    json_array_foreach(hw_json_at(body, "details", "causes", NULL), i, cause) {
        const char *field = hw_json_text(cause, "field", NULL);
        if (field && strcmp(field, "metadata.uid") == 0)
            return true;
    }
    const char *message = status_message(body);
    return strstr(message, "UID in precondition") || strstr(message, "metadata.uid: Invalid value");
}

static enum hw_kube_outcome classify_refusal(int status, json_t *body)
{
    if (is_policy(status_message(body)))
        return HW_KUBE_FORBIDDEN;
    if (is_other_uid(body))
        return HW_KUBE_GONE;
    return status == 409 ? HW_KUBE_CONFLICT : HW_KUBE_INVALID;
}

enum hw_kube_outcome hw_kube_classify(int status, json_t *body)
{
    if (status >= 200 && status < 300)
        return json_is_object(body) ? HW_KUBE_OK : HW_KUBE_ODD;
    switch (status) {
    case 401:
        return HW_KUBE_UNAUTHORIZED;
    case 403:
        return HW_KUBE_FORBIDDEN;
    case 404:
        return if_status(body, HW_KUBE_NOT_FOUND);
    case 410:
        return if_status(body, HW_KUBE_GONE);
    case 429:
        return HW_KUBE_THROTTLED;
    case 408:
        return HW_KUBE_SERVER;
    default:
        break;
    }
    if (status >= 400 && status < 500)
        return classify_refusal(status, body);
    return status >= 500 && status < 600 ? HW_KUBE_SERVER : HW_KUBE_ODD;
}

/* "120" with white space around; more digits than fit mean the ceiling all the same. */
static int64_t wait_seconds(const char *value)
{
    int64_t s = 0;
    for (; *value >= '0' && *value <= '9'; value++)
        s = s > WAIT_MAX_MS ? s : s * 10 + (*value - '0');
    if (value[strspn(value, " \t\r\n")])
        return -1;
    return s > WAIT_MAX_MS / 1000 ? WAIT_MAX_MS : s * 1000;
}

int64_t hw_kube_date(const char *value)
{
    /* All three forms of an HTTP date name the time of day; curl's reader takes less for a date, too. */
    if (!strchr(value, ':') || strlen(value) > 40)
        return -1;
    time_t at = curl_getdate(value, NULL);
    if (at < 0) /* before 1970: long over, all the same */
        return at == -1 ? -1 : 0;
    return at > DATE_MAX_S ? INT64_MAX / 2 : (int64_t)at * 1000;
}

int64_t hw_kube_retry_after(const char *value, int64_t wall_ms)
{
    if (!value)
        return -1;
    value += strspn(value, " \t");
    if (*value >= '0' && *value <= '9')
        return wait_seconds(value);
    int64_t at = hw_kube_date(value);
    if (at < 0)
        return -1;
    int64_t wait = at - wall_ms;
    return wait < 0 ? 0 : wait > WAIT_MAX_MS ? WAIT_MAX_MS : wait;
}

static const struct {
    int status;
    const char *text;
} status_texts[] = {
    { 200, "OK" },
    { 204, "No Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 413, "Request Entity Too Large" },
    { 415, "Unsupported Media Type" },
    { 422, "Unprocessable Entity" },
    { 429, "Too Many Requests" },
    { 500, "Internal Server Error" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
};

static const char *status_text(int status)
{
    for (size_t i = 0; i < HW_LEN(status_texts); i++)
        if (status_texts[i].status == status)
            return status_texts[i].text;
    return "unknown status";
}

/* "needs verb 'patch' on 'pods' in namespace 'ns'", as a rule of a Role spells it. */
static char *missing_right(enum hw_kube_verb verb, const struct hw_kube_object *o, const char *said)
{
    const char *group = o->group && o->group[0] ? o->group : NULL;
    if (is_policy(said))
        return hw_xasprintf("an admission policy refuses it: %s", said);
    return hw_xasprintf(
        "needs verb '%s' on '%s%s%s'%s%s%s in %s%s%s: grant it to this account with a Role",
        hw_kube_verb_name(verb), o->resource, o->subresource ? "/" : "",
        o->subresource ? o->subresource : "", group ? " of '" : "", group ? group : "",
        group ? "'" : "", o->namespace ? "namespace '" : "the whole cluster",
        o->namespace ? o->namespace : "", o->namespace ? "'" : "");
}

/* What to do about it; free() it. */
static char *advice(enum hw_kube_verb verb, const struct hw_kube_object *o, int status,
                    enum hw_kube_outcome outcome, const char *said)
{
    const char *text = said;
    if (outcome == HW_KUBE_ODD && status == 404)
        return hw_xstrdup("the cluster does not know this resource (is its definition installed?), "
                          "or a proxy answered");
    switch (outcome) {
    case HW_KUBE_FORBIDDEN:
        return missing_right(verb, o, said);
    case HW_KUBE_UNAUTHORIZED:
        text =
            "the token or certificate is not accepted: expired, of another cluster, or its pod is gone";
        break;
    case HW_KUBE_NOT_FOUND:
        text = said[0] ? said : "no such object, or the cluster does not know this resource";
        break;
    case HW_KUBE_GONE:
        text = "the object was made anew under the same name";
        break;
    case HW_KUBE_ODD:
        text = "not an answer of a Kubernetes API server; is there a proxy in between?";
        break;
    default:
        break;
    }
    return hw_xstrdup(text);
}

int hw_kube_explain(enum hw_kube_verb verb, const struct hw_kube_object *object, int status,
                    enum hw_kube_outcome outcome, json_t *body, const char *cause,
                    struct hw_err *err)
{
    hw_auto_free char *what = hw_kube_describe(object);
    const char *name = hw_kube_verb_name(verb);
    if (outcome == HW_KUBE_OK) {
        *err = (struct hw_err){ .code = HW_OK };
        return 0;
    }
    if (cause) {
        char clean[2 * SHOWN_MAX + 1];
        hw_clean_private(clean, sizeof clean - 1, hw_str(cause));
        return hw_fail(err, outcome == HW_KUBE_LOCAL ? HW_ECONFIG : HW_EKUBE, "%s %s: %s", name,
                       what, clean[0] ? clean : "no answer");
    }
    char said[SHOWN_MAX + 1];
    hw_clean_private(said, SHOWN_MAX, hw_str(status_message(body)));
    hw_auto_free char *more = advice(verb, object, status, outcome, said);
    return hw_fail(err, HW_EKUBE, "%s %s: %d %s%s%s", name, what, status, status_text(status),
                   more[0] ? ": " : "", more);
}
