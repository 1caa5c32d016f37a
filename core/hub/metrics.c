#include "hub/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "http/exposition.h"

enum {
    FAMILY_MAX = 8 << 20, /* bytes of one family */
    LABELS_MAX = 2048,
    STEP = 100, /* operations; about 1 ms */
};

/* What each operation has. */
enum family { DONE, EXPECTED, RATIO, RATE, ETA, CHANGED, STATE, FAMILIES };

static const struct {
    const char *name, *help;
} families[FAMILIES] = {
    [DONE] = { "headway_operation_units_done",
               "What is done of an operation, in its own unit: N of N/M" },
    [EXPECTED] = { "headway_operation_units_expected",
                   "What an operation has to do, in its own unit: M of N/M" },
    [RATIO] = { "headway_operation_progress_ratio", "The share that is done, 0 to 1" },
    [RATE] = { "headway_operation_units_per_second", "How fast it goes, where that is known" },
    [ETA] = { "headway_operation_remaining_seconds",
              "How long it will still take, where that is known" },
    [CHANGED] = { "headway_operation_last_change_timestamp_seconds",
                  "When its tasks last reported a change, since 1970" },
    [STATE] = { "headway_operation_state", "1 for the state that it is in" },
};

enum { STATES = HW_FAILED + 1, NO_STATE = STATES };

/* Those that go on are what is watched, and a failure is what must not be missed: they come first. */
enum rank { GOES_ON, FAILED, COMPLETE, RANKS };

struct hw_hub_metrics {
    struct hw_hub *hub;
    const struct hw_clock *clock;
    int operations_max;
    int64_t started; /* Unix ms, of the process */
    struct hw_buf families[FAMILIES];
    struct hw_buf text;
    /* of the rendering that is under way */
    char (*uids)[HW_HUB_UID_MAX + 1]; /* owns; by rank */
    int count, next;
    int ranks[RANKS]; /* where the next of each rank goes */
    int shown, left_out;
    int64_t states[HW_HUB_KINDS_MAX][STATES + 1];
    int64_t oldest_ms; /* the longest wait to be written */
};

/* ---- which operations ---- */

static enum rank rank_of(const struct hw_hub_operation *op)
{
    return op->over == HW_HUB_GOES_ON ? GOES_ON : op->over == HW_HUB_FAILED ? FAILED : COMPLETE;
}

static void count_rank(void *ctx, struct hw_hub_operation *op)
{
    struct hw_hub_metrics *m = ctx;
    m->count++;
    for (int after = (int)rank_of(op) + 1; after <= COMPLETE; after++)
        m->ranks[after]++;
}

static void place(void *ctx, struct hw_hub_operation *op)
{
    struct hw_hub_metrics *m = ctx;
    strncpy(m->uids[m->ranks[rank_of(op)]++], op->uid, HW_HUB_UID_MAX);
}

static void list_operations(struct hw_hub_metrics *m)
{
    struct hw_hub_model *model = hw_hub_model(m->hub);
    m->count = 0;
    memset(m->ranks, 0, sizeof m->ranks);
    hw_hub_model_each(model, count_rank, m);
    m->uids = hw_xcalloc((size_t)m->count + 1, sizeof *m->uids);
    hw_hub_model_each(model, place, m);
}

/* ---- one operation ---- */

static int kind_index(const struct hw_hub_metrics *m, const struct hw_hub_kind *kind)
{
    return (int)(kind - hw_hub_kinds_of(m->hub)->list);
}

static int add_numbers(struct hw_hub_metrics *m, const struct hw_progress *p, const char *labels)
{
    struct hw_buf *f = m->families;
    double ratio = p->fraction >= 0 ? p->fraction : p->m > 0 ? (double)p->n / (double)p->m : 0;
    if (hw_expo_int(&f[DONE], families[DONE].name, labels, p->n) < 0 ||
        hw_expo_int(&f[EXPECTED], families[EXPECTED].name, labels, p->m) < 0 ||
        hw_expo_double(&f[RATIO], families[RATIO].name, labels, ratio) < 0)
        return -1;
    if (p->rate >= 0 && hw_expo_double(&f[RATE], families[RATE].name, labels, p->rate) < 0)
        return -1;
    if (p->eta >= 0 && hw_expo_double(&f[ETA], families[ETA].name, labels, p->eta) < 0)
        return -1;
    return 0;
}

