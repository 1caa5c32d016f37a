/* err.h - the error value: filled by who fails, wrapped on the way up, logged once by who handles it.
 * The caller owns it, on its stack; nothing is allocated to fail. Functions that take one return 0 for
 * done and -1 with *err filled; what they give out is untouched on failure.
 * A message names the thing and the cause, in lower case, without a full stop; never a token. Whatever it quotes, it is
 * clean text (hw_clean_text): one line that can be shown. */
#ifndef HW_BASE_ERR_H
#define HW_BASE_ERR_H

#define HW_MUST_USE __attribute__((warn_unused_result))
#define HW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum hw_code {
    HW_OK,
    HW_EINPUT,  /* outside bytes that are wrong: file, log, reply */
    HW_ECONFIG, /* settings or command line */
    HW_ESYS,    /* the operating system refused; sys holds errno */
    HW_ELUA,    /* a parser or the worker that runs it */
    HW_EKUBE,   /* the API server refused or can't be reached */
    HW_ELIMIT,  /* a ceiling was reached */
};

struct hw_err {
    enum hw_code code;
    int sys; /* errno, or 0 */
    char msg[400];
};

/* Fill err (NULL allowed) and are -1, so that `return hw_fail(...)` is the idiom. Macros, so that an analyzer sees the -1.
 *   hw_fail(err, code, fmt, ...)
 *   hw_fail_sys(err, fmt, ...)  HW_ESYS, with errno and ": strerror" at the end
 *   hw_wrap(err, fmt, ...)      puts "context: " in front, keeps code and errno */
#define hw_fail(...)                                                                               \
    ({                                                                                             \
        hw_err_set(__VA_ARGS__);                                                                   \
        -1;                                                                                        \
    })
#define hw_fail_sys(...)                                                                           \
    ({                                                                                             \
        hw_err_set_sys(__VA_ARGS__);                                                               \
        -1;                                                                                        \
    })
#define hw_wrap(...)                                                                               \
    ({                                                                                             \
        hw_err_wrap(__VA_ARGS__);                                                                  \
        -1;                                                                                        \
    })
void hw_err_set(struct hw_err *err, enum hw_code code, const char *fmt, ...) HW_PRINTF(3, 4);
void hw_err_set_sys(struct hw_err *err, const char *fmt, ...) HW_PRINTF(2, 3);
void hw_err_wrap(struct hw_err *err, const char *fmt, ...) HW_PRINTF(2, 3);

/* The process exit status for a command that failed with this code: 2 wrong use or settings, 3 input
 * that can't be read, 4 the API server, 1 all else. */
int hw_exit_status(enum hw_code code);

#endif
