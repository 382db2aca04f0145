#define _GNU_SOURCE
#include "instructions.h"

#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#if defined(__x86_64__) && defined(__linux__)

// initial-exec: the handler runs between any two instructions, also those that would set up the thread's storage.
static _Thread_local volatile uint64_t steps __attribute__((tls_model("initial-exec")));
static _Thread_local volatile int is_over __attribute__((tls_model("initial-exec")));

enum { trap_flag = 0x100 };

static void on_trap(int signal, siginfo_t *information, void *place) {
    (void)signal;
    (void)information;
    ucontext_t *const context = place;
    if (is_over) {
        context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)trap_flag;
    } else {
        ++steps;
    }
}

uint64_t apus_count_instructions(void (*body)(void *), void *context) {
    struct sigaction action = {0}, previous;
    action.sa_sigaction = on_trap;
    action.sa_flags = SA_SIGINFO;
    if (sigaction(SIGTRAP, &action, &previous) != 0) { return 0; }
    steps = 0;
    is_over = 0;
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
                     "pushfq\n\t"
                     "orq $0x100, (%%rsp)\n\t"
                     "popfq\n\t"
                     "lea 128(%%rsp), %%rsp" ::: "cc", "memory");
    body(context);
    is_over = 1;
    __asm__ volatile("nop\n\tnop" ::: "memory");
    sigaction(SIGTRAP, &previous, NULL);
    return steps;
}

static void loop(void *context) {
    for (volatile int *rounds = context; *rounds > 0; --*rounds) {}
}

int apus_counts_instructions(void) {
    int rounds = 100;
    const uint64_t counted = apus_count_instructions(loop, &rounds);
    return rounds == 0 && counted >= 200 && counted < 5000;
}

#else

uint64_t apus_count_instructions(void (*body)(void *), void *context) {
    body(context);
    return 0;
}

int apus_counts_instructions(void) { return 0; }

#endif
