/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/guard.h"

#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

_Thread_local struct guard *guard_top;

static struct sigaction before_segv, before_bus;

/* Not ours: puts the former handler back, and the faulting instruction runs again into that. */
static void pass_on(int signal_number)
{
    sigaction(signal_number, signal_number == SIGBUS ? &before_bus : &before_segv, NULL);
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    (void)info;
    if (guard_top) /* the handler is left by a jump, which does not put the mask back */
        pthread_sigmask(SIG_SETMASK, &((ucontext_t *)context)->uc_sigmask, NULL);
    guard_fail();
    pass_on(signal_number);
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
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
