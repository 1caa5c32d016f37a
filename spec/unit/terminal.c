/* terminal - a person at a terminal: runs a program on a pty as the leader of a session, and does what a file of steps says.
 * terminal STEPS SEEN ROWSxCOLS PROGRAM [ARGUMENT...]; what the terminal showed is kept in the file SEEN.
 * Each step is a line; text has \r, \n, \e, \\ and \xHH. Everything waits for its event, at most 20 s, and fails then.
 *   send TEXT      keys
 *   paste N KEY    KEY is pressed N times, as fast as the terminal takes them
 *   expect TEXT    the terminal shows it, behind what was expected before
 *   absent TEXT    it does not, up to now
 *   resize ROWSxCOLS
 *   modes +icanon -echo ...   those of the terminal become so; also isig, opost, ixon
 *   foreground NAME   the leader of the foreground group is a program of that name
 *   run COMMAND    by sh, its output is printed; await COMMAND: until it succeeds. $TTY is the terminal, $PID the program
 *   hangup         the terminal is closed
 *   wait           for the program's end; its exit status is printed */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, NAP_MS = 10 };

static struct {
    int master; /* -1: hung up, or over */
    pid_t pid;
    int status;
    bool ended;
    FILE *copy;
    char *seen;
    size_t len, at; /* at: where expect looks from */
    int line;
    const char *step;
} t;

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* As if the terminal was closed; by force when that does not help soon. */
static void end_program(void)
{
    if (t.master >= 0)
        close(t.master);
    for (int64_t until = now_ms() + 2000; !t.ended && now_ms() < until;) {
        kill(-t.pid, SIGHUP);
        kill(-t.pid, SIGCONT);
        t.ended = waitpid(t.pid, &t.status, WNOHANG) == t.pid;
        poll(NULL, 0, t.ended ? 0 : NAP_MS);
    }
    if (!t.ended)
        kill(-t.pid, SIGKILL);
}

static _Noreturn void fail(const char *why)
{
    printf("\nFAILED: step %d: %s: %s; shown since:\n", t.line, t.step, why);
    fwrite(t.seen + t.at, 1, t.len - t.at, stdout);
    putchar('\n');
    fflush(stdout);
    end_program();
    exit(1);
}

/* ---- the terminal -------------------------------------------------------------------------------- */

/* What the terminal shows within so many ms; whether it was anything. */
static bool look(int ms)
{
    char buf[65536];
    struct pollfd p = { .fd = t.master, .events = POLLIN };
    if (poll(&p, 1, ms) <= 0 || !(p.revents & (POLLIN | POLLHUP)))
        return false;
    ssize_t n = read(t.master, buf, sizeof buf);
    if (n <= 0) {
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        close(t.master);
        t.master = -1;
        return false;
    }
    fwrite(buf, 1, (size_t)n, t.copy);
    fflush(t.copy);
    t.seen = realloc(t.seen, t.len + (size_t)n + 1);
    if (!t.seen)
        abort();
    memcpy(t.seen + t.len, buf, (size_t)n);
    t.len += (size_t)n;
    t.seen[t.len] = '\0';
    return true;
}

/* Until check says so. */
static void await(bool (*check)(const char *arg), const char *arg, int nap_ms)
{
    int64_t until = now_ms() + PATIENCE_MS;
    while (!check(arg)) {
        if (now_ms() > until)
            fail("it never came");
        look(nap_ms);
    }
}

static char *unescape(const char *from)
{
    char *text = strdup(from), *to = text;
    for (; text && *from; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        char hex[3] = { 0 };
        switch (*++from) {
        case 'r':
            *to++ = '\r';
            break;
        case 'n':
            *to++ = '\n';
            break;
        case 'e':
            *to++ = '\033';
            break;
        case 'x':
            memcpy(hex, from + 1, 2);
            *to++ = (char)strtol(hex, NULL, 16);
            from += 2;
            break;
        default:
            *to++ = *from;
        }
    }
    if (text)
        *to = '\0';
    return text;
}

static void send_keys(const char *keys, size_t len)
{
    int64_t until = now_ms() + PATIENCE_MS;
    while (len && t.master >= 0) {
        struct pollfd p = { .fd = t.master, .events = POLLIN | POLLOUT };
        if (now_ms() > until)
            fail("the terminal takes no keys");
        poll(&p, 1, NAP_MS);
        ssize_t n = p.revents & POLLOUT ? write(t.master, keys, len) : 0;
        if (n > 0) {
            keys += n;
            len -= (size_t)n;
        }
        look(0);
    }
}

/* ---- steps --------------------------------------------------------------------------------------- */

static bool is_shown(const char *text)
{
    char *found = t.seen ? memmem(t.seen + t.at, t.len - t.at, text, strlen(text)) : NULL;
    if (!found && t.master < 0)
        fail("the terminal was closed");
    if (found)
        t.at = (size_t)(found - t.seen) + strlen(text);
    return found;
}

static void step_send(const char *arg)
{
    char *keys = unescape(arg);
    send_keys(keys, strlen(keys));
    free(keys);
}

