/* inject.c - runs a program and lets one of its system calls, or one of its allocations, fail.
 *
 *     inject [-c call|memory] [-w main|worker] [-k K] [-g] [-v VARIANT] [-e ERRNO] [-o LIST] [-s SHIM] [-t SECONDS]
 *            -r REPORT COMMAND [ARGUMENT...]
 *
 * -c  what is counted: system calls (the ones of the table below), or allocations (-s names the shim, -o whose they are:
 *     beginnings of file names)
 * -k  the one that fails, from 1; without it nothing does, and the report says how many there were
 * -g  for good: after it every further one fails, too (of system calls: every one of the same number)
 * -v  which of the errors in the table's row, from 0; -e: this errno, whatever the table says
 * -w  whose system calls: main (all threads, and children until they execute something), or worker
 * -t  kills the program after so long (30 s)
 *
 * SIGTERM, SIGINT and SIGHUP are handed on. The report has a line for each fact: count, failed, variants, caller, left (a
 * descriptor that was open at the end), process (that outlived the program), late, status or signal. It is renamed
 * into place last of all.
 *
 * System calls fail by seccomp's user notification: the kernel asks us about each, whoever makes it - libc, libuv, a
 * thread that curl starts - and in any build, static and sanitized ones, without a wrapper for each function, and leaks
 * are still looked for, which a debugger would not let them be. Counting begins where main() does: at its first
 * fcntl(0, F_GETFD). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* ---- which calls, and how they fail --------------------------------------------------------------- */

enum { ERRORS_MAX = 3 };

/* Each error is one that the call is documented to give for a reason outside of the program. Not here: calls that can't
 * fail but by a fault of the caller (rt_sigaction, rt_sigprocmask, close, munmap), and futex. */
