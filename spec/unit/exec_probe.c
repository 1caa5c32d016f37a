/* exec_probe.c - what specs of `headway exec` need besides the shell's own means: a command that tells what it was given,
 * what it receives, or writes much; and a caller of unusual habits.
 *   state                  what a process inherits, a line for each; FLUID_PROGRESS_FILE, ids and groups left out
 *   receive                a line for each signal: number, code, value; ends at the second SIGRTMAX
 *   die SIGNAL             by it, without a core
 *   queue PID SIGNAL N     SIGNAL N times, with the values 1..N
 *   flood BYTES            the same random bytes on stdout and stderr each time, in chunks of odd sizes, at once
 *   twice                  a line to stdout, a line to stderr, by turns, 1000 of each
 *   until-broken           a byte after the other, until a write fails: says which one and why on stderr
 *   nap-until-broken       writes nothing; waits until poll says that stdout's reader is gone
 *   orphans N              N processes whose parent dies first; all wait for the end of stdin
 *   under HABIT... -- CMD  block=SIGNAL, alarm=MS, stdout=stream|messages (a socket; what it reads goes to our stdout) */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static _Noreturn void die(const char *what)
{
    perror(what);
    _exit(99);
}

/* ---- state --------------------------------------------------------------------------------------- */

/* Its lines that begin with one of these, or all of them. */
static void show_file(const char *path, const char *const *names)
{
    char line[4096];
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    while (fgets(line, sizeof line, f)) {
        bool wanted = !names;
        for (const char *const *n = names; n && *n; n++)
            wanted |= strncmp(line, *n, strlen(*n)) == 0;
        if (wanted)
            printf("%s: %s", path, line);
    }
    fclose(f);
}

static void show_link(const char *path)
{
    char target[4096];
    ssize_t n = readlink(path, target, sizeof target - 1);
    printf("%s -> %.*s\n", path, n < 0 ? 0 : (int)n, target);
}

/* Which pipe or file stands behind stdout and stderr is the wrapper's to choose. */
static void show_files(void)
{
    char path[40];
    for (int fd = 0; fd < 1024; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags < 0)
            continue;
        printf("fd %d: close on exec %d, flags %o\n", fd, flags,
               fd == 1 || fd == 2 ? 0 : fcntl(fd, F_GETFL));
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (fd != 1 && fd != 2)
            show_link(path);
    }
}

static int state(char **argv)
{
    static const char *const status[] = {
        "Umask",        "Uid",    "Gid",         "Groups", "SigPnd",      "SigBlk",
        "SigIgn",       "SigCgt", "ShdPnd",      "Cap",    "NoNewPrivs",  "Seccomp",
        "Cpus_allowed", "Mems_",  "THP_enabled", "Thread", "Speculation", NULL,
    };
    static const char *const files[] = { "/proc/self/limits",
                                         "/proc/self/oom_score_adj",
                                         "/proc/self/coredump_filter",
                                         "/proc/self/timerslack_ns",
                                         "/proc/self/cgroup",
                                         "/proc/self/loginuid",
                                         "/proc/self/comm",
                                         NULL };
    int death = 0;
    show_files();
    show_file("/proc/self/status", status);
    for (const char *const *f = files; *f; f++)
        show_file(*f, NULL);
    show_link("/proc/self/cwd");
    show_link("/proc/self/root");
    prctl(PR_GET_PDEATHSIG, &death);
    printf("nice %d, scheduler %d, ioprio %ld, personality %x, parent death %d, dumpable %d\n",
           getpriority(PRIO_PROCESS, 0), sched_getscheduler(0), syscall(SYS_ioprio_get, 1, 0),
           (unsigned)personality(0xffffffff), death, prctl(PR_GET_DUMPABLE));
    for (char **a = argv; *a; a++)
        printf("argument %s\n", *a);
    for (char **e = environ; *e; e++)
        if (strncmp(*e, "FLUID_PROGRESS_FILE=", 20) != 0)
            printf("environment %s\n", *e);
    return 0;
}

/* ---- signals ------------------------------------------------------------------------------------- */

static int receive(void)
{
    sigset_t all;
    siginfo_t si;
    int last = 0;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    dprintf(STDOUT_FILENO, "ready %d\n", (int)getpid());
    while (last < 2) {
        int number = sigwaitinfo(&all, &si);
        if (number < 0)
            continue;
        dprintf(STDOUT_FILENO, "got %d code %d value %d\n", number, si.si_code,
                si.si_code == SI_QUEUE ? si.si_value.sival_int : 0);
        last += number == SIGRTMAX;
    }
    return 0;
}

