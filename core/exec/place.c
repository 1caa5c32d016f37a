#include "exec/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* It is there from the start, so that whoever the command becomes may write into it. */
static int make_file(const char *path, bool open_to_all)
{
    hw_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    return open_to_all ? fchmod(fd, 0666) : 0;
}

/* All memory is had before anything is made: who aborts for want of it leaves nothing behind. */
static bool try_dir(struct hw_place *p, const char *where, bool open_to_all)
{
    if (!where || where[0] != '/')
        return false;
    hw_auto_free char *dir = hw_xasprintf("%s/headway-XXXXXX", where);
    hw_auto_free char *path = hw_xasprintf("%s/progress", dir);
    hw_auto_free char *seen = hw_xstrdup(path);
    if (!mkdtemp(dir))
        return false;
    memcpy(path, dir, strlen(dir));
    memcpy(seen, dir, strlen(dir));
    if (make_file(path, open_to_all) < 0 || (open_to_all && chmod(dir, 0777) < 0)) {
        unlink(path);
        rmdir(dir);
        return false;
    }
    p->path = hw_steal(&path);
    p->seen = hw_steal(&seen);
    p->dir = hw_steal(&dir);
    return true;
}

static int make_memory(struct hw_place *p, struct hw_err *err)
{
    p->memory = memfd_create("headway-progress", MFD_CLOEXEC);
    if (p->memory < 0)
        return hw_fail_sys(
            err, "make a progress file: $TMPDIR, /tmp and /dev/shm can't be written, memory");
    p->path = hw_xasprintf("/proc/%d/fd/%d", (int)getpid(), p->memory);
    p->seen = hw_xasprintf("/proc/self/fd/%d", p->memory);
    return 0;
}

int hw_place_make(struct hw_place *p, bool open, struct hw_err *err)
{
    const char *const places[] = { getenv("TMPDIR"), "/tmp", "/dev/shm" };
    *p = (struct hw_place){ .memory = -1 };
    for (size_t i = 0; i < HW_LEN(places); i++)
        if (try_dir(p, places[i], open))
            return 0;
    return make_memory(p, err);
}

void hw_place_remove(struct hw_place *p)
{
    if (p->dir) {
        unlink(p->path);
        rmdir(p->dir);
    }
    if (p->memory >= 0)
        close(p->memory);
    free(p->path);
    free(p->seen);
    free(p->dir);
    *p = (struct hw_place){ .memory = -1 };
}
