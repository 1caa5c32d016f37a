/* shim.c - loaded into the program by LD_PRELOAD: counts its allocations and lets one of them fail.
 * It calls the allocator below it by a name that is no interposed one, so nothing has to be looked up before main():
 * AddressSanitizer's own entry where that is loaded, so that leaks are still seen, else the C library's.
 * Counts from main() on, and only what the files named in `only` ask for: the loader and the start of libraries that
 * we use next to nothing of are not ours. What it is told and what it tells is in protocol.h. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#include "protocol.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);
extern void *__interceptor_malloc(size_t size) __attribute__((weak));
extern void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *ptr, size_t size) __attribute__((weak));
extern void __lsan_ignore_object(const void *ptr) __attribute__((weak));

static struct inject_memory *shared; /* NULL until main() */
static _Thread_local bool inside;    /* of the shim: what it allocates itself does not count */

/* ---- who calls ----------------------------------------------------------------------------------- */

enum { OBJECTS_MAX = 96 };

static struct {
    uintptr_t base, begin, end;
    bool counts;
    char name[64];
} objects[OBJECTS_MAX];
static int object_count;

static bool is_listed(const char *name)
{
    for (const char *p = shared->only; *p; p += *p == ',') {
        size_t len = strcspn(p, ",");
        if (len && strncmp(name, p, len) == 0)
            return true;
        p += len;
    }
    return !shared->only[0];
}

static int add_object(struct dl_phdr_info *info, size_t size, void *ctx)
{
    const char *path = info->dlpi_name && info->dlpi_name[0] ? info->dlpi_name : "headway";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    (void)size, (void)ctx;
    for (int i = 0; i < info->dlpi_phnum && object_count < OBJECTS_MAX; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        if (h->p_type != PT_LOAD || !(h->p_flags & PF_X))
            continue;
        objects[object_count].base = info->dlpi_addr;
        objects[object_count].begin = info->dlpi_addr + h->p_vaddr;
        objects[object_count].end = info->dlpi_addr + h->p_vaddr + h->p_memsz;
        objects[object_count].counts = is_listed(name);
        strncpy(objects[object_count].name, name, sizeof objects[0].name - 1);
        object_count++;
    }
    return 0;
}

static int object_at(uintptr_t address)
{
    for (int i = 0; i < object_count; i++)
        if (address >= objects[i].begin && address < objects[i].end)
            return i;
    return -1;
}

/* ---- counting ------------------------------------------------------------------------------------ */

/* Not backtrace(), which loads a library first. Keeps our own program's frames. */
static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *ctx)
{
    int *n = ctx, at = object_at(_Unwind_GetIP(context));
    if (at >= 0 && strcmp(objects[at].name, "headway") == 0 && *n < INJECT_FRAMES)
        shared->frames[(*n)++] = _Unwind_GetIP(context) - objects[at].base;
    return _URC_NO_REASON;
}

static void note(size_t size, int caller)
{
    shared->size = size;
    strncpy(shared->caller, objects[caller].name, sizeof shared->caller - 1);
    int n = 0;
    _Unwind_Backtrace(add_frame, &n);
}

/* Whether this one fails. */
static bool fails(size_t size, const void *caller)
{
    if (!shared || inside)
        return false;
    int at = object_at((uintptr_t)caller);
    if (at < 0 || !objects[at].counts)
        return false;
    long long n = atomic_fetch_add(&shared->count, 1) + 1;
    if (!shared->fail || n < shared->fail || n >= shared->stop)
        return false;
    inside = true;
    if (atomic_fetch_add(&shared->failed, 1) == 0)
        note(size, at);
    inside = false;
    errno = ENOMEM;
    return true;
}

/* ---- what is put in the allocator's place --------------------------------------------------------- */

/* What the loader keeps where no leak check finds it: that knows the loader by its being the caller. */
static void *known(void *ptr, const void *caller)
{
    int at = shared && ptr && __lsan_ignore_object ? object_at((uintptr_t)caller) : -1;
    if (at >= 0 && strncmp(objects[at].name, "ld-linux", 8) == 0)
        __lsan_ignore_object(ptr);
    return ptr;
}

#define EXPORT __attribute__((visibility("default")))

EXPORT void *malloc(size_t size)
{
    if (fails(size, __builtin_return_address(0)))
        return NULL;
    return known(__interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size),
                 __builtin_return_address(0));
}

EXPORT void *calloc(size_t count, size_t size)
{
    if (fails(count * size, __builtin_return_address(0)))
        return NULL;
    return known(__interceptor_calloc ? __interceptor_calloc(count, size)
                                      : __libc_calloc(count, size),
                 __builtin_return_address(0));
}

EXPORT void *realloc(void *ptr, size_t size)
{
    if (size && fails(size, __builtin_return_address(0)))
        return NULL;
    return __interceptor_realloc ? __interceptor_realloc(ptr, size) : __libc_realloc(ptr, size);
}

/* ---- main() -------------------------------------------------------------------------------------- */

typedef int main_fn(int argc, char **argv, char **envp);
static main_fn *real_main;

static void begin(void)
{
    const char *pid = getenv(INJECT_PID), *path = getenv(INJECT_MEMORY);
    if (!pid || !path || atol(pid) != (long)getpid())
        return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *map =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        _exit(125);
    close(fd);
    struct inject_memory *m = map;
    shared = m;
    inside = true;
    dl_iterate_phdr(add_object, NULL);
    inside = false;
}

static int main_of_shim(int argc, char **argv, char **envp)
{
    begin();
    unsetenv("LD_PRELOAD");
    return real_main(argc, argv, envp);
}

EXPORT int __libc_start_main(main_fn *main, int argc, char **argv, void (*init)(void),
                             void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

EXPORT int __libc_start_main(main_fn *main, int argc, char **argv, void (*init)(void),
                             void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    int (*next)(main_fn *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    *(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main;
    return next(main_of_shim, argc, argv, init, fini, rtld_fini, stack_end);
}
