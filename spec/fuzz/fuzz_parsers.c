/* fuzz_parsers.c - any records through the built-in parsers: the first byte chooses one, lines are the records, the
 * last byte is the exit status. No parser may be at fault, none may take long (-timeout), and what one
 * says obeys the rules: no N over M, and less than before in the same unit only with a restart or in another phase. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/host.h"
#include "lua/parsers.h"
#include "progress/nm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "rsync",        "rclone",
                                     "tqdm",         "juicefs_warmup",
                                     "juicefs_sync", "juicefs_dataload",
                                     "alluxio_load", "auto",
                                     "nm",           NULL, /* NULL: the reader below */
                                     "s5cmd",        "aws_s3",
                                     "curl",         "wget",
                                     "aria2c",       "dd",
                                     "pv",           "tar",
                                     "zstd",         "xz",
                                     "rsync_dry",    "restic",
                                     "git",          "borg",
                                     "sevenzip",     "pg_basebackup",
                                     "ffmpeg",       "spark",
                                     "mysqldump",    "xtrabackup",
                                     "pip",          "distcp" };

/* Takes any JSON and any number apart: what of the toolkit is C. */
static const char reader[] =
    "local core, units = require 'headway.core', require 'headway.units'\n"
    "local jsonl, duration = require 'headway.jsonl', require 'headway.duration'\n"
    "local prometheus, percent = require 'headway.prometheus', require 'headway.percent'\n"
    "return { api = 1, new = function() return { feed = function(_, record)\n"
    "  local value, why = core.json(record)\n"
    "  if (value == nil) ~= (why ~= nil) then error 'json' end\n"
    "  jsonl.decode(record) duration.seconds(record) percent.fraction(record) prometheus.line(record)\n"
    "  local n, size = units.integer(record), units.size(record)\n"
    "  if n and (math.type(n) ~= 'integer' or n < 0) then error 'integer' end\n"
    "  if size and (math.type(size) ~= 'integer' or size < 0) then error 'size' end\n"
    "  for i = 1, #record do\n"
    "    local m, behind = core.integer(record, i)\n"
    "    if m and (m < 0 or behind <= i or behind > #record + 1) then error 'core.integer' end\n"
    "  end end } end }";

static void check_count(const struct hw_count *c)
{
    if (c->done < 0 || (c->total >= 0 && c->done > c->total))
        abort();
}

/* A task's own word may be anything: N/M and nothing else in a line. */
static bool is_own_word(struct hw_str record)
{
    struct hw_nm nm;
    struct hw_err err;
    return hw_nm_parse(record, &nm, &err) == 0;
}

/* seen: the last counts of this host. */
static void check_sample(struct hw_str record, const struct hw_sample *s, struct hw_sample *seen)
{
    if (s->counted)
        check_count(&s->main);
    for (int i = 0; i < s->also_count; i++)
        check_count(&s->also[i]);
    if (s->counted && seen->counted && !s->restart && !is_own_word(record) &&
        s->phase.index == seen->phase.index && strcmp(s->main.unit, seen->main.unit) == 0 &&
        s->main.done < seen->main.done)
        abort();
    if (s->counted)
        *seen = *s;
}

static struct hw_host *open_host(struct hw_arena *arena, unsigned which)
{
    static const struct hw_host_hooks hooks = { .ctx = NULL };
    struct hw_host_source source = { .name = "reader", .chunk = "@reader.lua" };
    struct hw_parser_source found = { 0 };
    struct hw_host *h = NULL;
    struct hw_err err;
    const char *name = which < HW_LEN(names) ? names[which] : NULL;
    source.text = hw_str(reader);
    if (name && hw_parsers_find(name, NULL, &found, &err) < 0)
        abort();
    if (name) {
        source.name = found.name;
        source.chunk = found.chunk;
        source.text = found.text;
    }
    if (hw_host_new(&h, arena, &source, &hooks, &err) < 0)
        abort();
    hw_parser_source_done(&found);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hw_arena arena;
    struct hw_sample s, seen = hw_sample_none();
    struct hw_err err;
    if (size < 2 || size > 16 * 1024)
        return 0;
    if (!arena.base && hw_arena_init(&arena, 16 * 1024 * 1024, &err) < 0)
        abort();
    unsigned which = data[0] % (unsigned)HW_LEN(names);
    struct hw_host *h = open_host(&arena, which);
    const char *p = (const char *)data + 1, *end = (const char *)data + size;
    while (p < end) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((line_end ? line_end : end) - p);
        struct hw_str record = { p, len };
        int st = hw_host_feed(h, record, &s, &err);
        if (st < 0 && err.code != HW_EINPUT)
            abort();
        if (st > 0)
            check_sample(record, &s, &seen);
        p += len + 1;
    }
    if (hw_host_finish(h, data[size - 1], &s, &err) < 0)
        abort();
    hw_host_free(h);
    return 0;
}