static void step_paste(const char *arg)
{
    char *rest;
    size_t n = (size_t)strtoul(arg, &rest, 10);
    char *key = unescape(rest + 1);
    char *keys = malloc(n);
    if (!keys)
        abort();
    memset(keys, key[0], n);
    send_keys(keys, n);
    free(keys);
    free(key);
}

static void step_expect(const char *arg)
{
    char *text = unescape(arg);
    await(is_shown, text, 500);
    free(text);
}

static void step_absent(const char *arg)
{
    char *text = unescape(arg);
    while (look(0))
        ;
    if (memmem(t.seen + t.at, t.len - t.at, text, strlen(text)))
        fail("it is there");
    free(text);
}

static struct winsize size_of(const char *arg)
{
    char *rest;
    struct winsize size = { .ws_row = (unsigned short)strtoul(arg, &rest, 10) };
    size.ws_col = (unsigned short)strtoul(rest + 1, NULL, 10);
    return size;
}

static void step_resize(const char *arg)
{
    struct winsize size = size_of(arg);
    ioctl(t.master, TIOCSWINSZ, &size);
}

static bool has_modes(const char *arg)
{
    struct termios m;
    if (tcgetattr(t.master, &m) < 0)
        return false;
    const struct {
        const char *name;
        bool on;
    } rows[] = { { "icanon", m.c_lflag & ICANON }, { "echo", m.c_lflag & ECHO },
                 { "isig", m.c_lflag & ISIG },     { "opost", m.c_oflag & OPOST },
                 { "ixon", m.c_iflag & IXON },     { "icrnl", m.c_iflag & ICRNL } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char word[16];
        snprintf(word, sizeof word, "%c%s", rows[i].on ? '-' : '+', rows[i].name);
        if (strstr(arg, word))
            return false;
    }
    return true;
}

static bool is_foreground(const char *name)
{
    char path[40], comm[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)tcgetpgrp(t.master));
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    if (!fgets(comm, sizeof comm, f))
        comm[0] = '\0';
    fclose(f);
    comm[strcspn(comm, "\n")] = '\0';
    return strcmp(comm, name) == 0;
}

static bool is_true(const char *command)
{
    fflush(stdout);
    return system(command) == 0; // NOLINT(cert-env33-c): the steps are the spec's own
}

static void step_run(const char *arg)
{
    if (!is_true(arg))
        fail("the command failed");
}

static bool is_over(const char *arg)
{
    (void)arg;
    if (!t.ended && waitpid(t.pid, &t.status, WNOHANG) == t.pid)
        t.ended = true;
    return t.ended;
}

static void step_wait(const char *arg)
{
    await(is_over, arg, NAP_MS);
    while (look(0))
        ;
    printf("exit %d\n", WIFSIGNALED(t.status) ? 128 + WTERMSIG(t.status) : WEXITSTATUS(t.status));
}

static void step_hangup(const char *arg)
{
    (void)arg;
    close(t.master);
    t.master = -1;
}

static void step_modes(const char *arg)
{
    await(has_modes, arg, NAP_MS);
}

static void step_foreground(const char *arg)
{
    await(is_foreground, arg, NAP_MS);
}

static void step_await(const char *arg)
{
    await(is_true, arg, NAP_MS);
}

static const struct {
    const char *name;
    void (*run)(const char *arg);
} steps[] = {
    { "send", step_send },     { "paste", step_paste },   { "expect", step_expect },
    { "absent", step_absent }, { "resize", step_resize }, { "modes", step_modes },
    { "run", step_run },       { "await", step_await },   { "foreground", step_foreground },
    { "wait", step_wait },     { "hangup", step_hangup },
};

static void do_step(char *line)
{
    size_t word = strcspn(line, " ");
    t.line++;
    t.step = line;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (strlen(steps[i].name) == word && strncmp(steps[i].name, line, word) == 0) {
            steps[i].run(line[word] ? line + word + 1 : line + word);
            return;
        }
    fail("no such step");
}

static void set_env(void)
{
    char pid[16], tty[64];
    snprintf(pid, sizeof pid, "%d", (int)t.pid);
    setenv("PID", pid, 1);
    if (ptsname_r(t.master, tty, sizeof tty) == 0)
        setenv("TTY", tty, 1);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    if (argc < 5)
        return 2;
    FILE *file = fopen(argv[1], "re");
    t.copy = fopen(argv[2], "we");
    if (!file || !t.copy)
        return 2;
    struct winsize window = size_of(argv[3]);
    t.pid = forkpty(&t.master, NULL, NULL, &window);
    if (t.pid == 0) {
        execvp(argv[4], argv + 4);
        _exit(127);
    }
    fcntl(t.master, F_SETFL, O_RDWR | O_NONBLOCK);
    fcntl(t.master, F_SETFD, FD_CLOEXEC);
    set_env();
    signal(SIGPIPE, SIG_IGN);
    while (getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        do_step(line);
    }
    free(line);
    free(t.seen);
    end_program();
    return 0;
}