static const struct call {
    long nr;
    const char *name;
    int errors[ERRORS_MAX];
} calls[] = {
#define CALL(name, ...)                                                                            \
    {                                                                                              \
        SYS_##name, #name,                                                                         \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
    CALL(read, EIO, EINTR),
    CALL(pread64, EIO, EINTR),
    CALL(readv, EIO, EINTR),
    CALL(write, EIO, ENOSPC, EINTR),
    CALL(pwrite64, EIO, ENOSPC),
    CALL(writev, EIO, ENOSPC, EINTR),
    CALL(openat, EMFILE, EACCES, EINTR),
    CALL(newfstatat, EACCES, ENOMEM),
    CALL(fstat, EIO, ENOMEM),
    CALL(statx, EACCES, ENOMEM),
    CALL(lseek, EIO),
    CALL(getdents64, EIO),
    CALL(readlinkat, EACCES),
    CALL(faccessat, EACCES),
    CALL(getcwd, ENOENT, ENOMEM),
    CALL(ioctl, ENOTTY, EIO),
    CALL(fcntl, EPERM, EINVAL),
    CALL(mmap, ENOMEM),
    CALL(mprotect, ENOMEM),
    CALL(mremap, ENOMEM),
    CALL(brk, ENOMEM),
    CALL(madvise, EAGAIN),
    CALL(pipe2, EMFILE, ENFILE),
    CALL(eventfd2, EMFILE, ENOMEM),
    CALL(memfd_create, EMFILE, ENOSYS),
    CALL(epoll_create1, EMFILE, ENOMEM),
    CALL(epoll_ctl, ENOMEM, ENOSPC),
    CALL(epoll_pwait, EINTR),
    CALL(ppoll, EINTR, ENOMEM),
    CALL(inotify_init1, EMFILE, ENOMEM),
    CALL(inotify_add_watch, ENOSPC, ENOENT),
    CALL(dup, EMFILE),
    CALL(dup3, EMFILE),
    CALL(socket, EMFILE, EACCES),
    CALL(socketpair, EMFILE),
    CALL(connect, ECONNREFUSED, ENETUNREACH, EACCES),
    CALL(bind, EADDRINUSE, EACCES),
    CALL(getsockname, ENOBUFS),
    CALL(getpeername, ENOBUFS),
    CALL(getsockopt, ENOBUFS),
    CALL(setsockopt, ENOBUFS),
    CALL(sendto, ECONNRESET, ENOBUFS),
    CALL(recvfrom, ECONNRESET, ENOMEM),
    CALL(sendmsg, ECONNRESET, ENOBUFS),
    CALL(recvmsg, ECONNRESET, ENOMEM),
    CALL(clone, EAGAIN, ENOMEM),
    CALL(clone3, EAGAIN, ENOMEM),
    CALL(execve, EACCES, ENOMEM, EAGAIN),
    CALL(setsid, EPERM),
    CALL(wait4, EINTR),
    CALL(kill, EPERM),
    CALL(prctl, EPERM, EINVAL),
    CALL(seccomp, EPERM, EINVAL),
    CALL(prlimit64, EPERM),
    CALL(close_range, ENOSYS),
    CALL(renameat, ENOSPC, EACCES),
    CALL(renameat2, ENOSPC, EACCES),
    CALL(unlinkat, EACCES),
    CALL(mkdirat, ENOSPC, EACCES),
    CALL(fchmod, EPERM),
    CALL(fchmodat, EPERM),
    CALL(fchown, EPERM),
    CALL(ftruncate, EIO),
    CALL(getrandom, EINTR, ENOSYS),
    CALL(clock_nanosleep, EINTR),
#ifdef SYS_open /* the older names, which not every machine has */
    CALL(open, EMFILE, EACCES, EINTR),
    CALL(stat, EACCES, ENOMEM),
    CALL(lstat, EACCES, ENOMEM),
    CALL(readlink, EACCES),
    CALL(access, EACCES),
    CALL(poll, EINTR, ENOMEM),
    CALL(epoll_wait, EINTR),
    CALL(pipe, EMFILE, ENFILE),
    CALL(dup2, EMFILE),
    CALL(fork, EAGAIN, ENOMEM),
    CALL(vfork, EAGAIN, ENOMEM),
    CALL(rename, ENOSPC, EACCES),
    CALL(unlink, EACCES),
    CALL(mkdir, ENOSPC, EACCES),
    CALL(rmdir, EBUSY, EACCES),
    CALL(chmod, EPERM),
#endif
#undef CALL
};

static const struct call *call_of(long nr)
{
    for (size_t i = 0; i < LEN(calls); i++)
        if (calls[i].nr == nr)
            return &calls[i];
    return NULL;
}

/* ---- what we are told, and what happened ----------------------------------------------------------- */

enum who { WHO_MAIN, WHO_WORKER, WHO_OTHER };

enum { RANGES_MAX = 16 };

struct range {
    uint64_t begin, end;
};

static struct {
    bool memory, for_good;
    enum who who;
    long k;
    int variant, error, seconds;
    const char *only, *shim, *report;
    char **argv;
} opts = { .seconds = 30, .only = "" };

static struct {
    pid_t pid;
    int listener;
    bool counting, ended, late;
    int wstatus;
    long count;
    const struct call *failed; /* NULL = none yet */
    int failed_errno;
    char failed_on[160];
    char left[1024];                 /* descriptors at the end */
    struct range ranges[RANGES_MAX]; /* where the sanitizers' code stands: its calls are not the program's */
    int range_count;
    struct inject_memory *memory;
    char memory_path[64];
} run = { .listener = -1 };

static void die(const char *what)
{
    fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    exit(125);
}

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- whose call it is ------------------------------------------------------------------------------ */

static ssize_t read_proc(pid_t pid, const char *name, char *buf, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
    if (fd >= 0)
        close(fd);
    buf[n > 0 ? n : 0] = '\0';
    return n;
}

static pid_t process_of(pid_t thread)
{
    char text[2048];
    read_proc(thread, "status", text, sizeof text);
    const char *at = strstr(text, "\nTgid:");
    return at ? (pid_t)atol(at + 6) : thread;
}

/* A child that has not executed anything yet has our program's command line. */
static enum who who_is(pid_t thread)
{
    static char own[4096];
    static ssize_t own_len;
    char other[4096];
    if (thread == run.pid || process_of(thread) == run.pid)
        return WHO_MAIN;
    if (!own_len)
        own_len = read_proc(run.pid, "cmdline", own, sizeof own);
    ssize_t len = read_proc(thread, "cmdline", other, sizeof other);
    if (len == own_len && len > 0 && memcmp(own, other, (size_t)len) == 0)
        return WHO_MAIN;
    return len > 8 && strcmp(other + strlen(other) + 1, "worker") == 0 ? WHO_WORKER : WHO_OTHER;
}

/* The sanitizers' library, once it is mapped. */
static void find_sanitizer(void)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)run.pid);
    FILE *f = fopen(path, "re");
    while (f && run.range_count < RANGES_MAX && fgets(line, sizeof line, f)) {
        char *end;
        struct range r = { .begin = strtoul(line, &end, 16) };
        r.end = *end == '-' ? strtoul(end + 1, NULL, 16) : 0;
        if (strstr(line, "/libasan") || strstr(line, "/libubsan"))
            run.ranges[run.range_count++] = r;
    }
    if (f)
        fclose(f);
}

