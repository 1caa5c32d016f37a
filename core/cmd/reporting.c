#include "cmd/reporting.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/choose.h"

static int take_unit(const char *unit, struct hw_tracker_rules *rules, struct hw_err *err)
{
    struct hw_sample probe = hw_sample_none();
    if (!unit)
        return 0;
    if (strlen(unit) > HW_UNIT_MAX)
        return hw_fail(err, HW_ECONFIG, "unit '%.40s': longer than %d bytes", unit, HW_UNIT_MAX);
    probe.counted = true;
    memcpy(probe.main.unit, unit, strlen(unit) + 1);
    if (hw_sample_check(&probe, err) < 0) {
        err->code = HW_ECONFIG;
        return hw_wrap(err, "unit '%.40s'", unit);
    }
    memcpy(rules->unit, probe.main.unit, sizeof rules->unit);
    return 0;
}

/* A total with a unit of size behind it is one of bytes. */
static void take_total(const struct hw_config *c, struct hw_tracker_rules *rules)
{
    const struct hw_value *given = hw_config_value(c, hw_option_named("total"));
    bool sized = given->text && given->text[strspn(given->text, "0123456789")];
    rules->total = c->total;
    if (sized)
        memcpy(rules->total_unit, "bytes", sizeof "bytes");
}

int hw_reporting_options(const struct hw_config *c, struct hw_reporter_options *ret,
                         struct hw_err *err)
{
    if (c->parser.options.count > HW_REPORTER_PARSER_OPTIONS)
        return hw_fail(err, HW_ECONFIG, "parser.options: more than %d", HW_REPORTER_PARSER_OPTIONS);
    struct hw_reporter_options o = { .file = c->source.file,
                                     .poll_ms = c->source.poll_ms,
                                     .events = c->source.events,
                                     .parser = c->parser.name,
                                     .parser_dir = c->parser.dir,
                                     .parser_option_count = c->parser.options.count,
                                     .rules = hw_tracker_rules_default() };
    o.rules.stall_ms = c->stall.after_ms;
    o.rules.no_match_ms = c->stall.no_match_ms;
    o.rules.hide_message = !c->message;
    take_total(c, &o.rules);
    if (take_unit(c->unit, &o.rules, err) < 0)
        return -1;
    for (size_t i = 0; i < o.parser_option_count; i++)
        o.parser_options[i] = (struct hw_parser_option){ c->parser.options.list[i].key,
                                                         c->parser.options.list[i].value };
    *ret = o;
    return 0;
}

struct hw_reporting_why hw_reporting_parser(const struct hw_config *c, const char *const *argv,
                                            const char *line, char ret[HW_REPORTING_PARSER])
{
    const struct hw_value *given = hw_config_value(c, hw_option_named("parser.name"));
    struct hw_choice chosen = { .name = HW_PARSER_UNKNOWN };
    struct hw_reporting_why why = { "" };
    struct hw_err err;
    int st = 0;
    if (given->from == HW_FROM_DEFAULT && argv)
        st = hw_parsers_choose(argv, c->parser.dir, &chosen, &err);
    else if (given->from == HW_FROM_DEFAULT && line)
        st = hw_parsers_choose_line(line, c->parser.dir, &chosen, &err);
    else if (given->from != HW_FROM_DEFAULT) {
        snprintf(ret, HW_REPORTING_PARSER, "%s", c->parser.name);
        return why;
    }
    if (st < 0) {
        snprintf(why.text, sizeof why.text, "%.120s; the output is read by the parser %.30s",
                 err.msg, chosen.name);
        hw_log(HW_WARN, "report", "%s", why.text);
    }
    if (chosen.among[0])
        hw_log(
            HW_INFO, "report",
            "the command runs what several parsers read (%s): %s does, until parser.name says which",
            chosen.among, chosen.name);
    snprintf(ret, HW_REPORTING_PARSER, "%s", chosen.name);
    return why;
}

int hw_signals_catch(struct hw_signals *s, uv_loop_t *loop, uv_signal_cb fn, void *ctx,
                     struct hw_err *err)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    sigset_t set;
    int st = 0;
    sigemptyset(&set);
    for (size_t i = 0; i < HW_LEN(s->handles); i++) {
        sigaddset(&set, numbers[i]);
        uv_signal_init(loop, &s->handles[i]);
        s->handles[i].data = ctx;
        if (st == 0)
            st = uv_signal_start(&s->handles[i], fn, numbers[i]);
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return st < 0 ? hw_fail(err, HW_ESYS, "catch signals: %s", uv_strerror(st)) : 0;
}

void hw_signals_release(struct hw_signals *s)
{
    for (size_t i = 0; i < HW_LEN(s->handles); i++)
        uv_close((uv_handle_t *)&s->handles[i], NULL);
}
