/* SPDX-License-Identifier: Apache-2.0 */
/* A unit test's frame. A test executable is a list of claims:
 *
 *     static void holds_after_growth(void) { CHECK_EQ(b.len, 3); }
 *     int main(void)
 *     {
 *         TEST("content survives growth", holds_after_growth);
 *         return check_done();
 *     }
 *
 * Output is TAP. A failed CHECK prints both values and the claim goes on, so that one run shows
 * all. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_n_tests, check_n_failed;
static bool check_failed;

static inline void check_fail(const char *file, int line, const char *what)
{
    printf("# %s:%d: %s\n", file, line, what);
    check_failed = true;
}

#define CHECK(cond) ((cond) ? (void)0 : check_fail(__FILE__, __LINE__, #cond))

#define CHECK_EQ(got, want)                                                                        \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        if (got_ != want_) {                                                                       \
            printf("# %s is %lld, not %lld\n", #got, got_, want_);                                 \
            check_fail(__FILE__, __LINE__, #got " == " #want);                                     \
        }                                                                                          \
    } while (0)

#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *got_ = (got), *want_ = (want);                                                 \
        if (!got_ || !want_ || strcmp(got_, want_) != 0) {                                         \
            printf("# %s is \"%s\", not \"%s\"\n", #got, got_ ? got_ : "(null)",                   \
                   want_ ? want_ : "(null)");                                                      \
            check_fail(__FILE__, __LINE__, #got " == " #want);                                     \
        }                                                                                          \
    } while (0)

static inline void check_run(const char *claim, void (*test)(void))
{
    check_failed = false;
    test();
    check_n_tests++;
    check_n_failed += check_failed;
    printf("%s %d - %s\n", check_failed ? "not ok" : "ok", check_n_tests, claim);
    fflush(stdout);
}

#define TEST(claim, fn) check_run(claim, fn)

static inline int check_done(void)
{
    printf("1..%d\n", check_n_tests);
    return check_n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The fail-the-nth-allocation loop, for executables linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup (meson: 'alloc_fail': true) and
 * compiled with CHECK_ALLOC_FAIL. FOR_EACH_ALLOC_FAILURE { body } runs the body with the 1st, 2nd,
 * ... allocation failing, until a run in which none failed; the body must survive, leak nothing and
 * keep its promises. */
#ifdef CHECK_ALLOC_FAIL
static int check_alloc_countdown = -1; /* -1: never fail */
static bool check_alloc_hit;

static inline bool check_alloc_fails(void)
{
    if (check_alloc_countdown < 0 || check_alloc_countdown-- > 0)
        return false;
    check_alloc_hit = true;
    check_alloc_countdown = -1;
    return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t n)
{
    return check_alloc_fails() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
    return check_alloc_fails() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
    return check_alloc_fails() ? NULL : __real_realloc(p, n);
}
char *__wrap_strdup(const char *s)
{
    return check_alloc_fails() ? NULL : __real_strdup(s);
}

#define FOR_EACH_ALLOC_FAILURE                                                                     \
    for (int check_nth = 0;                                                                        \
         check_alloc_hit = false, check_alloc_countdown = check_nth, check_nth < 10000;            \
         check_nth = check_alloc_hit ? check_nth + 1 : 10000, check_alloc_countdown = -1)
#endif