static bool is_sanitizers(const struct seccomp_notif *n)
{
    uint64_t at = n->data.instruction_pointer;
    for (int i = 0; i < run.range_count; i++)
        if (at >= run.ranges[i].begin && at < run.ranges[i].end)
            return true;
    return false;
}

/* ---- judging a call -------------------------------------------------------------------------------- */

/* What descriptors the program leaves open when it ends: its own affair is to have closed them. */
static void note_left(void)
{
    char path[64], link[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)run.pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        ssize_t n =
            e->d_name[0] == '.' ? -1 : readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
        size_t used = strlen(run.left);
        if (n < 0 || atoi(e->d_name) < 3 || used > sizeof run.left - 200)
            continue;
        link[n] = '\0';
        snprintf(run.left + used, sizeof run.left - used, "left %s %.150s\n", e->d_name, link);
    }
    if (d)
        closedir(d);
}

/* The path that the call names, or the descriptor: for people. */
static void note_on(const struct seccomp_notif *n)
{
    char path[64], text[128] = "";
    uint64_t a = n->data.args[0], b = n->data.args[1];
    uint64_t at = (int)a == AT_FDCWD ? b : a;
    snprintf(path, sizeof path, "/proc/%u/mem", n->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 || at < 65536 ? -1 : pread(fd, text, sizeof text - 1, (off_t)at);
    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    bool is_path = text[0] == '/' || text[0] == '.';
    for (char *p = text; *p; p++)
        is_path &= *p >= ' ' && *p < 127;
    if (is_path)
        snprintf(run.failed_on, sizeof run.failed_on, "%s", text);
    else
        snprintf(run.failed_on, sizeof run.failed_on, "%lld, %lld", (long long)a, (long long)b);
}

static int variants_of(const struct call *c)
{
    int count = 1;
    while (count < ERRORS_MAX && c->errors[count])
        count++;
    return count;
}

/* Reading and writing pipes, eventfds and the like can only be interrupted: nothing is behind them that could fail. */
static bool only_interrupts(const struct seccomp_notif *n)
{
    static const long numbers[] = { SYS_read, SYS_readv, SYS_write, SYS_writev };
    char path[64], link[64] = "";
    for (size_t i = 0; i < LEN(numbers); i++)
        if (n->data.nr == numbers[i]) {
            snprintf(path, sizeof path, "/proc/%u/fd/%d", n->pid, (int)n->data.args[0]);
            if (readlink(path, link, sizeof link - 1) < 0)
                return false;
        }
    return strncmp(link, "pipe:", 5) == 0 || strncmp(link, "anon_inode:", 11) == 0;
}

static int error_of(const struct call *c, const struct seccomp_notif *n)
{
    if (opts.error)
        return opts.error;
    return only_interrupts(n) ? EINTR : c->errors[opts.variant % variants_of(c)];
}

/* The errno that the call shall end with; 0 = it goes on. */
static int judge(const struct seccomp_notif *n)
{
    const struct call *c = call_of(n->data.nr);
    if (n->data.nr == SYS_exit_group && process_of((pid_t)n->pid) == run.pid)
        note_left();
    if (!c || opts.memory)
        return 0;
    enum who who = who_is((pid_t)n->pid);
    if (!run.counting && who == WHO_MAIN && n->data.nr == SYS_fcntl && n->data.args[0] == 0 &&
        n->data.args[1] == F_GETFD) {
        run.counting = true;
        find_sanitizer();
    }
    if (!run.counting || who != opts.who || is_sanitizers(n))
        return 0;
    run.count++;
    if (run.failed)
        return opts.for_good && run.failed == c ? run.failed_errno : 0;
    if (run.count != opts.k)
        return 0;
    run.failed = c;
    run.failed_errno = error_of(c, n);
    note_on(n);
    return run.failed_errno;
}

static void answer(void)
{
    struct seccomp_notif n = { 0 };
    if (ioctl(run.listener, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0)
        return; /* who asked has died */
    int error = judge(&n);
    struct seccomp_notif_resp r = { .id = n.id };
    if (!error)
        r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    else if (n.data.nr != SYS_brk) /* which fails by giving another address */
        r.error = -error;
    ioctl(run.listener, SECCOMP_IOCTL_NOTIF_SEND, &r); /* fails when he dies meanwhile */
}

/* ---- the program ----------------------------------------------------------------------------------- */

/* One row for each call, then all others go on. */
static long install_filter(void)
{
    static const long always[] = { SYS_exit_group, SYS_execve };
    struct sock_filter f[LEN(calls) + LEN(always) + 3];
    size_t n = 0, count = LEN(always) + (opts.memory ? 0 : LEN(calls));
    f[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++) {
        long nr = i < LEN(always) ? always[i] : calls[i - LEN(always)].nr;
        f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr,
                                              (uint8_t)(count - i), 0);
    }
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    struct sock_fprog program = { (unsigned short)n, f };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    /* Killable only: a signal would make the call be asked about twice. */
    long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                      SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                      &program);
    return fd >= 0 ? fd
                   : syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                             &program);
}

