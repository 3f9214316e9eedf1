/* check.h - the whole test harness: cases run in order, failures are printed, the last line counts. */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_passed, check_failed, check_bad;

/* Runs one case: `static void name(void)`. */
#define CASE(fn)                                             \
    do {                                                     \
        check_bad = 0;                                       \
        fn();                                                \
        if (check_bad == 0)                                  \
            check_passed++;                                  \
        else                                                 \
            check_failed++;                                  \
        printf("%s %s\n", check_bad ? "FAIL" : "ok  ", #fn); \
        fflush(stdout);                                      \
    } while (0)

#define CHECK(cond, ...)                                        \
    do {                                                        \
        if (!(cond)) {                                          \
            check_bad++;                                        \
            printf("  %s:%d: %s: ", __FILE__, __LINE__, #cond); \
            printf(" " __VA_ARGS__);                            \
            printf("\n");                                       \
        }                                                       \
    } while (0)

#define CHECK_STR(got, want)                                                         \
    do {                                                                             \
        const char *check_got = (got), *check_want = (want);                         \
        if (check_got == NULL || strcmp(check_got, check_want) != 0) {               \
            check_bad++;                                                             \
            printf("  %s:%d: %s is \"%s\", want \"%s\"\n", __FILE__, __LINE__, #got, \
                   check_got ? check_got : "(null)", check_want);                    \
        }                                                                            \
    } while (0)

#define CHECK_INT(got, want)                                                     \
    do {                                                                         \
        int64_t check_g = (int64_t)(got), check_w = (int64_t)(want);             \
        if (check_g != check_w) {                                                \
            check_bad++;                                                         \
            printf("  %s:%d: %s is %lld, want %lld\n", __FILE__, __LINE__, #got, \
                   (long long)check_g, (long long)check_w);                      \
        }                                                                        \
    } while (0)

/* Last statement of main: prints the count, gives the exit code. */
#define CHECK_END()                                                \
    (printf("%d passed, %d failed\n", check_passed, check_failed), \
     check_failed ? EXIT_FAILURE : EXIT_SUCCESS)

#endif