static int add_operation(struct hw_hub_metrics *m, const struct hw_hub_operation *op,
                         const struct hw_progress *p)
{
    hw_auto_buf labels;
    struct hw_buf *f = m->families;
    struct hw_label list[] = { { "namespace", op->namespace },
                               { "kind", op->kind->kind },
                               { "name", op->name },
                               { NULL, NULL } };
    hw_buf_init(&labels, LABELS_MAX);
    if (hw_expo_labels(&labels, list) < 0 || add_numbers(m, p, labels.ptr) < 0)
        return -1;
    if (p->updated && op->over == HW_HUB_GOES_ON &&
        hw_expo_double(&f[CHANGED], families[CHANGED].name, labels.ptr, (double)p->updated / 1000) <
            0)
        return -1;
    if (hw_buf_addf(&labels, NULL, ",state=\"%s\"", hw_state_name(p->state)) < 0)
        return -1;
    return hw_expo_int(&f[STATE], families[STATE].name, labels.ptr, 1);
}

static void look(struct hw_hub_metrics *m, int i)
{
    struct hw_hub_operation *op = hw_hub_model_find(hw_hub_model(m->hub), m->uids[i]);
    struct hw_progress p;
    if (!op) /* it has gone meanwhile */
        return;
    bool known = hw_hub_view(op, hw_wall_ms(m->clock), &p);
    int kind = kind_index(m, op->kind);
    m->states[kind][known ? (int)p.state : NO_STATE]++;
    if (op->turn.since_ms) {
        int64_t wait = hw_now_ms(m->clock) - op->turn.since_ms;
        m->oldest_ms = wait > m->oldest_ms ? wait : m->oldest_ms;
    }
    if (known && m->shown < m->operations_max && add_operation(m, op, &p) == 0)
        m->shown++;
    else
        m->left_out += known;
}

/* ---- the hub ---- */

static int add_one(struct hw_buf *b, const char *name, const char *type, const char *help,
                   double value)
{
    return hw_expo_family(b, name, type, help) < 0 ? -1 : hw_expo_double(b, name, NULL, value);
}

static int add_states(struct hw_hub_metrics *m, struct hw_buf *b)
{
    static const char name[] = "headway_operations";
    const struct hw_hub_kinds *kinds = hw_hub_kinds_of(m->hub);
    if (hw_expo_family(
            b, name, "gauge",
            "Operations by state; unknown: no task has reported, or it works for another one") < 0)
        return -1;
    for (int k = 0; k < kinds->count; k++)
        for (int s = 0; kinds->list[k].operation && s <= NO_STATE; s++) {
            hw_auto_buf labels;
            struct hw_label list[] = { { "kind", kinds->list[k].kind },
                                       { "state", s == NO_STATE ? "unknown"
                                                                : hw_state_name((enum hw_state)s) },
                                       { NULL, NULL } };
            hw_buf_init(&labels, LABELS_MAX);
            if (hw_expo_labels(&labels, list) < 0 ||
                hw_expo_int(b, name, labels.ptr, m->states[k][s]) < 0)
                return -1;
        }
    return 0;
}

static int add_statuses(const struct hw_tally *t, struct hw_buf *b)
{
    static const char name[] = "headway_hub_writes_total";
    if (hw_expo_family(
            b, name, "counter",
            "Writes of operations by the HTTP status of their answers; none: there was no answer") <
        0)
        return -1;
    if (!t->count &&
        hw_expo_int(b, name, "code=\"200\"", 0) < 0) /* so that the first one is seen as one more */
        return -1;
    for (int i = 0; i < HW_TALLY_STATUSES && t->statuses[i].count; i++) {
        char labels[32];
        int status = t->statuses[i].status;
        if (status > 0)
            snprintf(labels, sizeof labels, "code=\"%d\"", status);
        else
            snprintf(labels, sizeof labels, "code=\"%s\"", status == 0 ? "none" : "other");
        if (hw_expo_int(b, name, labels, t->statuses[i].count) < 0)
            return -1;
    }
    return 0;
}