static void become(volatile long *listener)
{
    char pid[24];
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_range(3, ~0U, 0);
    if (opts.memory) {
        snprintf(pid, sizeof pid, "%d", (int)getpid());
        setenv(INJECT_PID, pid, 1);
        setenv(INJECT_MEMORY, run.memory_path, 1);
        setenv("LD_PRELOAD", opts.shim, 1);
        const char *asan = getenv("ASAN_OPTIONS");
        char all[512]; /* the sanitizer wants to be the first library */
        snprintf(all, sizeof all, "%s:verify_asan_link_order=0", asan ? asan : "");
        setenv("ASAN_OPTIONS", all, 1);
    }
    /* From here on each call of the table waits until the parent has the listener. */
    long fd = install_filter();
    *listener = fd < 0 ? -2 : fd;
    if (fd >= 0 && opts.argv)
        execvp(opts.argv[0], opts.argv);
    _exit(127);
}

static void start(void)
{
    volatile long *listener =
        mmap(NULL, sizeof *listener, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (listener == MAP_FAILED)
        die("mmap");
    *listener = -1;
    run.pid = fork();
    if (run.pid < 0)
        die("fork");
    if (run.pid == 0)
        become(listener);
    while (*listener == -1 && kill(run.pid, 0) == 0)
        usleep(200);
    if (*listener < 0)
        die("seccomp user notification");
    int pidfd = (int)syscall(SYS_pidfd_open, run.pid, 0);
    run.listener = (int)syscall(SYS_pidfd_getfd, pidfd, (int)*listener, 0);
    if (run.listener < 0)
        die("pidfd_getfd");
    close(pidfd);
}

static void make_memory(void)
{
    snprintf(run.memory_path, sizeof run.memory_path, "/tmp/inject.%d", (int)getpid());
    int fd = open(run.memory_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *run.memory) < 0)
        die(run.memory_path);
    run.memory = mmap(NULL, sizeof *run.memory, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (run.memory == MAP_FAILED)
        die("mmap");
    close(fd);
    run.memory->fail = opts.k;
    run.memory->stop = opts.for_good ? INT64_MAX : opts.k + 1;
    snprintf(run.memory->only, sizeof run.memory->only, "%s", opts.only);
}

/* ---- the watch ------------------------------------------------------------------------------------- */

static void reap(void)
{
    int wstatus;
    pid_t pid;
    while ((pid = waitpid(-1, &wstatus, WNOHANG)) > 0)
        if (pid == run.pid) {
            run.ended = true;
            run.wstatus = wstatus;
        }
}

static void take_signal(int fd)
{
    struct signalfd_siginfo s;
    if (read(fd, &s, sizeof s) != (ssize_t)sizeof s)
        return;
    if (s.ssi_signo == SIGCHLD)
        reap();
    else if (!run.ended)
        kill(run.pid, (int)s.ssi_signo);
}

static int catch_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        die("signalfd");
    return fd;
}

/* A child of the program that is still there: we are its parent now. */
static pid_t orphan(void)
{
    siginfo_t info = { 0 };
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? 1 : 0;
}

