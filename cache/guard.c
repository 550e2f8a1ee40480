/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/guard.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

_Thread_local struct guard *guard_top;

static struct sigaction before_segv, before_bus;

/* Not ours: puts the former handler back, and the faulting instruction runs again into that. */
static void pass_on(int signal_number)
{
    sigaction(signal_number, signal_number == SIGBUS ? &before_bus : &before_segv, NULL);
}

static void on_fault(int signal_number)
{
    guard_fail();
    pass_on(signal_number);
}

static void install(void)
{
    /* SA_NODEFER: the handler is left by a jump, so the signal must not stay blocked. */
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &before_segv);
    sigaction(SIGBUS, &action, &before_bus);
}

void guard_install(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
}

void guard_fail(void)
{
    if (guard_top)
        siglongjmp(guard_top->jump, 1);
}
