#include "cmd/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

static int first_error; /* errno, 0 = none */

/* 0 is a failure, for stdio. */
static ssize_t write_some(void *ctx, const char *bytes, size_t len)
{
    ssize_t n;
    (void)ctx;
    do
        n = write(STDOUT_FILENO, bytes, len);
    while (n < 0 && errno == EINTR);
    if (n < 0 && !first_error)
        first_error = errno;
    return n < 0 ? 0 : n;
}

void hw_output_open(void)
{
    cookie_io_functions_t functions = { .write = write_some };
    FILE *f = fopencookie(NULL, "w", functions);
    if (!f)
        return;
    setvbuf(f, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
    stdout = f;
}

int hw_output_close(int status)
{
    errno = 0;
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    int error = first_error ? first_error : errno;
    if (!failed)
        return status;
    fprintf(stderr, "headway: write standard output: %s\n", error ? strerror(error) : "failed");
    return status ? status : hw_exit_status(HW_ESYS);
}
