/* SPDX-License-Identifier: Apache-2.0 */
/* A guard around calls that read a mapped file which may be damaged, cut short or on a failing
 * disk: a fault (SIGSEGV, SIGBUS) or a failed assertion inside the call ends the call instead of
 * the process. What the call was working on is lost and must not be used again. */
#pragma once

#include <setjmp.h>
#include <stddef.h>

struct guard {
    sigjmp_buf jump;
    struct guard *outer;
};

enum { GUARD_FAULT = -1000000 }; /* what a call that faulted "returned" */

/* Of this thread; NULL: no guarded call. */
extern _Thread_local struct guard *guard_top;

/* Takes the signals over, once a process; faults outside of guarded calls go where they went
 * before. Any thread. */
void guard_install(void);

/* Ends the guarded call that this thread is in, as a fault would. Returns when there is none. */
void guard_fail(void);

/* For a function that has a guarded call and is to stay a function: one it is inlined into could
 * lose its variables in the jump. */
#define GUARD_ALONE __attribute__((noinline))

/* The int that @call gives, or GUARD_FAULT. */
#define GUARDED(call)                                                                              \
    ({                                                                                             \
        struct guard guard_here_;                                                                  \
        volatile int guard_result_ = GUARD_FAULT;                                                  \
        guard_here_.outer = guard_top;                                                             \
        if (sigsetjmp(guard_here_.jump, 0) == 0) {                                                 \
            guard_top = &guard_here_;                                                              \
            guard_result_ = (call);                                                                \
        }                                                                                          \
        guard_top = guard_here_.outer;                                                             \
        guard_result_;                                                                             \
    })