static int add_durations(const struct hw_tally *t, struct hw_buf *b)
{
    static const char name[] = "headway_hub_write_duration_seconds";
    int64_t sum = 0;
    if (hw_expo_family(b, name, "histogram", "How long writes took to be answered") < 0)
        return -1;
    for (int i = 0; i <= HW_TALLY_BUCKETS; i++) {
        char labels[32] = "le=\"+Inf\"";
        if (i < HW_TALLY_BUCKETS)
            snprintf(labels, sizeof labels, "le=\"%.10g\"", hw_tally_ends[i] / 1000.0);
        sum = i < HW_TALLY_BUCKETS ? sum + t->buckets[i] : t->count;
        if (hw_expo_int(b, "headway_hub_write_duration_seconds_bucket", labels, sum) < 0)
            return -1;
    }
    if (hw_expo_double(b, "headway_hub_write_duration_seconds_sum", NULL,
                       (double)t->sum_ms / 1000) < 0)
        return -1;
    return hw_expo_int(b, "headway_hub_write_duration_seconds_count", NULL, t->count);
}

static int add_writer(struct hw_hub_metrics *m, struct hw_buf *b)
{
    struct hw_hub_writer_counts c = hw_hub_writer_counts(hw_hub_writer(m->hub));
    if (add_one(b, "headway_hub_queue_operations", "gauge", "Operations that wait to be written",
                (double)c.waiting) < 0 ||
        add_one(
            b, "headway_hub_status_lag_seconds", "gauge",
            "How long the operation has waited that waits longest for what its tasks say to be written",
            (double)m->oldest_ms / 1000) < 0)
        return -1;
    return add_statuses(&c.answers, b) < 0 ? -1 : add_durations(&c.answers, b);
}

static const struct {
    const char *name, *help;
    size_t at;
} collection_rows[] = {
    { "headway_hub_watch_lists_total", "Lists of a collection that were begun",
      offsetof(struct hw_kube_watch_counts, lists) },
    { "headway_hub_watch_starts_total", "Watches of a collection that were begun",
      offsetof(struct hw_kube_watch_counts, watches) },
    { "headway_hub_watch_expired_total",
      "Watches that the server had forgotten, so that a list was needed",
      offsetof(struct hw_kube_watch_counts, expired) },
    { "headway_hub_watch_failures_total", "Lists and watches that failed otherwise",
      offsetof(struct hw_kube_watch_counts, failures) },
    { "headway_hub_watch_events_total", "Events of a collection that were taken",
      offsetof(struct hw_kube_watch_counts, events) },
    { "headway_hub_watch_events_skipped_total", "Events that were too large",
      offsetof(struct hw_kube_watch_counts, skipped) },
};

static int add_collection(struct hw_buf *b, const struct hw_hub_collection *c, size_t row)
{
    hw_auto_buf labels;
    int64_t value;
    struct hw_label list[] = { { "resource", c->resource },
                               { "selector", c->selector ? c->selector : "" },
                               { NULL, NULL } };
    memcpy(&value, (const char *)&c->counts + collection_rows[row].at, sizeof value);
    hw_buf_init(&labels, LABELS_MAX);
    if (hw_expo_labels(&labels, list) < 0)
        return -1;
    return hw_expo_int(b, collection_rows[row].name, labels.ptr, value);
}

static int add_collections(struct hw_hub_metrics *m, struct hw_buf *b)
{
    int count = hw_hub_state(m->hub).collections;
    for (size_t row = 0; row < HW_LEN(collection_rows); row++) {
        if (hw_expo_family(b, collection_rows[row].name, "counter", collection_rows[row].help) < 0)
            return -1;
        for (int i = 0; i < count; i++) {
            struct hw_hub_collection c = hw_hub_collection(m->hub, i);
            if (add_collection(b, &c, row) < 0)
                return -1;
        }
    }
    return 0;
}

static int add_hub(struct hw_hub_metrics *m, struct hw_buf *b)
{
    struct hw_hub_state s = hw_hub_state(m->hub);
    struct hw_hub_model_counts c = hw_hub_model_counts(hw_hub_model(m->hub));
    if (hw_expo_family(b, "headway_build_info", "gauge", "1, with the version") < 0 ||
        hw_expo_int(b, "headway_build_info", "version=\"" HW_VERSION "\"", 1) < 0 ||
        add_one(b, "headway_hub_leader", "gauge", "1 for the hub that writes", s.leads) < 0 ||
        add_one(b, "headway_hub_ready", "gauge", "1 once every collection was listed", s.ready) < 0 ||
        add_one(b, "headway_hub_tasks", "gauge", "Pods that report", (double)c.tasks) < 0 ||
        add_one(b, "headway_hub_objects", "gauge", "Objects that are known", (double)c.objects) < 0 ||
        add_one(b, "headway_hub_refused_total", "counter",
                "Annotations that were no N/M, and objects that can't be", (double)c.refused) < 0 ||
        add_one(
            b, "headway_metrics_operations_left_out", "gauge",
            "Operations without metrics of their own, as there are more than hub.metrics-operations",
            m->left_out) < 0)
        return -1;
    return 0;
}

