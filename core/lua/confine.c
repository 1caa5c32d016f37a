#include "lua/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "lua/wire.h"

/* ---- seccomp ------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH
#define AT(field) ((uint32_t)offsetof(struct seccomp_data, field))
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT(field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
/* Back to the number after a look at something else. */
#define ON_CALL(number, action) IF_EQUAL(number, 0, 1), RETURN(action)
#define ON_CALL_WITH_FD(number, fd)                                                                \
    IF_EQUAL(number, 0, 4), LOAD(args[0]), IF_EQUAL(fd, 0, 1), RETURN(SECCOMP_RET_ALLOW),          \
        RETURN(SECCOMP_RET_KILL_PROCESS)

/* What strict mode allows, and on our two pipes only. Without a vDSO, time() is a call: Lua asks it for a seed and may
 * be told that there is none. */
static const struct sock_filter filter[] = {
    LOAD(arch),
    IF_EQUAL(ARCH, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    ON_CALL_WITH_FD(SYS_read, HW_WIRE_IN),
#if HW_SANITIZED
    /* What the sanitizers do for themselves: their report, stacks of signal handlers, shadow memory. */
    ON_CALL(SYS_write, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_exit_group, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_sigaltstack, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_mmap, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_munmap, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_madvise, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_mprotect, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_getpid, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_gettid, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_futex, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_rt_sigprocmask, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_openat, SECCOMP_RET_ERRNO | EACCES),
    ON_CALL(SYS_readlink, SECCOMP_RET_ERRNO | EACCES),
#else
    ON_CALL_WITH_FD(SYS_write, HW_WIRE_OUT),
#endif
    ON_CALL(SYS_exit, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_rt_sigreturn, SECCOMP_RET_ALLOW),
    ON_CALL(SYS_clock_gettime, SECCOMP_RET_ERRNO | ENOSYS),
#ifdef SYS_time
    ON_CALL(SYS_time, SECCOMP_RET_ERRNO | ENOSYS),
#endif
    RETURN(SECCOMP_RET_KILL_PROCESS),
};

static bool set_filter(void)
{
    struct sock_fprog program = { HW_LEN(filter), (struct sock_filter *)(uintptr_t)filter };
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
#else
static bool set_filter(void)
{
    return false;
}
#endif

/* Strict mode would end us at the first time() where the kernel gives no vDSO. */
static bool set_strict(void)
{
    return !HW_SANITIZED && getauxval(AT_SYSINFO_EHDR) &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0;
}

/* ---- everything else ----------------------------------------------------------------------------- */

static void limit(int resource)
{
    struct rlimit none = { 0, 0 };
    setrlimit((__rlimit_resource_t)resource, &none);
}

static void close_files(unsigned first)
{
    if (close_range(first, ~0u, 0) == 0)
        return;
    /* Before Linux 5.9; all of ours close on exec anyway. */
    for (int fd = (int)first; fd < 1024; fd++)
        close(fd);
}

/* Signals of a terminal or a whole process group are main's: it ends us by closing the pipe. */
static void ignore_signals(void)
{
    static const int ignored[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGPIPE,
                                   SIGTSTP, SIGUSR1, SIGUSR2, SIGALRM };
    for (size_t i = 0; i < HW_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
}

/* What printf may want of the heap for a long number is there before growing it is forbidden. */
static void warm_heap(void)
{
    mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
    free(malloc(64 * 1024)); /* address space; its pages stay untouched */
}

enum hw_confined hw_confine(unsigned first)
{
    close_files(first);
    ignore_signals();
    warm_heap();
    limit(RLIMIT_CORE);
    limit(RLIMIT_FSIZE);
    limit(RLIMIT_NPROC);
    limit(RLIMIT_NOFILE);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (set_strict())
        return HW_CONFINED_STRICT;
    return set_filter() ? HW_CONFINED_FILTER : HW_CONFINED_NONE;
}

void hw_confined_exit(int code)
{
    for (;;)
        syscall(SYS_exit, code);
}
