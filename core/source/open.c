#include "source/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

enum hw_open_kind hw_open_failed(const char *what, int error, char *why, size_t why_size)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        snprintf(why, why_size, "no %s yet", what);
        return HW_OPEN_MISSING;
    case ELOOP:
        snprintf(why, why_size, "%s is a symbolic link", what);
        return HW_OPEN_REFUSED;
    case ENXIO: /* a socket, or a device without driver */
        snprintf(why, why_size, "%s is no regular file", what);
        return HW_OPEN_REFUSED;
    default:
        snprintf(why, why_size, "%s: %s", what, strerror(error));
        return HW_OPEN_FAILED;
    }
}

const char *hw_open_wrong_type(mode_t mode)
{
    return S_ISREG(mode)    ? NULL
           : S_ISDIR(mode)  ? "is a directory"
           : S_ISLNK(mode)  ? "is a symbolic link"
           : S_ISFIFO(mode) ? "is a FIFO"
                            : "is no regular file";
}

/* A file that was handed to us open (memory, where no directory can be written): its path is a link by nature. */
static bool is_descriptor(const char *path)
{
    return strncmp(path, "/proc/self/fd/", 14) == 0;
}

/* Opening a FIFO and closing it again would break the pipe of who writes there, so look first; what is
 * opened after all is looked at again. */
enum hw_open_kind hw_open_regular(const char *path, const char *what, int *ret_fd, char *why,
                                  size_t why_size)
{
    struct stat st;
    const char *wrong = NULL;
    bool given = is_descriptor(path);
    if (!given && lstat(path, &st) == 0)
        wrong = hw_open_wrong_type(st.st_mode);
    hw_auto_fd fd = -1;
    if (!wrong) {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (given ? 0 : O_NOFOLLOW));
        if (fd < 0 || fstat(fd, &st) < 0)
            return hw_open_failed(what, errno, why, why_size);
        wrong = hw_open_wrong_type(st.st_mode);
    }
    if (wrong) {
        snprintf(why, why_size, "%s %s", what, wrong);
        return HW_OPEN_REFUSED;
    }
    *ret_fd = hw_steal_fd(&fd);
    return HW_OPEN_DONE;
}