static int queue(char **argv)
{
    for (int i = 1; i <= atoi(argv[2]); i++)
        if (sigqueue(atoi(argv[0]), atoi(argv[1]), (union sigval){ .sival_int = i }) < 0)
            die("sigqueue");
    return 0;
}

static int end_by(char **argv)
{
    int number = atoi(argv[0]);
    prctl(PR_SET_DUMPABLE, 0);
    signal(number, SIG_DFL);
    raise(number);
    return 97;
}

/* ---- output -------------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

static void flood_one(int fd, size_t left, uint32_t seed)
{
    static unsigned char buf[200000];
    while (left) {
        size_t len = next_random(&seed) % (next_random(&seed) % 4 ? 700 : sizeof buf) + 1;
        len = len < left ? len : left;
        for (size_t i = 0; i < len; i++)
            buf[i] = (unsigned char)(next_random(&seed) >> 11);
        for (size_t at = 0; at < len;) {
            ssize_t n = write(fd, buf + at, len - at);
            if (n < 0)
                die("flood");
            at += (size_t)n;
        }
        left -= len;
    }
}

static int flood(char **argv)
{
    size_t bytes = (size_t)atoll(argv[0]);
    pid_t pid = fork();
    if (pid == 0) {
        flood_one(STDERR_FILENO, bytes, 77777);
        _exit(0);
    }
    flood_one(STDOUT_FILENO, bytes, 12345);
    return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

static int twice(void)
{
    for (int i = 0; i < 1000; i++) {
        dprintf(STDOUT_FILENO, "out %d\n", i);
        dprintf(STDERR_FILENO, "err %d\n", i);
    }
    return 0;
}

static int until_broken(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (;;)
        if (write(STDOUT_FILENO, "x", 1) < 0) {
            dprintf(STDERR_FILENO, "%s\n", strerror(errno));
            return 5;
        }
}

static int nap_until_broken(void)
{
    struct pollfd p = { .fd = STDOUT_FILENO };
    dprintf(STDERR_FILENO, "waiting\n");
    poll(&p, 1, -1);
    return p.revents & POLLERR ? 6 : 7;
}

static int orphans(char **argv)
{
    char byte;
    for (int i = atoi(argv[0]); i > 0; i--)
        if (fork() == 0) {
            if (fork() == 0) {
                _exit(read(STDIN_FILENO, &byte, 1) != 0);
            }
            _exit(0);
        }
    return 0;
}

/* ---- the caller ---------------------------------------------------------------------------------- */

/* What is read goes to our stdout, of messages their lengths; ends at the end, which the message "." is too. */
static _Noreturn void read_socket(int fd, bool messages)
{
    static char buf[65536];
    ssize_t n;
    while ((n = read(fd, buf, sizeof buf)) > 0) {
        if (messages && n == 1 && buf[0] == '.')
            break;
        if (messages)
            dprintf(STDOUT_FILENO, "%d\n", (int)n);
        else if (write(STDOUT_FILENO, buf, (size_t)n) != n)
            die("write");
    }
    _exit(0);
}

static void make_socket(bool messages)
{
    int ends[2];
    if (socketpair(AF_UNIX, messages ? SOCK_DGRAM : SOCK_STREAM, 0, ends) < 0)
        die("socketpair");
    if (fork() == 0) {
        close(ends[1]);
        read_socket(ends[0], messages);
    }
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
}

static void take_habit(const char *habit)
{
    const char *value = strchr(habit, '=') + 1;
    if (strncmp(habit, "block=", 6) == 0) {
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, atoi(value));
        sigprocmask(SIG_BLOCK, &one, NULL);
    } else if (strncmp(habit, "alarm=", 6) == 0) {
        struct itimerval in = { .it_value = { .tv_usec = atoi(value) * 1000 } };
        setitimer(ITIMER_REAL, &in, NULL);
    } else
        make_socket(strcmp(value, "messages") == 0);
}

static int under(char **argv)
{
    for (; *argv && strcmp(*argv, "--") != 0; argv++)
        take_habit(*argv);
    execvp(argv[1], argv + 1);
    die(argv[1]);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    argv += 2;
    return strcmp(what, "state") == 0              ? state(argv)
           : strcmp(what, "receive") == 0          ? receive()
           : strcmp(what, "die") == 0              ? end_by(argv)
           : strcmp(what, "queue") == 0            ? queue(argv)
           : strcmp(what, "flood") == 0            ? flood(argv)
           : strcmp(what, "twice") == 0            ? twice()
           : strcmp(what, "until-broken") == 0     ? until_broken()
           : strcmp(what, "nap-until-broken") == 0 ? nap_until_broken()
           : strcmp(what, "orphans") == 0          ? orphans(argv)
           : strcmp(what, "under") == 0            ? under(argv)
                                                   : 98;
}
