/* fuzz_dataprocess.c - any bytes as the manifest that `headway local` is given: what is taken can be run and shown, and
 * is taken again, without a hint, as it is shown. */
#include "fuzz.h"
#include "local/dataprocess.h"
#include "sink/objects.h"

static void check_texts(char *const *list, size_t max, const char *what)
{
    size_t n = 0;
    while (n <= max && list[n])
        n++;
    fuzz_check(n <= max, "a list without an end", what);
}

static void check_parts(const struct hw_dataprocess *d)
{
    check_texts(d->argv, HW_ARGV_MAX, "argv");
    check_texts(d->env, HW_ENV_MAX, "env");
    check_texts(d->hints, HW_HINTS_MAX, "hints");
    fuzz_check(d->name && d->name[0] && d->namespace && d->namespace[0], "no name", d->name);
    fuzz_check(d->argv[0] != NULL, "nothing to run", d->name);
    fuzz_check(!d->source || d->source[0], "an empty script", d->name);
    for (size_t i = 0; d->env[i]; i++)
        fuzz_check(strchr(d->env[i], '=') > d->env[i], "no variable", d->env[i]);
    for (size_t i = 0; d->hints[i]; i++)
        fuzz_check_clean(d->hints[i], "hint is not clean");
    fuzz_check(json_is_object(d->operation) && json_is_object(d->pod), "no object", d->name);
}

static void check_same(char *const *a, char *const *b, const char *what)
{
    for (; *a && *b; a++, b++)
        fuzz_check(strcmp(*a, *b) == 0, what, *a);
    fuzz_check(!*a && !*b, what, *a ? *a : *b);
}

/* As `local` shows both objects, once progress is in them. */
static void check_again(const struct hw_dataprocess *d)
{
    struct hw_err err = { 0 };
    struct hw_dataprocess again = { 0 };
    struct hw_objects objects = { d->pod, d->operation, "wrapper", 1000 };
    struct hw_progress p = {
        .n = 40, .m = 100, .state = HW_RUNNING, .fraction = -1, .rate = -1, .eta = -1
    };
    hw_auto_buf text;
    hw_buf_init(&text, 64u << 20);
    hw_objects_apply(&objects, &p, 2000);
    if (hw_objects_yaml(&objects, &text, &err) < 0) {
        fuzz_check_err(&err);
        return;
    }
    int st = hw_dataprocess_load(fuzz_file(1, text.ptr, text.len), &again, &err);
    if (st < 0 && err.code == HW_ELIMIT)
        return;
    fuzz_check(st == 0, err.msg, text.ptr);
    fuzz_check(strcmp(d->name, again.name) == 0 && strcmp(d->namespace, again.namespace) == 0 &&
                   hw_streq(d->source, again.source),
               "not equal", text.ptr);
    check_same(d->argv, again.argv, "argv");
    check_same(d->env, again.env, "env");
    fuzz_check(json_equal(d->operation, again.operation), "operation", text.ptr);
    hw_dataprocess_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hw_err err = { 0 };
    struct hw_dataprocess d = { .name = NULL };
    if (size > 32 * 1024)
        return 0;
    if (hw_dataprocess_load(fuzz_file(0, data, size), &d, &err) < 0) {
        fuzz_check_err(&err);
        fuzz_check(!d.operation && !d.name, "a failure gave an operation", err.msg);
        return 0;
    }
    check_parts(&d);
    check_again(&d);
    hw_dataprocess_done(&d);
    return 0;
}