/* ---- the process ---- */

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -3; /* ".", "..", and its own */
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

static int add_process(struct hw_hub_metrics *m, struct hw_buf *b)
{
    struct rusage use = { 0 };
    struct rlimit files = { 0 };
    unsigned long total = 0, resident = 0;
    double page = (double)sysconf(_SC_PAGESIZE);
    hw_auto_file statm = fopen("/proc/self/statm", "re");
    if (!statm || fscanf(statm, "%lu %lu", &total, &resident) != 2)
        total = resident = 0;
    getrusage(RUSAGE_SELF, &use);
    getrlimit(RLIMIT_NOFILE, &files);
    if (add_one(b, "process_cpu_seconds_total", "counter", "Processor time of this process",
                seconds(use.ru_utime) + seconds(use.ru_stime)) < 0 ||
        add_one(b, "process_resident_memory_bytes", "gauge",
                "Memory of this process that is in RAM", (double)resident * page) < 0 ||
        add_one(b, "process_virtual_memory_bytes", "gauge", "Addresses of this process",
                (double)total * page) < 0 ||
        add_one(b, "process_start_time_seconds", "gauge",
                "When this process was started, since 1970", (double)m->started / 1000) < 0 ||
        add_one(b, "process_open_fds", "gauge", "Open files", open_files()) < 0 ||
        add_one(b, "process_max_fds", "gauge", "Open files that are allowed",
                (double)files.rlim_cur) < 0)
        return -1;
    return 0;
}

/* ---- the whole ---- */

/* Each family once more: it is let go of as soon as it was copied. */
static int add_families(struct hw_hub_metrics *m, struct hw_buf *b)
{
    for (int i = 0; i < FAMILIES; i++) {
        struct hw_buf *f = &m->families[i];
        if (hw_expo_family(b, families[i].name, "gauge", families[i].help) < 0)
            return -1;
        if (f->len && hw_buf_add(b, f->ptr, f->len, NULL) < 0)
            return -1;
        hw_buf_done(f);
    }
    return 0;
}

static void finish(struct hw_hub_metrics *m)
{
    struct hw_buf *b = &m->text;
    if (add_hub(m, b) < 0 || add_states(m, b) < 0 || add_writer(m, b) < 0 ||
        add_collections(m, b) < 0 || add_process(m, b) < 0 || add_families(m, b) < 0)
        hw_buf_clear(b); /* no half of it: it is told by the answer */
    free(m->uids);
    m->uids = NULL;
}

struct hw_hub_metrics *hw_hub_metrics_new(struct hw_hub *hub, const struct hw_clock *clock,
                                          int operations_max)
{
    struct hw_hub_metrics *m = hw_xzalloc(sizeof *m);
    m->hub = hub;
    m->clock = clock;
    m->operations_max = operations_max;
    m->started = hw_wall_ms(clock);
    for (int i = 0; i < FAMILIES; i++)
        hw_buf_init(&m->families[i], FAMILY_MAX);
    hw_buf_init(&m->text, (size_t)(FAMILIES + 1) * FAMILY_MAX);
    return m;
}

void hw_hub_metrics_free(struct hw_hub_metrics *m)
{
    if (!m)
        return;
    for (int i = 0; i < FAMILIES; i++)
        hw_buf_done(&m->families[i]);
    hw_buf_done(&m->text);
    free(m->uids);
    free(m);
}

void hw_hub_metrics_begin(struct hw_hub_metrics *m)
{
    for (int i = 0; i < FAMILIES; i++)
        hw_buf_done(&m->families[i]);
    hw_buf_done(&m->text);
    free(m->uids);
    memset(m->states, 0, sizeof m->states);
    m->oldest_ms = m->next = m->shown = m->left_out = 0;
    list_operations(m);
}

bool hw_hub_metrics_step(struct hw_hub_metrics *m)
{
    for (int i = 0; i < STEP && m->next < m->count; i++)
        look(m, m->next++);
    if (m->next < m->count)
        return false;
    finish(m);
    return true;
}

struct hw_str hw_hub_metrics_text(const struct hw_hub_metrics *m)
{
    return (struct hw_str){ m->text.ptr ? m->text.ptr : "", m->text.len };
}

void hw_hub_metrics_drop(struct hw_hub_metrics *m)
{
    hw_buf_done(&m->text);
}