/* Until the program has ended and its children too, which get a second for it. */
static void watch(int signals)
{
    int64_t end = now_ms() + opts.seconds * 1000;
    while (!run.ended || orphan()) {
        int64_t left = end - now_ms();
        struct pollfd fds[] = { { .fd = signals, .events = POLLIN },
                                { .fd = run.listener, .events = POLLIN } };
        bool was = run.ended;
        if (left <= 0 && run.ended)
            return;
        if (left <= 0) {
            run.late = true;
            kill(run.pid, SIGKILL);
            left = 100;
        }
        if (poll(fds, LEN(fds), (int)left) < 0 && errno != EINTR)
            die("poll");
        if (fds[1].revents & POLLIN)
            answer();
        else if (fds[1].revents) { /* nobody has the filter any more */
            close(run.listener);
            run.listener = -1;
        }
        if (fds[0].revents)
            take_signal(signals);
        reap();
        if (run.ended && !was && end > now_ms() + 1000)
            end = now_ms() + 1000;
    }
}

/* ---- the report ------------------------------------------------------------------------------------ */

/* Ends what outlived the program, so that nothing of a run touches the next. */
static void end_orphans(FILE *f)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "task/%d/children", (int)getpid());
    read_proc(getpid(), path, text, sizeof text);
    for (char *p = text, *next; *p; p = next) {
        char name[256];
        pid_t pid = (pid_t)strtol(p, &next, 10);
        if (next == p)
            break;
        read_proc(pid, "cmdline", name, sizeof name);
        fprintf(f, "process %d %s\n", (int)pid, name);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

static void report_memory(FILE *f)
{
    const struct inject_memory *m = run.memory;
    fprintf(f, "count %lld\n", (long long)m->count);
    if (!m->failed)
        return;
    fprintf(f, "failed %ld memory %d %s: %llu bytes for %s\n", opts.k, ENOMEM, strerror(ENOMEM),
            (unsigned long long)m->size, m->caller);
    fprintf(f, "caller");
    for (size_t i = 0; i < INJECT_FRAMES; i++)
        if (m->frames[i])
            fprintf(f, " %#llx", (unsigned long long)m->frames[i]);
    fprintf(f, "\n");
}

static void report(void)
{
    char temp[PATH_MAX];
    snprintf(temp, sizeof temp, "%s.new", opts.report);
    FILE *f = fopen(temp, "we");
    if (!f)
        die(temp);
    if (opts.memory)
        report_memory(f);
    else {
        fprintf(f, "count %ld\n", run.count);
        if (run.failed)
            fprintf(f, "variants %d\nfailed %ld %s %d %s: %s\n", variants_of(run.failed), opts.k,
                    run.failed->name, run.failed_errno, strerror(run.failed_errno), run.failed_on);
    }
    fputs(run.left, f);
    end_orphans(f);
    if (run.late)
        fprintf(f, "late %d\n", opts.seconds);
    if (WIFSIGNALED(run.wstatus))
        fprintf(f, "signal %d\n", WTERMSIG(run.wstatus));
    else
        fprintf(f, "status %d\n", WEXITSTATUS(run.wstatus));
    if (fclose(f) != 0 || rename(temp, opts.report) < 0)
        die(opts.report);
}

static void parse(int argc, char **argv)
{
    for (int o; (o = getopt(argc, argv, "+c:w:k:gv:e:o:s:t:r:")) != -1;)
        switch (o) {
        case 'c':
            opts.memory = strcmp(optarg, "memory") == 0;
            break;
        case 'w':
            opts.who = strcmp(optarg, "worker") == 0 ? WHO_WORKER : WHO_MAIN;
            break;
        case 'k':
            opts.k = atol(optarg);
            break;
        case 'g':
            opts.for_good = true;
            break;
        case 'v':
            opts.variant = atoi(optarg);
            break;
        case 'e':
            opts.error = atoi(optarg);
            break;
        case 'o':
            opts.only = optarg;
            break;
        case 's':
            opts.shim = optarg;
            break;
        case 't':
            opts.seconds = atoi(optarg);
            break;
        case 'r':
            opts.report = optarg;
            break;
        default:
            exit(125);
        }
    opts.argv = argv + optind;
    if (!opts.argv[0] || !opts.report || (opts.memory && !opts.shim)) {
        fprintf(stderr, "inject: see the head of inject.c\n");
        exit(125);
    }
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int signals = catch_signals();
    if (opts.memory)
        make_memory();
    start();
    watch(signals);
    if (opts.memory)
        unlink(run.memory_path);
    report();
    return WIFSIGNALED(run.wstatus) ? 128 + WTERMSIG(run.wstatus) : WEXITSTATUS(run.wstatus);
}
